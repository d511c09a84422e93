//! GUIDs, text and digits in the data of elements.

use diskmend_base::bytes::array;

use crate::guid::Guid;

/// The GUID at `at`, as structures hold it.
pub(crate) fn guid_at(data: &[u8], at: usize) -> Option<Guid> {
    array(data, at).map(Guid)
}

/// The UTF-16LE code units of `data`; `None` where its length is odd.
pub(crate) fn units(data: &[u8]) -> Option<Vec<u16>> {
    match data.as_chunks() {
        (pairs, []) => Some(pairs.iter().copied().map(u16::from_le_bytes).collect()),
        _ => None,
    }
}

/// The text up to the first U+0000, or to the end where there is none; `None` where it is not
/// UTF-16LE.
pub(crate) fn text(data: &[u8]) -> Option<String> {
    let units = units(data)?;
    let end = units.iter().position(|&unit| unit == 0);
    String::from_utf16(units.get(..end.unwrap_or(units.len()))?).ok()
}

/// UTF-16LE without a terminator.
pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// UTF-16LE with a terminator, as `REG_SZ` data are stored.
pub(crate) fn sz(text: &str) -> Vec<u8> {
    let mut data = utf16(text);
    data.extend([0, 0]);
    data
}

/// Lower-case hexadecimal digits, two for each byte.
pub(crate) fn hex(data: &[u8]) -> String {
    use std::fmt::Write as _;
    data.iter().fold(
        String::with_capacity(data.len().saturating_mul(2)),
        |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        },
    )
}

/// Reads pairs of hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect::<Option<_>>()?;
    match digits.as_chunks() {
        (pairs, []) => Some(pairs.iter().map(|[high, low]| high << 4 | low).collect()),
        _ => None,
    }
}
