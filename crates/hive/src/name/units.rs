//! Code units of a name.

use std::iter::FusedIterator;
use std::slice;

/// Iterator over the UTF-16 code units of a [`Name`](super::Name).
#[derive(Clone, Debug)]
pub struct Units<'a>(Form<'a>);

#[derive(Clone, Debug)]
enum Form<'a> {
    Compressed(slice::Iter<'a, u8>),
    Utf16(slice::Iter<'a, [u8; 2]>),
}

impl<'a> Units<'a> {
    pub(super) fn compressed(bytes: &'a [u8]) -> Self {
        Self(Form::Compressed(bytes.iter()))
    }

    pub(super) fn utf16(units: &'a [[u8; 2]]) -> Self {
        Self(Form::Utf16(units.iter()))
    }
}

impl Iterator for Units<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        match &mut self.0 {
            Form::Compressed(bytes) => bytes.next().copied().map(u16::from),
            Form::Utf16(units) => units.next().copied().map(u16::from_le_bytes),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Form::Compressed(bytes) => bytes.size_hint(),
            Form::Utf16(units) => units.size_hint(),
        }
    }
}

impl ExactSizeIterator for Units<'_> {}
impl FusedIterator for Units<'_> {}
