//! Tells the Windows installations of an unmounted disk apart.

use std::path::Path;

use diskmend_base::chain;
use diskmend_disk::{Disk, Target};
use diskmend_repair::{Engine, Options, WindowsIdentity};

use crate::progress::Steps;

/// What the Windows on a partition is, or the reason why that is unknown, for display. Nothing is
/// written.
pub(crate) fn windows_on(disk: &Disk, partition: u32) -> Result<WindowsIdentity, String> {
    let target = Target::of_disk(disk.clone(), Some(partition)).map_err(|e| chain(&e))?;
    let engine = Engine::open(target, Options::default()).map_err(|e| chain(&e))?;
    let mut steps = Steps::start();
    let identity = engine.facts(&mut steps.watch()).identity().clone();
    Ok(identity)
}

/// The names that distinguish a Windows from others: its product, build and computer. `None` if
/// none of them is known.
pub(crate) fn names(identity: &WindowsIdentity) -> Option<String> {
    let build = identity.build.map(|build| match identity.ubr {
        Some(ubr) => format!("build {build}.{ubr}"),
        None => format!("build {build}"),
    });
    let computer = identity.computer_name.as_deref();
    let computer = computer.map(|name| format!("computer {name}"));
    let parts = [identity.product_name.clone(), build, computer];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// One line for each of these partitions, with the option that chooses it.
pub(crate) fn choices(disk: &Path, partitions: &[u32]) -> Vec<String> {
    let opened = Disk::open_to_look(disk).ok();
    let line = |&partition: &u32| {
        let found = opened.as_ref().map(|disk| windows_on(disk, partition));
        let what = match found {
            Some(Ok(identity)) => names(&identity),
            Some(Err(reason)) => Some(reason),
            None => None,
        };
        let what = what.unwrap_or_else(|| "a Windows whose name can't be read".to_owned());
        format!("--volume {partition}: {what}")
    };
    partitions.iter().map(line).collect()
}
