//! Which descriptor a file has, read and set for many files at once (Linux-NTFS,
//! $STANDARD_INFORMATION and $SECURITY_DESCRIPTOR).

use std::collections::{BTreeSet, HashSet};

use zerocopy::byteorder::little_endian::U32;

use super::SecurityId;
use super::error::SecurityError;
use crate::bytes;
use crate::ntfs::error::VolumeError;
use crate::ntfs::format::{StandardInformation, attribute_type};
use crate::ntfs::list;
use crate::ntfs::mft::{Mft, check_base};
use crate::ntfs::place::FileId;
use crate::ntfs::record::Record;

/// Most files whose records are kept in memory between checking and writing them.
const BATCH: usize = 8192;
/// Records that are asked for at once where all are.
const AT_ONCE: u64 = 1 << 16;

/// Where the descriptor of a file is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FileSecurity {
    /// In `$Secure`.
    Shared(SecurityId),
    /// In an attribute of the file's own, as before NTFS 3.0.
    Own,
    /// Nowhere: Windows then lets administrators only use the file.
    None,
}

/// What to set for one file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// The file.
    pub file: FileId,
    /// The id that it must have now.
    pub from: SecurityId,
    /// The id that it gets.
    pub to: SecurityId,
}

/// Where the descriptors of `files` are, in their order.
pub(super) fn get(mft: &Mft, files: &[FileId]) -> Vec<Result<FileSecurity, SecurityError>> {
    visit(mft, files, |_, record| get_one(mft, record))
}

/// Where the descriptor of the file with this base record is. An id goes before a descriptor of
/// the file's own.
pub(super) fn get_one(mft: &Mft, record: &Record) -> Result<FileSecurity, SecurityError> {
    match id_of(record) {
        Some(id) if id != 0 => Ok(FileSecurity::Shared(SecurityId(id))),
        _ if has_own(mft, record)? => Ok(FileSecurity::Own),
        _ => Ok(FileSecurity::None),
    }
}

/// Sets ids, each of which `$Secure` has. Of a batch every file is checked before the first is
/// written; what is refused for one does not keep the others from being set.
pub(super) fn set(
    mft: &Mft,
    changes: &[Change],
) -> Result<Vec<Result<(), SecurityError>>, SecurityError> {
    let mut seen = HashSet::new();
    let mut results = Vec::with_capacity(changes.len());
    for batch in changes.chunks(BATCH) {
        let numbers: Vec<u64> = batch.iter().map(|change| change.file.record).collect();
        let is_first: Vec<bool> = batch.iter().map(|it| seen.insert(it.file)).collect();
        let mut checked: Vec<Option<Result<bool, SecurityError>>> = Vec::new();
        checked.resize_with(batch.len(), || None);
        mft.update(&numbers, |index, record| {
            let (Some(change), Some(checked)) = (batch.get(index), checked.get_mut(index)) else {
                return false;
            };
            let is_first = is_first.get(index).copied().unwrap_or(false);
            let result = record
                .map_err(SecurityError::from)
                .and_then(|record| change_one(mft, record, change, is_first));
            let due = matches!(result, Ok(true));
            *checked = Some(result);
            due
        })?;
        results.extend(checked.into_iter().zip(batch).map(|(result, change)| {
            let stale = || Err(VolumeError::Stale(change.file).into());
            result.unwrap_or_else(stale).map(drop)
        }));
    }
    Ok(results)
}

/// Checks a file and changes its record, in memory; whether that has to be written.
fn change_one(
    mft: &Mft,
    record: &mut Record,
    change: &Change,
    is_first: bool,
) -> Result<bool, SecurityError> {
    check_base(record, change.file)?;
    if !is_first {
        return Err(SecurityError::Twice(change.file));
    }
    check(mft, record, change.from)?;
    let place = record
        .resident_mut(attribute_type::STANDARD_INFORMATION, "")
        .and_then(|value| bytes::view_mut::<U32>(value, StandardInformation::SECURITY_ID));
    *place.ok_or(SecurityError::OldInformation(change.file))? = change.to.0.into();
    Ok(change.to != change.from)
}

/// The ids of all files.
pub(super) fn ids(mft: &Mft) -> BTreeSet<SecurityId> {
    let mut ids = BTreeSet::new();
    let mut first = 0;
    while first < mft.count() {
        let next = mft.count().min(first.saturating_add(AT_ONCE));
        let numbers: Vec<u64> = (first..next).collect();
        mft.visit(&numbers, |_, record| {
            let Ok(record) = record else { return };
            if check_base(record, record.id()).is_ok()
                && let Some(id) = id_of(record)
                && id != 0
            {
                ids.insert(SecurityId(id));
            }
        });
        first = next;
    }
    ids
}

/// Calls `show` with the base record of each of `files` that exists, and its index.
fn visit<T>(
    mft: &Mft,
    files: &[FileId],
    mut show: impl FnMut(usize, &Record) -> Result<T, SecurityError>,
) -> Vec<Result<T, SecurityError>> {
    let numbers: Vec<u64> = files.iter().map(|file| file.record).collect();
    let mut results: Vec<Option<Result<T, SecurityError>>> = Vec::new();
    results.resize_with(files.len(), || None);
    mft.visit(&numbers, |index, record| {
        if let (Some(result), Some(file)) = (results.get_mut(index), files.get(index)) {
            *result = Some(match record {
                Ok(record) => match check_base(record, *file) {
                    Ok(()) => show(index, record),
                    Err(error) => Err(error.into()),
                },
                Err(error) => Err(error.into()),
            });
        }
    });
    let results = results.into_iter().zip(files);
    results
        .map(|(result, file)| result.unwrap_or_else(|| Err(VolumeError::Stale(*file).into())))
        .collect()
}

/// Whether the id of a file can be replaced.
fn check(mft: &Mft, record: &Record, expected: SecurityId) -> Result<(), SecurityError> {
    let file = record.id();
    let Some(id) = id_of(record) else {
        return Err(SecurityError::OldInformation(file));
    };
    if has_own(mft, record)? {
        return Err(SecurityError::OwnDescriptor(file));
    }
    let actual = SecurityId(id);
    match expected == actual {
        true => Ok(()),
        false => Err(SecurityError::Changed {
            file,
            expected,
            actual,
        }),
    }
}

/// The id in `$STANDARD_INFORMATION`, where that is of NTFS 3.0 or later.
fn id_of(record: &Record) -> Option<u32> {
    let value = record.resident(attribute_type::STANDARD_INFORMATION, "")?;
    let information: &StandardInformation = bytes::view(value, 0)?;
    Some(information.security_id.get())
}

/// Whether the file has a descriptor of its own, in this record or in another.
fn has_own(mft: &Mft, record: &Record) -> Result<bool, SecurityError> {
    if record
        .find(attribute_type::SECURITY_DESCRIPTOR, "")
        .is_some()
    {
        return Ok(true);
    }
    let listed = list::entries(mft.disk(), record)?.unwrap_or_default();
    Ok(listed
        .iter()
        .any(|entry| entry.kind == attribute_type::SECURITY_DESCRIPTOR))
}
