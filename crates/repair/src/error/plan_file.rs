//! The reasons why a saved plan is refused, whatever the target is.

use crate::trust::KeyId;

/// The reason why a saved plan can't be used, or why a plan can't be saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanFileError {
    /// It is longer than any plan that diskmend saves.
    #[error("a saved plan has at most {limit} bytes")]
    TooLong {
        /// The greatest length.
        limit: u64,
    },
    /// It has no seal.
    #[error(
        "it is not a plan that diskmend saved, or not a whole one: it does not end with a seal"
    )]
    NoSeal,
    /// Its seal does not match.
    #[error("its seal does not match: the file was changed")]
    WrongSeal,
    /// Another machine has sealed it.
    #[error("it names the key {key} of another machine, and that key was not given")]
    Foreign {
        /// The key that it names.
        key: KeyId,
    },
    /// Its format is that of another version.
    #[error("it has schema {found}, and this diskmend reads {known}")]
    Schema {
        /// The schema that it has.
        found: u64,
        /// The schema that this program reads.
        known: u32,
    },
    /// It is sealed, but something in it is not as diskmend writes it.
    #[error("{what}")]
    Content {
        /// The problem.
        what: String,
    },
    /// A recipe that comes with the program is another one in this version.
    #[error(
        "the plan is stale: recipe {recipe} is another one in this version of diskmend \
         ({program} made the plan)"
    )]
    OtherRecipe {
        /// The name of the recipe.
        recipe: String,
        /// The version that made the plan.
        program: String,
    },
}
