//! The descriptors of files, read and set for many files at once (Linux-NTFS, $STANDARD_INFORMATION
//! and $SECURITY_DESCRIPTOR).

use std::collections::{BTreeSet, HashSet};

use diskmend_base::bytes;
use zerocopy::byteorder::little_endian::U32;

use super::SecurityId;
use super::error::SecurityError;
use crate::ntfs::attribute::Attribute;
use crate::ntfs::bitmap::Bitmap;
use crate::ntfs::claims;
use crate::ntfs::error::{Corruption, VolumeError};
use crate::ntfs::format::{StandardInformation, attribute_type};
use crate::ntfs::layout::Builder;
use crate::ntfs::list;
use crate::ntfs::member::Member;
use crate::ntfs::metadata::Metadata;
use crate::ntfs::mft::{Mft, check_base};
use crate::ntfs::open::check_place;
use crate::ntfs::place::{Extent, FileId};
use crate::ntfs::record::Record;

/// The maximum number of files that have their records in memory between checking and writing.
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

/// The change for one file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change<'a> {
    /// The file, as an entry of its folder.
    pub member: Member<'a>,
    /// The new id.
    pub to: SecurityId,
}

/// What a change means for the record of its file.
enum Step {
    /// The caller doesn't want it.
    Declined,
    /// The file already has the id.
    AlreadyThere,
    /// The record was changed in memory. The file no longer needs these clusters.
    Write(Vec<Extent>),
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

/// Asks `decide` about each file, with the file's metadata and the place of its descriptor, and
/// makes the changes that it agrees to. The ids must exist in `$Secure`. The results are `false`
/// for the files that `decide` doesn't agree to. A file that is elsewhere according to its own
/// record is refused. Every file of a batch is checked before the first is written; if a file is
/// refused, the others are still set.
///
/// An id that replaces another is in one sector, so that after a crash the file has the old or the
/// new id. If a record loses the file's own descriptor, several sectors change, and a crash within
/// its write may leave it torn. The clusters of such descriptors are freed when no record names
/// them any more.
pub(super) fn set(
    mft: &Mft,
    changes: &[Change<'_>],
    mut decide: impl FnMut(usize, &Metadata, FileSecurity) -> bool,
) -> Result<Vec<Result<bool, SecurityError>>, SecurityError> {
    let mut seen = HashSet::new();
    let mut unused: Vec<Extent> = Vec::new();
    let mut results = Vec::with_capacity(changes.len());
    for batch in changes.chunks(BATCH) {
        let before = results.len();
        let files = || batch.iter().map(|change| change.member.file);
        let numbers: Vec<u64> = files().map(|file| file.record).collect();
        let is_first: Vec<bool> = files().map(|file| seen.insert(file)).collect();
        results.extend(files().map(|file| Err(VolumeError::Stale(file).into())));
        mft.update(&numbers, |index, record| {
            let at = before.saturating_add(index);
            let (Some(change), Some(result)) = (batch.get(index), results.get_mut(at)) else {
                return false;
            };
            let step = record.map_err(SecurityError::from).and_then(|record| {
                let file = change.member.file;
                check_base(record, file)?;
                if is_first.get(index) != Some(&true) {
                    return Err(SecurityError::Twice(file));
                }
                set_one(mft, record, change, |found, now| decide(at, found, now))
            });
            let is_due = matches!(step, Ok(Step::Write(_)));
            *result = step.map(|step| match step {
                Step::Declined => false,
                Step::AlreadyThere => true,
                Step::Write(extents) => {
                    unused.extend(extents);
                    true
                }
            });
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

/// Checks a file and changes its record, in memory.
fn set_one(
    mft: &Mft,
    record: &mut Record,
    change: &Change<'_>,
    decide: impl FnOnce(&Metadata, FileSecurity) -> bool,
) -> Result<Step, SecurityError> {
    change.member.check(mft, record)?;
    let now = get_one(mft, record)?;
    if !decide(&Metadata::of_base(mft, record)?, now) {
        return Ok(Step::Declined);
    }
    let unused = check(mft, record, change.to)?;
    if now == FileSecurity::Shared(change.to) && own(record).is_none() {
        return Ok(Step::AlreadyThere);
    }
    put(record, change.to).ok_or(SecurityError::RecordFull(record.id()))?;
    Ok(Step::Write(unused))
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

/// Checks that a file can get this id; returns the clusters that it then no longer needs.
fn check(mft: &Mft, record: &Record, to: SecurityId) -> Result<Vec<Extent>, SecurityError> {
    let file = record.id();
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
        put(&mut trial, to).ok_or(SecurityError::RecordFull(file))?;
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
