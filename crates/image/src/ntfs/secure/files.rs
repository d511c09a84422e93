//! The descriptors of files, read and set for many files at once (Linux-NTFS, $STANDARD_INFORMATION
//! and $SECURITY_DESCRIPTOR).

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use diskmend_base::bytes;
use zerocopy::byteorder::little_endian::U32;

use super::SecurityId;
use super::error::SecurityError;
use crate::ntfs::attribute::Attribute;
use crate::ntfs::bitmap::{Bitmap, Extent};
use crate::ntfs::claims;
use crate::ntfs::error::{Corruption, VolumeError};
use crate::ntfs::file::check_place;
use crate::ntfs::format::{StandardInformation, attribute_type};
use crate::ntfs::layout::Builder;
use crate::ntfs::list;
use crate::ntfs::member::Member;
use crate::ntfs::metadata::Metadata;
use crate::ntfs::mft::{Mft, check_base};
use crate::ntfs::place::FileId;
use crate::ntfs::record::Record;

/// The maximum number of files whose records are kept in memory between checking and writing them.
const BATCH: usize = 8192;
/// The number of records that are requested at once if all are read.
const AT_ONCE: u64 = 1 << 16;

/// The place of a file's descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FileSecurity {
    /// In `$Secure`.
    Shared(SecurityId),
    /// In an attribute of the file, as before NTFS 3.0.
    Own,
    /// There is none: Windows then lets only administrators use the file.
    None,
}

impl fmt::Display for FileSecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared(id) => write!(f, "security id {id}"),
            Self::Own => f.write_str("a security descriptor of its own"),
            Self::None => f.write_str("no security descriptor"),
        }
    }
}

/// The change for one file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// The file.
    pub file: FileId,
    /// What it must have now. If the file has its own descriptor, the caller has already compared
    /// it.
    pub from: FileSecurity,
    /// The new id.
    pub to: SecurityId,
}

/// The places of the descriptors of `files`, in order.
pub(super) fn get(mft: &Mft, files: &[FileId]) -> Vec<Result<FileSecurity, SecurityError>> {
    visit(mft, files, |_, record| get_one(mft, record))
}

/// The place of the descriptor of the file with this base record. An id has priority over the
/// file's own descriptor.
pub(super) fn get_one(mft: &Mft, record: &Record) -> Result<FileSecurity, SecurityError> {
    match id_of(record) {
        Some(id) if id != 0 => Ok(FileSecurity::Shared(SecurityId(id))),
        _ if has_own(mft, record)? => Ok(FileSecurity::Own),
        _ => Ok(FileSecurity::None),
    }
}

/// Sets ids, which must exist in `$Secure`. Every file of a batch is checked before the first is
/// written; if a file is refused, the others are still set.
///
/// An id that replaces another is in one sector, so that after a crash the file has the old or the
/// new id. If a record loses the file's own descriptor, several sectors change, and a crash within
/// its write may leave it torn. The clusters of such descriptors are freed when no record names
/// them any more.
pub(super) fn set(
    mft: &Mft,
    changes: &[Change],
) -> Result<Vec<Result<(), SecurityError>>, SecurityError> {
    let files: Vec<FileId> = changes.iter().map(|change| change.file).collect();
    update(mft, &files, |index, record| match changes.get(index) {
        Some(change) => change_one(mft, record, change),
        None => Ok(None),
    })
}

