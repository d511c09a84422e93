//! What a person recognizes a Windows by, for the journal of a run.

use super::super::{BitLockerState, Facts};
use super::{Membership, WindowsIdentity, domain, reader::Reader};
use crate::identity::WindowsNames;
use crate::place::HiveName;

/// What the hives tell that are open anyway, and SECURITY, which is small. SOFTWARE is not worth
/// opening for that alone.
pub(crate) fn of_open_hives(facts: &Facts<'_>) -> WindowsNames {
    let mut identity = WindowsIdentity::default();
    if let Some(opened) = facts.open_hive(HiveName::System)
        && let Ok(sets) = facts.control_sets_in(opened)
    {
        identity.control_sets = Some(sets.sets.len());
        let mut system = Reader::of(opened);
        identity.add_control_set(&mut system, sets.next());
        identity.add_last_boot(&mut system);
    }
    if let Some(opened) = facts.open_hive(HiveName::Software) {
        let build = facts.build().ok();
        identity.add_version(&mut Reader::of(opened), build);
    }
    if let Ok((membership, _)) = domain::of_site(facts.site) {
        identity.membership = membership;
    }
    let mut names = names(&identity);
    names.bitlocker = facts.site.encryption.map(BitLockerState::from);
    names
}

/// What the journal and a plan keep of an identity.
pub(crate) fn names(identity: &WindowsIdentity) -> WindowsNames {
    let (domain, workgroup) = match identity.membership.clone() {
        Some(Membership::Domain(name)) => (Some(name), None),
        Some(Membership::Workgroup(name)) => (None, Some(name)),
        None => (None, None),
    };
    let platform = identity.last_boot_on.as_ref();
    let agents = identity.agents.iter().flatten();
    WindowsNames {
        product_name: identity.product_name.clone(),
        edition: identity.edition.clone(),
        build: identity.build,
        ubr: identity.ubr,
        computer_name: identity.computer_name.clone(),
        domain,
        workgroup,
        installed: identity.installed.clone(),
        time_zone: identity.time_zone.clone(),
        last_shutdown: identity.last_shutdown.clone(),
        last_boot: identity.last_boot.clone(),
        manufacturer: platform.and_then(|platform| platform.manufacturer.clone()),
        model: platform.and_then(|platform| platform.product.clone()),
        control_sets: identity
            .control_sets
            .and_then(|count| u32::try_from(count).ok()),
        bitlocker: identity.bitlocker.as_ref().and_then(|found| found.volume),
        update_pending: identity.update_pending,
        agents: agents.map(|agent| agent.service.to_owned()).collect(),
    }
}
