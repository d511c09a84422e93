//! What a person should know about a volume before it is changed, as text.

use diskmend_repair::VolumeCondition;

use super::console;

/// Warns of the conditions of a volume, each with what helps. `whose` begins each warning; it may
/// be empty.
pub(crate) fn conditions(whose: &str, conditions: &[VolumeCondition]) {
    for condition in conditions {
        console::warn(format_args!("{whose}{}", condition.meaning));
        condition.remedies.iter().for_each(console::hint);
    }
}
