//! $UpCase: the table by which the volume ignores case (Linux-NTFS, $UpCase).

use diskmend_base::count::to_u64;
use std::cmp::Ordering;

use diskmend_base::utf16;

use super::error::VolumeError;
use super::format::{attribute_type, system};
use super::mft::Mft;
use super::records::Records;
use super::stream::Stream;

/// The number of UTF-16 units. Each has an entry.
const UNITS: usize = 1 << 16;

/// The upper case of every UTF-16 unit.
#[derive(Clone, Debug)]
pub(crate) struct UpCase {
    table: Vec<u16>,
}

impl UpCase {
    /// Reads the volume's table.
    pub(crate) fn read(mft: &Mft) -> Result<Self, VolumeError> {
        let records = Records::read_system(mft, system::UPCASE)?;
        let stream = Stream::of(mft.disk(), &records, attribute_type::DATA, "")?
            .ok_or_else(|| records.lacks("data of $UpCase"))?;
        let len = to_u64(size_of::<[u16; UNITS]>());
        if stream.len() != len {
            let actual = stream.len().to_string();
            let offset = records.base().offset();
            let expected = format!("{len} bytes");
            return Err(super::Corruption::new("$UpCase", offset, expected, actual).into());
        }
        let data = stream.read_all(mft.disk(), len)?;
        Ok(Self {
            table: utf16::whole_units(&data).collect(),
        })
    }

    fn upper(&self, unit: u16) -> u16 {
        self.table.get(usize::from(unit)).copied().unwrap_or(unit)
    }

    /// Compares names without regard to case, which is the first criterion of a folder's index.
    pub(crate) fn compare(&self, a: &[u16], b: &[u16]) -> Ordering {
        let a = a.iter().map(|unit| self.upper(*unit));
        let b = b.iter().map(|unit| self.upper(*unit));
        a.cmp(b)
    }
}
