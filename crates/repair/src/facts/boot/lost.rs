//! A boot store that is missing or can't be read, and what a new one in its place would say. Nothing
//! is guessed: if anything that the new store would name isn't known or isn't there, none is built.

use diskmend_bcd::loader::Wanted;
use diskmend_bcd::new_store::NewStore;
use diskmend_bcd::{Guid, Partition};
use diskmend_disk::{Access, Dir, Kind, LookupError};

use super::locale::locale;
use super::stores::system_partitions;
use crate::digest::Content;
use crate::error::{Error, Refusal, chain};
use crate::facts::boot_stores::{Found, PLACES, wanted};
use crate::facts::{Facts, Product};
use crate::hive_on_disk::{Fingerprint, MOST_REPLACED};
use crate::place::on_volume;
use crate::progress::Interrupted;

/// The text in the boot menu if the hive SOFTWARE doesn't tell the name of Windows.
const WINDOWS: &str = "Windows";
/// The greatest length of that text, in characters.
const MOST_TEXT: usize = 128;

/// A boot store that can be built anew.
pub(crate) struct LostStore {
    /// The root of its volume, if that is not the target.
    pub(crate) volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub(crate) path: String,
    /// What is there now; `None` if nothing is.
    pub(crate) old: Option<Fingerprint>,
    /// The new store.
    pub(crate) new: NewStore,
}

/// Where a store is lost.
struct Place {
    volume: Option<String>,
    path: String,
    is_efi: bool,
}

/// The store of this disk, if it is lost. `None` if a store can be read, or if the reason why one
/// can't be isn't its content.
///
/// # Errors
/// If the caller interrupts. The inner error says why it can't be built.
pub(crate) fn read(facts: &Facts<'_>) -> Result<Option<Result<LostStore, Error>>, Interrupted> {
    let place = match facts.boot_stores()? {
        Ok(found) if found.looked.iter().any(|looked| looked.content.is_ok()) => return Ok(None),
        Ok(found) => damaged(found),
        Err(failure) if failure.is_no_store() => missing(facts),
        Err(failure) => Err(unclear(&facts.site.display, &failure.reason())),
    };
    Ok(Some(place.and_then(|place| build(facts, place))))
}

fn unclear(place: &str, reason: &str) -> Error {
    Refusal::NoNewStore {
        place: place.to_owned(),
        reason: reason.to_owned(),
    }
    .into()
}

/// The only store of the disk, whose content can't be read.
fn damaged(found: &Found) -> Result<Place, Error> {
    let listed = || {
        let each = found.stores.iter().map(|store| {
            let problem = store.problem.as_deref().unwrap_or("it is empty");
            format!("{}: {problem}", store.shown_path())
        });
        each.collect::<Vec<_>>().join("; ")
    };
    let ([store], [looked]) = (found.stores.as_slice(), found.looked.as_slice()) else {
        let reason = "which of several files is the boot store can't be told";
        return Err(unclear(&listed(), reason));
    };
    match &looked.content {
        Err(error) if error.is_damage || error.is_unrecoverable || looked.len == 0 => Ok(Place {
            volume: store.volume.clone(),
            path: store.path.clone(),
            is_efi: looked.is_efi,
        }),
        Err(error) => Err(unclear(&store.shown_path(), &error.reason)),
        Ok(_) => Err(unclear(&store.shown_path(), "it can be read")),
    }
}

/// Where the firmware looks for a store: the volume that it starts, with a boot manager.
fn missing(facts: &Facts<'_>) -> Result<Place, Error> {
    let site = facts.site;
    let mut places = Vec::new();
    if let Some(volume) = &site.boot.volume {
        add(&mut places, Some(&volume.path), volume.root.as_ref())?;
    } else {
        let siblings = site.boot.beside.siblings()?;
        let system = system_partitions(site);
        let may_start = |path: Option<&str>| {
            let is_this = |number: u32| match path {
                None => site.partition == Some(number),
                Some(path) => path == format!("partition {number}"),
            };
            system.is_empty() || system.iter().any(|(number, _)| is_this(*number))
        };
        if may_start(None) {
            add(&mut places, None, site.root.as_ref())?;
        }
        for sibling in siblings.iter().filter(|one| may_start(Some(&one.path))) {
            match &sibling.opened {
                Ok(volume) => add(&mut places, Some(&sibling.path), volume.root.as_ref())?,
                // The firmware could not read it either.
                Err(_) if sibling.is_locked() => {}
                Err(error) => return Err(unclear(&sibling.path, &chain(error))),
            }
        }
    }
    let mut shown = places
        .iter()
        .map(|place| on_volume(place.volume.as_deref(), &place.path));
    let all = shown.by_ref().collect::<Vec<_>>().join(", ");
    drop(shown);
    match places.pop() {
        None => Err(unclear(
            &site.display,
            "no boot manager (bootmgr, or EFI\\Microsoft\\Boot\\bootmgfw.efi) is on the volumes \
             that the firmware starts, so it isn't known where the store belongs",
        )),
        Some(only) if places.is_empty() => Ok(only),
        Some(_) => Err(unclear(
            &all,
            "it isn't known in which of these places it belongs",
        )),
    }
}

