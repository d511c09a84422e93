//! Finds the loader of a store that boots the Windows in a folder.

use std::fmt;

use crate::device::{Device, Partition, Target};
use crate::element_id::ElementId;
use crate::error::StoreError;
use crate::object_type::ObjectType;
use crate::store::{Object, Store};
use crate::value::ElementValue;
use crate::well_known::BOOTMGR;
use diskmend_base::Guid;
use diskmend_base::escape::Escaped;
use diskmend_base::upcase::CaseTable;

/// The file names of Windows's loader on BIOS and EFI.
const LOADER_FILES: [&str; 2] = ["winload.exe", "winload.efi"];

/// The Windows to find a loader for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The Windows folder from the root of its volume, such as `\Windows`.
    pub system_root: String,
    /// The partition of this Windows, if it is known.
    pub partition: Option<Partition>,
    /// The partitions of its disk with their names for display; empty if they are not known.
    pub disk: Vec<(String, Partition)>,
    /// The partition of the store, if it is known: a loader may name it as `boot`.
    pub store: Option<Partition>,
}

/// What a device says about the wanted Windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Nothing: it is missing or names no partition, or the wanted partition is not known.
    Unknown,
    /// It names the wanted partition.
    Wanted,
    /// It names another partition.
    Other {
        /// That partition.
        found: Partition,
        /// The display name of that partition, if it is on the disk.
        name: Option<String>,
    },
    /// It names no partition of the disk.
    Nowhere {
        /// What it names.
        found: Partition,
        /// The partition that it would name if the identifier of the disk were right.
        almost: Option<String>,
    },
    /// It is `boot`, and the store is on another partition than the wanted one.
    BootManager {
        /// The display name of the store's partition.
        name: Option<String>,
    },
    /// It names a file on this disk, which contains another volume.
    InFile,
}

/// A loader of a store. Fields that can't be read are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loader {
    /// GUID of the object.
    pub guid: Guid,
    /// The text in the boot menu.
    pub description: Option<String>,
    /// The loader's file.
    pub path: Option<String>,
    /// The Windows folder.
    pub system_root: Option<String>,
    /// The device that the Windows folder is on.
    pub os_device: Option<Device>,
    /// True if it loads Windows PE.
    pub is_winpe: bool,
    /// True if the boot menu shows it.
    pub in_menu: bool,
    /// True if it is booted when nobody chooses.
    pub is_default: bool,
}

/// The reason why a loader does not boot the wanted Windows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// It loads Windows PE, such as the recovery environment, or loads from a memory disk.
    #[error("it loads Windows PE or a memory disk")]
    WindowsPe,
    /// Its Windows folder is another one.
    #[error("its systemroot is {}", .found.as_deref().unwrap_or("missing"))]
    SystemRoot {
        /// The folder of the loader.
        found: Option<String>,
    },
    /// Its file is not Windows's loader.
    #[error("its path is {}", .found.as_deref().unwrap_or("missing"))]
    Path {
        /// The file of the loader.
        found: Option<String>,
    },
    /// Its Windows is on another partition.
    #[error("its osdevice is {0}")]
    Place(Place),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Wanted => f.write_str("the partition of this Windows"),
            Self::BootManager { name } => {
                f.write_str("boot, the boot manager's own partition")?;
                match name {
                    Some(name) => write!(f, " ({name} of this disk)"),
                    None => Ok(()),
                }
            }
            Self::InFile => f.write_str("a file on this disk, which contains another volume"),
            Self::Other { found, name: None } => write!(f, "{found}"),
            Self::Other {
                found,
                name: Some(name),
            } => write!(f, "{name} of this disk ({found})"),
            Self::Nowhere { found, almost } => {
                write!(f, "on no partition of this disk ({found})")?;
                match almost {
                    Some(name) => write!(f, "; it would be {name} if this were the disk it names"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// The reason why a loader was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// It is the boot manager's default entry.
    Default,
    /// It is the only fitting entry of the boot menu.
    OnlyInMenu,
}

/// The loader that boots the wanted Windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The loader.
    pub loader: Loader,
    /// The reason why it was chosen.
    pub chosen: Chosen,
    /// Other loaders of the store that fit too.
    pub others: Vec<Loader>,
}

/// The reason why no loader is chosen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoaderError {
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No loader of the boot menu boots the wanted Windows.
    #[error("no loader in the boot menu boots {}{}", .wanted.system_root, Listed(.loaders, .wanted))]
    NoneFits {
        /// The wanted Windows.
        wanted: Box<Wanted>,
        /// All loaders of the store.
        loaders: Vec<Loader>,
    },
    /// Several loaders boot it, and none of them is the default entry.
    #[error("{} loaders boot {} and none of them is the default{}",
        .fitting, .wanted.system_root, Listed(.loaders, .wanted))]
    SeveralFit {
        /// The wanted Windows.
        wanted: Box<Wanted>,
        /// The number of loaders that fit.
        fitting: usize,
        /// All loaders of the store.
        loaders: Vec<Loader>,
    },
}

