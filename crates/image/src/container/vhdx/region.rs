//! The region tables of a VHDX: the positions of the block allocation table and the metadata
//! (MS-VHDX 2.2.3).

use diskmend_base::count::to_usize;
use std::ops::Range;

use diskmend_base::Guid;
use diskmend_base::bytes;

use super::format::{MIB, RegionTableEntry, RegionTableHeader, checksum};
use crate::container::error::ContainerError;
use crate::container::notice::Notice;
use crate::device::Device;

/// The positions of all structures in the file, except blocks.
#[derive(Clone, Debug)]
pub(super) struct Regions {
    /// The block allocation table.
    pub(super) bat: Range<u64>,
    /// The metadata.
    pub(super) metadata: Range<u64>,
    /// All ranges in which no block may be, in order: the header section, the log, all regions.
    pub(super) taken: Vec<Range<u64>>,
}

/// Reads the first table, or the second if that is damaged.
pub(super) fn read(
    file: &dyn Device,
    log: Range<u64>,
) -> Result<(Regions, Option<Notice>), ContainerError> {
    let [first, second] = RegionTableHeader::OFFSETS;
    let (table, at, notice) = match read_table(file, first)? {
        Ok(table) => (table, first, None),
        Err(error) => match read_table(file, second)? {
            Ok(table) => {
                let notice = Notice::RegionTableDamaged(error.to_string());
                (table, second, Some(notice))
            }
            Err(_) => return Err(error),
        },
    };
    Ok((parse(&table, at, file.len(), log)?, notice))
}

/// The table at `at`; the inner error says that it is not valid.
fn read_table(
    file: &dyn Device,
    at: u64,
) -> Result<Result<Vec<u8>, ContainerError>, ContainerError> {
    let mut table = vec![0; RegionTableHeader::TABLE_LEN];
    file.read_exact_at(&mut table, at)?;
    Ok(check(&table, at).map(|()| table))
}

fn check(table: &[u8], at: u64) -> Result<(), ContainerError> {
    let header = header(table)?;
    if header.signature != RegionTableHeader::SIGNATURE {
        return Err(ContainerError::corrupt(
            "the VHDX region table",
            at,
            "the signature \"regi\"",
            format_args!("\"{}\"", header.signature.escape_ascii()),
        ));
    }
    let expected = checksum(table);
    if header.checksum.get() != expected {
        return Err(ContainerError::corrupt(
            "the checksum of the VHDX region table",
            at.saturating_add(4),
            format_args!("{expected:#010x}"),
            format_args!("{:#010x}", header.checksum.get()),
        ));
    }
    let count = header.entry_count.get();
    if count > RegionTableHeader::MAX_ENTRIES {
        return Err(ContainerError::corrupt(
            "the entry count of the VHDX region table",
            at.saturating_add(8),
            format_args!("at most {}", RegionTableHeader::MAX_ENTRIES),
            count,
        ));
    }
    Ok(())
}

fn header(table: &[u8]) -> Result<&RegionTableHeader, ContainerError> {
    bytes::view(table, 0).ok_or(ContainerError::TooShort { len: 0 })
}

fn parse(table: &[u8], at: u64, file_len: u64, log: Range<u64>) -> Result<Regions, ContainerError> {
    let mut bat = None;
    let mut metadata = None;
    let header_section = 0..MIB;
    let mut regions: Vec<Range<u64>> = [header_section, log].into();
    regions.retain(|region| !region.is_empty());
    let count = to_usize(header(table)?.entry_count.get());
    let entries =
        bytes::view_many::<RegionTableEntry>(table, size_of::<RegionTableHeader>(), count)
            .ok_or_else(|| {
                ContainerError::corrupt(
                    "the entry count of the VHDX region table",
                    at.saturating_add(8),
                    "entries within the table",
                    count,
                )
            })?;
    let places = (size_of::<RegionTableHeader>()..).step_by(size_of::<RegionTableEntry>());
    for (place, entry) in places.zip(entries) {
        let place = at.saturating_add(place as u64);
        let start = entry.file_offset.get();
        let len = u64::from(entry.length.get());
        let region = start..start.saturating_add(len);
        if !start.is_multiple_of(MIB)
            || !len.is_multiple_of(MIB)
            || region.is_empty()
            || region.end > file_len
        {
            return Err(ContainerError::corrupt(
                "an entry of the VHDX region table",
                place,
                format_args!("an offset and a length in whole MiB within {file_len} bytes"),
                format_args!("offset {start}, length {len}"),
            ));
        }
        let known = match entry.guid {
            RegionTableEntry::BAT => Some(&mut bat),
            RegionTableEntry::METADATA => Some(&mut metadata),
            _ => None,
        };
        match known {
            Some(slot) if slot.is_some() => {
                return Err(ContainerError::corrupt(
                    "an entry of the VHDX region table",
                    place,
                    "a GUID that is there once",
                    entry.guid,
                ));
            }
            Some(slot) => *slot = Some(region.clone()),
            None if entry.required.get() & 1 != 0 => {
                return Err(ContainerError::unsupported(
                    "a required region of the VHDX",
                    place,
                    entry.guid,
                ));
            }
            None => {}
        }
        regions.push(region);
    }
    regions.sort_by_key(|region| region.start);
    let overlap = regions
        .iter()
        .zip(regions.iter().skip(1))
        .find(|(one, next)| next.start < one.end);
    if let Some((one, next)) = overlap {
        return Err(ContainerError::corrupt(
            "the VHDX region table",
            at,
            "regions that do not overlap each other, the header section or the log",
            format_args!(
                "regions from {} to {} and from {} to {}",
                one.start, one.end, next.start, next.end
            ),
        ));
    }
    let required = |region: Option<Range<u64>>, guid: Guid| {
        region.ok_or_else(|| {
            let expected = format_args!("an entry {guid}").to_string();
            ContainerError::corrupt("the VHDX region table", at, expected, "none")
        })
    };
    Ok(Regions {
        bat: required(bat, RegionTableEntry::BAT)?,
        metadata: required(metadata, RegionTableEntry::METADATA)?,
        taken: regions,
    })
}
