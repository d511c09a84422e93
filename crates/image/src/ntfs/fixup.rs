//! Update sequence arrays, which reveal torn writes of records and index blocks (Linux-NTFS,
//! Fixup).
//!
//! On disk, the last two bytes of each 512 contain the update sequence number, and the array
//! contains the bytes that belong there. In memory, this crate keeps the bytes without the numbers.

use diskmend_base::bytes;
use diskmend_base::count::to_u64;
use zerocopy::byteorder::little_endian::U16;

use super::error::Corruption;
use super::format::{FIXUP_STRIDE, ProtectedHeader};

/// Checks that `data`, from `offset` of the volume, begin with `magic` and are not torn, and
/// restores the bytes at the end of each 512.
///
/// # Errors
/// A wrong signature or array, or a missing number; the content of `data` is then undefined.
pub(crate) fn unprotect(data: &mut [u8], magic: [u8; 4], offset: u64) -> Result<(), Corruption> {
    let array = Array::of(data, magic, offset)?;
    for (entry, end) in array.places(data.len()) {
        let found = bytes::view::<U16>(data, end).copied();
        let (Some(found), Some(belongs)) = (found, bytes::view::<U16>(data, entry).copied()) else {
            return Err(array.corruption(offset));
        };
        if found != array.number {
            return Err(Corruption::new(
                "update sequence number",
                offset.saturating_add(to_u64(end)),
                format!("{:#06x}", array.number),
                format!("{found:#06x}"),
            ));
        }
        if let Some(place) = bytes::view_mut::<U16>(data, end) {
            *place = belongs;
        }
    }
    Ok(())
}

/// The opposite of [`unprotect`], with the next update sequence number: `data` then contain what
/// belongs on disk.
///
/// # Errors
/// A wrong signature or array; `data` are then unchanged.
pub(crate) fn protect(data: &mut [u8], magic: [u8; 4], offset: u64) -> Result<(), Corruption> {
    let array = Array::of(data, magic, offset)?;
    // Neither 0 nor 0xFFFF is ever a number.
    let number = match array.number.get() {
        last @ 1..0xFFFE => U16::new(last.saturating_add(1)),
        _ => U16::new(1),
    };
    array.put(data, number, offset)
}

/// Like [`protect`], if `before` is what is on disk now: if only one block of 512 bytes changes,
/// the number stays. A disk writes such a block as a whole, so that no crash can leave the
/// structure torn.
///
/// # Errors
/// Those of [`protect`].
pub(crate) fn protect_over(
    data: &mut [u8],
    before: &[u8],
    magic: [u8; 4],
    offset: u64,
) -> Result<(), Corruption> {
    let array = Array::of(data, magic, offset)?;
    let last = bytes::view::<U16>(before, array.start);
    if last == Some(&array.number) && data.len() == before.len() {
        array.put(data, array.number, offset)?;
        let sectors = data.chunks(FIXUP_STRIDE).zip(before.chunks(FIXUP_STRIDE));
        if sectors.filter(|(new, old)| new != old).count() <= 1 {
            return Ok(());
        }
        unprotect(data, magic, offset)?;
    }
    protect(data, magic, offset)
}

/// A checked update sequence array: it is within the data, and before the first end of 512 bytes.
struct Array {
    start: usize,
    count: usize,
    number: U16,
}

impl Array {
    fn of(data: &[u8], magic: [u8; 4], offset: u64) -> Result<Self, Corruption> {
        let Some(header) = bytes::view::<ProtectedHeader>(data, 0) else {
            return Err(Corruption::new(
                "protected structure",
                offset,
                format!("at least {} bytes", size_of::<ProtectedHeader>()),
                data.len().to_string(),
            ));
        };
        if header.magic != magic {
            return Err(Corruption::new(
                "signature",
                offset,
                String::from_utf8_lossy(&magic).into_owned(),
                format!("\"{}\"", String::from_utf8_lossy(&header.magic)),
            ));
        }
        let start = usize::from(header.usa_offset.get());
        let count = usize::from(header.usa_count.get());
        let expected = data
            .len()
            .checked_div(FIXUP_STRIDE)
            .map(|n| n.saturating_add(1));
        let end = start.saturating_add(count.saturating_mul(2));
        let fits = start >= size_of::<ProtectedHeader>()
            && start.is_multiple_of(2)
            && end <= FIXUP_STRIDE.saturating_sub(2)
            && data.len().is_multiple_of(FIXUP_STRIDE)
            && Some(count) == expected
            && count > 1;
        let number = bytes::view::<U16>(data, start).filter(|_| fits);
        Ok(Self {
            start,
            count,
            number: *number.ok_or_else(|| misplaced(start, count, offset))?,
        })
    }

    /// Writes a number to the end of each 512 bytes, and the replaced bytes to the array.
    fn put(&self, data: &mut [u8], number: U16, offset: u64) -> Result<(), Corruption> {
        let lost = || self.corruption(offset);
        *bytes::view_mut(data, self.start).ok_or_else(lost)? = number;
        for (entry, end) in self.places(data.len()) {
            let belongs: U16 = *bytes::view(data, end).ok_or_else(lost)?;
            *bytes::view_mut(data, entry).ok_or_else(lost)? = belongs;
            *bytes::view_mut(data, end).ok_or_else(lost)? = number;
        }
        Ok(())
    }

