//! The one place where ranges of untrusted offsets and lengths are computed.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The `len` bytes at `at`, or `None` where they do not lie wholly inside `data`.
pub(crate) fn slice(data: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    data.get(at..at.checked_add(len)?)
}

/// The same, for writing.
pub(crate) fn slice_mut(data: &mut [u8], at: usize, len: usize) -> Option<&mut [u8]> {
    data.get_mut(at..at.checked_add(len)?)
}

/// The structure at `at`.
pub(crate) fn view<T: FromBytes + KnownLayout + Immutable + Unaligned>(
    data: &[u8],
    at: usize,
) -> Option<&T> {
    T::ref_from_bytes(slice(data, at, size_of::<T>())?).ok()
}

/// The structure at `at`, for writing.
pub(crate) fn view_mut<T: FromBytes + IntoBytes + KnownLayout + Unaligned>(
    data: &mut [u8],
    at: usize,
) -> Option<&mut T> {
    T::mut_from_bytes(slice_mut(data, at, size_of::<T>())?).ok()
}
