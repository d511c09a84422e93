//! Why a recipe is not accepted.

use crate::place::HiveName;

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
    /// Two of the chosen recipes set the security descriptors of the same folder.
    #[error("recipes {first:?} and {second:?} both set the permissions of {path}")]
    AclConflict {
        /// One recipe.
        first: String,
        /// The other.
        second: String,
        /// The folder.
        path: String,
    },
    /// Two of the chosen recipes want the same element to be different things.
    #[error("recipes {first:?} and {second:?} want different things of {element} of {object}")]
    ElementConflict {
        /// One recipe.
        first: String,
        /// The other.
        second: String,
        /// The object, as recipes name it.
        object: String,
        /// The element's name.
        element: String,
    },
    /// Two of the chosen recipes want the same value to be different things.
    #[error(
        "recipes {first:?} and {second:?} want different data in value {value:?} of {hive}\\{key}"
    )]
    Conflict {
        /// One recipe.
        first: String,
        /// The other.
        second: String,
        /// The hive.
        hive: HiveName,
        /// The key, as the recipe writes it.
        key: String,
        /// The value's name.
        value: String,
    },
}
