//! The reasons why rules aren't accepted.

/// The reason why rules can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The file is longer than any file of rules needs to be.
    #[error("{file}: {len} bytes long, a file of rules has at most {limit}")]
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
    /// A second rule has the same name.
    #[error("there is already a rule called \"{name}\"")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// There are too many rules.
    #[error("there are more than {limit} rules")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// A rule names a recipe that doesn't exist.
    #[error("rule \"{rule}\" names the recipe \"{recipe}\", which does not exist")]
    UnknownRecipe {
        /// The rule.
        rule: String,
        /// The name that it uses.
        recipe: String,
    },
    /// No rule has this name.
    #[error("no rule is called \"{name}\"")]
    Unknown {
        /// The name.
        name: String,
        /// The names of all rules.
        known: Vec<String>,
    },
}
