//! A hive file that was named as the target disk: which command is meant instead.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use diskmend_bcd::Store;
use diskmend_disk::{Kind, Target, guard};
use diskmend_repair::hive_file;

use crate::output::shell;

/// The first bytes of a hive file.
const SIGNATURE: &[u8; 4] = b"regf";
/// The greatest length of a file that is read to find out if it is a boot store. The stores of
/// Windows have less than 1 MiB.
const MAX_STORE_LEN: u64 = 16 << 20;

/// A hive file instead of a disk.
pub(crate) struct HiveTarget {
    /// What it is, as the end of a message.
    pub(crate) what: &'static str,
    /// What to do.
    pub(crate) hints: Vec<String>,
}

impl HiveTarget {
    /// Recognizes a hive file by its signature; `None` for anything else.
    pub(crate) fn recognize(path: &Path) -> Option<Self> {
        let file = path.metadata().ok()?;
        if !is_hive_file(path) {
            return None;
        }
        let word = shown(path);
        let (what, own) = if file.len() <= MAX_STORE_LEN && is_store(path) {
            (
                "a boot store, not a disk or folder",
                format!("'diskmend bcd show {word}' shows the store"),
            )
        } else {
            (
                "a registry hive, not a disk or folder",
                format!(
                    "'diskmend hive check {word}' checks the hive; 'diskmend hive --help' lists \
                     what else can be done with it"
                ),
            )
        };
        let mut hints = vec![own];
        hints.extend(volume(path));
        Some(Self { what, hints })
    }
}

/// True if the path is a file that begins as a hive does.
pub(crate) fn is_hive_file(path: &Path) -> bool {
    if !path.is_file() {
        return false;
    }
    let mut start = [0; SIGNATURE.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *SIGNATURE
}

/// True if the root of the hive has the key of a boot store. A hive that can't be read has none.
fn is_store(path: &Path) -> bool {
    hive_file::open(&path.into()).is_ok_and(|opened| Store::open(&opened.hive).is_ok())
}

/// The target that is meant, if the hive is part of a Windows volume or has been edited.
fn volume(path: &Path) -> Option<String> {
    let root = hive_file::target_of(path).ok()?;
    let target = Target::open(&root).ok()?;
    if guard::windows_volume(&target).is_ok() {
        let word = shown(&root);
        return Some(format!(
            "for the Windows that it belongs to, TARGET is {word}"
        ));
    }
    let is_folder = |name| {
        let found = target.root().find(&[name]);
        matches!(found, Ok(Some(found)) if found.kind() == Kind::Folder)
    };
    let edited = is_folder("diskmend") || is_folder("diskmend.undo");
    edited.then(|| {
        let word = shown(&root);
        format!("for the edits of this file, TARGET is its folder: 'diskmend runs {word}'")
    })
}

fn shown(path: &Path) -> String {
    shell::word(&path.display().to_string()).into_owned()
}