/// The loaders of a store, in the order of their keys.
///
/// # Errors
/// If the store's list of objects can't be read.
pub fn loaders(store: &Store<'_>) -> Result<Vec<Loader>, StoreError> {
    let boot_manager = store.object(BOOTMGR)?;
    let of_boot_manager = |id| boot_manager.and_then(|object| object.value(id).ok().flatten());
    let menu = match of_boot_manager(ElementId::DISPLAY_ORDER) {
        Some(ElementValue::ObjectList(guids)) => guids,
        _ => Vec::new(),
    };
    let default = match of_boot_manager(ElementId::DEFAULT) {
        Some(ElementValue::Object(guid)) => Some(guid),
        _ => None,
    };
    let mut loaders = Vec::new();
    for object in store.objects()? {
        let object = match object {
            Err(error @ StoreError::TooMany { .. }) => return Err(error),
            // A key that is not an object is not a loader.
            Err(_) => continue,
            Ok(object) => object,
        };
        if object.object_type() == Ok(ObjectType::LOADER) {
            let guid = object.guid();
            loaders.push(Loader::of(
                &object,
                menu.contains(&guid),
                default == Some(guid),
            ));
        }
    }
    Ok(loaders)
}

/// The loader that boots the wanted Windows: the boot manager's default entry if it fits, otherwise
/// the only fitting loader in the boot menu.
///
/// # Errors
/// If no loader fits, or several do, with all loaders; or if the store can't be read.
pub fn find(store: &Store<'_>, wanted: &Wanted) -> Result<Found, LoaderError> {
    let all = loaders(store)?;
    let fitting = fitting(&all, wanted);
    let in_menu: Vec<&Loader> = fitting.iter().copied().filter(|l| l.in_menu).collect();
    let default = fitting.iter().copied().find(|loader| loader.is_default);
    let (loader, chosen) = match (default, in_menu.as_slice()) {
        (Some(loader), _) => (loader.clone(), Chosen::Default),
        (None, [only]) => ((*only).clone(), Chosen::OnlyInMenu),
        (None, []) => {
            return Err(LoaderError::NoneFits {
                wanted: Box::new(wanted.clone()),
                loaders: all,
            });
        }
        (None, several) => {
            return Err(LoaderError::SeveralFit {
                wanted: Box::new(wanted.clone()),
                fitting: several.len(),
                loaders: all,
            });
        }
    };
    let others = fitting
        .into_iter()
        .filter(|other| other.guid != loader.guid)
        .cloned()
        .collect();
    Ok(Found {
        loader,
        chosen,
        others,
    })
}

/// The loaders that boot the wanted Windows: those that name its partition; if there are none,
/// those that name no partition; if there are none of these either, those that are meant for it but
/// name a partition that the disk does not have, or the boot manager's own. Windows does not start
/// from such a loader (0xc000000e) until its `osdevice` is corrected.
#[must_use]
pub fn fitting<'a>(loaders: &'a [Loader], wanted: &Wanted) -> Vec<&'a Loader> {
    let fits = |loader: &&Loader| loader.mismatch(wanted).is_none();
    let fitting: Vec<&Loader> = loaders.iter().filter(fits).collect();
    let nearness = |loader: &&Loader| match loader.place(wanted) {
        Place::Wanted => 0,
        Place::Nowhere { .. } | Place::BootManager { .. } => 2,
        _ => 1,
    };
    let nearest = fitting.iter().map(nearness).min();
    let is_nearest = |loader: &&Loader| Some(nearness(loader)) == nearest;
    fitting.into_iter().filter(is_nearest).collect()
}

impl Wanted {
    /// What a device says about this Windows. The identifiers of both the disk and the partition
    /// must be right: the boot manager finds nothing by one of them alone.
    #[must_use]
    pub fn place_of(&self, device: &Device) -> Place {
        let named = match device.target {
            Target::Boot => self.store,
            _ => device.partition(),
        };
        let Some(found) = named else {
            return Place::Unknown;
        };
        let on_disk = self.disk.iter().find(|(_, partition)| *partition == found);
        if matches!(device.target, Target::File(_)) {
            // About a volume in a file, only one thing is known: it is not the partition that
            // contains the file.
            return match on_disk {
                Some(_) => Place::InFile,
                None => Place::Unknown,
            };
        }
        match (self.partition, on_disk) {
            (Some(wanted), _) if wanted == found => Place::Wanted,
            (Some(_), on_disk) if device.target == Target::Boot => Place::BootManager {
                name: on_disk.map(|(name, _)| name.clone()),
            },
            (Some(_), Some((name, _))) => Place::Other {
                found,
                name: Some(name.clone()),
            },
            (_, None) if !self.disk.is_empty() => {
                let almost = self.disk.iter().find(|(_, one)| one.is_almost(found));
                let almost = almost.map(|(name, _)| name.clone());
                Place::Nowhere { found, almost }
            }
            (Some(_), None) => Place::Other { found, name: None },
            (None, _) => Place::Unknown,
        }
    }
}

