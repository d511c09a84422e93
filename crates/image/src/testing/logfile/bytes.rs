//! Little-endian numbers in bytes that the writer itself has laid out.

/// Copies `value` to `at`.
pub(super) fn put(data: &mut [u8], at: usize, value: &[u8]) {
    data[at..at + value.len()].copy_from_slice(value);
}

pub(super) fn put_u16(data: &mut [u8], at: usize, value: u16) {
    put(data, at, &value.to_le_bytes());
}

pub(super) fn put_u32(data: &mut [u8], at: usize, value: u32) {
    put(data, at, &value.to_le_bytes());
}

pub(super) fn put_u64(data: &mut [u8], at: usize, value: u64) {
    put(data, at, &value.to_le_bytes());
}

/// The `N` bytes at `at`.
fn get<const N: usize>(data: &[u8], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&data[at..at + N]);
    bytes
}

pub(super) fn u16_at(data: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(get(data, at))
}

pub(super) fn u32_at(data: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(get(data, at))
}

pub(super) fn u64_at(data: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(get(data, at))
}
