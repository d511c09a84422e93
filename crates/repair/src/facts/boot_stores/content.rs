//! What a boot store says about how Windows is started, whether or not diskmend chooses the store.

use std::io;

use diskmend_bcd::loader::{self, Loader, Wanted};
use diskmend_bcd::{
    Device, ElementId, ElementValue, Guid, Object, Store, StoreError, well_known::BOOTMGR,
};
use diskmend_disk::{Dir, Kind, LookupError};

/// A boot store that was found, and what could be read of it.
pub(crate) struct Looked {
    /// Its path for display: the whole path if its volume isn't the target.
    pub(crate) shown: String,
    /// True if it is the store of EFI firmware, false if it is that of a BIOS.
    pub(crate) is_efi: bool,
    /// The length of its file.
    pub(crate) len: u64,
    /// The target's Windows, as a store in this place would name it.
    pub(crate) wanted: Wanted,
    /// Its content, or why it can't be read.
    pub(crate) content: Result<Content, NoContent>,
    /// The boot manager that the firmware would start.
    pub(crate) boot_manager: BootManager,
}

/// Why a store can't be read.
pub(crate) struct NoContent {
    /// For display.
    pub(crate) reason: String,
    /// True if the content of the file is the reason.
    pub(crate) is_damage: bool,
    /// True if the content of the file and of its logs is the reason: it was not closed cleanly, and
    /// its logs can't recover it.
    pub(crate) is_unrecoverable: bool,
}

/// The content of a store.
pub(crate) struct Content {
    pub(crate) default: DefaultEntry,
    pub(crate) entries: Vec<Entry>,
}

/// The default entry of a boot manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DefaultEntry {
    /// The boot manager names none.
    Missing,
    /// It names an object that the store doesn't have.
    Dangling(Guid),
    /// It names this object.
    Of(Guid),
}

/// A loader, with what only the evidence needs.
pub(crate) struct Entry {
    pub(crate) loader: Loader,
    /// The device of its file.
    pub(crate) device: Option<Device>,
    /// True if it loads an additional hive.
    pub(crate) has_imc: bool,
}

/// The boot manager beside a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BootManager {
    /// It is there.
    Present,
    /// None of these files is there, or each of them is empty, although other files of the boot
    /// manager are there.
    Missing(Vec<String>),
    /// Not known, for example because the folder has nothing but the store.
    Unknown,
}

impl Content {
    /// Reads a store.
    pub(super) fn read(store: &Store<'_>) -> Result<Self, StoreError> {
        let boot_manager = store.object(BOOTMGR)?;
        let default = boot_manager.and_then(|object| value(&object, ElementId::DEFAULT));
        let default = match default {
            Some(ElementValue::Object(guid)) if store.object(guid)?.is_some() => {
                DefaultEntry::Of(guid)
            }
            Some(ElementValue::Object(guid)) => DefaultEntry::Dangling(guid),
            _ => DefaultEntry::Missing,
        };
        let mut entries = Vec::new();
        for loader in loader::loaders(store)? {
            let object = store.object(loader.guid)?;
            let of_loader = |id| object.and_then(|object| value(&object, id));
            let device = match of_loader(ElementId::APPLICATION_DEVICE) {
                Some(ElementValue::Device(data)) => Device::decode(&data),
                _ => None,
            };
            let imc = [ElementId::IMC_DEVICE, ElementId::IMC_HIVE_NAME];
            entries.push(Entry {
                has_imc: imc.into_iter().any(|id| of_loader(id).is_some()),
                loader,
                device,
            });
        }
        Ok(Self { default, entries })
    }
}

/// The value of an element; `None` if it is missing or can't be read.
fn value(object: &Object<'_>, id: ElementId) -> Option<ElementValue> {
    object.value(id).ok().flatten()
}

/// The files that firmware starts, and the folder that holds other files of the boot manager.
const EFI_MANAGERS: [&[&str]; 4] = [
    &["EFI", "Microsoft", "Boot", "bootmgfw.efi"],
    &["EFI", "Boot", "bootx64.efi"],
    &["EFI", "Boot", "bootaa64.efi"],
    &["EFI", "Boot", "bootia32.efi"],
];
const BIOS_MANAGERS: [&[&str]; 1] = [&["bootmgr"]];
const EFI_FOLDER: &[&str] = &["EFI", "Microsoft", "Boot"];
const BIOS_FOLDER: &[&str] = &["Boot"];
/// The greatest number of names that are read in a folder of boot files.
const MOST_NAMES: usize = 1000;

/// The boot manager of the volume with this root.
pub(crate) fn boot_manager(root: &dyn Dir, is_efi: bool) -> BootManager {
    let managers: &[&[&str]] = if is_efi {
        &EFI_MANAGERS
    } else {
        &BIOS_MANAGERS
    };
    for path in managers {
        match root.find(path) {
            Ok(Some(found)) if found.kind() == Kind::File && found.metadata.len > 0 => {
                return BootManager::Present;
            }
            // A file is on the way, so there is none below it.
            Ok(_) | Err(LookupError::NotAFolder { .. }) => {}
            Err(_) => return BootManager::Unknown,
        }
    }
    if has_boot_files(root, is_efi) {
        let shown = managers.iter().map(|path| path.join("/"));
        BootManager::Missing(shown.collect())
    } else {
        BootManager::Unknown
    }
}

/// True if the volume has other files of the boot manager than a boot store with its logs.
pub(crate) fn has_boot_files(root: &dyn Dir, is_efi: bool) -> bool {
    let folder = if is_efi { EFI_FOLDER } else { BIOS_FOLDER };
    let Ok(Some(found)) = root.find(folder) else {
        return false;
    };
    let names = found.open_dir().and_then(|folder| folder.names(MOST_NAMES));
    let is_boot_file = |name: &String| {
        let name = name.to_ascii_lowercase();
        !name.starts_with("bcd") && name != "bootstat.dat"
    };
    match names {
        Ok(names) => names.iter().any(is_boot_file),
        Err(error) => error.kind() == io::ErrorKind::FileTooLarge,
    }
}
