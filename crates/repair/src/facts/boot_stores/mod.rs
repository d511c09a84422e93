//! The boot stores of a target, and the one that starts its Windows. Nothing is guessed: if several
//! stores could start it, or one can't be read, none is chosen.

use std::iter;

use diskmend_bcd::loader::{self, Loader, LoaderError, Wanted};
use diskmend_bcd::{Device, Guid, Partition, Store};
use diskmend_disk::{Access, Dir, LookupError, PartitionId};

mod choose;
mod content;
mod siblings;

pub(crate) use content::{
    BootManager, Content, DefaultEntry, Entry, Looked, NoContent, boot_manager, has_boot_files,
};
pub(crate) use siblings::holds_windows;

use super::{Facts, Failure, is_damage};
use crate::boot_volume::LoaderChoice;
use crate::error::{Error, Refusal, chain};
use crate::hive_on_disk::{self, FileRead, HiveOnDisk, HivePlace};
use crate::place::HiveId;
use crate::place::on_volume;
use crate::progress::Phase;
use crate::site::{Options, Site};
pub use crate::store_status::{LoaderStatus, StoreStatus};
use choose::choose;

/// The paths of boot stores on a volume: for BIOS and for EFI firmware.
pub(crate) const PLACES: [&[&str]; 2] = [&["Boot", "BCD"], &["EFI", "Microsoft", "Boot", "BCD"]];
/// The folder of the target's Windows as loaders name it; case is ignored.
const WINDOWS: &str = r"\Windows";

/// The boot stores of a target.
pub(crate) struct Found {
    pub(crate) stores: Vec<StoreStatus>,
    /// The store that starts the target's Windows.
    pub(crate) chosen: Result<Chosen, Failure>,
    /// What each of the stores says.
    pub(crate) looked: Vec<Looked>,
    /// The files of all stores that were read.
    pub(crate) files_read: Vec<FileRead>,
}

/// The store that starts the target's Windows, and the loaders in it that recipes are about.
pub(crate) struct Chosen {
    pub(crate) opened: HiveOnDisk,
    pub(crate) loaders: Vec<Loader>,
    /// The target's Windows and its disk, as the store would name them.
    pub(crate) wanted: Wanted,
    /// True for the store of EFI firmware, false for that of a BIOS; `None` for one in another
    /// place.
    pub(crate) is_efi: Option<bool>,
}

/// A boot store that was found.
struct Candidate {
    status: StoreStatus,
    outcome: Result<Chosen, Error>,
    /// What it says; `None` for a volume on which no store could be read.
    looked: Option<Looked>,
    /// Its files, if they could be read.
    files_read: Vec<FileRead>,
}

/// Searches for the stores of a target: in the place that the caller names, or else on the target,
/// and if it holds none, on the other volumes of its disk.
///
/// # Errors
/// If there is none, or if the caller interrupts.
pub(super) fn find(facts: &Facts<'_>) -> Result<Found, Error> {
    let site = facts.site;
    if let Some(volume) = &site.boot.volume {
        volume.guards(false)?;
    }
    let volume = site.boot.volume.as_ref().map(|volume| volume.path.as_str());
    let root = site.root_of(volume)?;
    let wanted = wanted(site, volume);
    if let Some(components) = &site.boot.named {
        let place = place_below(root.dir(), volume, components)?;
        let place = place.ok_or_else(|| Error::NoHive {
            path: components.join("/"),
        })?;
        let is_efi = is_efi(&place.place.path);
        let candidate = candidate(facts, root.dir(), place, is_efi, &wanted)?;
        return Ok(choose(vec![candidate], true));
    }
    let candidates = stores_below(facts, root.dir(), volume, &wanted)?;
    if !candidates.is_empty() {
        return Ok(choose(candidates, true));
    }
    if let Some(volume) = volume {
        return Err(Refusal::NoStore {
            volume: Some(volume.to_owned()),
            beside: Vec::new(),
            unread: Vec::new(),
        }
        .into());
    }
    let found = siblings::look(facts)?;
    if found.candidates.is_empty() {
        Err(Refusal::NoStore {
            volume: None,
            beside: found.volumes,
            unread: found.unread,
        }
        .into())
    } else {
        Ok(choose(found.candidates, false))
    }
}

