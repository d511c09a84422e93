//! What is wrong with the boot stores themselves.

use super::{BootFaults, StoreFault, copies};
use crate::beside::Sibling;
use crate::error::{Error, chain};
use crate::facts::Failure;
use crate::facts::boot_stores::{BootManager, Found, PLACES, boot_manager, has_boot_files};
use crate::site::Site;

/// Judges the stores that were found. A store that can't be read is a fault only if no other store
/// can be read and its content is the reason.
pub(super) fn judge(site: &Site, found: &Found, faults: &mut BootFaults) {
    let is_readable = found.looked.iter().any(|looked| looked.content.is_ok());
    for looked in &found.looked {
        match &looked.content {
            Ok(_) => {
                if let BootManager::Missing(files) = &looked.boot_manager {
                    let copy = copies::of_manager(site.root.as_ref(), looked.is_efi);
                    let found =
                        format!("no boot manager: {} is missing or empty{copy}", any(files));
                    faults.store(StoreFault::NoBootManager, &looked.shown, found);
                }
            }
            Err(_) if is_readable => {}
            Err(_) if looked.len == 0 => {
                faults.store(StoreFault::Empty, &looked.shown, "0 bytes");
            }
            Err(error) if error.is_damage => {
                faults.store(StoreFault::Damaged, &looked.shown, &error.reason);
            }
            Err(error) => faults.unread_stores.push(error.reason.clone()),
        }
    }
    if !is_readable && found.looked.len() < found.stores.len() {
        // Another store may be on a volume that couldn't be read.
        faults.stores.clear();
        let problems = found.stores.iter().filter_map(|store| {
            let problem = store.problem.as_deref()?;
            Some(format!("{}: {problem}", store.shown_path()))
        });
        faults.unread_stores.extend(problems);
    }
}

fn any(files: &[String]) -> String {
    match files {
        [only] => only.clone(),
        files => format!("each of {}", files.join(", ")),
    }
}

/// Judges a disk on which no store was found. It is a fault only on the volume that the firmware
/// starts: a store may be on another disk.
pub(super) fn without_store(site: &Site, failure: &Failure, faults: &mut BootFaults) {
    let [bios, efi] = PLACES.map(|place| place.join("/"));
    let neither = format!("neither {bios} nor {efi} exists");
    if let Some(volume) = &site.boot.volume {
        return faults.store(StoreFault::Missing, &volume.path, neither);
    }
    let siblings = match site.boot.beside.siblings() {
        Ok(siblings) => siblings,
        Err(error) => return faults.unread_stores.push(chain(&error)),
    };
    let system = system_partitions(site);
    for (number, kind) in &system {
        let name = format!("partition {number}");
        if Some(*number) == site.partition {
            faults.store(StoreFault::Missing, &format!("{name} ({kind})"), &neither);
            continue;
        }
        let place = format!("{name} ({kind})");
        match siblings.iter().find(|sibling| sibling.path == name) {
            None => faults.store(StoreFault::Missing, &place, "it has no file system"),
            Some(sibling) => match cannot_read(sibling) {
                None => faults.store(StoreFault::Missing, &place, &neither),
                Some(reason) => faults.unread_stores.push(format!("{place}: {reason}")),
            },
        }
    }
    if !system.is_empty() {
        if !faults.unread_stores.is_empty() {
            // The store may be on the one that can't be read.
            faults.stores.clear();
        }
        return;
    }
    // The table doesn't tell: the volume that the firmware starts has a boot manager.
    let roots = siblings.iter().filter_map(|sibling| {
        let volume = sibling.opened.as_ref().ok()?;
        Some((sibling.path.as_str(), volume.root.as_ref()))
    });
    let target = [(site.display.as_str(), site.root.as_ref())];
    for (path, root) in roots.chain(target) {
        let starts = |is_efi| {
            has_boot_files(root, is_efi) && boot_manager(root, is_efi) == BootManager::Present
        };
        if starts(true) || starts(false) {
            let found = format!("{neither}, although a boot manager is there");
            faults.store(StoreFault::Missing, path, found);
        }
    }
    if faults.stores.is_empty() {
        faults.unread_stores.push(failure.reason());
    }
}

/// The partitions that the firmware starts, by the partition table: their numbers and types.
pub(super) fn system_partitions(site: &Site) -> Vec<(u32, String)> {
    let Some(disk) = &site.disk else {
        return Vec::new();
    };
    let partitions = disk.table().partitions.iter();
    let system = partitions.filter(|one| one.active || one.kind.is_efi_system());
    system
        .map(|one| {
            let active = if one.active { ", active" } else { "" };
            (one.number, format!("{}{active}", one.kind))
        })
        .collect()
}

/// Why a volume can't be read; `None` if it can be.
fn cannot_read(sibling: &Sibling) -> Option<String> {
    match &sibling.opened {
        Ok(_) => None,
        Err(Error::Target { source, .. }) => Some(chain(source)),
        Err(error) => Some(chain(error)),
    }
}
