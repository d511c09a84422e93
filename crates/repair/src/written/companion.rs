//! Another value of a key on which something depends: `where = { value = "V", equals = [1] }`.

use diskmend_hive::ValueType;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Expected, Written, Wrong, is_read_as_one_of, value_name, value_type as value_type_named, wrong,
    wrong_at,
};
use crate::value_data::ValueData;

/// Another value of the same key that must have certain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    /// Its name.
    pub value: String,
    /// The data. The value must have one of these, unless its program is missing.
    pub equals: Vec<Expected>,
    /// True if it is enough that the program that the value names is not on the disk.
    pub program_missing: bool,
}

impl Companion {
    /// True if the data are among those that the other value must have. Text is compared without
    /// regard to case.
    pub(crate) fn fits(&self, found: &ValueData) -> bool {
        is_read_as_one_of(found, &self.equals)
    }
}

/// It, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompanionFile {
    value: Spanned<String>,
    /// Its type; the row's own type if absent.
    #[serde(rename = "type")]
    value_type: Option<Spanned<String>>,
    equals: Option<Spanned<Vec<Spanned<Written>>>>,
    #[serde(default)]
    program_missing: bool,
}

impl CompanionFile {
    /// Checks the condition of another value. `row_type` is the type of the row.
    pub(crate) fn read(self, row_type: Option<ValueType>) -> Result<Companion, Wrong> {
        value_name(self.value.get_ref()).map_err(wrong(&self.value))?;
        let value_type = match &self.value_type {
            None => row_type,
            Some(name) => Some(value_type_named(name.get_ref()).map_err(wrong(name))?),
        };
        let equals = match &self.equals {
            None if self.program_missing => Vec::new(),
            None => {
                let at = wrong_at(self.value.span());
                return Err(at(
                    "say what the other value equals, or program_missing = true",
                ));
            }
            Some(list) if list.get_ref().is_empty() => {
                return Err(wrong(list)("name at least one".to_owned()));
            }
            Some(list) => Expected::read_all(value_type, list.get_ref())?,
        };
        Ok(Companion {
            value: self.value.into_inner(),
            equals,
            program_missing: self.program_missing,
        })
    }
}