/// The target's Windows as loaders name it, for a store on the volume `store`, or on the target
/// itself if that is `None`.
pub(crate) fn wanted(site: &Site, store: Option<&str>) -> Wanted {
    let Some(layout) = &site.layout else {
        return Wanted {
            system_root: WINDOWS.to_owned(),
            ..Wanted::default()
        };
    };
    let partitions = layout.partitions.iter();
    let partition = layout.own.map(partition);
    Wanted {
        system_root: WINDOWS.to_owned(),
        partition,
        store: match store {
            None => partition,
            Some(volume) => partitions
                .clone()
                .find_map(|(name, id)| (name == volume).then(|| self::partition(*id))),
        },
        disk: partitions
            .map(|(name, id)| (name.clone(), self::partition(*id)))
            .collect(),
    }
}

fn partition(id: PartitionId) -> Partition {
    match id {
        PartitionId::Gpt { disk, partition } => Partition::Gpt { disk, partition },
        PartitionId::Mbr { signature, offset } => Partition::Mbr { signature, offset },
    }
}

/// The boot stores of the volume with this root.
fn stores_below(
    facts: &Facts<'_>,
    root: &dyn Dir,
    volume: Option<&str>,
    wanted: &Wanted,
) -> Result<Vec<Candidate>, Error> {
    let mut candidates = Vec::new();
    for components in PLACES {
        match place_below(root, volume, components) {
            Ok(None) => {}
            Ok(Some(place)) => {
                let is_efi = components.len() > 2;
                candidates.push(candidate(facts, root, place, is_efi, wanted)?);
            }
            Err(error) => candidates.push(Candidate {
                status: status(volume.map(str::to_owned), components.join("/")),
                outcome: Err(error),
                looked: None,
                files_read: Vec::new(),
            }),
        }
    }
    Ok(candidates)
}

/// A volume on which no store could be read.
fn unreadable(volume: &str, error: Error) -> Candidate {
    Candidate {
        status: status(Some(volume.to_owned()), String::new()),
        outcome: Err(error),
        looked: None,
        files_read: Vec::new(),
    }
}

