//! The engine's commands on an unmounted disk. The image and the undo data are on a faulty disk.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use diskmend_acl::{SddlParts, SecurityDescriptor};
use diskmend_disk::testing::FaultyDisk;
use diskmend_disk::{Access, Dir, Disk, DiskLayout, Kind, Target, VolumeState};

use super::image_fixture::KEYS;
use super::support::with_watch;
use crate::beside::Attached;
use crate::boot_volume::BootPlace;
use crate::documents::{RepairReport, RowState, UndoReport};
use crate::error::{Error, chain};
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::recipe::{Catalogue, Recipe};
use crate::repair::repair_site;
use crate::run::StateFolder;
use crate::site::{Options, Site};
use crate::trust::Judge;
use crate::undo::undo_site;

/// Recipes for the hive, the boot store, and security descriptors.
const RECIPES: [&str; 5] = ["tls", "nla", "crash-dump", "serial-console", "machine-keys"];
const IMAGE: &str = "disk.img";
const STATE: &str = "disk.img.diskmend";
/// The starts of the names of hive files.
const HIVES: [&str; 2] = ["SYSTEM", "BCD"];

/// A faulty disk with an image on it.
pub(super) fn with_image(image: Vec<u8>) -> FaultyDisk {
    let disk = FaultyDisk::new();
    disk.put(IMAGE, image);
    disk
}

/// A sample of `count` crashes, or all of them if the variable is set. The step is odd, so that
/// every kind of loss is tried.
pub(super) fn sampled(count: usize) -> impl Iterator<Item = usize> {
    super::support::one_in(37, count)
}

#[track_caller]
pub(super) fn same_image(a: &FaultyDisk, b: &FaultyDisk, what: &str) {
    assert!(
        a.files()[IMAGE] == b.files()[IMAGE],
        "{what}: the image is another"
    );
}

pub(super) fn options() -> Options {
    Options {
        check: false,
        ..Options::default()
    }
}

fn open(disk: &FaultyDisk) -> Result<Disk, Error> {
    let medium = disk.medium(IMAGE).map_err(Error::io(IMAGE, "open"))?;
    let opened = Disk::of_medium(Path::new(IMAGE), medium);
    opened.map_err(|error| Error::io(IMAGE, "open")(io::Error::other(error)))
}

/// The site with which a process starts to work on the image.
pub(super) fn site(disk: &FaultyDisk) -> Result<Site, Error> {
    let failed = |error| Error::io(IMAGE, "open")(io::Error::other(error));
    let opened = open(disk)?;
    let target = || Target::of_disk(opened.clone(), None).map_err(failed);
    Ok(Site {
        display: IMAGE.to_owned(),
        root: target()?.into_root(),
        state: StateFolder::new(disk.root(), STATE)?,
        boot: BootPlace {
            beside: Box::new(Attached::of(target()?)),
            ..BootPlace::default()
        },
        partition: target()?.partition(),
        // The stores of the fixtures name partitions of other disks.
        layout: None,
        disk: Some(opened.clone()),
        room: Box::new(|_| Ok(())),
        encryption: None,
        volume_state: Box::new(VolumeState::default),
        target: Some(target()?),
        in_place: true,
        judge: Judge::for_tests(),
    })
}

/// The site, on which the partition table is known.
pub(super) fn whole_site(disk: &FaultyDisk) -> Result<Site, Error> {
    let failed = |error| Error::io(IMAGE, "open")(io::Error::other(error));
    let target = Target::of_disk(open(disk)?, None).map_err(failed)?;
    Ok(Site {
        layout: DiskLayout::of(&target),
        ..site(disk)?
    })
}

fn with_recipes<T>(f: impl FnOnce(&[&Recipe]) -> T) -> T {
    let catalogue = Catalogue::built_in().expect("valid");
    f(&catalogue.select(&RECIPES).expect("known"))
}

pub(super) fn repair(disk: &FaultyDisk) -> Result<RepairReport, Error> {
    repair_at(&site(disk)?)
}

pub(super) fn repair_at(site: &Site) -> Result<RepairReport, Error> {
    with_recipes(|recipes| {
        with_watch(|watch| {
            let plan = plan_site(site, recipes, Goal::Desired, &options(), watch)?;
            repair_site(site, plan, &options(), watch)
        })
    })
}

pub(super) fn undo(disk: &FaultyDisk) -> Result<UndoReport, Error> {
    let mut site = site(disk)?;
    with_watch(|watch| undo_site(&mut site, None, &options(), watch))
}

pub(super) fn is_unfinished(disk: &FaultyDisk) -> bool {
    match site(disk).and_then(|site| site.no_unfinished_run(None)) {
        Ok(()) => false,
        Err(Error::Refused(_)) => true,
        Err(error) => panic!("{error}"),
    }
}

/// The content of an image, without details that a crash may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// Every file except for those of hives, by partition and path.
    files: BTreeMap<String, Vec<u8>>,
    /// For every hive, the number of values that are as desired, and of those that are not.
    pub(super) hives: BTreeMap<String, (usize, usize)>,
    /// The security descriptors of the keys and their folder.
    pub(super) descriptors: BTreeMap<String, String>,
}

/// Reads the whole content of an image; fails the test if something can't be read.
#[track_caller]
pub(super) fn content(disk: &FaultyDisk, what: &str) -> Content {
    try_content(disk).unwrap_or_else(|error| panic!("{what}: {error}"))
}

