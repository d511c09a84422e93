//! A bitmap with one bit for each place of the hive bins at which a cell can start.

use crate::format::CellHeader;

/// The number of bytes of the hive bins that one word of bits covers.
pub(super) const WORD_SPAN: usize = CellHeader::ALIGN * u64::BITS as usize;

/// One bit for each multiple of 8 below the length of the hive bins.
///
/// Positions are in bytes from the start of the bins; those past the end read as clear.
#[derive(Clone, Default)]
pub(super) struct Bitmap {
    words: Vec<u64>,
}

/// The word that contains a position's bit, and the bit.
#[inline]
const fn locate(at: usize) -> (usize, u64) {
    (
        at / WORD_SPAN,
        1 << (at / CellHeader::ALIGN % u64::BITS as usize),
    )
}

impl Bitmap {
    /// A clear bitmap for bins of `len` bytes.
    pub(super) fn new(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(WORD_SPAN)],
        }
    }

    pub(super) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    #[inline]
    pub(super) fn contains(&self, at: usize) -> bool {
        let (word, bit) = locate(at);
        self.words.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// Sets a bit; returns true if it was clear. Never true past the end.
    #[inline]
    pub(super) fn insert(&mut self, at: usize) -> bool {
        insert(&mut self.words, at)
    }

    /// The position of the next set bit after `at`.
    #[inline]
    pub(super) fn next_after(&self, at: usize) -> Option<usize> {
        let (mut word, bit) = locate(at);
        let mut bits = self.words.get(word)? & !(bit | (bit - 1));
        while bits == 0 {
            word += 1;
            bits = *self.words.get(word)?;
        }
        Some(word * WORD_SPAN + bits.trailing_zeros() as usize * CellHeader::ALIGN)
    }

    /// Sets all bits of `other`; returns true if none of them was set before.
    pub(super) fn merge(&mut self, other: &Self) -> bool {
        let mut both = 0;
        for (ours, theirs) in self.words.iter_mut().zip(&other.words) {
            both |= *ours & theirs;
            *ours |= theirs;
        }
        both == 0
    }

    /// The positions that are set here and not in `other`.
    pub(super) fn without<'b>(&'b self, other: &'b Self) -> impl Iterator<Item = usize> + 'b {
        let words = self.words.iter().zip(&other.words).enumerate();
        words.flat_map(|(word, (ours, theirs))| {
            let mut rest = ours & !theirs;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(word * WORD_SPAN + bit * CellHeader::ALIGN)
            })
        })
    }
}

/// Sets a bit in words that start at position 0; returns true if it was clear.
#[inline]
pub(super) fn insert(words: &mut [u64], at: usize) -> bool {
    let (word, bit) = locate(at);
    match words.get_mut(word) {
        Some(bits) => {
            let clear = *bits & bit == 0;
            *bits |= bit;
            clear
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_next_bit_in_this_word_and_in_later_ones() {
        let mut bits = Bitmap::new(4096);
        for at in [0, 8, 504, 512, 4088] {
            assert!(bits.insert(at));
            assert!(!bits.insert(at));
        }
        assert_eq!(bits.next_after(0), Some(8));
        assert_eq!(bits.next_after(8), Some(504));
        assert_eq!(bits.next_after(504), Some(512));
        assert_eq!(bits.next_after(512), Some(4088));
        assert_eq!(bits.next_after(4088), None);
        assert!(!bits.insert(4096));
        assert!(!bits.contains(4096));
    }

    #[test]
    fn lists_what_the_other_lacks_and_notices_an_overlap() {
        let mut ours = Bitmap::new(2048);
        let mut theirs = Bitmap::new(2048);
        ours.insert(8);
        ours.insert(1024);
        theirs.insert(1024);
        assert_eq!(ours.without(&theirs).collect::<Vec<_>>(), [8]);
        assert!(!theirs.merge(&ours));
        assert_eq!(ours.without(&theirs).count(), 0);
        assert!(Bitmap::new(2048).merge(&ours));
    }
}