    /// The position of each entry, and of the two bytes that it replaces.
    fn places(&self, len: usize) -> impl Iterator<Item = (usize, usize)> {
        let entries = (self.start..).step_by(2).skip(1);
        let ends = (FIXUP_STRIDE.saturating_sub(2)..len).step_by(FIXUP_STRIDE);
        entries.zip(ends)
    }

    fn corruption(&self, offset: u64) -> Corruption {
        misplaced(self.start, self.count, offset)
    }
}

fn misplaced(start: usize, count: usize, offset: u64) -> Corruption {
    Corruption::new(
        "update sequence array",
        offset,
        "one number and one entry for each 512 bytes, before the first end of 512 bytes",
        format!("{count} numbers at {start}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two blocks of 512 bytes, with the array at offset 48 and the number 7.
    fn block() -> Vec<u8> {
        let mut data: Vec<u8> = (0..1024_u32).map(|n| (n % 251) as u8).collect();
        data[..8].copy_from_slice(b"FILE\x30\x00\x03\x00");
        data[48..54].copy_from_slice(&[7, 0, 0xA, 0xB, 0xC, 0xD]);
        data[510..512].copy_from_slice(&[7, 0]);
        data[1022..].copy_from_slice(&[7, 0]);
        data
    }

    #[test]
    fn the_bytes_that_the_numbers_replaced_are_restored() {
        let mut data = block();
        unprotect(&mut data, *b"FILE", 0).expect("not torn");
        assert_eq!(data[510..512], [0xA, 0xB]);
        assert_eq!(data[1022..], [0xC, 0xD]);
    }

    #[test]
    fn protecting_uses_the_next_number() {
        let mut data = block();
        unprotect(&mut data, *b"FILE", 0).expect("not torn");
        data[510] = 0x55;
        let unprotected = data.clone();
        protect(&mut data, *b"FILE", 0).expect("sound");
        assert_eq!(data[48..54], [8, 0, 0x55, 0xB, 0xC, 0xD]);
        assert_eq!(data[510..512], [8, 0]);
        assert_eq!(data[1022..], [8, 0]);
        unprotect(&mut data, *b"FILE", 0).expect("not torn");
        assert_eq!(data[510..], unprotected[510..]);
    }

    #[test]
    fn a_change_within_one_sector_keeps_the_number() {
        let before = block();
        let mut data = before.clone();
        unprotect(&mut data, *b"FILE", 0).expect("not torn");
        data[200] ^= 1;
        let mut one = data.clone();
        protect_over(&mut one, &before, *b"FILE", 0).expect("sound");
        assert_eq!(one[..200], before[..200]);
        assert_eq!(one[201..], before[201..]);
        data[700] ^= 1;
        let mut two = data.clone();
        protect_over(&mut two, &before, *b"FILE", 0).expect("sound");
        let mut next = data.clone();
        protect(&mut next, *b"FILE", 0).expect("sound");
        assert_eq!(two, next, "torn if only one is written");
        // The number replaces the bytes at the end of the second block, and the first block stores
        // these.
        let mut data = before.clone();
        unprotect(&mut data, *b"FILE", 0).expect("not torn");
        data[1023] ^= 1;
        protect_over(&mut data, &before, *b"FILE", 0).expect("sound");
        assert_eq!(data[512..], before[512..]);
        unprotect(&mut data, *b"FILE", 0).expect("not torn");
    }

    #[test]
    fn the_numbers_0_and_0xffff_are_left_out() {
        for (last, next) in [(0xFFFE_u16, 1_u16), (0xFFFF, 1), (0, 1), (0xFFFD, 0xFFFE)] {
            let mut data = block();
            data[48..50].copy_from_slice(&last.to_le_bytes());
            protect(&mut data, *b"FILE", 0).expect("sound");
            assert_eq!(data[48..50], next.to_le_bytes(), "after {last:#x}");
        }
    }

    #[test]
    fn a_torn_write_is_noticed_with_its_place() {
        let mut data = block();
        data[1022] = 6;
        let error = unprotect(&mut data, *b"FILE", 4096).expect_err("torn");
        assert_eq!(
            error,
            Corruption::new(
                "update sequence number",
                4096_u64 + 1022,
                "0x0007",
                "0x0006"
            )
        );
    }

    #[test]
    fn arrays_that_do_not_fit_are_refused() {
        for (at, value) in [
            (4, 6_u16),
            (4, 49),
            (4, 506),
            (4, 2000),
            (6, 1),
            (6, 2),
            (6, 4),
        ] {
            let mut data = block();
            data[at..at + 2].copy_from_slice(&value.to_le_bytes());
            let before = data.clone();
            assert_eq!(
                unprotect(&mut data, *b"FILE", 0).expect_err("refused").what,
                "update sequence array",
                "{value} at {at}"
            );
            protect(&mut data, *b"FILE", 0).expect_err("refused");
            assert_eq!(data, before);
        }
        unprotect(&mut block(), *b"INDX", 0).expect_err("another signature");
        unprotect(&mut block()[..6], *b"FILE", 0).expect_err("too short");
        unprotect(&mut block()[..1000], *b"FILE", 0).expect_err("not a multiple of 512");
    }
}
