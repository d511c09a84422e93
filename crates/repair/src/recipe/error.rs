//! Why a recipe is not accepted.

/// Why a recipe cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The file is longer than any recipe needs to be.
    #[error("{file}: {len} bytes long, a recipe has at most {limit}")]
    TooLong {
        /// The file.
        file: String,
        /// Its length in bytes.
        len: u64,
        /// The bound in bytes.
        limit: u64,
    },
    /// The file is no TOML, or a field is missing, unknown or of the wrong type.
    #[error("{file}:{line}:{column}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// No recipe has this name.
    #[error("no recipe is called {name:?}")]
    Unknown {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A second recipe of the same name.
    #[error("there is already a recipe called {name:?}")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// Recipes that include each other.
    #[error("recipe {name:?} includes itself")]
    Cycle {
        /// The name.
        name: String,
    },
    /// Two of the chosen recipes want what can't be had together.
    #[error("recipes {first:?} and {second:?} {what}")]
    Conflict {
        /// One recipe.
        first: String,
        /// The other.
        second: String,
        /// What they both want, for a person.
        what: String,
    },
}
