//! A small Windows volume in memory, and the engine's commands on it.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use diskmend_disk::testing::FaultyDisk;

use crate::boot_volume::BootPlace;
use crate::documents::{RepairReport, RowState, UndoReport};
use crate::error::Error;
use crate::hive_file::edit_site;
use crate::hive_on_disk;
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::planned::Planned;
use crate::progress::Watch;
use crate::recipe::{Catalogue, HiveName, Recipe};
use crate::repair::repair_site;
use crate::run::{RunId, STATE_FOLDER, StateFolder};
use crate::site::{Options, Site};
use crate::stop::Stop;
use crate::trust::Judge;
use crate::undo::undo_site;
use crate::value_data::ValueData;
use diskmend_disk::{Access, VolumeState};
use diskmend_hive::Editor;
use diskmend_hive::{EditError, ValueType};

/// The recipes of most tests.
pub(super) const BUNDLE: [&str; 3] = ["tls", "nla", "crash-dump"];

pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// A volume with the hive and logs of a fixture as its SYSTEM hive.
pub(super) fn volume(fixture: &str) -> FaultyDisk {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let disk = FaultyDisk::new();
    let mut hives = 0;
    for entry in std::fs::read_dir(root.join(fixture)).expect("the fixture") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a plain name");
        if name.starts_with("SYSTEM") {
            let bytes = std::fs::read(entry.path()).expect("the file");
            disk.put(&format!("Windows/System32/config/{name}"), bytes);
            hives += 1;
        }
    }
    assert!(hives > 0, "{fixture} holds no hive");
    disk
}

pub(super) fn site(disk: &FaultyDisk) -> Site {
    Site {
        display: "memory".to_owned(),
        root: disk.root(),
        state: StateFolder::new(disk.root(), STATE_FOLDER).expect("a folder for undo data"),
        boot: BootPlace::default(),
        disk: None,
        partition: None,
        layout: None,
        room: Box::new(|_| Ok(())),
        encryption: None,
        volume_state: Box::new(VolumeState::default),
        target: None,
        in_place: true,
        judge: Judge::for_tests(),
    }
}

pub(super) fn with_watch<T>(f: impl FnOnce(&mut Watch<'_>) -> T) -> T {
    let cancel = AtomicBool::new(false);
    let mut progress = ();
    f(&mut Watch::new(&mut progress, &cancel))
}

fn recipes() -> Vec<&'static Recipe> {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    let catalogue = CATALOGUE.get_or_init(|| Catalogue::built_in().expect("valid"));
    catalogue.select(&BUNDLE).expect("known")
}

/// The names of the files that differ between two sets; their bytes are too many to print.
pub(super) fn differing(a: &Files, b: &Files) -> Vec<String> {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differ = names
        .into_iter()
        .filter(|name| a.get(*name) != b.get(*name));
    differ.cloned().collect()
}

/// Checks that both disks have the same hives and logs.
pub(super) fn same_hives(a: &FaultyDisk, b: &FaultyDisk, what: &str) {
    let differ = differing(&hives(a), &hives(b));
    assert!(differ.is_empty(), "{what}: {differ:?} differ");
}

pub(super) fn plan(disk: &FaultyDisk, goal: Goal) -> Result<Planned, Error> {
    let recipes = recipes();
    with_watch(|watch| plan_site(&site(disk), &recipes, goal, &Options::default(), watch))
}

pub(super) fn repair(disk: &FaultyDisk) -> Result<RepairReport, Error> {
    let plan = plan(disk, Goal::Desired)?;
    with_watch(|watch| repair_site(&site(disk), plan, &Options::default(), watch))
}

/// Repairs without the full checks. They take most of the time, and these tests are about writing.
pub(super) fn repair_unchecked(disk: &FaultyDisk) -> Result<RepairReport, Error> {
    let options = unchecked();
    with_watch(|watch| {
        let plan = plan_site(&site(disk), &recipes(), Goal::Desired, &options, watch)?;
        repair_site(&site(disk), plan, &options, watch)
    })
}

