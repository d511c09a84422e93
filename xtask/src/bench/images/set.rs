//! Setting the descriptors of many files on an image, without the plan, the undo data by file and
//! the reports of a repair.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use diskmend_disk::{Change, Changed, Disk, RecordFile, Target, guard};

use crate::bench::descriptors::files::{KEYS, repaired};
use crate::program;

/// The number of changes that are passed together, as a repair passes them.
const AT_ONCE: usize = 512;

/// What to change.
#[derive(clap::Args)]
pub struct SetOptions {
    image: PathBuf,
}

/// Gives every file below MachineKeys the same descriptor: recorded, read back and durable. Prints
/// the number of seconds that this takes.
///
/// # Errors
/// If the image can't be read, or a file can't be changed.
pub fn set(options: &SetOptions) -> Result<()> {
    let disk = Disk::open(&options.image)?;
    let target = Target::of_disk(disk.clone(), None)?;
    let after = repaired()?;
    let descriptors = target.root().descriptors()?.context("no descriptors")?;
    let parts: Vec<&str> = KEYS.split('/').collect();
    let (path, _) = descriptors.find(&parts)?.context("no keys")?;
    let mut changes = Vec::new();
    for object in descriptors.walk(&path).flatten() {
        changes.push(Change {
            path: object.path,
            kind: object.kind.context("of no known kind")?,
            before: object.descriptor?,
            after: after.clone(),
        });
    }
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(record(&options.image))?;
    guard::writable(&target)?;
    disk.recorded()
        .begin(RecordFile::new(Box::new(file), None))?;
    let start = Instant::now();
    for changes in changes.chunks(AT_ONCE) {
        for result in descriptors.change(changes) {
            if result? != Changed::Set {
                bail!("not changed");
            }
        }
    }
    descriptors.flush()?;
    let set = start.elapsed();
    println!("{}", set.as_secs_f64());
    Ok(())
}

/// The time that [`set`] takes in a process of its own.
pub(super) fn in_process(image: &Path) -> Result<Duration> {
    let record = record(image);
    if record.exists() {
        std::fs::remove_file(&record)?;
    }
    let arguments = ["bench-images-set".as_ref(), image.as_os_str()];
    let seconds = program::stdout(&program::xtask()?, &arguments)?;
    Ok(Duration::from_secs_f64(
        std::str::from_utf8(&seconds)?.trim().parse()?,
    ))
}

fn record(image: &Path) -> PathBuf {
    image.with_extension("record")
}
