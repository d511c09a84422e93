//! One copy of the table: a header and its entries, with correct checksums.

use crc::{CRC_32_ISO_HDLC, Crc};
use diskmend_base::bytes;

use super::super::format::GptHeader;
use crate::device::Device;

/// The maximum length of the entries: 8192 of the usual length. Windows creates 128.
const MAX_ENTRIES_LEN: u64 = 1 << 20;
/// The minimum and maximum length of an entry in bytes.
const ENTRY_LEN: std::ops::RangeInclusive<u64> = 128..=4096;

/// The checksum of headers and entries (UEFI specification 2.10, section 5.3.2).
const CRC_32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A sound copy.
pub(super) struct Copy {
    pub(super) header: GptHeader,
    pub(super) entries: Vec<u8>,
}

/// The reason why a copy can't be used.
pub(super) struct Damage {
    /// The problem.
    pub(super) reason: String,
    /// The header, if the header itself is sound.
    pub(super) header: Option<Box<GptHeader>>,
    /// True if nothing shows that there ever was a copy.
    pub(super) is_absent: bool,
}

impl Damage {
    fn of_header(reason: String) -> Self {
        Self {
            reason,
            header: None,
            is_absent: false,
        }
    }

    pub(super) fn absent(reason: String) -> Self {
        Self {
            is_absent: true,
            ..Self::of_header(reason)
        }
    }
}

impl Copy {
    /// The copy with its header at `lba`.
    pub(super) fn read(device: &dyn Device, size: u32, lba: u64) -> Result<Self, Damage> {
        let header = header(device, size, lba)?;
        match entries(device, size, lba, &header) {
            Ok(entries) => Ok(Self { header, entries }),
            Err(reason) => Err(Damage {
                reason,
                header: Some(Box::new(header)),
                is_absent: false,
            }),
        }
    }

    /// This copy, unless it belongs to another disk than the header `first`.
    pub(super) fn beside(self, first: &GptHeader) -> Result<Self, Damage> {
        let (expected, found) = (first.disk_guid, self.header.disk_guid);
        if found == expected {
            return Ok(self);
        }
        Err(Damage::of_header(format!(
            "the header in sector {} is of the disk {}, expected {} as in the first header",
            self.header.my_lba,
            found.bare(),
            expected.bare()
        )))
    }
}

/// The entries of the header at `lba`.
fn entries(
    device: &dyn Device,
    size: u32,
    lba: u64,
    header: &GptHeader,
) -> Result<Vec<u8>, String> {
    let field = |at: u64| lba.saturating_mul(size.into()).saturating_add(at);
    let count = u64::from(header.number_of_partition_entries.get());
    let each = u64::from(header.size_of_partition_entry.get());
    if !ENTRY_LEN.contains(&each) || !each.is_power_of_two() {
        return Err(format!(
            "the length at offset {} has entries of {each} bytes, expected a power of two from {} \
             to {}",
            field(84),
            ENTRY_LEN.start(),
            ENTRY_LEN.end()
        ));
    }
    let len = count.saturating_mul(each);
    if len > MAX_ENTRIES_LEN {
        return Err(format!(
            "the number at offset {} has {count} entries of {each} bytes, expected at most \
             {MAX_ENTRIES_LEN} bytes of them",
            field(80)
        ));
    }
    let first = header.partition_entry_lba.get();
    let offset = first.checked_mul(size.into()).filter(|offset| {
        let end = offset.checked_add(len);
        end.is_some_and(|end| end <= device.len())
    });
    let (Some(offset), Ok(len)) = (offset, usize::try_from(len)) else {
        return Err(format!(
            "the place at offset {} has {len} bytes of entries from sector {first} on, expected \
             them on the disk of {} bytes",
            field(72),
            device.len()
        ));
    };
    let mut entries = vec![0; len];
    device
        .read_exact_at(&mut entries, offset)
        .map_err(|error| format!("the entries at offset {offset} can't be read: {error}"))?;
    let expected = header.partition_entry_array_crc32.get();
    let found = CRC_32.checksum(&entries);
    if found != expected {
        return Err(format!(
            "entries at offset {offset} have the checksum 0x{found:08x}, expected 0x{expected:08x}"
        ));
    }
    Ok(entries)
}

/// The header at `lba`, with a correct checksum.
fn header(device: &dyn Device, size: u32, lba: u64) -> Result<GptHeader, Damage> {
    let bytes = u64::from(size);
    let offset = lba.checked_mul(bytes).filter(|offset| {
        let end = offset.checked_add(bytes);
        lba > 0 && end.is_some_and(|end| end <= device.len())
    });
    let (Some(offset), Ok(len)) = (offset, usize::try_from(size)) else {
        return Err(Damage::absent(format!(
            "sector {lba} lies outside of the disk of {} bytes",
            device.len()
        )));
    };
    let mut sector = vec![0; len];
    device.read_exact_at(&mut sector, offset).map_err(|error| {
        Damage::of_header(format!(
            "the header at offset {offset} can't be read: {error}"
        ))
    })?;
    let header = bytes::view::<GptHeader>(&sector, 0)
        .ok_or_else(|| Damage::absent(format!("{size} bytes at offset {offset} hold no header")))?;
    if header.signature != GptHeader::SIGNATURE {
        return Err(Damage::absent(format!(
            "the header at offset {offset} has the signature \"{}\", expected \"{}\"",
            header.signature.escape_ascii(),
            GptHeader::SIGNATURE.escape_ascii()
        )));
    }
    let header = header.clone();
    sound(&header, &mut sector, offset, lba).map_err(Damage::of_header)?;
    Ok(header)
}

/// Checks that the header at the start of `sector` has the right checksum, and belongs to sector
/// `lba`.
fn sound(header: &GptHeader, sector: &mut [u8], offset: u64, lba: u64) -> Result<(), String> {
    let size = sector.len();
    let header_size = header.header_size.get();
    let covered = usize::try_from(header_size)
        .ok()
        .filter(|&covered| covered >= size_of::<GptHeader>())
        .and_then(|covered| sector.get_mut(..covered))
        .ok_or_else(|| {
            format!("header at offset {offset} has the length {header_size}, expected 92 to {size}")
        })?;
    if let Some(covered) = bytes::view_mut::<GptHeader>(covered, 0) {
        covered.header_crc32 = 0.into();
    }
    let found = CRC_32.checksum(covered);
    let expected = header.header_crc32.get();
    if found != expected {
        return Err(format!(
            "header at offset {offset} has the checksum 0x{found:08x}, expected 0x{expected:08x}"
        ));
    }
    let my_lba = header.my_lba.get();
    if my_lba != lba {
        return Err(format!(
            "header at offset {offset} says that it is of sector {my_lba}, expected {lba}"
        ));
    }
    Ok(())
}
