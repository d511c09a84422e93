//! Splits ranges of a virtual disk at the borders of its blocks, and formats names from untrusted
//! files.

use diskmend_base::count::to_usize;
use std::ops::Range;

use diskmend_base::escape::EscapedUnits;

/// Index of a block of the virtual disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block(pub(super) u64);

/// The part of a range that is in one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The block.
    pub(super) block: Block,
    /// The start of the part in the block, in bytes.
    pub(super) within: u64,
    /// The bytes of the caller's buffer.
    pub(super) range: Range<usize>,
}

/// Splits `len` bytes at disk offset `offset` at multiples of `block_size`.
///
/// The caller has checked that the range is within the disk.
pub(super) fn pieces(offset: u64, len: usize, block_size: u64) -> impl Iterator<Item = Piece> {
    let mut done = 0_usize;
    std::iter::from_fn(move || {
        let left = len.checked_sub(done).filter(|left| *left > 0)?;
        let at = offset.checked_add(u64::try_from(done).ok()?)?;
        let within = at.checked_rem(block_size)?;
        let room = to_usize(block_size.saturating_sub(within));
        let start = done;
        done = done.saturating_add(left.min(room));
        Some(Piece {
            block: Block(at.checked_div(block_size)?),
            within,
            range: start..done,
        })
    })
}

/// True if `data` is all zero.
pub(super) fn is_zero(data: &[u8]) -> bool {
    data.iter().all(|byte| *byte == 0)
}

/// A name from the file, up to its terminator, for a message.
pub(super) fn shown(units: impl Iterator<Item = u16>) -> String {
    let name: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    EscapedUnits::new(name.into_iter()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_at_the_borders_of_blocks() {
        let found: Vec<_> = pieces(5, 20, 8)
            .map(|piece| (piece.block.0, piece.within, piece.range))
            .collect();
        assert_eq!(
            found,
            [(0, 5, 0..3), (1, 0, 3..11), (2, 0, 11..19), (3, 0, 19..20)]
        );
        assert_eq!(pieces(8, 0, 8).count(), 0);
        assert_eq!(pieces(16, 8, 8).count(), 1);
        assert_eq!(pieces(u64::MAX, 2, 1 << 20).count(), 1);
    }

    #[test]
    fn control_characters_of_a_name_are_not_shown() {
        let name = "a\u{1b}[2Jb\0c".encode_utf16();
        assert_eq!(shown(name), "a<U+001B>[2Jb");
    }
}
