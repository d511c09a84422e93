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

/// Sets ids, each of which `$Secure` has. Every file is checked before the first is written; what
/// is refused for one does not keep the others from being set.
pub(super) fn set(
    mft: &Mft,
    changes: &[Change],
) -> Result<Vec<Result<(), SecurityError>>, SecurityError> {
    let files: Vec<FileId> = changes.iter().map(|change| change.file).collect();
    let mut results = visit(mft, &files, |change, record| {
        let from = changes.get(change).map(|change| change.from);
        check(mft, record, from)
    });
    let mut seen = HashSet::new();
    let mut accepted: Vec<&Change> = Vec::new();
    for (change, result) in changes.iter().zip(&mut results) {
        if !seen.insert(change.file) && result.is_ok() {
            *result = Err(SecurityError::Twice(change.file));
        }
        if result.is_ok() {
            accepted.push(change);
        }
    }
    let numbers: Vec<u64> = accepted.iter().map(|change| change.file.record).collect();
    mft.update(&numbers, |index, record| {
        let Some(change) = accepted.get(index) else {
            return Ok(false);
        };
        check_base(record, change.file)?;
        let place = record
            .resident_mut(attribute_type::STANDARD_INFORMATION, "")
            .and_then(|value| bytes::view_mut::<U32>(value, StandardInformation::SECURITY_ID));
        match place {
            Some(place) if place.get() == change.from.0 => {
                *place = change.to.0.into();
                Ok(change.to != change.from)
            }
            _ => Err(VolumeError::Stale(change.file)),
        }
    })?;
    mft.disk().sync()?;
    Ok(results)
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
fn check(mft: &Mft, record: &Record, from: Option<SecurityId>) -> Result<(), SecurityError> {
    let file = record.id();
    let Some(id) = id_of(record) else {
        return Err(SecurityError::OldInformation(file));
    };
    if has_own(mft, record)? {
        return Err(SecurityError::OwnDescriptor(file));
    }
    let actual = SecurityId(id);
    match from {
        Some(expected) if expected == actual => Ok(()),
        expected => Err(SecurityError::Changed {
            file,
            expected: expected.unwrap_or(SecurityId(0)),
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
