//! Reads values that NTFS has compressed (Linux-NTFS, Compression).
//!
//! A compressed value is divided into units of 16 clusters. If all clusters of a unit exist, they
//! contain the unit uncompressed; if none exists, the unit is zero; if some exist, they contain the
//! unit compressed.

use std::num::NonZeroU64;

use diskmend_base::bytes;
use diskmend_base::count::{to_u64, to_usize};

use super::disk::Disk;
use super::error::{Corruption, VolumeError};
use super::layout::Layout;
use super::lznt1;

/// The maximum length of a unit that is read into memory; NTFS compresses only with clusters of up
/// to 4 KiB.
const MAX_UNIT: u64 = 1 << 20;

/// Fills `buf` from `offset` on; `unit` is the number of clusters in a unit.
///
/// # Errors
/// [`VolumeError::OutOfRange`]; units of a wrong length, or data that are not validly compressed;
/// an error of the device.
pub(crate) fn read(
    disk: &Disk,
    layout: &Layout,
    unit: NonZeroU64,
    buf: &mut [u8],
    offset: u64,
) -> Result<(), VolumeError> {
    let unit_len = unit.saturating_mul(disk.geometry.cluster_len);
    if unit_len.get() > MAX_UNIT {
        let actual = format!("{unit} clusters");
        return Err(wrong(layout, 0, "one of at most 1 MiB", actual));
    }
    let len = to_usize(unit_len);
    // Bytes that were never written or are beyond the end need no decompression.
    layout.check_range(offset, buf.len())?;
    let mut plain = vec![0; len];
    let mut at = offset;
    let mut rest = buf;
    while !rest.is_empty() {
        let within = at % unit_len;
        let start = at.saturating_sub(within);
        let within = to_usize(within);
        let take = len.saturating_sub(within).min(rest.len());
        let out_of_range = || layout.out_of_range(at, take);
        let parts = std::mem::take(&mut rest).split_at_mut_checked(take);
        let (part, after) = parts.ok_or_else(out_of_range)?;
        let written = layout.initialized.saturating_sub(at);
        let written = to_usize(written).min(take);
        let parts = part.split_at_mut_checked(written);
        let (filled, unwritten) = parts.ok_or_else(out_of_range)?;
        unwritten.fill(0);
        if !filled.is_empty() {
            read_unit(disk, layout, start, &mut plain)?;
            let from = bytes::slice(&plain, within, filled.len());
            filled.copy_from_slice(from.ok_or_else(out_of_range)?);
        }
        at = at.saturating_add(to_u64(take));
        rest = after;
    }
    Ok(())
}

/// Reads the unit that begins at `start`.
fn read_unit(
    disk: &Disk,
    layout: &Layout,
    start: u64,
    plain: &mut [u8],
) -> Result<(), VolumeError> {
    let mut stored = vec![0; plain.len()];
    let (mut len, mut mapped) = (0_usize, 0_usize);
    for piece in layout.pieces(start, plain.len()) {
        if let Some(offset) = piece.offset {
            if len != mapped {
                let actual = "one behind a hole".to_owned();
                return Err(wrong(layout, start, "clusters before its holes", actual));
            }
            let part = bytes::slice_mut(&mut stored, len, piece.len).ok_or_else(|| {
                let actual = format!("one with {} bytes from {len} on", piece.len);
                wrong(layout, start, "clusters within it", actual)
            })?;
            disk.read(part, offset)?;
            len = len.saturating_add(piece.len);
        }
        mapped = mapped.saturating_add(piece.len);
    }
    if mapped != plain.len() {
        let actual = format!("{mapped} bytes");
        return Err(wrong(layout, start, "one that is whole", actual));
    }
    stored.truncate(len);
    match len {
        0 => plain.fill(0),
        _ if len == plain.len() => plain.copy_from_slice(&stored),
        _ => {
            lznt1::decompress(&stored, plain).map_err(|error| {
                let expected = "data that are compressed with LZNT1";
                wrong(layout, start, expected, error.to_string())
            })?;
        }
    }
    Ok(())
}

/// Describes a problem in the unit that begins at `start` of the value.
fn wrong(layout: &Layout, start: u64, expected: &'static str, actual: String) -> VolumeError {
    let offset = layout.position(start).unwrap_or(start);
    Corruption::new("unit of a compressed file", offset, expected, actual).into()
}
