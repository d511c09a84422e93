//! Finds out whether clusters belong to another file.
//!
//! Forged runs can lead anywhere, and writing through them would change whatever is there.
//! Therefore, before data are written, the records of the volume are searched once for runs that
//! lead to these clusters: the records of all files if there are not too many, otherwise those of
//! the volume's system files and of the files that were opened. Only the clusters to be written are
//! kept in memory.

use super::attribute::Attribute;
use super::error::{Corruption, VolumeError};
use super::extents::{self, Extents};
use super::format::{attribute_type, system};
use super::mft::Mft;
use super::place::Extent;
use super::record::Record;
use super::records::Records;
use super::runs;

pub(crate) mod known;

/// The maximum number of records that are all searched, 1 GiB of $MFT: more than nearly any Windows
/// volume has.
const MAX_RECORDS: u64 = 1 << 20;
/// The number of records that are requested at once.
const AT_ONCE: u64 = 1 << 13;
/// The last of the system files that every volume has, `$Extend`.
const LAST_OWN: u64 = 11;

/// Refuses clusters that a file other than `owner`, the number of a base record, has too. `is_own`
/// recognizes the attributes that may have them.
///
/// # Errors
/// A cluster that another attribute has; a damaged record of a system file.
pub(crate) fn check(
    mft: &Mft,
    owner: u64,
    extents: &[Extent],
    is_own: impl Fn(&Record, &Attribute<'_>) -> bool,
) -> Result<(), VolumeError> {
    check_within(mft, owner, extents, is_own, MAX_RECORDS)
}

/// Refuses the clusters of `$MFT`, `$MFTMirr` and `$Bitmap`, to which every change writes, if
/// another file has one of them.
///
/// # Errors
/// Those of [`check`].
pub(crate) fn check_written_by_all(mft: &Mft, bitmap: &[Extent]) -> Result<(), VolumeError> {
    let mut extents: Vec<Extent> = mft.layout().extents().collect();
    extents.extend(mft.mirror()?.extents());
    extents.extend(bitmap);
    if let Some(extent) = extents::first_overlap(&mut extents) {
        return Err(claimed(mft, &extent, "another of the volume's own files"));
    }
    check(mft, system::MFT, &extents, |record, attribute| {
        let file = record.base().map_or(record.number(), |base| base.record);
        matches!(file, system::MFT | system::MFT_MIRROR | system::BITMAP)
            && attribute.kind() == attribute_type::DATA
            && attribute.is_named("")
    })
}

/// Refuses clusters that any file has.
///
/// # Errors
/// Those of [`check`].
pub(crate) fn check_free(mft: &Mft, extents: &[Extent]) -> Result<(), VolumeError> {
    look(mft, extents, |_, _| false, MAX_RECORDS).map(|_| ())
}

/// Like [`check`], but searches all records only if there are at most `max`.
pub(super) fn check_within(
    mft: &Mft,
    owner: u64,
    extents: &[Extent],
    is_own: impl Fn(&Record, &Attribute<'_>) -> bool,
    max: u64,
) -> Result<(), VolumeError> {
    let claims = mft.claims();
    if !claims.are_checked(owner, extents) {
        claims.note(owner, look(mft, extents, is_own, max)?);
    }
    Ok(())
}

/// Searches for other files that have one of the clusters; returns these clusters in order.
fn look(
    mft: &Mft,
    extents: &[Extent],
    is_own: impl Fn(&Record, &Attribute<'_>) -> bool,
    max: u64,
) -> Result<Extents, VolumeError> {
    let search = Search {
        mft,
        wanted: Extents::of(extents.iter().copied()),
        is_own,
    };
    for number in 0..system::FIRST_USER {
        match mft.read_any(number) {
            Ok(record) => search.file(record)?,
            // The others are reserved, and need not exist.
            Err(VolumeError::Corrupt(_) | VolumeError::Stale(_)) if number > LAST_OWN => {}
            Err(error) => return Err(error),
        }
    }
    if mft.count() <= max {
        search.all()?;
    } else {
        for number in mft.claims().all_opened() {
            search.file(mft.read_any(number)?)?;
        }
    }
    Ok(search.wanted)
}

/// The clusters to search for.
struct Search<'a, F> {
    mft: &'a Mft,
    wanted: Extents,
    is_own: F,
}

impl<F: Fn(&Record, &Attribute<'_>) -> bool> Search<'_, F> {
    /// Searches every record that is in use. A damaged record belongs to no file.
    fn all(&self) -> Result<(), VolumeError> {
        let mut first = 0;
        while first < self.mft.count() {
            let next = self.mft.count().min(first.saturating_add(AT_ONCE));
            let numbers: Vec<u64> = (first..next).collect();
            let mut found = Ok(());
            self.mft.visit(&numbers, |_, record| {
                if let (Ok(record), Ok(())) = (record, &found) {
                    found = self.record(record);
                }
            });
            found?;
            first = next;
        }
        Ok(())
    }

    /// Searches all records of a file.
    fn file(&self, record: Record) -> Result<(), VolumeError> {
        self.record(&record)?;
        let is_base = record.is_in_use() && record.base().is_none();
        if is_base && record.find(attribute_type::ATTRIBUTE_LIST, "").is_some() {
            for (record, attribute) in Records::of(self.mft, record)?.attributes() {
                self.attribute(record, &attribute)?;
            }
        }
        Ok(())
    }

    fn record(&self, record: &Record) -> Result<(), VolumeError> {
        if !record.is_in_use() {
            return Ok(());
        }
        record
            .attributes()
            .try_for_each(|attribute| self.attribute(record, &attribute))
    }

    fn attribute(&self, record: &Record, attribute: &Attribute<'_>) -> Result<(), VolumeError> {
        let (Some(header), Some(pairs)) = (attribute.non_resident(), attribute.mapping_pairs())
        else {
            return Ok(());
        };
        let file = record.base().map_or(record.number(), |base| base.record);
        let mut common = None;
        let read = runs::each(
            pairs,
            header.lowest_vcn.get(),
            self.mft.disk().geometry.clusters,
            |run| {
                let Some(start) = run.lcn else { return };
                let extent = Extent {
                    start,
                    len: run.len,
                };
                if common.is_none() && self.wanted.overlap(&extent) {
                    common = Some(extent);
                }
            },
        );
        if let Some(common) = common
            && !(self.is_own)(record, attribute)
        {
            return Err(claimed(
                self.mft,
                &common,
                &format!("file {}", record.base().unwrap_or_else(|| record.id())),
            ));
        }
        match read {
            Err(error) if file < system::FIRST_USER => {
                let expected = "runs inside the volume";
                let at = attribute.place();
                Err(record
                    .corruption("mapping pairs", at, expected, error.to_string())
                    .into())
            }
            _ => Ok(()),
        }
    }
}

fn claimed(mft: &Mft, extent: &Extent, whose: &str) -> VolumeError {
    let offset = mft.disk().geometry.place(extent.start);
    let actual = format!("one that {whose} has, too");
    Corruption::new("cluster of a file", offset, "one of no other file", actual).into()
}
