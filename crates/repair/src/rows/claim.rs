//! The settings that rows want, and finding contradictions between them.

use diskmend_bcd::{ElementId, ElementValue};
use diskmend_hive::name::same_name;

use super::{BcdObject, FolderPath, KeyPattern};
use crate::place::HiveName;
use crate::value_data::ValueData;

/// The setting that a row wants.
pub(crate) enum Claim<'r> {
    /// A value. No two rows may want different data for it.
    Value {
        hive: HiveName,
        key: &'r KeyPattern,
        value: &'r str,
        desired: &'r ValueData,
    },
    /// An element. No two rows may want different values for it.
    Element {
        object: BcdObject,
        element: ElementId,
        /// `bcdedit`'s name for it.
        name: String,
        desired: Option<&'r ElementValue>,
    },
    /// Security descriptors. Two recipes that are used together mustn't set any in the same folder.
    Folder(&'r FolderPath),
}

impl Claim<'_> {
    /// The contradiction, for display, if both want different things.
    pub(crate) fn contradicts(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (
                Self::Value {
                    hive,
                    key,
                    value,
                    desired,
                },
                Self::Value {
                    hive: other_hive,
                    key: other_key,
                    value: other_value,
                    desired: other_desired,
                },
            ) if hive == other_hive
                && desired != other_desired
                && key.may_meet(other_key)
                && same_name(value, other_value) =>
            {
                Some(format!(
                    "want different data in value \"{other_value}\" of {hive}\\{other_key}"
                ))
            }
            (
                Self::Element {
                    object,
                    element,
                    desired,
                    ..
                },
                Self::Element {
                    object: other_object,
                    element: other_element,
                    name,
                    desired: other_desired,
                },
            ) if object == other_object && element == other_element && desired != other_desired => {
                Some(format!("want different things of {name} of {object}"))
            }
            _ => None,
        }
    }

    /// The conflict, for display, if two recipes that are used together could remove what the other
    /// one grants.
    pub(crate) fn interferes(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (Self::Folder(one), Self::Folder(other)) if one.may_meet(other) => {
                Some(format!("both set the permissions of {other}"))
            }
            _ => None,
        }
    }
}
