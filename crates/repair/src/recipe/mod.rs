//! Recipes: repairs as data, each a TOML file (docs/recipes.md describes the format).

mod acl;
mod boot;
mod builtin;
mod catalogue;
mod data;
mod error;
mod fault;
mod file;
mod key_pattern;

use std::fmt;

use serde::Serialize;

pub use acl::{AclFault, AclRow, AppliesTo, DesiredAcl, FolderPath, Grants};
pub use boot::{BcdFault, BcdObject, BcdRow};
pub use catalogue::Catalogue;
pub use error::RecipeError;
pub use fault::{Companion, Fault};
pub use file::MAX_LEN;
pub use key_pattern::KeyPattern;

use crate::value_data::ValueData;

/// The version of the format that [`Recipe::parse`] reads.
pub const SCHEMA: i64 = 1;

/// A named repair.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// What it is called on the command line.
    pub name: String,
    /// One line for a person.
    pub title: String,
    /// What it does and when it is needed.
    pub summary: String,
    /// Where its values are documented.
    pub sources: Vec<String>,
    /// Names of the recipes that belong to it.
    pub includes: Vec<String>,
    /// Registry values as they should be.
    pub registry: Vec<RegistryRow>,
    /// Elements of the boot store as they should be.
    pub bcd: Vec<BcdRow>,
    /// Security descriptors as they should be.
    pub acl: Vec<AclRow>,
    /// Whether it is only done when named: `inspect` and `--auto` pass it over otherwise.
    pub on_request: bool,
    /// Where it comes from.
    pub origin: Origin,
}

impl Recipe {
    /// Whether it has settings of its own, not only those of the recipes that it includes.
    #[must_use]
    pub fn has_rows(&self) -> bool {
        !self.registry.is_empty() || !self.bcd.is_empty() || !self.acl.is_empty()
    }
}

/// Where a recipe comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The program itself.
    BuiltIn,
    /// A file of the user's, as named by the user.
    File(String),
}

/// A registry value as it should be, in every place that the key stands for.
#[derive(Clone, Debug)]
pub struct RegistryRow {
    /// The hive.
    pub hive: HiveName,
    /// The key below the hive's root.
    pub key: KeyPattern,
    /// The value's name; empty for the default value.
    pub value: String,
    /// What it should be.
    pub desired: ValueData,
    /// What to do where it does not exist.
    pub if_missing: IfMissing,
    /// When what is found there is evidence of a fault.
    pub fault: Option<Fault>,
    /// One sentence for a person.
    pub why: String,
}

/// What to do with a value that does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfMissing {
    /// Create it, and its key.
    #[default]
    Create,
    /// Nothing: that is as good as the desired data.
    Leave,
}

/// A hive file of `Windows/System32/config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HiveName {
    /// Control sets: services, drivers, system settings.
    System,
    /// Settings of Windows and of installed software.
    Software,
}

impl HiveName {
    /// All that recipes may name.
    pub const ALL: [Self; 2] = [Self::System, Self::Software];

    /// The file's name below `Windows/System32/config`.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::System => "SYSTEM",
            Self::Software => "SOFTWARE",
        }
    }
}

impl fmt::Display for HiveName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file_name())
    }
}
