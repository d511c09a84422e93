//! What judging a disk finds.

use serde::Serialize;

/// How a value compares with what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowState {
    /// As desired, or missing where that is as good.
    Ok,
    /// It exists and differs, which is no evidence of a fault.
    Differs,
    /// It does not exist, which is no evidence of a fault.
    Missing,
    /// What is found is evidence of a fault.
    Fault,
}
