//! The master boot record and the chain of extended boot records (UEFI specification 2.10, 5.2).

use std::collections::HashSet;
use std::io;

use zerocopy::{FromZeros, IntoBytes};

use super::check::{Place, refuse_overlapping};
use super::error::PartitionError;
use super::format::{MasterBootRecord, PartitionRecord};
use super::{DiskId, Partition, PartitionType, Scheme, Table};
use crate::device::Device;

/// The maximum number of logical partitions, or extended boot records.
const MAX_LOGICAL: usize = 128;
/// The number of the first logical partition.
const FIRST_LOGICAL: u32 = 5;
/// The offset of the partition records in the sector.
const RECORDS_AT: u64 = 446;
const RECORD_LEN: u64 = 16;

/// Sector 0, if it has the signature of an MBR.
pub(super) fn record(device: &dyn Device) -> io::Result<Option<MasterBootRecord>> {
    if device.len() < 512 {
        return Ok(None);
    }
    let record = read_record(device, 0)?;
    Ok((record.signature.get() == MasterBootRecord::SIGNATURE).then_some(record))
}

fn read_record(device: &dyn Device, offset: u64) -> io::Result<MasterBootRecord> {
    let mut record = MasterBootRecord::new_zeroed();
    device.read_exact_at(record.as_mut_bytes(), offset)?;
    Ok(record)
}

/// True if the record says that the disk has a GPT.
pub(super) fn is_protective(record: &MasterBootRecord) -> bool {
    let mut records = record.partition_record.iter();
    records.any(|one| one.os_type == PartitionRecord::GPT_PROTECTIVE)
}

/// True if a protective MBR names other partitions too.
pub(super) fn is_hybrid(record: &MasterBootRecord) -> bool {
    let mut records = record.partition_record.iter();
    records.any(|one| one.is_used() && one.os_type != PartitionRecord::GPT_PROTECTIVE)
}

/// True if the record names any partition.
pub(super) fn is_used(record: &MasterBootRecord) -> bool {
    record.partition_record.iter().any(PartitionRecord::is_used)
}

/// True if all four can be records, and one is used.
pub(super) fn is_plausible(record: &MasterBootRecord) -> bool {
    let mut records = record.partition_record.iter();
    records.all(PartitionRecord::has_known_indicator) && is_used(record)
}

/// The partitions that the MBR in sector 0 names.
pub(super) fn read(
    device: &dyn Device,
    record: &MasterBootRecord,
    sector_size: u32,
) -> Result<Table, PartitionError> {
    let mut reading = Reading {
        device,
        sector_size,
        partitions: Vec::new(),
        warnings: Vec::new(),
    };
    let mut extended = Vec::new();
    for (number, one) in (1..).zip(&record.partition_record) {
        if one.os_type == PartitionRecord::UNUSED {
            continue;
        }
        if !one.has_known_indicator() {
            return Err(PartitionError::NoTable {
                number,
                offset: RECORDS_AT.saturating_add(RECORD_LEN.saturating_mul(u64::from(number) - 1)),
                found: one.boot_indicator,
            });
        }
        if one.is_extended() {
            extended.push(one);
        } else if one.is_used() {
            reading.add(number, one, 0);
        }
    }
    let mut number = FIRST_LOGICAL;
    for one in extended {
        if let Err(damage) = reading.logical(one, &mut number) {
            let warning = format!("{damage}; what it leads to is not listed");
            reading.warnings.push(warning);
        }
    }
    refuse_overlapping(&mut reading.partitions);
    Ok(Table {
        scheme: Scheme::Mbr,
        id: match record.unique_mbr_disk_signature.get() {
            0 => None,
            signature => Some(DiskId::Mbr(signature)),
        },
        sector_size,
        partitions: reading.partitions,
        warnings: reading.warnings,
    })
}

struct Reading<'a> {
    device: &'a dyn Device,
    sector_size: u32,
    partitions: Vec<Partition>,
    warnings: Vec<String>,
}

impl Reading<'_> {
    /// Adds the partition of a record with sectors that count from sector `base`.
    fn add(&mut self, number: u32, record: &PartitionRecord, base: u64) {
        let first = base.saturating_add(record.starting_lba.get().into());
        let sectors = u64::from(record.size_in_lba.get());
        let place = Place {
            number,
            first,
            last: first.saturating_add(sectors.saturating_sub(1)),
        };
        let (start, len, fault) =
            place.resolve(self.sector_size, self.sector_size.into(), self.device.len());
        self.partitions.push(Partition {
            number,
            start,
            len,
            kind: PartitionType::Mbr(record.os_type),
            active: record.boot_indicator == PartitionRecord::ACTIVE,
            guid: None,
            name: String::new(),
            fault,
        });
    }

    /// Adds the logical partitions of an extended partition. Each extended boot record names one
    /// partition, and the next such record relative to the start of the extended partition. The
    /// error says what is wrong with the chain.
    fn logical(&mut self, extended: &PartitionRecord, number: &mut u32) -> Result<(), String> {
        let base = u64::from(extended.starting_lba.get());
        let sectors = u64::from(extended.size_in_lba.get());
        let mut seen = HashSet::new();
        let mut next = Some(0);
        while let Some(relative) = next {
            let offset = base
                .saturating_add(relative)
                .saturating_mul(self.sector_size.into());
            let wrong = |expected: &str, found: String| {
                format!(
                    "extended boot record at offset {offset}: expected {expected}, found {found}"
                )
            };
            if relative >= sectors {
                let found = format!("sector {relative} of {sectors}");
                return Err(wrong("it in the extended partition", found));
            }
            if !seen.insert(relative) {
                return Err(wrong("each record once", "a loop".to_owned()));
            }
            if seen.len() > MAX_LOGICAL {
                let expected = format!("a chain of at most {MAX_LOGICAL} records");
                return Err(wrong(&expected, "another".to_owned()));
            }
            if offset.saturating_add(512) > self.device.len() {
                let found = format!("a disk of {} bytes", self.device.len());
                return Err(wrong("it on the disk", found));
            }
            let record = read_record(self.device, offset).map_err(|error| {
                wrong("a record", format!("a sector that can't be read: {error}"))
            })?;
            let signature = record.signature.get();
            if signature != MasterBootRecord::SIGNATURE {
                let expected = format!("the signature 0x{:04x}", MasterBootRecord::SIGNATURE);
                return Err(wrong(&expected, format!("0x{signature:04x}")));
            }
            let [this, following, ..] = &record.partition_record;
            if this.is_used() && !this.is_extended() {
                self.add(*number, this, base.saturating_add(relative));
                *number = number.saturating_add(1);
            }
            next = following
                .is_extended()
                .then(|| following.starting_lba.get().into());
        }
        Ok(())
    }
}
