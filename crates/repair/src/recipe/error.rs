//! The reasons why a recipe isn't accepted.

/// The reason why a recipe can't be used.
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
        /// The limit in bytes.
        limit: u64,
    },
    /// The file isn't TOML, or a field is missing, unknown or has the wrong type.
    #[error("{file}:{line}:{column}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// No recipe has this name.
    #[error("no recipe is called \"{name}\"")]
    Unknown {
        /// The name.
        name: String,
        /// The names of all recipes.
        known: Vec<String>,
    },
    /// A second recipe has the same name.
    #[error("there is already a recipe called \"{name}\"")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// Recipes include each other.
    #[error("recipe \"{name}\" includes itself")]
    Cycle {
        /// The name.
        name: String,
    },
    /// A parameter that can't have this value, or that doesn't exist.
    #[error("{name}={value}: {what}")]
    Parameter {
        /// The parameter.
        name: String,
        /// The value.
        value: String,
        /// What is wrong, for display.
        what: String,
    },
    /// Two of the chosen recipes contradict each other.
    #[error("recipes \"{first}\" and \"{second}\" {what}")]
    Conflict {
        /// One recipe.
        first: String,
        /// The other recipe.
        second: String,
        /// What both want, for display.
        what: String,
    },
}
