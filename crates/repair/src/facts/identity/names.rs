//! The names by which a person recognizes a Windows, for the journal of a run.

use super::super::Facts;
use super::{WindowsIdentity, reader::Reader};
use crate::identity::WindowsNames;
use crate::place::HiveName;

/// The names in the hives that are open anyway: a run is not worth opening another hive.
pub(crate) fn of_open_hives(facts: &Facts<'_>) -> WindowsNames {
    let mut identity = WindowsIdentity::default();
    if let Some(opened) = facts.open_hive(HiveName::System)
        && let Ok(sets) = facts.control_sets_in(opened)
    {
        identity.add_control_set(&mut Reader::of(opened), sets.next());
    }
    if let Some(opened) = facts.open_hive(HiveName::Software) {
        let build = facts.build().ok();
        identity.add_version(&mut Reader::of(opened), build);
    }
    WindowsNames {
        product_name: identity.product_name,
        build: identity.build,
        computer_name: identity.computer_name,
    }
}