/// Reads the whole content of an image, or returns the reason why something can't be read.
fn try_content(disk: &FaultyDisk) -> Result<Content, String> {
    let opened = open(disk).map_err(|error| chain(&error))?;
    let mut files = BTreeMap::new();
    for partition in opened.partitions() {
        let number = partition.entry.number;
        let root = opened.root(number).map_err(|error| chain(&error))?;
        add_files(root.as_ref(), &number.to_string(), &mut files)?;
    }
    let site = site(disk).map_err(|error| chain(&error))?;
    let report =
        with_recipes(|recipes| with_watch(|watch| inspect_site(&site, recipes, &options(), watch)));
    let report = report.map_err(|error| chain(&error))?;
    if let Some(skipped) = report.skipped.first() {
        return Err(format!("{skipped:?}"));
    }
    let mut hives: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let rows = report.rows.iter().map(|row| (row.hive.as_str(), row.state));
    let elements = report.elements.iter().map(|row| ("BCD", row.state));
    for (hive, state) in rows.chain(elements) {
        let tally = hives.entry(hive.to_owned()).or_default();
        match state {
            RowState::Ok | RowState::Reported => tally.0 += 1,
            _ => tally.1 += 1,
        }
    }
    Ok(Content {
        files,
        hives,
        descriptors: descriptors(&site)?,
    })
}

fn add_files(
    folder: &dyn Dir,
    path: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), String> {
    let failed = |error: io::Error| format!("{path}: {error}");
    for name in folder.names(1000).map_err(failed)? {
        let path = format!("{path}/{name}");
        match folder.metadata(&name).map_err(failed)?.kind {
            Kind::Folder => {
                let below = folder.open_dir(&name).map_err(failed)?;
                add_files(below.as_ref(), &path, files)?;
            }
            Kind::File if !name.starts_with('$') => {
                let file = folder.open(&name, Access::Read).map_err(failed)?;
                let mut bytes = vec![0; file.len().map_err(failed)? as usize];
                file.read_exact_at(&mut bytes, 0).map_err(failed)?;
                if !HIVES.iter().any(|hive| name.starts_with(hive)) || name.ends_with(".txt") {
                    files.insert(path, bytes);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn descriptors(site: &Site) -> Result<BTreeMap<String, String>, String> {
    let secured = crate::changes::descriptors::of_site(site).map_err(|error| chain(&error))?;
    let components: Vec<&str> = KEYS.split('/').collect();
    let found = secured.find(&components);
    let found = found.map_err(|error| chain(&error))?;
    let (path, _) = found.ok_or("the keys are gone")?;
    let objects = secured.walk(&path).flatten();
    let described = objects.map(|object| {
        let path = object.path.to_string();
        let bytes = object.descriptor;
        let bytes = bytes.map_err(|error| format!("{path}: {}", chain(&error)))?;
        let descriptor = SecurityDescriptor::from_bytes(&bytes).expect("sound");
        Ok((path, descriptor.to_sddl(SddlParts::All).expect("plain")))
    });
    described.collect()
}

/// Checks that a crash has left either the old or the new content. Returns `false` if a structure
/// of NTFS is torn, which can happen because it is longer than a sector; then the run must be there
/// to be undone.
pub(super) fn is_old_or_new(disk: &FaultyDisk, old: &Content, new: &Content, what: &str) -> bool {
    let readable = is_readable(disk, old, new, what);
    assert!(readable || is_unfinished(disk), "{what}");
    readable
}

/// Checks the content as [`is_old_or_new`] does, for a state in which no run can be undone.
pub(super) fn is_readable(disk: &FaultyDisk, old: &Content, new: &Content, what: &str) -> bool {
    match try_content(disk) {
        Ok(content) => {
            content.is_old_or_new(old, new, what);
            true
        }
        Err(error) => {
            assert!(error.contains("update sequence number"), "{what}: {error}");
            false
        }
    }
}

impl Content {
    /// Checks that everything is equal to the content of another disk.
    #[track_caller]
    pub(super) fn is(&self, other: &Self, what: &str) {
        let files = self.files.keys().chain(other.files.keys());
        let differ = files.filter(|path| self.files.get(*path) != other.files.get(*path));
        let differ: Vec<_> = differ.collect();
        assert!(differ.is_empty(), "{what}: {differ:?}");
        assert_eq!(self.hives, other.hives, "{what}");
        assert_eq!(self.descriptors, other.descriptors, "{what}");
    }

    /// Checks that everything has its old or its new content.
    fn is_old_or_new(&self, old: &Self, new: &Self, what: &str) {
        assert!(self.files == old.files, "{what}: other files have changed");
        for (hive, tally) in &self.hives {
            let known = [&old.hives[hive], &new.hives[hive]];
            assert!(known.contains(&tally), "{what}: {hive}: {tally:?}");
        }
        for (path, found) in &self.descriptors {
            let known = [&old.descriptors[path], &new.descriptors[path]];
            assert!(known.contains(&found), "{what}: {path}: {found}");
        }
        assert_eq!(self.hives.len(), old.hives.len(), "{what}");
        assert_eq!(self.descriptors.len(), old.descriptors.len(), "{what}");
    }
}
