//! The copies of its boot files that Windows itself keeps: `bcdboot` installs them.

use diskmend_disk::{Dir, Kind};

/// The folders with the copies of the boot manager, and of the loaders.
const OF_BIOS: [&str; 3] = ["Windows", "Boot", "PCAT"];
const OF_EFI: [&str; 3] = ["Windows", "Boot", "EFI"];
const OF_LOADERS: [&str; 3] = ["Windows", "System32", "Boot"];

/// The end of a message about a missing boot manager: where Windows keeps a copy of it, if it does.
pub(super) fn of_manager(windows: &dyn Dir, is_efi: bool) -> String {
    if is_efi {
        of(windows, &OF_EFI, "bootmgfw.efi")
    } else {
        of(windows, &OF_BIOS, "bootmgr")
    }
}

/// The end of a message about a missing loader.
pub(super) fn of_loader(windows: &dyn Dir, name: &str) -> String {
    of(windows, &OF_LOADERS, name)
}

fn of(windows: &dyn Dir, folder: &[&str], name: &str) -> String {
    let path: Vec<&str> = folder.iter().copied().chain([name]).collect();
    // That there is no copy, or that it can't be read, changes nothing about what is missing.
    let found = windows.find(&path).ok().flatten();
    let found = found.filter(|copy| copy.kind() == Kind::File && copy.metadata.len > 0);
    found.map_or_else(String::new, |copy| {
        format!(
            "; Windows keeps a copy: {} ({} bytes)",
            copy.path, copy.metadata.len
        )
    })
}
