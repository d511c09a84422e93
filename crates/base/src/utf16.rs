//! Little-endian UTF-16, as Windows stores text.

/// The code units of `data`; an odd last byte is ignored.
#[inline]
pub fn whole_units(data: &[u8]) -> impl ExactSizeIterator<Item = u16> + Clone {
    let (units, _) = data.as_chunks();
    units.iter().map(|unit| u16::from_le_bytes(*unit))
}

/// The code units of `data`; `None` if there is an odd last byte.
#[must_use]
pub fn units(data: &[u8]) -> Option<Vec<u16>> {
    data.len()
        .is_multiple_of(2)
        .then(|| whole_units(data).collect())
}

/// The text of `data`, including U+0000; `None` if it is not UTF-16.
#[must_use]
pub fn decode(data: &[u8]) -> Option<String> {
    String::from_utf16(&units(data)?).ok()
}

/// The text of `data` before the first U+0000, or all of it if there is none; `None` if it is not
/// UTF-16.
#[must_use]
pub fn decode_to_nul(data: &[u8]) -> Option<String> {
    let units = units(data)?;
    let text = units.split(|unit| *unit == 0).next()?;
    String::from_utf16(text).ok()
}

/// The bytes of code units.
#[must_use]
pub fn bytes(units: impl IntoIterator<Item = u16>) -> Vec<u8> {
    units.into_iter().flat_map(u16::to_le_bytes).collect()
}

/// The bytes of `text`, without a terminator.
#[must_use]
pub fn encode(text: &str) -> Vec<u8> {
    bytes(text.encode_utf16())
}

/// The bytes of `text` and a terminating U+0000, as in the data of `REG_SZ`.
#[must_use]
pub fn encode_terminated(text: &str) -> Vec<u8> {
    bytes(text.encode_utf16().chain([0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_and_half_units_and_half_pairs_are_refused() {
        for text in ["", "a", "é\0\u{1f511}"] {
            assert_eq!(decode(&encode(text)).as_deref(), Some(text));
        }
        assert_eq!(encode_terminated("é"), [0xe9, 0, 0, 0]);
        assert_eq!(units(&[0x61, 0, 0x62]), None);
        assert!(whole_units(&[0x61, 0, 0x62]).eq([0x61]));
        assert_eq!(decode(&[0, 0xd8]), None);
        assert_eq!(decode(&[0x61]), None);
    }

    #[test]
    fn bytes_after_the_terminator_are_not_text() {
        let hidden = bytes([0x61, 0, 0xd800]);
        assert_eq!(decode_to_nul(&hidden).as_deref(), Some("a"));
        assert_eq!(decode_to_nul(&encode("a")).as_deref(), Some("a"));
        assert_eq!(decode_to_nul(&[]).as_deref(), Some(""));
        assert_eq!(decode_to_nul(&bytes([0xd800])), None);
    }
}
