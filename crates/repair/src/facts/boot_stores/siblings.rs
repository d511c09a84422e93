//! Searching for boot stores on the other volumes of the target's disk.

use diskmend_bcd::loader::{Loader, Place};
use diskmend_disk::guard::WINDOWS_FOLDER;
use diskmend_disk::{Dir, Kind};

use super::{Candidate, Chosen, Facts, stores_below, unreadable, wanted};
use crate::beside::Sibling;
use crate::boot_volume::LoaderChoice;
use crate::error::{Error, Refusal};

/// The content of the volumes beside the target.
pub(super) struct Beside {
    /// The roots of the volumes that could be read.
    pub(super) volumes: Vec<String>,
    /// The other volumes, with their content.
    pub(super) unread: Vec<String>,
    pub(super) candidates: Vec<Candidate>,
}

/// Reads every volume of the target's disk. A volume that can't be read counts as an unreadable
/// store.
///
/// # Errors
/// If it isn't known which volumes there are, or if the caller interrupts.
pub(super) fn look(facts: &Facts<'_>) -> Result<Beside, Error> {
    let site = facts.site;
    let mut found = Beside {
        volumes: Vec::new(),
        unread: Vec::new(),
        candidates: Vec::new(),
    };
    let mut other_windows = None;
    for sibling in site.boot.beside.siblings()? {
        if let Some(content) = sibling.unknown_content() {
            found.unread.push(format!("{} ({content})", sibling.path));
            continue;
        }
        if may_hold_windows(&sibling) {
            other_windows.get_or_insert_with(|| sibling.path.clone());
        }
        let is_locked = sibling.is_locked();
        let Sibling { path, opened } = sibling;
        let searched = opened.and_then(|volume| {
            volume.guards(false)?;
            let wanted = wanted(site, Some(&path));
            stores_below(facts, volume.root.as_ref(), Some(&path), &wanted)
        });
        match searched {
            Ok(candidates) => found.candidates.extend(candidates),
            Err(error @ Error::Interrupted(_)) => return Err(error),
            Err(_) if is_locked => {}
            Err(error) => found.candidates.push(unreadable(&path, error)),
        }
        found.volumes.push(path);
    }
    // A loader that is named by its GUID belongs to the wanted Windows and to no other.
    let named = matches!(facts.options.boot.loaders, LoaderChoice::Named(_));
    if let (Some(volume), false) = (other_windows, named) {
        found.candidates.iter_mut().for_each(|candidate| {
            let starts_target = |loader: &Loader| {
                let wanted = wanted(site, candidate.status.volume.as_deref());
                loader.place(&wanted) == Place::Wanted
            };
            // The store may be the other Windows's, unless its loaders name the target's partition.
            let may_be_other = |chosen: &Chosen| !chosen.loaders.iter().all(starts_target);
            if candidate.outcome.as_ref().is_ok_and(may_be_other) {
                candidate.outcome = Err(Refusal::AnotherWindows {
                    path: candidate.status.shown_path(),
                    volume: volume.clone(),
                }
                .into());
            }
        });
    }
    Ok(found)
}

/// True if a store on this disk may start the Windows on that volume and not the target's.
fn may_hold_windows(sibling: &Sibling) -> bool {
    match &sibling.opened {
        Ok(volume) => holds_windows(volume.root.as_ref()),
        Err(_) => sibling.is_locked(),
    }
}

/// True if the volume with this root may hold a Windows.
pub(crate) fn holds_windows(root: &dyn Dir) -> bool {
    match root.find(&WINDOWS_FOLDER) {
        Ok(found) => found.is_some_and(|place| place.kind() == Kind::Folder),
        // Something on the way isn't a folder, so this volume has no Windows.
        Err(diskmend_disk::LookupError::NotAFolder { .. }) => false,
        Err(_) => true,
    }
}
