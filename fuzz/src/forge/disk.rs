//! A repaired disk with its run, in a folder of its own, beside files that must not change.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use diskmend_disk::Target;
use diskmend_repair::recipe::Catalogue;
use diskmend_repair::{Engine, Goal, Watch};
use tempfile::TempDir;

use super::{RECIPES, options, run_file};
use xtask::fixtures;
use xtask::run_file::journal;

/// The fixture with the hive and log of the disk.
const FIXTURE: &str = "dirty-hvle-log1";
const CONFIG: &str = "disk/Windows/System32/config";
const STATE: &str = "disk/diskmend";
const RUNS: &str = "disk/diskmend/runs";
/// Files that only Windows and other programs may change.
const OTHERS: [&str; 6] = [
    "outside/canary",
    "outside/SYSTEM",
    "disk/Windows/System32/config/SAM",
    "disk/Windows/System32/config/SAM.LOG1",
    "disk/Users/a",
    "disk/bootmgr",
];
/// A new name for the run.
const OTHER_RUN: &str = "20200101T000000Z";

/// Files by path, with their bytes; `None` for other things.
type Files = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// A copy of the disk; it is removed when dropped.
pub(super) struct Disk {
    folder: TempDir,
    /// The run file, or the folder of a run of an earlier version.
    run: PathBuf,
    /// The names of the run's own files, below `own`.
    names: Vec<String>,
    own: PathBuf,
}

/// The files from which each disk is made.
fn base() -> Option<&'static Files> {
    static BASE: OnceLock<Option<Files>> = OnceLock::new();
    BASE.get_or_init(|| made().ok()).as_ref()
}

/// Makes a disk and repairs it.
fn made() -> anyhow::Result<Files> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join(CONFIG);
    fs::create_dir_all(&config)?;
    let all = fixtures::all()?;
    let fixture = all.iter().find(|fixture| fixture.name == FIXTURE);
    let Some(fixture) = fixture else {
        anyhow::bail!("{FIXTURE} is missing");
    };
    for (name, bytes) in fixture.build()? {
        fs::write(config.join(name), bytes)?;
    }
    for path in OTHERS {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder.path()))?;
        fs::write(path, b"not to be changed")?;
    }
    let target = Target::open(&folder.path().join("disk"))?;
    let catalogue = Catalogue::built_in()?;
    let recipes = catalogue.select(&RECIPES)?;
    let (mut quiet, cancel) = ((), AtomicBool::new(false));
    let mut watch = Watch::new(&mut quiet, &cancel);
    let engine = Engine::open(target, options())?;
    engine
        .plan(&recipes, Goal::Desired, &mut watch)?
        .apply(&mut watch)?;
    Ok(files(folder.path()))
}

/// All files below a folder. Links are not followed. Things that are neither file nor folder have
/// no bytes.
fn files(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type());
            match kind {
                Ok(kind) if kind.is_dir() => waiting.push(path),
                Ok(kind) => {
                    let bytes = kind.is_file().then(|| fs::read(&path).ok()).flatten();
                    let name = path.strip_prefix(folder).unwrap_or(&path);
                    files.insert(name.to_path_buf(), bytes);
                }
                Err(_) => {}
            }
        }
    }
    files
}

/// True if a run may change a file: the hive, its logs, boot stores, and diskmend's own folder.
fn may_change(path: &Path) -> bool {
    let stores = ["disk/Boot", "disk/EFI/Microsoft/Boot", STATE];
    let hive = Path::new(CONFIG).join("SYSTEM");
    let logs = ["", ".LOG", ".LOG1", ".LOG2"];
    let is_hive = |end: &&str| {
        let mut name = hive.clone().into_os_string();
        name.push(end);
        path == Path::new(&name)
    };
    stores.iter().any(|store| path.starts_with(store)) || logs.iter().any(is_hive)
}

