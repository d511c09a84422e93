//! A Windows volume in a temporary folder, and the engine's commands on it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use diskmend_disk::Target;
use diskmend_repair::documents::{InspectReport, RepairReport, UndoReport};
use diskmend_repair::recipe::Catalogue;
use diskmend_repair::{Engine, Error, Goal, Key, Keys, Options, Plan, Watch};
use tempfile::TempDir;

/// Every file below a folder, with its bytes and the time of its last write.
pub(crate) type Snapshot = BTreeMap<PathBuf, (Vec<u8>, SystemTime)>;

/// The default options, with a key of this machine.
pub(crate) fn options() -> Options {
    Options {
        keys: Keys::own(Key::from_bytes([5; 32])),
        ..Options::default()
    }
}

pub(crate) struct Volume {
    _folder: TempDir,
    pub(crate) root: PathBuf,
    pub(crate) options: Options,
}

impl Volume {
    /// A volume without hives, but with the folder `config` for them.
    pub(crate) fn empty(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().to_path_buf();
        fs::create_dir_all(root.join(config)).expect("folders");
        Self {
            _folder: folder,
            root,
            options: options(),
        }
    }

    /// A volume with the hive and the logs of a fixture.
    pub(crate) fn with_fixture(fixture: &str) -> Self {
        let volume = Self::empty("Windows/System32/config");
        let from = fixtures().join(fixture);
        for entry in fs::read_dir(from).expect("the fixture") {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("a plain name");
            if name.starts_with("SYSTEM") {
                volume.put(&format!("Windows/System32/config/{name}"), &entry.path());
            }
        }
        volume
    }

    /// Copies a file into the volume.
    pub(crate) fn put(&self, path: &str, from: &Path) {
        let bytes = fs::read(from).expect("the file to copy");
        fs::write(self.root.join(path), bytes).expect("the copy");
    }

    pub(crate) fn target(&self) -> Target {
        Target::open(&self.root).expect("a folder")
    }

    pub(crate) fn inspect(&self, recipes: &[&str]) -> Result<InspectReport, Error> {
        let catalogue = Catalogue::built_in().expect("valid");
        let recipes = catalogue.select(recipes).expect("known");
        watched(|watch| self.engine()?.inspect(&recipes, watch))
    }

    pub(crate) fn engine(&self) -> Result<Engine, Error> {
        Engine::open(self.target(), self.options.clone())
    }

    pub(crate) fn repair(&self, recipes: &[&str]) -> Result<RepairReport, Error> {
        let engine = self.engine()?;
        apply(plan(&engine, recipes, Goal::Desired)?)
    }

    pub(crate) fn undo(&self, run: Option<&str>) -> Result<UndoReport, Error> {
        watched(|watch| self.engine()?.undo(run, watch))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut snapshot = BTreeMap::new();
        walk(&self.root, &self.root, &mut snapshot);
        snapshot
    }

    /// The bytes of all files except for those of the engine itself.
    pub(crate) fn windows(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.snapshot()
            .into_iter()
            .filter(|(path, _)| !path.starts_with("diskmend"))
            .map(|(path, (bytes, _))| (path, bytes))
            .collect()
    }
}

pub(crate) fn plan<'e>(
    engine: &'e Engine,
    recipes: &[&str],
    goal: Goal,
) -> Result<Plan<'e>, Error> {
    let catalogue = Catalogue::built_in().expect("valid");
    let recipes = catalogue.select(recipes).expect("known");
    watched(|watch| engine.plan(&recipes, goal, watch))
}

pub(crate) fn apply(plan: Plan<'_>) -> Result<RepairReport, Error> {
    watched(|watch| plan.apply(watch))
}

/// Compares without printing bytes.
pub(crate) fn same<T: PartialEq>(a: &BTreeMap<PathBuf, T>, b: &BTreeMap<PathBuf, T>, what: &str) {
    let names = |map: &BTreeMap<PathBuf, T>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(a), names(b), "{what}");
    for (path, content) in a {
        assert!(
            b.get(path) == Some(content),
            "{what}: {} differs",
            path.display()
        );
    }
}

pub(crate) fn watched<T>(f: impl FnOnce(&mut Watch<'_>) -> T) -> T {
    let cancel = AtomicBool::new(false);
    let mut progress = ();
    f(&mut Watch::new(&mut progress, &cancel))
}

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The folder of real hives, if there is one.
pub(crate) fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("DISKMEND_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        println!("SKIPPED: DISKMEND_CORPUS names no folder of real hives");
    }
    corpus
}

fn walk(root: &Path, folder: &Path, snapshot: &mut Snapshot) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let metadata = fs::symlink_metadata(&path).expect("metadata");
        if metadata.is_dir() {
            walk(root, &path, snapshot);
        } else if metadata.is_file() {
            let name = path
                .strip_prefix(root)
                .expect("below the root")
                .to_path_buf();
            let bytes = fs::read(&path).expect("a file");
            snapshot.insert(name, (bytes, metadata.modified().expect("a time")));
        }
    }
}
