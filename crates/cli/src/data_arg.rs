//! The data of a registry value, as typed on the command line.

use diskmend_base::hex;
use diskmend_base::utf16;
use diskmend_hive::ValueType;

/// Converts `text` to the bytes of a value of this type.
///
/// # Errors
/// What is wrong with the text, as a message for the user.
pub(crate) fn parse(value_type: ValueType, text: &str, separator: &str) -> Result<Vec<u8>, String> {
    match value_type {
        ValueType::SZ | ValueType::EXPAND_SZ => Ok(utf16::encode_terminated(text)),
        ValueType::MULTI_SZ => list(text, separator),
        ValueType::DWORD => number::<u32>(text).map(|n| n.to_le_bytes().into()),
        ValueType::DWORD_BIG_ENDIAN => number::<u32>(text).map(|n| n.to_be_bytes().into()),
        ValueType::QWORD => number::<u64>(text).map(|n| n.to_le_bytes().into()),
        _ => hex::decode_separated(text)
            .ok_or_else(|| "expected two hexadecimal digits for each byte".to_owned()),
    }
}

fn list(text: &str, separator: &str) -> Result<Vec<u8>, String> {
    let mut data = Vec::new();
    if !text.is_empty() {
        // A separator after the last string is optional.
        for string in text
            .strip_suffix(separator)
            .unwrap_or(text)
            .split(separator)
        {
            if string.is_empty() {
                return Err("an empty string would end the list".to_owned());
            }
            data.extend(utf16::encode_terminated(string));
        }
    }
    data.extend([0, 0]);
    Ok(data)
}

fn number<N: TryFrom<u64>>(text: &str) -> Result<N, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = digits.map_or((text, 10), |digits| (digits, 16));
    let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    let bits = 8 * size_of::<N>();
    u64::from_str_radix(digits, radix)
        .ok()
        .filter(|_| is_number)
        .and_then(|number| N::try_from(number).ok())
        .ok_or_else(|| format!("expected a number of {bits} bits, decimal or with 0x"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(value_type: ValueType, text: &str) -> Result<Vec<u8>, String> {
        parse(value_type, text, "\\0")
    }

    #[test]
    fn data_are_stored_as_windows_stores_them() {
        for (value_type, text, data) in [
            (ValueType::SZ, "", utf16::encode("\0")),
            (ValueType::SZ, "a\\0b", utf16::encode("a\\0b\0")),
            (
                ValueType::EXPAND_SZ,
                "%SystemRoot%",
                utf16::encode("%SystemRoot%\0"),
            ),
            (ValueType::MULTI_SZ, "", utf16::encode("\0")),
            (ValueType::MULTI_SZ, "a\\0b", utf16::encode("a\0b\0\0")),
            (ValueType::MULTI_SZ, "a\\0b\\0", utf16::encode("a\0b\0\0")),
            (ValueType::DWORD, "10", vec![10, 0, 0, 0]),
            (ValueType::DWORD, "0xFFffFFff", vec![255; 4]),
            (ValueType::DWORD_BIG_ENDIAN, "1", vec![0, 0, 0, 1]),
            (ValueType::QWORD, "0x1", vec![1, 0, 0, 0, 0, 0, 0, 0]),
            (ValueType::BINARY, "00FF", vec![0, 255]),
            (ValueType::BINARY, "00,ff 01", vec![0, 255, 1]),
            (ValueType::NONE, "", vec![]),
            (ValueType(0x1234), "0a", vec![10]),
        ] {
            assert_eq!(bytes(value_type, text), Ok(data), "{value_type} {text:?}");
        }
        let other = parse(ValueType::MULTI_SZ, "a;b", ";");
        assert_eq!(other, Ok(utf16::encode("a\0b\0\0")));
    }

    #[test]
    fn text_that_does_not_fit_the_type_is_refused() {
        for (value_type, text) in [
            (ValueType::DWORD, ""),
            (ValueType::DWORD, "0x"),
            (ValueType::DWORD, "-1"),
            (ValueType::DWORD, "+1"),
            (ValueType::DWORD, "4294967296"),
            (ValueType::DWORD, "ff"),
            (ValueType::QWORD, "0x10000000000000000"),
            (ValueType::BINARY, "0"),
            (ValueType::BINARY, "0 0"),
            (ValueType::BINARY, "0x00"),
            (ValueType::BINARY, "zz"),
            (ValueType::MULTI_SZ, "a\\0\\0b"),
        ] {
            assert!(bytes(value_type, text).is_err(), "{value_type} {text:?}");
        }
    }
}
