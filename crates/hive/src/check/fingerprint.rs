//! Numbers that are equal for names that differ only in case.

use diskmend_base::upcase::upcase;

use crate::name::Name;

/// The bit in which ASCII letters of both cases differ, in eight characters at once.
const CASE: u64 = 0x2020_2020_2020_2020;
/// The bit that no ASCII character has.
const NOT_ASCII: u64 = 0x8080_8080_8080_8080;
/// An odd number without a pattern (2^64 divided by the golden ratio), to spread bits.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// A number for a name. Names that differ only in case have equal numbers, and most other names
/// have different numbers.
#[inline]
pub(super) fn fingerprint(name: Name<'_>) -> u32 {
    if name.is_compressed()
        && let Some(number) = of_ascii(name.bytes())
    {
        return number;
    }
    of_units(name)
}

/// The number for characters, ignoring case; `None` if some are not ASCII.
#[inline]
fn of_ascii(characters: &[u8]) -> Option<u32> {
    let (blocks, rest) = characters.as_chunks::<8>();
    let mut state = characters.len() as u64;
    let mut bits = 0;
    for block in blocks {
        let block = u64::from_le_bytes(*block);
        bits |= block;
        state = mix(state, block | CASE);
    }
    let last = up_to_eight(rest);
    bits |= last;
    let state = mix(state, last | CASE);
    (bits & NOT_ASCII == 0).then_some((state >> 32) as u32)
}

/// Up to eight characters as one number. They are read as two halves that may overlap, because
/// copying them would take longer than everything else.
#[inline]
fn up_to_eight(characters: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (characters.first_chunk::<4>(), characters.last_chunk::<4>())
    {
        return u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
    }
    characters
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[inline]
const fn mix(state: u64, block: u64) -> u64 {
    (state ^ block).wrapping_mul(SPREAD).rotate_left(29)
}

/// The number for a name that is not compressed ASCII, by its upper-cased units.
#[cold]
fn of_units(name: Name<'_>) -> u32 {
    let upper: Vec<u16> = name.units().map(upcase).collect();
    let ascii: Option<Vec<u8>> = upper.iter().map(|unit| u8::try_from(*unit).ok()).collect();
    if let Some(number) = ascii.and_then(|ascii| of_ascii(&ascii)) {
        return number;
    }
    let state = upper
        .iter()
        .fold(0, |state, unit| mix(state, u64::from(*unit)));
    (state >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn compressed(bytes: &[u8]) -> u32 {
        fingerprint(Name::stored(bytes, true).expect("any bytes are Latin-1"))
    }

    fn uncompressed(text: &str) -> u32 {
        let bytes = utf16(text);
        fingerprint(Name::stored(&bytes, false).expect("whole units"))
    }

    #[test]
    fn case_and_encoding_make_no_difference() {
        for name in [
            "",
            "a",
            "ImagePath",
            "abcdefgh",
            "LongerThanEight",
            "Caf\u{e9}",
        ] {
            let latin1: Vec<u8> = name.chars().map(|c| c as u8).collect();
            assert_eq!(compressed(&latin1), uncompressed(name), "{name}");
            assert_eq!(
                uncompressed(name),
                uncompressed(&name.to_uppercase()),
                "{name}"
            );
        }
        assert_eq!(compressed(&[0xFF]), uncompressed("\u{178}"));
    }

    #[test]
    fn other_names_have_other_numbers() {
        let names = [
            "",
            "a",
            "b",
            "aa",
            "Start",
            "Start\0",
            "abcdefgh",
            "abcdefghi",
            "\u{e9}",
        ];
        let mut numbers: Vec<u32> = names.iter().map(|name| uncompressed(name)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), names.len());
    }
}
