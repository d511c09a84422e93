//! Reads memory in order before it is read out of order.

use std::hint::black_box;

/// The number of bytes that are read ahead at once.
const BLOCK: usize = 8192;
/// The number of bytes that memory delivers at once on common processors.
const LINE: usize = 64;

/// Brings each block of the hive into the processor's caches when its first cell is visited.
///
/// The cells of a key are near each other, but are not visited in the order of their positions. One
/// pass in order over a whole block costs less than waiting for memory two or three times.
pub(super) struct ReadAhead {
    /// One bit for each block.
    done: Vec<u64>,
}

impl ReadAhead {
    /// For bins of `len` bytes.
    pub(super) fn new(len: usize) -> Self {
        Self {
            done: vec![0; len.div_ceil(BLOCK).div_ceil(u64::BITS as usize)],
        }
    }

    /// Announces a visit of the cell at `at`.
    #[inline]
    pub(super) fn visit(&mut self, data: &[u8], at: usize) {
        let block = at / BLOCK;
        let bit = 1 << (block % u64::BITS as usize);
        if let Some(bits) = self.done.get_mut(block / u64::BITS as usize)
            && *bits & bit == 0
        {
            *bits |= bit;
            read(data.split_at(block * BLOCK).1);
        }
    }
}

/// Reads one block, whatever it contains.
#[inline(never)]
fn read(data: &[u8]) {
    let lines = data.iter().step_by(LINE).take(BLOCK / LINE);
    black_box(lines.fold(0, |sum, byte| sum ^ byte));
}