impl Loader {
    fn of(object: &Object<'_>, in_menu: bool, is_default: bool) -> Self {
        let value = |id| object.value(id).ok().flatten();
        let text = |id| match value(id) {
            Some(ElementValue::String(text)) => Some(text),
            _ => None,
        };
        Self {
            guid: object.guid(),
            description: text(ElementId::DESCRIPTION),
            path: text(ElementId::APPLICATION_PATH),
            system_root: text(ElementId::SYSTEM_ROOT),
            os_device: match value(ElementId::OS_DEVICE) {
                Some(ElementValue::Device(data)) => Device::decode(&data),
                _ => None,
            },
            is_winpe: value(ElementId::WINPE) == Some(ElementValue::Boolean(true)),
            in_menu,
            is_default,
        }
    }

    /// The reason why it does not boot the wanted Windows; `None` if it does.
    #[must_use]
    pub fn mismatch(&self, wanted: &Wanted) -> Option<Mismatch> {
        let on_ram_disk = self.os_device.as_ref().is_some_and(Device::is_ram_disk);
        if self.is_winpe || on_ram_disk {
            return Some(Mismatch::WindowsPe);
        }
        let root = self.system_root.as_deref();
        if !root.is_some_and(|root| is_folder(root, &wanted.system_root)) {
            return Some(Mismatch::SystemRoot {
                found: self.system_root.clone(),
            });
        }
        let file = self
            .path
            .as_deref()
            .and_then(|path| path.rsplit('\\').next());
        let is_loader = file.is_some_and(|file| {
            LOADER_FILES
                .iter()
                .any(|name| name.eq_ignore_ascii_case(file))
        });
        if !is_loader {
            return Some(Mismatch::Path {
                found: self.path.clone(),
            });
        }
        match self.place(wanted) {
            Place::Unknown | Place::Wanted | Place::Nowhere { .. } | Place::BootManager { .. } => {
                None
            }
            place => Some(Mismatch::Place(place)),
        }
    }

    /// What its `osdevice` says about the wanted Windows.
    #[must_use]
    pub fn place(&self, wanted: &Wanted) -> Place {
        match &self.os_device {
            Some(device) => wanted.place_of(device),
            None => Place::Unknown,
        }
    }

    /// The reason, for display, why Windows does not start with this loader although it is meant
    /// for it: its `osdevice` names no partition of the disk, or the boot manager's own.
    #[must_use]
    pub fn astray(&self, wanted: &Wanted) -> Option<String> {
        match self.place(wanted) {
            place @ (Place::Nowhere { .. } | Place::BootManager { .. }) => {
                Some(Mismatch::Place(place).to_string())
            }
            _ => None,
        }
    }

    /// The partition from which it loads Windows, for display; `None` if it names none.
    #[must_use]
    pub fn shown_place(&self, wanted: &Wanted) -> Option<String> {
        let place = self.place(wanted);
        match &place {
            Place::Unknown => self.os_device.as_ref().map(ToString::to_string),
            Place::Wanted => {
                let mut disk = wanted.disk.iter();
                let named = disk.find(|(_, one)| Some(*one) == wanted.partition);
                named.map(|(name, _)| name.clone())
            }
            _ => Some(place.to_string()),
        }
    }

    /// True if its file is for EFI firmware; `None` if the file's name does not tell.
    #[must_use]
    pub fn is_efi(&self) -> Option<bool> {
        let path = self.path.as_deref()?.to_ascii_lowercase();
        match path.rsplit('.').next() {
            Some("efi") => Some(true),
            Some("exe") => Some(false),
            _ => None,
        }
    }
}

impl fmt::Display for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.guid)?;
        match &self.description {
            Some(description) => write!(f, " \"{}\"", Escaped(description)),
            None => Ok(()),
        }
    }
}

/// Loaders with the reasons against them, for a message.
struct Listed<'a>(&'a [Loader], &'a Wanted);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Longer lists are not useful in a message.
        const SHOWN: usize = 16;
        if self.0.is_empty() {
            return f.write_str("; the store has no loaders");
        }
        for (index, loader) in self.0.iter().take(SHOWN).enumerate() {
            f.write_str(if index == 0 { ": " } else { "; " })?;
            match loader.mismatch(self.1) {
                Some(reason) => write!(f, "{loader}: {reason}")?,
                None if loader.in_menu => write!(f, "{loader}: it fits")?,
                None => write!(f, "{loader}: it fits, but is not in the boot menu")?,
            }
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// True if Windows takes both paths for one folder.
fn is_folder(one: &str, other: &str) -> bool {
    let inner = |path: &str| path.trim_matches(['\\', '/']).replace('/', "\\");
    CaseTable::FILES.same(inner(one).encode_utf16(), inner(other).encode_utf16())
}

#[cfg(test)]
mod tests;
