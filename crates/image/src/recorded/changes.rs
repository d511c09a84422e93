//! The changes of one flush, as bytes.

use std::ops::Range;

use diskmend_base::bytes;
use zerocopy::IntoBytes;
use zerocopy::byteorder::little_endian::{U16, U64};

use super::format::{ChangeHeader, MAX_CHANGE};
use super::sectors::{Content, SECTOR, Sector};

/// Two changes of a sector become one if no more than this number of unchanged bytes separates
/// them. The header of a further change would cost as much.
const GAP: usize = size_of::<ChangeHeader>();

/// The number of bytes compared in one step.
const CHUNK: usize = 16;

/// A range of a medium's bytes before and after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change<'a> {
    /// Offset in the medium.
    pub(super) offset: u64,
    pub(super) old: &'a [u8],
    /// The bytes after the change, as many as `old`.
    pub(super) new: &'a [u8],
}

impl Change<'_> {
    pub(super) fn range(&self) -> Range<u64> {
        self.offset..self.offset.saturating_add(self.old.len() as u64)
    }
}

/// Appends the changes of one sector to a frame's payload, or all of the sector if it is kept.
pub(super) fn add_sector(payload: &mut Vec<u8>, offset: u64, sector: &Sector) {
    let Sector { old, new, is_kept } = sector;
    let spans = if *is_kept {
        std::iter::once(0..SECTOR).collect()
    } else {
        spans(old, new)
    };
    for span in spans {
        let len = span.len();
        let header = ChangeHeader {
            offset: U64::new(offset.saturating_add(span.start as u64)),
            len: U16::new(len as u16),
        };
        payload.extend_from_slice(header.as_bytes());
        for content in [old, new] {
            payload.extend(content.iter().skip(span.start).take(len));
        }
    }
}

const _: () = assert!(size_of::<Content>() <= MAX_CHANGE && MAX_CHANGE <= u16::MAX as usize);

/// The ranges in which the two differ.
fn spans(old: &Content, new: &Content) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    // Most bytes of a sector are unchanged.
    let chunks = old.chunks(CHUNK).zip(new.chunks(CHUNK));
    for (start, (old, new)) in (0..).step_by(CHUNK).zip(chunks) {
        if old == new {
            continue;
        }
        for (at, (old, new)) in (start..).zip(old.iter().zip(new)) {
            if old == new {
                continue;
            }
            match spans.last_mut() {
                Some(last) if at - last.end <= GAP => last.end = at + 1,
                _ => spans.push(at..at + 1),
            }
        }
    }
    spans
}

/// Reads a payload's changes. It ends at the payload's end or at the first malformed change.
pub(super) struct Changes<'a> {
    rest: &'a [u8],
}

impl<'a> Changes<'a> {
    pub(super) const fn of(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    /// True if the whole payload was read.
    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<'a> Iterator for Changes<'a> {
    type Item = Change<'a>;

    fn next(&mut self) -> Option<Change<'a>> {
        let header: &ChangeHeader = bytes::view(self.rest, 0)?;
        let len = usize::from(header.len.get());
        if len == 0 || len > MAX_CHANGE {
            return None;
        }
        let old = bytes::slice(self.rest, size_of::<ChangeHeader>(), len)?;
        let after_old = size_of::<ChangeHeader>().checked_add(len)?;
        let new = bytes::slice(self.rest, after_old, len)?;
        self.rest = self.rest.get(after_old.checked_add(len)?..)?;
        Some(Change {
            offset: header.offset.get(),
            old,
            new,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(old: Content, new: Content) -> Sector {
        Sector {
            old,
            new,
            is_kept: false,
        }
    }

    #[test]
    fn only_changed_bytes_are_kept() {
        let old = [0; 512];
        let mut new = old;
        new[100] = 1;
        new[105] = 2;
        new[400] = 3;
        let mut payload = Vec::new();
        add_sector(&mut payload, 4096, &changed(old, new));
        let mut changes = Changes::of(&payload);
        let first = changes.next().expect("a change");
        assert_eq!((first.offset, first.old), (4196, &[0; 6][..]));
        assert_eq!(first.new, [1, 0, 0, 0, 0, 2]);
        let second = changes.next().expect("a change");
        assert_eq!((second.range(), second.new), (4496..4497, &[3][..]));
        assert_eq!(changes.next(), None);
        assert!(changes.is_at_end());
    }

    #[test]
    fn a_payload_that_ends_early_is_noticed() {
        let mut payload = Vec::new();
        add_sector(&mut payload, 0, &changed([0; 512], [1; 512]));
        for len in 1..payload.len() {
            let mut changes = Changes::of(&payload[..len]);
            assert_eq!(changes.next(), None);
            assert!(!changes.is_at_end());
        }
    }
}
