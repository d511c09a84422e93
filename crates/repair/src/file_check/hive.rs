//! Registry hives: whether one is damaged, and whether a copy can take its place.

use diskmend_disk::{Access, Found, MappedFile};
use diskmend_hive::check::check;
use diskmend_hive::{BASE_BLOCK_LEN, Buffer, DirtyState, Hive, LogKind, Opened, checksum};

use super::{Wrong, age};
use crate::check_summary::CheckSummary;
use crate::digest::{Content, Digest};
use crate::error::{Error, Refusal, chain};
use crate::facts::ControlSets;
use crate::finding::Source;
use crate::hive_on_disk::{self, HivePlace};
use crate::names::same_file;
use crate::place::HiveId;

/// The greatest length of a hive.
const MAX_LEN: u64 = (2 << 30) + BASE_BLOCK_LEN as u64;
/// Bytes of the part of a base block that its checksum is about, and the checksum.
pub(crate) const HEAD_LEN: usize = 512;
const CHECKSUM_AT: usize = 508;
/// Keys that every hive of this name has.
const SHAPES: [(&str, &str); 4] = [
    ("SOFTWARE", r"Microsoft\Windows NT\CurrentVersion"),
    ("SAM", r"SAM\Domains\Account"),
    ("SECURITY", "Policy"),
    ("DEFAULT", "Software"),
];

/// The names of the logs that a hive can have.
pub(crate) fn logs_of(hive: &str) -> [String; 3] {
    LogKind::ALL.map(|kind| format!("{hive}{}", kind.suffix()))
}

/// True if this is the name of a log of the hive.
pub(crate) fn is_log_of(name: &str, hive: &str) -> bool {
    logs_of(hive).iter().any(|log| same_file(log, name))
}

/// What is wrong with a hive; `None` if Windows loads it, after its logs were replayed.
pub(super) fn damage(found: &Found) -> Result<Option<String>, Error> {
    let dir = found.dir.try_clone();
    let place = HivePlace {
        hive: HiveId::File(found.name.clone()),
        volume: None,
        place: Found {
            dir: dir.map_err(Error::io(&found.path, "open its folder"))?,
            name: found.name.clone(),
            path: found.path.clone(),
            metadata: found.metadata,
        },
    };
    match hive_on_disk::open(place, Access::Read) {
        Ok(opened) => Ok(unsound(&opened.hive, &found.name)),
        Err(
            error @ (Error::NotAHive { .. }
            | Error::Corrupt { .. }
            | Error::Refused(Refusal::Unrecoverable { .. })),
        ) => Ok(Some(chain(&error))),
        Err(error) => Err(error),
    }
}

/// What is wrong with the structure or the content of a hive with this name.
fn unsound(hive: &Hive, name: &str) -> Option<String> {
    let summary = CheckSummary::from(&check(hive));
    if summary.errors > 0 {
        return Some(format!("it has {} structural errors", summary.errors));
    }
    shapeless(hive, name).unwrap_or_else(|corruption| Some(corruption.to_string()))
}

/// What a hive with this name lacks.
fn shapeless(hive: &Hive, name: &str) -> Result<Option<String>, diskmend_hive::Corruption> {
    if same_file(name, "SYSTEM") {
        let sets = ControlSets::read(hive)?;
        return Ok(match sets.starting_set() {
            Ok(_) => None,
            Err(why) => Some(format!("it is no hive SYSTEM that starts Windows: {why}")),
        });
    }
    let Some((_, key)) = SHAPES.iter().find(|(hive, _)| same_file(hive, name)) else {
        return Ok(None);
    };
    Ok(match hive.key(key)? {
        Some(_) => None,
        None => Some(format!("it has no key {key}")),
    })
}

/// A hive that is to take the place of the one with this name. Its logs are not read.
pub(super) fn source(found: &Found, name: &str) -> Result<Source, Wrong> {
    let io = || Error::io(&found.path, "read the file");
    let file = found.open(Access::Read).map_err(io())?;
    let buffer = MappedFile::open(file.as_ref(), 0, MAX_LEN).map_err(io())?;
    let content = Content {
        length: buffer.bytes().len() as u64,
        xxh3: Digest::of(buffer.bytes()),
    };
    let wrong = |error: &dyn std::fmt::Display| Wrong::Content(error.to_string());
    let opened = diskmend_hive::open(Box::new(buffer)).map_err(|error| wrong(&error))?;
    let (hive, is_to_be_closed) = match opened {
        Opened::Clean(hive) => (hive, false),
        Opened::Dirty(dirty) => match dirty.state() {
            // So Windows often leaves these copies. All of their bytes are in the file.
            DirtyState::Sequences { primary, secondary }
                if primary.wrapping_sub(secondary) == 1 =>
            {
                (dirty.assume_clean().map_err(|error| wrong(&error))?, true)
            }
            state => {
                return Err(Wrong::Content(format!(
                    "a hive that was not closed: {state}"
                )));
            }
        },
    };
    match unsound(&hive, name) {
        Some(what) => Err(Wrong::Content(what)),
        None => Ok(Source {
            path: found.path.clone(),
            content,
            is_to_be_closed,
            written: age::of_filetime(hive.base_block().last_written.get()),
        }),
    }
}

/// Marks the hive that begins so as closed: its second sequence number becomes that of the first.
pub(crate) fn close(head: &mut [u8; HEAD_LEN]) {
    let (_, rest) = head.split_at_mut(4);
    let (primary, rest) = rest.split_at_mut(4);
    if let Some(secondary) = rest.get_mut(..4) {
        secondary.copy_from_slice(primary);
    }
    let sum = head.first_chunk::<CHECKSUM_AT>().map(checksum);
    if let (Some(sum), Some(field)) = (sum, head.last_chunk_mut::<4>()) {
        *field = sum.to_le_bytes();
    }
}
