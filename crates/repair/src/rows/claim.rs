//! What rows would set, and which of it contradicts.

use diskmend_bcd::{ElementId, ElementValue};
use diskmend_hive::name::same_name;

use super::{BcdObject, FolderPath, KeyPattern};
use crate::place::HiveName;
use crate::value_data::ValueData;

/// What a row would set.
pub(crate) enum Claim<'r> {
    /// A value: no two rows may want it to be different things.
    Value {
        hive: HiveName,
        key: &'r KeyPattern,
        value: &'r str,
        desired: &'r ValueData,
    },
    /// An element: no two rows may want it to be different things.
    Element {
        object: BcdObject,
        element: ElementId,
        /// What `bcdedit` calls it.
        name: String,
        desired: Option<&'r ElementValue>,
    },
    /// Security descriptors: two recipes that are carried out together may not want any in the same
    /// folder.
    Folder(&'r FolderPath),
}

impl Claim<'_> {
    /// Why both can't be had, for a person: they want the same thing to be different.
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
                    "want different data in value {other_value:?} of {hive}\\{other_key}"
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

    /// Why two recipes that are carried out together can't have both, for a person: what one grants
    /// the other could take away.
    pub(crate) fn interferes(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (Self::Folder(one), Self::Folder(other)) if one.may_meet(other) => {
                Some(format!("both set the permissions of {other}"))
            }
            _ => None,
        }
    }
}
