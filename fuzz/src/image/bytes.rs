//! Writes numbers and bytes into structures.

/// Writes bytes at an offset; bytes beyond the end are left out.
pub(super) fn put(bytes: &mut [u8], at: usize, data: &[u8]) {
    let place = bytes.get_mut(at..).unwrap_or_default();
    place
        .iter_mut()
        .zip(data)
        .for_each(|(to, from)| *to = *from);
}

pub(super) fn put16(bytes: &mut [u8], at: usize, number: u16) {
    put(bytes, at, &number.to_le_bytes());
}

pub(super) fn put32(bytes: &mut [u8], at: usize, number: u32) {
    put(bytes, at, &number.to_le_bytes());
}

pub(super) fn put64(bytes: &mut [u8], at: usize, number: u64) {
    put(bytes, at, &number.to_le_bytes());
}

/// The number at an offset; 0 if it is outside.
pub(super) fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    let bytes = bytes.get(at..at.saturating_add(width)).unwrap_or_default();
    let bytes = bytes.iter().rev();
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Text in UTF-16.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