/// A file below the root of a volume; case is ignored. `None` if it doesn't exist.
fn place_below<S: AsRef<str>>(
    root: &dyn Dir,
    volume: Option<&str>,
    components: &[S],
) -> Result<Option<HivePlace>, Error> {
    let components: Vec<&str> = components.iter().map(AsRef::as_ref).collect();
    match root.find(&components) {
        Ok(place) => Ok(place.map(|place| HivePlace {
            hive: HiveId::BootStore,
            volume: volume.map(str::to_owned),
            place,
        })),
        // A file is on the way, so there is no store below it.
        Err(LookupError::NotAFolder { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// True if the path of a store that a person has named is one of EFI firmware.
fn is_efi(path: &str) -> bool {
    let first = path.split('/').next();
    first.is_some_and(|first| first.eq_ignore_ascii_case("EFI"))
}

/// The firmware of a store in one of the usual places: true for EFI, false for a BIOS.
fn firmware(path: &str) -> Option<bool> {
    let is_at = |place: &[&str]| path.eq_ignore_ascii_case(&place.join("/"));
    let [bios, efi] = PLACES.map(is_at);
    if efi {
        Some(true)
    } else if bios {
        Some(false)
    } else {
        None
    }
}

fn candidate(
    facts: &Facts<'_>,
    root: &dyn Dir,
    place: HivePlace,
    is_efi: bool,
    wanted: &Wanted,
) -> Result<Candidate, Error> {
    let mut status = status(place.volume.clone(), place.place.path.clone());
    facts.phase(Phase::Opening, &status.shown_path())?;
    let len = place.place.metadata.len;
    let opened = hive_on_disk::open(place, Access::Read);
    let content = match &opened {
        Ok(opened) => read_content(opened),
        Err(error) => Err(NoContent {
            reason: chain(error),
            is_damage: is_damage(error),
            is_unrecoverable: matches!(error, Error::Refused(Refusal::Unrecoverable { .. })),
        }),
    };
    let looked = Looked {
        shown: status.shown_path(),
        is_efi,
        len,
        wanted: wanted.clone(),
        content,
        boot_manager: boot_manager(root, is_efi),
    };
    let files_read = opened
        .as_ref()
        .map_or_else(|_| Vec::new(), HiveOnDisk::files_read);
    let outcome = opened.and_then(|opened| {
        let loaders = loaders_of(&opened, wanted, facts.options, &mut status)?;
        Ok(Chosen {
            is_efi: firmware(opened.path()),
            opened,
            loaders,
            wanted: wanted.clone(),
        })
    });
    Ok(Candidate {
        status,
        outcome,
        looked: Some(looked),
        files_read,
    })
}

/// What a store says.
fn read_content(opened: &HiveOnDisk) -> Result<Content, NoContent> {
    let read = Store::open(&opened.hive).and_then(|store| Content::read(&store));
    read.map_err(|source| NoContent {
        reason: chain(&Error::Store {
            path: opened.path().to_owned(),
            source,
        }),
        is_damage: true,
        is_unrecoverable: false,
    })
}

fn status(volume: Option<String>, path: String) -> StoreStatus {
    StoreStatus {
        volume,
        path,
        chosen: false,
        problem: None,
        warning: None,
        loaders: Vec::new(),
    }
}

/// The loaders that recipes are about, in a store that starts the wanted Windows.
fn loaders_of(
    opened: &HiveOnDisk,
    wanted: &Wanted,
    options: &Options,
    status: &mut StoreStatus,
) -> Result<Vec<Loader>, Error> {
    let path = || on_volume(status.volume.as_deref(), opened.path());
    let unreadable = |source| Error::Store {
        path: path(),
        source,
    };
    let store = Store::open(&opened.hive).map_err(unreadable)?;
    let all = loader::loaders(&store).map_err(unreadable)?;
    let chosen = match (loader::find(&store, wanted), options.boot.loaders) {
        (_, LoaderChoice::Named(guid)) => named(&all, guid, wanted, path()),
        (Ok(found), LoaderChoice::Plain) => plain(found, path()),
        (Ok(_) | Err(LoaderError::SeveralFit { .. }), LoaderChoice::All) => {
            let fitting = loader::fitting(&all, wanted);
            Ok(fitting.into_iter().cloned().collect())
        }
        (Err(LoaderError::Store(source)), _) => Err(unreadable(source)),
        (Err(source), _) => Err(Refusal::LoaderUnclear {
            path: path(),
            source,
        }
        .into()),
    };
    if let Ok(loaders) = &chosen {
        status.warning = loaders.iter().find_map(|loader| {
            let reason = loader.astray(wanted)?;
            Some(format!("loader {loader}: {reason}"))
        });
    }
    let is_chosen = |guid: Guid| {
        let chosen = chosen.as_ref().ok();
        chosen.is_some_and(|chosen| chosen.iter().any(|loader| loader.guid == guid))
    };
    status.loaders = all
        .iter()
        .map(|loader| loader_status(loader, wanted, is_chosen(loader.guid)))
        .collect();
    chosen
}

/// The loader that the caller has named.
fn named(all: &[Loader], guid: Guid, wanted: &Wanted, path: String) -> Result<Vec<Loader>, Error> {
    let found = all.iter().find(|loader| loader.guid == guid);
    let reason = match found.map(|loader| (loader, loader.mismatch(wanted))) {
        Some((loader, None)) => return Ok(vec![loader.clone()]),
        Some((_, Some(mismatch))) => mismatch.to_string(),
        None => "the boot store has none of this GUID".to_owned(),
    };
    Err(Refusal::WrongLoader {
        path,
        loader: guid,
        reason,
    }
    .into())
}

/// The loader that was found, if no other loader starts a Windows in a folder of the same name on
/// another partition. The target's own partition is unknown here, so otherwise nobody could know
/// which loader is right.
fn plain(found: loader::Found, path: String) -> Result<Vec<Loader>, Error> {
    let partition = |loader: &Loader| loader.os_device.as_ref().and_then(Device::partition);
    let all: Vec<&Loader> = iter::once(&found.loader).chain(&found.others).collect();
    let partitions: Vec<_> = all.iter().filter_map(|loader| partition(loader)).collect();
    if partitions.iter().all(|one| Some(one) == partitions.first()) {
        return Ok(vec![found.loader]);
    }
    let told = |loader: &&Loader| match partition(loader) {
        Some(partition) => format!("{loader}: {partition}"),
        None => loader.to_string(),
    };
    let loaders: Vec<String> = all.iter().map(told).collect();
    Err(Refusal::SeveralWindows {
        path,
        loaders: loaders.join("; "),
    }
    .into())
}

fn loader_status(loader: &Loader, wanted: &Wanted, chosen: bool) -> LoaderStatus {
    LoaderStatus {
        object: loader.guid.to_string(),
        description: loader.description.clone(),
        path: loader.path.clone(),
        system_root: loader.system_root.clone(),
        os_device: loader.shown_place(wanted),
        in_menu: loader.in_menu,
        default: loader.is_default,
        chosen,
        mismatch: loader.mismatch(wanted).map(|mismatch| mismatch.to_string()),
    }
}
