//! Files that report errors. The commit stops, reports whether the primary file was touched, and
//! leaves the old or the new state.

use std::io;

use crate::commit::crash_test::disk::{Disk, Recorder};
use crate::commit::crash_test::material::primary;
use crate::commit::crash_test::scenarios::{CLEAN, SEED, dirty_hives};
use crate::commit::crash_test::session::{load, options, state};
use crate::commit::crash_test::{FORMATS, LOG2, PRIMARY, growing};
use crate::commit::{CommitError, HiveFileKind, HiveFiles, execute, plan};
use crate::verify::Committable;
use diskmend_base::Storage;

/// Files with one call that fails.
struct Failing {
    files: Recorder,
    /// The number of calls that still succeed.
    left: usize,
    full: Full,
}

/// A file on a disk without room.
struct Full;

fn full<T>() -> io::Result<T> {
    Err(io::ErrorKind::StorageFull.into())
}

impl Failing {
    fn tick(&mut self) -> io::Result<()> {
        self.left = self.left.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        Ok(())
    }
}

impl HiveFiles for Failing {
    fn file(&mut self, kind: HiveFileKind) -> Option<&mut dyn Storage> {
        match self.tick() {
            Ok(()) => self.files.file(kind),
            Err(_) => Some(&mut self.full),
        }
    }

    fn create(&mut self, kind: HiveFileKind) -> io::Result<()> {
        self.tick()?;
        self.files.create(kind)
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        self.tick()?;
        self.files.sync_folder()
    }
}

impl Storage for Full {
    fn len(&self) -> io::Result<u64> {
        full()
    }

    fn read_exact_at(&self, _: &mut [u8], _: u64) -> io::Result<()> {
        full()
    }

    fn write_all_at(&mut self, _: &[u8], _: u64) -> io::Result<()> {
        full()
    }

    fn set_len(&mut self, _: u64) -> io::Result<()> {
        full()
    }

    fn sync(&mut self) -> io::Result<()> {
        full()
    }
}

#[test]
fn an_error_at_any_step_leaves_the_old_or_the_new_state() {
    let clean = Disk::default()
        .with(PRIMARY, primary(CLEAN, SEED, 0))
        .with(LOG2, Vec::new());
    let missing = Disk::default().with(PRIMARY, primary(CLEAN, SEED, 0));
    let mut disks = vec![("clean", clean), ("no logs", missing)];
    disks.extend(dirty_hives());
    for (name, disk) in disks {
        for format in FORMATS {
            let mut hive = load(&disk).expect("loads");
            let old = state(&disk);
            growing(&mut hive);
            let logs = disk.logs();
            let hive = Committable::from(hive);
            let plan = plan(&hive, &logs, &options(Some(format))).expect("a plan");
            let mut done = Recorder::new(&disk);
            execute(&plan, &mut done).expect("executes");
            let new = state(&done.finish().0);
            for left in 0..plan.steps().len() {
                let mut files = Failing {
                    files: Recorder::new(&disk),
                    left,
                    full: Full,
                };
                let error = execute(&plan, &mut files).expect_err("fails");
                let (after, _) = files.files.finish();
                let state = state(&after);
                assert!(state == old || state == new, "{name}, {format}, {left}");
                assert!(
                    !error.primary_untouched() || after.primary() == disk.primary(),
                    "{name}, {format}, {left}: {error}"
                );
                // An error of the log is reported before the primary file is touched.
                if let CommitError::Io {
                    file: HiveFileKind::Log(_),
                    ..
                } = error
                    && !plan.recovers()
                {
                    assert!(error.primary_untouched(), "{name}, {format}, {left}");
                }
            }
        }
    }
}
