//! What is wrong with the default entry of a boot store.

use diskmend_bcd::loader::{Loader, Mismatch, Place};

use super::{BootFaults, EntryFault};
use crate::facts::boot_stores::{Content, DefaultEntry, Looked, holds_windows};
use crate::site::Site;

/// Judges the default entry of a store. That it starts another Windows of the disk is no fault.
pub(super) fn judge(site: &Site, looked: &Looked, content: &Content, faults: &mut BootFaults) {
    let store = looked.shown.as_str();
    let place = format!("{store} {{bootmgr}}");
    let guid = match content.default {
        DefaultEntry::Missing => {
            return faults.entry(EntryFault::DefaultMissing, &place, "default is missing");
        }
        DefaultEntry::Dangling(guid) => {
            let found = format!("default is {guid}, which the store does not have");
            return faults.entry(EntryFault::DefaultDangling, &place, found);
        }
        DefaultEntry::Of(guid) => guid,
    };
    // Any other object starts another system.
    let Some(entry) = content
        .entries
        .iter()
        .find(|entry| entry.loader.guid == guid)
    else {
        return;
    };
    let loader = &entry.loader;
    match loader.mismatch(&looked.wanted) {
        Some(Mismatch::WindowsPe) => {
            let found = format!("default is {loader}, which starts Windows PE or a memory disk");
            faults.entry(EntryFault::DefaultRecovery, &place, found);
        }
        Some(Mismatch::Place(Place::Other { name, .. })) => {
            elsewhere(site, looked, loader, name.as_deref(), faults);
        }
        _ => {}
    }
}

/// The default entry names another partition of the disk.
fn elsewhere(
    site: &Site,
    looked: &Looked,
    loader: &Loader,
    name: Option<&str>,
    faults: &mut BootFaults,
) {
    let entry = format!("{} {loader}", looked.shown);
    let shown = loader.place(&looked.wanted);
    let Some(has_windows) = name.and_then(|name| has_windows(site, name)) else {
        let reason = format!(
            "{entry}: whether a Windows is on {shown}, which it starts by default, can't be seen from here"
        );
        return faults.unread_entries.push(reason);
    };
    if !has_windows {
        let mut found = format!("osdevice is {shown}, on which there is no Windows");
        if let Some(own) = looked.wanted.partition {
            found.push_str(&format!("; this Windows is on {own}"));
        }
        faults.entry(EntryFault::DefaultElsewhere, &entry, found);
    }
}

/// True if a volume of the disk may hold a Windows; `None` if that is not known.
fn has_windows(site: &Site, path: &str) -> Option<bool> {
    let siblings = site.boot.beside.siblings().ok()?;
    match siblings.iter().find(|sibling| sibling.path == path) {
        Some(sibling) if sibling.is_locked() => Some(true),
        Some(sibling) => {
            let volume = sibling.opened.as_ref().ok()?;
            Some(holds_windows(volume.root.as_ref()))
        }
        // On an unmounted disk, a partition without a file system is none of the volumes.
        None => site.disk.is_some().then_some(false),
    }
}