fn unchecked() -> Options {
    Options {
        check: false,
        ..Options::default()
    }
}

pub(super) fn undo(disk: &FaultyDisk, run: Option<&str>) -> Result<UndoReport, Error> {
    with_watch(|watch| undo_site(&mut site(disk), run, &Options::default(), watch))
}

/// The number of values that are as desired, and of those that are not.
pub(super) fn tally(disk: &FaultyDisk) -> (usize, usize) {
    let recipes = recipes();
    let options = Options {
        check: false,
        ..Options::default()
    };
    let report =
        with_watch(|watch| inspect_site(&site(disk), &recipes, &options, watch).expect("inspect"));
    let right = report.rows.iter().filter(|row| row.state == RowState::Ok);
    let right = right.count();
    (right, report.rows.len() - right)
}

/// The hive and its logs.
pub(super) fn hives(disk: &FaultyDisk) -> Files {
    let mut files = disk.files();
    files.retain(|path, _| path.starts_with("Windows/"));
    files
}

/// True if a run waits to be settled.
pub(super) fn is_unfinished(disk: &FaultyDisk) -> bool {
    match site(disk).no_unfinished_run(None) {
        Ok(()) => false,
        Err(Error::Refused(_)) => true,
        Err(error) => panic!("{error}"),
    }
}

/// A value of the SYSTEM hive.
pub(super) fn reading(disk: &FaultyDisk, key: &str, name: &str) -> Option<ValueData> {
    let site = site(disk);
    let place = hive_on_disk::find(site.root.as_ref(), HiveName::System).expect("a hive");
    let opened = hive_on_disk::open(place, Access::Read).expect("open");
    crate::reading::value(&opened.hive, key, name).expect("sound")
}

/// Edits of the SYSTEM hive that no recipe makes.
pub(super) trait FaultyHive {
    /// Edits the hive as a run of its own, and returns the name of the run.
    fn edit(&self, change: impl FnOnce(&mut Editor) -> Result<(), EditError>) -> String;

    /// Sets numbers; missing keys are created.
    fn set_all(&self, values: &[(&str, &str, u32)]) -> String {
        self.edit(|editor| {
            for (key, name, number) in values {
                editor.create_key(key)?;
                editor.set_value(key, name, ValueType::DWORD, &number.to_le_bytes())?;
            }
            Ok(())
        })
    }
}

impl FaultyHive for FaultyDisk {
    fn edit(&self, change: impl FnOnce(&mut Editor) -> Result<(), EditError>) -> String {
        let site = site(self);
        let place = hive_on_disk::find(site.root.as_ref(), HiveName::System).expect("a hive");
        let options = Options::default();
        let change = |editor: &mut Editor| -> Result<(), Stop<Infallible>> { Ok(change(editor)?) };
        let report = with_watch(|watch| edit_site(&site, place, &options, watch, change));
        report.expect("edit").0.run.expect("a change")
    }
}

/// The operation that made a run durable; nothing else was changed before it.
pub(super) fn begun(log: &[String]) -> usize {
    let is_run = |name: &str| RunId::parse(name).is_some();
    let created = |what: &String| what.strip_prefix("create ").is_some_and(is_run);
    let created = log.iter().position(created).expect("a run");
    let is_folder = |what: &&String| what.starts_with("create folder") && what.ends_with(".files");
    let folders = log.iter().filter(is_folder).count();
    let later = log.iter().enumerate().skip(created);
    let mut flushes = later.filter(|(_, what)| *what == "flush folder");
    flushes.nth(folders).expect("a durable name").0
}

/// The operation that made the last journal durable.
pub(super) fn ended(log: &[String]) -> usize {
    log.iter()
        .rposition(|what| what == "flush")
        .expect("a journal")
}

/// Every `step`th number below `count`, or all of them if DISKMEND_ALL_CRASHES is set.
pub(super) fn one_in(step: usize, count: usize) -> impl Iterator<Item = usize> {
    let all = std::env::var_os("DISKMEND_ALL_CRASHES").is_some();
    (0..count).step_by(if all { 1 } else { step })
}