/// Adds the places on a volume that have a boot manager, and a folder for the store.
fn add(places: &mut Vec<Place>, volume: Option<&str>, root: &dyn Dir) -> Result<(), Error> {
    for (path, is_efi) in PLACES.into_iter().zip([false, true]) {
        let folder = path.split_last().map(|(_, folder)| folder);
        let folder = folder
            .map(|folder| find(root, folder))
            .transpose()?
            .flatten();
        if folder.is_none_or(|kind| kind != Kind::Folder) {
            continue;
        }
        if has_file(root, manager(is_efi))? {
            places.push(Place {
                volume: volume.map(str::to_owned),
                path: path.join("/"),
                is_efi,
            });
        }
    }
    Ok(())
}

/// The file that the firmware starts.
fn manager(is_efi: bool) -> &'static str {
    NewStore::manager_path(is_efi).unwrap_or(r"\bootmgr")
}

/// What a new store in this place says.
fn build(facts: &Facts<'_>, place: Place) -> Result<LostStore, Error> {
    let Place {
        volume,
        path,
        is_efi,
    } = place;
    let site = facts.site;
    let shown = on_volume(volume.as_deref(), &path);
    let refused = |reason: &str| unclear(&shown, reason);
    let Wanted {
        partition, store, ..
    } = wanted(site, volume.as_deref());
    let (Some(windows), Some(store)) = (partition, store) else {
        return Err(refused(
            "diskmend does not see the partition table of this disk, so it isn't known which \
             partitions the store should name; use the disk or its image as the target",
        ));
    };
    let of_store = site.root_of(volume.as_deref())?;
    let of_windows = site.root.as_ref();
    if !has_file(of_store.dir(), manager(is_efi))? {
        let reason = format!("the boot manager, {}, is missing or empty", manager(is_efi));
        return Err(refused(&reason));
    }
    let loader = NewStore::loader_path(is_efi);
    if !has_file(of_windows, loader)? {
        let firmware = if is_efi { "EFI firmware" } else { "a BIOS" };
        let reason = format!("the loader for {firmware}, {loader}, is missing or empty");
        return Err(refused(&reason));
    }
    let has_resume = has_file(of_windows, NewStore::resume_path(is_efi))?;
    let has_memory_tester = has_file(of_store.dir(), NewStore::memory_tester_path(is_efi))?;
    let name = facts.identity().product_name.clone();
    let name = name.filter(|name| !name.trim().is_empty());
    let description = name.map_or_else(
        || WINDOWS.to_owned(),
        |name| {
            name.chars()
                .filter(|c| !c.is_control())
                .take(MOST_TEXT)
                .collect()
        },
    );
    let is_server = facts
        .product()
        .is_ok_and(|product| product != Product::Workstation);
    let new = NewStore {
        is_efi,
        store,
        windows,
        locale: locale(facts).to_owned(),
        description,
        is_server,
        loader: guid("loader", store, windows),
        resume: has_resume.then(|| guid("resume", store, windows)),
        has_memory_tester,
    };
    let old = fingerprint(of_store.dir(), &path, &shown)?;
    Ok(LostStore {
        volume,
        path,
        old,
        new,
    })
}

/// What is in the file now.
fn fingerprint(root: &dyn Dir, path: &str, shown: &str) -> Result<Option<Fingerprint>, Error> {
    let components: Vec<&str> = path.split('/').collect();
    let Some(found) = root.find(&components)? else {
        return Ok(None);
    };
    if found.metadata.len > MOST_REPLACED {
        let reason = format!("the file there has {} bytes", found.metadata.len);
        return Err(unclear(shown, &reason));
    }
    let io = || Error::io(shown, "read the file");
    let file = found.open(Access::Read).map_err(io())?;
    Ok(Some(Fingerprint {
        path: found.path,
        content: Content::of_file(file.as_ref()).map_err(io())?,
    }))
}

/// A GUID for an object of the store: always the same for the same partitions, so that a plan can
/// be made again.
fn guid(role: &str, store: Partition, windows: Partition) -> Guid {
    let text = format!("diskmend {role} {store} {windows}");
    let mut bytes = xxhash_rust::xxh3::xxh3_128(text.as_bytes()).to_le_bytes();
    // Version 8 and the variant of RFC 9562: a GUID made in an own way.
    let [_, _, _, _, _, _, _, version, variant, ..] = &mut bytes;
    *version = (*version & 0x0f) | 0x80;
    *variant = (*variant & 0x3f) | 0x80;
    Guid(bytes)
}

/// The kind of what is at a path; `None` if nothing is.
fn find(root: &dyn Dir, names: &[&str]) -> Result<Option<Kind>, Error> {
    match root.find(names) {
        Ok(found) => Ok(found.map(|found| found.kind())),
        Err(LookupError::NotAFolder { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// True if a volume has a file with content at this path.
fn has_file(root: &dyn Dir, path: &str) -> Result<bool, Error> {
    let names: Vec<&str> = path.split('\\').filter(|name| !name.is_empty()).collect();
    match root.find(&names) {
        Ok(Some(found)) => Ok(found.kind() == Kind::File && found.metadata.len > 0),
        Ok(None) | Err(LookupError::NotAFolder { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
