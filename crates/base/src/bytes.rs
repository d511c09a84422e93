//! Parts of untrusted bytes: the only module that computes with offsets and lengths from a disk.
//!
//! Each function takes an offset `at` in bytes from the start of `data`, and returns `None` if the
//! part is not completely inside `data`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The `len` bytes at `at`.
#[inline]
#[must_use]
pub fn slice(data: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    data.get(at..at.checked_add(len)?)
}

/// The `len` bytes at `at`, for writing.
#[inline]
#[must_use]
pub fn slice_mut(data: &mut [u8], at: usize, len: usize) -> Option<&mut [u8]> {
    data.get_mut(at..at.checked_add(len)?)
}

/// The `N` bytes at `at`, copied.
#[inline]
#[must_use]
pub fn array<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    slice(data, at, N)?.try_into().ok()
}

/// The little-endian 32-bit number at `at`.
#[inline]
#[must_use]
pub fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    array(data, at).map(u32::from_le_bytes)
}

/// The little-endian 64-bit number at `at`.
#[inline]
#[must_use]
pub fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    array(data, at).map(u64::from_le_bytes)
}

/// The structure at `at`.
#[inline]
#[must_use]
pub fn view<T: FromBytes + KnownLayout + Immutable + Unaligned>(
    data: &[u8],
    at: usize,
) -> Option<&T> {
    T::ref_from_bytes(slice(data, at, size_of::<T>())?).ok()
}

/// The structure at `at`, for writing.
#[inline]
#[must_use]
pub fn view_mut<T: FromBytes + IntoBytes + KnownLayout + Unaligned>(
    data: &mut [u8],
    at: usize,
) -> Option<&mut T> {
    T::mut_from_bytes(slice_mut(data, at, size_of::<T>())?).ok()
}

/// The `count` structures from `at` on.
#[inline]
#[must_use]
pub fn view_many<T: FromBytes + Immutable + Unaligned>(
    data: &[u8],
    at: usize,
    count: usize,
) -> Option<&[T]> {
    let len = count.checked_mul(size_of::<T>())?;
    <[T]>::ref_from_bytes_with_elems(slice(data, at, len)?, count).ok()
}

#[cfg(test)]
mod tests {
    use zerocopy::byteorder::little_endian::U16;

    use super::*;

    #[test]
    fn a_part_that_is_not_completely_inside_is_none() {
        let mut data = [1, 2, 3, 4];
        assert_eq!(slice(&data, 1, 3), Some([2, 3, 4].as_slice()));
        assert_eq!(slice(&data, 4, 0), Some([].as_slice()));
        assert_eq!(u32_at(&data, 0), Some(0x0403_0201));
        assert_eq!(
            view::<U16>(&data, 2).map(|number| number.get()),
            Some(0x0403)
        );
        assert_eq!(view_many::<U16>(&data, 0, 2).map(<[U16]>::len), Some(2));
        for (at, len) in [(0, 5), (4, 1), (5, 0), (1, usize::MAX), (usize::MAX, 1)] {
            assert_eq!(slice(&data, at, len), None, "{len} bytes at {at}");
            assert_eq!(slice_mut(&mut data, at, len), None, "{len} bytes at {at}");
        }
        assert_eq!(u64_at(&data, 0), None);
        assert_eq!(u32_at(&data, 1), None);
        assert!(view_mut::<U16>(&mut data, 3).is_none());
        assert!(view_many::<U16>(&data, 0, 3).is_none());
        assert!(view_many::<U16>(&data, 0, usize::MAX).is_none());
    }
}
