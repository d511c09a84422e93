//! The master boot record and the chain of extended boot records (UEFI specification 2.10, 5.2).

use std::collections::HashSet;
use std::io;

use super::check::{Place, refuse_overlapping};
use super::error::PartitionError;
use super::format::{MasterBootRecord, PartitionRecord};
use super::{Identity, Partition, PartitionType, Scheme, Table};
use crate::bytes;
use crate::device::Device;

/// Logical partitions, or extended boot records, that a disk may have.
const MAX_LOGICAL: usize = 128;
/// Number of the first logical partition.
const FIRST_LOGICAL: u32 = 5;
/// Where the partition records start in the sector.
const RECORDS_AT: u64 = 446;
const RECORD_LEN: u64 = 16;

/// Sector 0 where it has the signature of an MBR.
pub(super) fn record(device: &dyn Device) -> io::Result<Option<MasterBootRecord>> {
    if device.len() < 512 {
        return Ok(None);
    }
    record_at(device, 0)
}

fn record_at(device: &dyn Device, offset: u64) -> io::Result<Option<MasterBootRecord>> {
    let mut sector = [0; 512];
    device.read_exact_at(&mut sector, offset)?;
    Ok(bytes::view::<MasterBootRecord>(&sector, 0)
        .filter(|record| record.signature.get() == MasterBootRecord::SIGNATURE)
        .cloned())
}

/// Whether the record says that a GPT has the disk.
pub(super) fn is_protective(record: &MasterBootRecord) -> bool {
    let mut records = record.partition_record.iter();
    records.any(|one| one.os_type == PartitionRecord::GPT_PROTECTIVE)
}

/// Whether a protective MBR names other partitions too.
pub(super) fn is_hybrid(record: &MasterBootRecord) -> bool {
    let mut records = record.partition_record.iter();
    records.any(|one| one.is_used() && one.os_type != PartitionRecord::GPT_PROTECTIVE)
}

/// Whether the record names any partition.
pub(super) fn is_used(record: &MasterBootRecord) -> bool {
    record.partition_record.iter().any(PartitionRecord::is_used)
}

/// Whether all four can be records, and one is used.
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
        reading.logical(one, &mut number)?;
    }
    refuse_overlapping(&mut reading.partitions);
    Ok(Table {
        scheme: Scheme::Mbr,
        identity: Identity::Mbr(record.unique_mbr_disk_signature.get()),
        sector_size,
        partitions: reading.partitions,
        backup_used: false,
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
    /// Adds the partition of a record whose sectors count from sector `base`.
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
            name: String::new(),
            id: None,
            fault,
        });
    }

    /// Adds the logical partitions of an extended one. Each extended boot record names one, and
    /// the next such record relative to the start of the extended partition.
    fn logical(
        &mut self,
        extended: &PartitionRecord,
        number: &mut u32,
    ) -> Result<(), PartitionError> {
        let base = u64::from(extended.starting_lba.get());
        let sectors = u64::from(extended.size_in_lba.get());
        let mut seen = HashSet::new();
        let mut next = Some(0);
        while let Some(relative) = next {
            let offset = base
                .saturating_add(relative)
                .saturating_mul(self.sector_size.into());
            let wrong = |expected, actual: String| PartitionError::Extended {
                offset,
                expected,
                actual,
            };
            if relative >= sectors {
                let actual = format!("sector {relative} of {sectors}");
                return Err(wrong("to lie in the extended partition", actual));
            }
            if !seen.insert(relative) {
                return Err(wrong("each record once", "a loop".to_owned()));
            }
            if seen.len() > MAX_LOGICAL {
                let actual = format!("more than {MAX_LOGICAL}");
                return Err(wrong("a chain of at most 128 records", actual));
            }
            if offset.saturating_add(512) > self.device.len() {
                let actual = format!("a disk of {} bytes", self.device.len());
                return Err(wrong("to lie on the disk", actual));
            }
            let Some(record) = record_at(self.device, offset)? else {
                if relative == 0 {
                    let warning =
                        format!("the extended partition at byte {offset} holds no record");
                    self.warnings.push(warning);
                    return Ok(());
                }
                return Err(wrong("the signature 0xaa55", "another".to_owned()));
            };
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
