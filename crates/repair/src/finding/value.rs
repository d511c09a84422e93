//! Values of a hive.

use serde::{Deserialize, Serialize};

use super::RowState;
use crate::value_data::ValueData;

/// A value, and what a row says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JudgedValue {
    /// The key below the hive's root.
    pub(crate) key: String,
    /// The value's name; empty for the default value.
    pub(crate) value: String,
    /// Whether the key lies in the control set that `Select\Current` names; absent if it lies in none.
    pub(crate) in_current_set: Option<bool>,
    /// What it should be.
    pub(crate) desired: ValueData,
    /// What it is; absent if it does not exist.
    pub(crate) current: Option<ValueData>,
    /// How the two compare.
    pub(crate) state: RowState,
}

/// A value before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedValue {
    /// The key below the hive's root.
    pub key: String,
    /// The value's name; empty for the default value.
    pub value: String,
    /// What it was; absent where it did not exist.
    pub old: Option<ValueData>,
    /// What it becomes; absent where it is deleted.
    pub new: Option<ValueData>,
}

/// A key that comes or goes as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedKey {
    /// The key below the hive's root.
    pub key: String,
}

impl JudgedValue {
    /// The value before and after it is made as desired.
    pub(crate) fn change(&self) -> ChangedValue {
        ChangedValue {
            key: self.key.clone(),
            value: self.value.clone(),
            old: self.current.clone(),
            new: Some(self.desired.clone()),
        }
    }
}
