//! Converts numbers on a disk to lengths and positions in memory, and back, without loss. diskmend
//! is built only for 64-bit machines.

const _: () = assert!(usize::BITS == 64, "diskmend needs a 64-bit machine");

/// Converts a length or position on a disk to one in memory.
#[inline]
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a usize has 64 bits, which is asserted above"
)]
pub fn to_usize(number: impl Into<u64>) -> usize {
    number.into() as usize
}

/// Converts a length or position in memory to one on a disk.
#[inline]
#[must_use]
pub const fn to_u64(number: usize) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost() {
        for number in [0, 1, u64::from(u32::MAX), u64::from(u32::MAX) + 1, u64::MAX] {
            assert_eq!(to_u64(to_usize(number)), number);
        }
        assert_eq!(to_usize(7_u32), 7);
    }
}