impl Disk {
    /// A new copy. If `in_folder`, the run is in a folder, as earlier versions wrote it.
    pub(super) fn restored(in_folder: bool) -> Option<Self> {
        let base = base()?;
        let folder = tempfile::tempdir().ok()?;
        let is_run = |path: &Path| path.parent() == Some(Path::new(RUNS));
        let run = base.keys().find(|path| is_run(path))?;
        for (path, bytes) in base.iter().filter(|(path, _)| !in_folder || *path != run) {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent()?).ok()?;
            fs::write(path, bytes.as_deref()?).ok()?;
        }
        let mut own = Path::new(RUNS).to_path_buf();
        let mut names = vec![run.file_name()?.to_str()?.to_owned()];
        if in_folder {
            own.clone_from(run);
            names.clear();
            fs::create_dir_all(folder.path().join(run)).ok()?;
            for (name, bytes) in run_file::apart(base.get(run)?.as_deref()?) {
                fs::write(folder.path().join(run).join(&name), bytes).ok()?;
                names.push(name);
            }
        }
        for dir in own.ancestors().take_while(|dir| dir.starts_with(STATE)) {
            let private = fs::Permissions::from_mode(0o700);
            fs::set_permissions(folder.path().join(dir), private).ok()?;
        }
        Some(Self {
            names,
            run: folder.path().join(run),
            own: folder.path().join(own),
            folder,
        })
    }

    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// A folder of the recovery machine.
    pub(super) fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    /// The path of one of the run's files, or of the lock.
    fn path(&self, file: u8) -> PathBuf {
        match self.names.get(usize::from(file) % (self.names.len() + 1)) {
            Some(name) => self.own.join(name),
            None => self.folder.path().join(STATE).join("diskmend.lock"),
        }
    }

    /// The path of the file that holds the journal.
    fn journal_file(&self) -> PathBuf {
        if self.own == self.run {
            self.run.join("journal.json")
        } else {
            self.run.clone()
        }
    }

    pub(super) fn journal(&self) -> Option<Vec<u8>> {
        let path = self.journal_file();
        let is_file = path.symlink_metadata().ok()?.is_file();
        let bytes = is_file.then(|| fs::read(path).ok()).flatten()?;
        match journal(&bytes) {
            Some(journal) => Some(journal.to_vec()),
            None => Some(bytes),
        }
    }

    /// Replaces the run's journal, in a new file, because the old one may be a link by now.
    pub(super) fn put_journal(&self, new: &[u8]) {
        let path = self.journal_file();
        let old = fs::read(&path).unwrap_or_default();
        let bytes = match journal(&old) {
            Some(_) => run_file::with_journal(&old, new),
            None => new.to_vec(),
        };
        if fs::remove_file(&path).is_ok() {
            let _ = fs::write(path, bytes);
        }
    }

    /// Opens one of the run's files, if it is still a regular file without a second name.
    fn open(&self, file: u8) -> Option<File> {
        let path = self.path(file);
        let known = path.symlink_metadata().ok()?;
        let is_own = known.is_file() && known.nlink() == 1;
        is_own
            .then(|| OpenOptions::new().write(true).open(path).ok())
            .flatten()
    }

    pub(super) fn patch(&self, file: u8, offset: u64, bytes: &[u8]) {
        if let Some(open) = self.open(file)
            && let Ok(known) = open.metadata()
        {
            let _ = open.write_all_at(bytes, offset % (known.len() + 1));
        }
    }

    pub(super) fn set_len(&self, file: u8, len: u64) {
        if let Some(open) = self.open(file) {
            let _ = open.set_len(len);
        }
    }

    pub(super) fn remove(&self, file: u8) {
        let path = self.path(file);
        let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(path));
    }

    /// Replaces a file by a link to something that must not change.
    pub(super) fn link(&self, file: u8, kind: u8) {
        self.remove(file);
        let path = self.path(file);
        let other = OTHERS.get(usize::from(kind / 2) % OTHERS.len());
        let Some(other) = other.map(|other| self.folder.path().join(other)) else {
            return;
        };
        let _ = match kind % 2 {
            0 => symlink(other, path),
            _ => fs::hard_link(other, path),
        };
    }

    /// Replaces a file by something that is not a file.
    pub(super) fn put_odd(&self, file: u8, kind: u8) {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        self.remove(file);
        let path = self.path(file);
        let kind = match kind % 3 {
            0 => return drop(fs::create_dir(path)),
            1 => FileType::Fifo,
            _ => FileType::Socket,
        };
        let _ = mknodat(CWD, &path, kind, Mode::RWXU, 0);
    }

    /// Copies the content of one file to another, possibly under a new name.
    pub(super) fn copy(&self, file: u8, name: u8) {
        const NEW: [&str; 8] = [
            "20200101T000001Z",
            "20200101T000001Z.files",
            "20200101T000001Z.unflushed",
            "journal.json.new",
            "journal.json.durable",
            "descriptors.bin",
            "sectors.bin",
            "undo-3.bin",
        ];
        let from = self.path(file);
        let to = match NEW.get(usize::from(name) % (2 * NEW.len())) {
            Some(new) => self.own.join(new),
            None => self.path(name),
        };
        if from.symlink_metadata().is_ok_and(|known| known.is_file())
            && let Ok(bytes) = fs::read(from)
        {
            let _ = fs::remove_file(&to);
            let _ = fs::write(to, bytes);
        }
    }

    /// Renames the run, and leaves a link at its old place.
    pub(super) fn rename_run(&self) {
        let other = self.run.with_file_name(OTHER_RUN);
        if fs::rename(&self.run, &other).is_ok() {
            let _ = symlink(other, &self.run);
        }
    }

    /// Checks that nothing has changed except what a run may change.
    ///
    /// # Panics
    /// If anything else has changed.
    pub(super) fn assert_untouched(&self) {
        let found = files(self.folder.path());
        for (path, bytes) in base().into_iter().flatten() {
            if !may_change(path) {
                let now = found.get(path);
                assert!(now == Some(bytes), "{} has changed", path.display());
            }
        }
        for path in found.keys() {
            let known = base().is_some_and(|base| base.contains_key(path));
            assert!(known || may_change(path), "{} is new", path.display());
        }
    }
}
