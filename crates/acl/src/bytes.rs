//! A part of a descriptor that knows its offset.

use diskmend_base::bytes;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::error::Corruption;

/// A piece of a descriptor. It knows its offset, so that errors can name the place.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'a> {
    bytes: &'a [u8],
    /// The offset of `bytes` in the bytes that the caller passed.
    base: usize,
}

impl<'a> Piece<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, base: 0 }
    }

    pub(crate) const fn len(self) -> usize {
        self.bytes.len()
    }

    pub(crate) const fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The offset of `at` in the bytes that the caller passed.
    pub(crate) const fn place(self, at: usize) -> usize {
        self.base.saturating_add(at)
    }

    /// The `len` bytes at `at`.
    pub(crate) fn part(
        self,
        what: &'static str,
        at: usize,
        len: usize,
    ) -> Result<Self, Corruption> {
        let bytes = bytes::slice(self.bytes, at, len).ok_or_else(|| {
            let have = self.bytes.len().saturating_sub(at);
            too_short(what, self.place(at), len, have)
        })?;
        Ok(Self {
            bytes,
            base: self.place(at),
        })
    }

    /// Everything from `at` on; empty if `at` is past the end.
    pub(crate) fn rest(self, at: usize) -> Self {
        Self {
            bytes: self.bytes.split_at(at.min(self.bytes.len())).1,
            base: self.place(at),
        }
    }

    /// The structure at `at`.
    pub(crate) fn view<T: FromBytes + KnownLayout + Immutable + Unaligned>(
        self,
        what: &'static str,
        at: usize,
    ) -> Result<&'a T, Corruption> {
        let part = self.part(what, at, size_of::<T>())?;
        T::ref_from_bytes(part.bytes)
            .map_err(|_| too_short(what, part.base, size_of::<T>(), part.len()))
    }
}

/// The error for a structure that reaches past the end of the structure around it.
fn too_short(what: &'static str, offset: usize, need: usize, have: usize) -> Corruption {
    let have = format!("{have} bytes up to the end of what holds it");
    Corruption::new(what, offset, format!("{need} bytes"), have)
}
