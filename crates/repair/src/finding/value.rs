//! Values of a hive, judged and changed.

use serde::{Deserialize, Serialize};

use super::RowState;
use crate::value_data::ValueData;

/// A value and a row's judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JudgedValue {
    /// The key below the hive's root.
    pub(crate) key: String,
    /// The value's name; empty for the default value.
    pub(crate) value: String,
    /// True if the key is in the control set that `Select\Current` names; absent if it is in none.
    pub(crate) in_current_set: Option<bool>,
    /// What it should be.
    pub(crate) desired: ValueData,
    /// What it is; absent if it does not exist.
    pub(crate) current: Option<ValueData>,
    /// The result of comparing the two.
    pub(crate) state: RowState,
}

/// A value before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedValue {
    /// The key below the hive's root.
    pub key: String,
    /// The value's name; empty for the default value.
    pub value: String,
    /// Its data before; absent if it didn't exist.
    pub old: Option<ValueData>,
    /// Its data after; absent if it is deleted.
    pub new: Option<ValueData>,
}

/// A key that is created or deleted as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedKey {
    /// The key below the hive's root.
    pub key: String,
}
