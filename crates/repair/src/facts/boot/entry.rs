//! What is wrong with the entry that starts the target's Windows.

use std::io;

use diskmend_bcd::loader::{self, Loader, Mismatch, Place};
use diskmend_disk::{Dir, Kind, LookupError};

use super::{BootFaults, EntryFault, copies};
use crate::facts::boot_stores::{Content, Entry, Looked};
use crate::site::Site;

/// The folder of Windows's programs.
const SYSTEM32: [&str; 2] = ["Windows", "System32"];
/// The file without which a disk is not one that Windows starts from.
const KERNEL: &str = "ntoskrnl.exe";
/// Files and folders that every Windows has beside its loader.
const BESIDE_LOADER: [&str; 5] = [
    "winload.exe",
    "winload.efi",
    "winresume.exe",
    "winresume.efi",
    "Boot",
];
/// A folder with more names is that of a whole Windows.
const WHOLE: usize = 100;

/// Judges the entry that starts the target's Windows: the default entry if it is meant for this
/// Windows, or else the first one that is.
pub(super) fn judge(site: &Site, looked: &Looked, content: &Content, faults: &mut BootFaults) {
    let loaders: Vec<Loader> = content
        .entries
        .iter()
        .map(|one| one.loader.clone())
        .collect();
    let fitting = loader::fitting(&loaders, &looked.wanted);
    let default = fitting.iter().find(|loader| loader.is_default);
    let in_menu = fitting.iter().find(|loader| loader.in_menu);
    let guid = default.or(in_menu).map(|loader| loader.guid);
    let entries = content.entries.iter();
    let meant = |entry: &&Entry| match guid {
        Some(guid) => entry.loader.guid == guid,
        None => is_default_of_target(&entry.loader, looked),
    };
    let Some(entry) = entries.filter(|entry| !entry.loader.is_winpe).find(meant) else {
        return;
    };
    let place = format!("{} {}", looked.shown, entry.loader);
    devices(looked, entry, &place, faults);
    if entry
        .loader
        .is_efi()
        .is_some_and(|is_efi| is_efi != looked.is_efi)
    {
        let firmware = if looked.is_efi {
            "EFI firmware"
        } else {
            "a BIOS"
        };
        let path = entry.loader.path.as_deref().unwrap_or_default();
        let found = format!("path is {path}, but the store is the one of {firmware}");
        faults.entry(EntryFault::OtherFirmware, &place, found);
    }
    if entry.has_imc {
        let found = "imcdevice or imchivename is present";
        faults.entry(EntryFault::AdditionalHive, &place, found);
    }
    files(site.root.as_ref(), &entry.loader, &place, faults);
}

/// True for the default entry if it names the partition of the target, but a folder or a file that
/// is not the one of its Windows.
fn is_default_of_target(loader: &Loader, looked: &Looked) -> bool {
    let wrong = matches!(
        loader.mismatch(&looked.wanted),
        Some(Mismatch::SystemRoot { .. } | Mismatch::Path { .. })
    );
    wrong && loader.is_default && loader.place(&looked.wanted) == Place::Wanted
}

/// Judges the partitions that the entry names.
fn devices(looked: &Looked, entry: &Entry, place: &str, faults: &mut BootFaults) {
    let wanted = &looked.wanted;
    let own = match wanted.partition {
        Some(own) => format!("; this Windows is on {own}"),
        None => String::new(),
    };
    if let Some(reason) = entry.loader.astray(wanted) {
        let reason = reason.strip_prefix("its ").unwrap_or(&reason);
        return faults.entry(EntryFault::OsDevice, place, format!("{reason}{own}"));
    }
    let device = entry.device.as_ref().map(|device| wanted.place_of(device));
    if let Some(
        device @ (Place::Nowhere { .. } | Place::BootManager { .. } | Place::Other { .. }),
    ) = device
    {
        let found = format!("device is {device}{own}");
        faults.entry(EntryFault::Device, place, found);
    }
}

/// Judges the files that the entry names on the target.
fn files(root: &dyn Dir, loader: &Loader, place: &str, faults: &mut BootFaults) {
    for (element, path) in [("path", &loader.path), ("systemroot", &loader.system_root)] {
        let Some(path) = path else { continue };
        let names: Vec<&str> = path
            .split(['\\', '/'])
            .filter(|name| !name.is_empty())
            .collect();
        if names.is_empty() || names.iter().any(|name| matches!(*name, "." | "..")) {
            continue;
        }
        let state = match root.find(&names) {
            Ok(Some(found)) if found.kind() == Kind::File && found.metadata.len == 0 => "is empty",
            Ok(Some(_)) => continue,
            Ok(None) | Err(LookupError::NotAFolder { .. }) => "does not exist",
            Err(error) => {
                faults.unread_entries.push(crate::error::chain(&error));
                continue;
            }
        };
        match is_whole(root, &names) {
            Ok(true) => {
                let name = names.last().copied().unwrap_or_default();
                let copy = copies::of_loader(root, name);
                let found = format!("{element} is {path}, which {state}{copy}");
                faults.entry(EntryFault::LoaderMissing, place, found);
            }
            Ok(false) => faults.unread_entries.push(format!(
                "{place}: {path} {state}, but so do other files of Windows"
            )),
            Err(error) => faults.unread_entries.push(crate::error::chain(&error)),
        }
    }
}

/// True if the volume has the files of Windows that are beside its loader, and not only copies of
/// some files.
fn is_whole(root: &dyn Dir, missing: &[&str]) -> Result<bool, LookupError> {
    let find = |name: &'static str| root.find(&[SYSTEM32[0], SYSTEM32[1], name]);
    if find(KERNEL)?.is_none() {
        return Ok(false);
    }
    let own = missing.last().copied().unwrap_or_default();
    for name in BESIDE_LOADER {
        if !name.eq_ignore_ascii_case(own) && find(name)?.is_some() {
            return Ok(true);
        }
    }
    let Some(folder) = root.find(&SYSTEM32)? else {
        return Ok(false);
    };
    let names = folder.open_dir().and_then(|folder| folder.names(WHOLE));
    Ok(names.is_err_and(|error| error.kind() == io::ErrorKind::FileTooLarge))
}