/// Sets the ids of those of `members` for which `decide` returns one after it has seen their
/// metadata. A file that is elsewhere according to its own record is refused.
pub(super) fn set_where(
    mft: &Mft,
    members: &[Member<'_>],
    mut decide: impl FnMut(usize, &Metadata, FileSecurity) -> Option<SecurityId>,
) -> Result<Vec<Result<(), SecurityError>>, SecurityError> {
    let files: Vec<FileId> = members.iter().map(|member| member.file).collect();
    update(mft, &files, |index, record| {
        let file = record.id();
        match members.get(index) {
            Some(member) => member.check(mft, record)?,
            None => return Ok(None),
        }
        let from = get_one(mft, record)?;
        match decide(index, &Metadata::of_base(mft, record)?, from) {
            Some(to) => change_one(mft, record, &Change { file, from, to }),
            None => Ok(None),
        }
    })
}

/// Changes records as `one` does in memory. `one` returns the clusters that a file no longer needs,
/// if its record has to be written.
fn update(
    mft: &Mft,
    files: &[FileId],
    mut one: impl FnMut(usize, &mut Record) -> Result<Option<Vec<Extent>>, SecurityError>,
) -> Result<Vec<Result<(), SecurityError>>, SecurityError> {
    let mut seen = HashSet::new();
    let mut unused: Vec<Extent> = Vec::new();
    let mut results = Vec::with_capacity(files.len());
    for batch in files.chunks(BATCH) {
        let before = results.len();
        let numbers: Vec<u64> = batch.iter().map(|file| file.record).collect();
        let is_first: Vec<bool> = batch.iter().map(|file| seen.insert(*file)).collect();
        let stale = |file: &FileId| Err(VolumeError::Stale(*file).into());
        results.extend(batch.iter().map(stale));
        mft.update(&numbers, |index, record| {
            let (Some(file), Some(result)) = (
                batch.get(index),
                results.get_mut(before.saturating_add(index)),
            ) else {
                return false;
            };
            let changed = record.map_err(SecurityError::from).and_then(|record| {
                check_base(record, *file)?;
                match is_first.get(index) {
                    Some(true) => one(before.saturating_add(index), record),
                    _ => Err(SecurityError::Twice(*file)),
                }
            });
            let is_due = matches!(changed, Ok(Some(_)));
            *result = changed.map(|extents| unused.extend(extents.into_iter().flatten()));
            is_due
        })?;
    }
    if !unused.is_empty() {
        mft.disk().sync()?;
        // No record names them any more, unless other files used them too: then they stay marked as
        // used.
        match claims::check_free(mft, &unused) {
            Ok(()) => Bitmap::open(mft)?.give_back(&unused)?,
            Err(error @ VolumeError::Device { .. }) => return Err(error.into()),
            Err(_) => {}
        }
    }
    Ok(results)
}

/// Checks a file and changes its record, in memory. If the record has to be written, returns the
/// clusters that the file then no longer needs.
fn change_one(
    mft: &Mft,
    record: &mut Record,
    change: &Change,
) -> Result<Option<Vec<Extent>>, SecurityError> {
    let unused = check(mft, record, change)?;
    if change.from == FileSecurity::Shared(change.to) && own(record).is_none() {
        return Ok(None);
    }
    put(record, change.to).ok_or(SecurityError::RecordFull(change.file))?;
    Ok(Some(unused))
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

/// Calls `show` with the base record of each existing file in `files`, and its index.
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

/// Checks that a file can be changed; returns the clusters that it then no longer needs.
fn check(mft: &Mft, record: &Record, change: &Change) -> Result<Vec<Extent>, SecurityError> {
    let file = record.id();
    let actual = get_one(mft, record)?;
    if actual != change.from {
        return Err(SecurityError::Changed {
            file,
            expected: change.from,
            actual,
        });
    }
    let is_listed = record.find(attribute_type::ATTRIBUTE_LIST, "").is_some();
    if is_listed && has_own(mft, record)? {
        return Err(SecurityError::OwnDescriptor(file));
    }
    let has_place = id_of(record).is_some();
    if !has_place {
        check_old(record)?;
    }
    let own = own(record);
    if own.is_some() || !has_place {
        let mut trial = record.clone();
        put(&mut trial, change.to).ok_or(SecurityError::RecordFull(file))?;
    }
    match own {
        Some(own) => clusters(mft, record, &own),
        None => Ok(Vec::new()),
    }
}

/// Checks that `$STANDARD_INFORMATION` is as before NTFS 3.0.
fn check_old(record: &Record) -> Result<(), Corruption> {
    let value = record.resident(attribute_type::STANDARD_INFORMATION, "");
    if value.is_some_and(|value| value.len() == StandardInformation::OLD_LEN) {
        return Ok(());
    }
    let new = size_of::<StandardInformation>();
    let expected = format!("{} or {new} bytes", StandardInformation::OLD_LEN);
    let actual = match value {
        Some(value) => value.len().to_string(),
        None => "no resident ones".to_owned(),
    };
    let what = "$STANDARD_INFORMATION";
    Err(Corruption::new(what, record.offset(), expected, actual))
}

/// The clusters of the file's own descriptor.
fn clusters(mft: &Mft, record: &Record, own: &Attribute<'_>) -> Result<Vec<Extent>, SecurityError> {
    let kinds = record.attributes().map(|attribute| attribute.kind());
    let count = kinds.filter(|kind| *kind == own.kind()).count();
    if count != 1 {
        let actual = count.to_string();
        let what = "security descriptors of a file";
        return Err(record.corruption(what, own.place(), "one", actual).into());
    }
    if own.resident().is_some() {
        return Ok(Vec::new());
    }
    let mut builder = Builder::new(&mft.disk().geometry);
    builder.add(record, own.place())?;
    let layout = builder.finish(record, own.place())?;
    check_place(mft, &layout)?;
    Ok(layout.extents().collect())
}

/// Replaces the file's descriptor by an id; `None` if its record has no room for that.
fn put(record: &mut Record, id: SecurityId) -> Option<()> {
    if let Some(own) = own(record).map(|own| own.place()) {
        record.remove(own)?;
    }
    let information = record.find(attribute_type::STANDARD_INFORMATION, "")?;
    let at = information.place();
    if information.resident()?.len() < size_of::<StandardInformation>() {
        record
            .set_value_len(at, size_of::<StandardInformation>())
            .ok()?;
    }
    let value = record.value_mut(at)?;
    *bytes::view_mut::<U32>(value, StandardInformation::SECURITY_ID)? = id.0.into();
    Some(())
}

/// The file's own descriptor, if it is in this record.
fn own(record: &Record) -> Option<Attribute<'_>> {
    record.find(attribute_type::SECURITY_DESCRIPTOR, "")
}

/// The id in `$STANDARD_INFORMATION`, if that is of NTFS 3.0 or later.
fn id_of(record: &Record) -> Option<u32> {
    let value = record.resident(attribute_type::STANDARD_INFORMATION, "")?;
    let information: &StandardInformation = bytes::view(value, 0)?;
    Some(information.security_id.get())
}

/// True if the file has its own descriptor, in this record or in another.
fn has_own(mft: &Mft, record: &Record) -> Result<bool, SecurityError> {
    if own(record).is_some() {
        return Ok(true);
    }
    let listed = list::entries(mft.disk(), record)?;
    Ok(listed
        .iter()
        .flatten()
        .any(|entry| entry.kind == attribute_type::SECURITY_DESCRIPTOR))
}

#[cfg(test)]
mod tests;
