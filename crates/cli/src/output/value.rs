//! A value's data as text, the way `reg query` and regedit show it.

use diskmend_base::escape::EscapedUnits;
use diskmend_base::hex::Hex;
use diskmend_base::utf16;
use diskmend_hive::ValueType;

/// The separator of the strings of a `REG_MULTI_SZ` on one line, as in `reg.exe`.
pub(crate) const SEPARATOR: &str = "\\0";

/// The data as lines: each string of a `REG_MULTI_SZ` is a line.
///
/// Data that do not match their type are shown completely nevertheless.
pub(crate) fn lines(value_type: ValueType, data: &[u8]) -> Vec<String> {
    match strings(value_type, data) {
        Some(strings) if value_type == ValueType::MULTI_SZ => strings,
        Some(strings) => vec![strings.join(SEPARATOR)],
        None => vec![match number(value_type, data) {
            Some(number) => format!("{number:#x} ({number})"),
            None => format!("{:X}", Hex(data)),
        }],
    }
}

/// The data on one line, in the form of `reg query`.
pub(crate) fn line(value_type: ValueType, data: &[u8]) -> String {
    match strings(value_type, data) {
        Some(strings) => strings.join(SEPARATOR),
        None => match number(value_type, data) {
            Some(number) => format!("{number:#x}"),
            None => format!("{:X}", Hex(data)),
        },
    }
}

fn number(value_type: ValueType, data: &[u8]) -> Option<u64> {
    match value_type {
        ValueType::DWORD => Some(u32::from_le_bytes(data.try_into().ok()?).into()),
        ValueType::DWORD_BIG_ENDIAN => Some(u32::from_be_bytes(data.try_into().ok()?).into()),
        ValueType::QWORD => Some(u64::from_le_bytes(data.try_into().ok()?)),
        _ => None,
    }
}

/// The strings of a string type; `None` for other types and for half a UTF-16 unit.
fn strings(value_type: ValueType, data: &[u8]) -> Option<Vec<String>> {
    let is_string = matches!(
        value_type,
        ValueType::SZ | ValueType::EXPAND_SZ | ValueType::MULTI_SZ | ValueType::LINK
    );
    let mut units = utf16::units(data)?;
    if !is_string {
        return None;
    }
    // One terminator belongs to the string, and a list has a second one; any others are data.
    let terminators = if value_type == ValueType::MULTI_SZ {
        2
    } else {
        1
    };
    for _ in 0..terminators {
        if units.last() == Some(&0) {
            units.pop();
        }
    }
    if units.is_empty() && value_type == ValueType::MULTI_SZ {
        return Some(Vec::new());
    }
    Some(units.split(|&unit| unit == 0).map(text).collect())
}

/// The text of UTF-16 units, in the escaped form.
fn text(units: &[u16]) -> String {
    EscapedUnits::new(units.iter().copied()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_shown_as_reg_query_does() {
        for (value_type, data, shown) in [
            (ValueType::DWORD, vec![0x3d, 0x0d, 0, 0], "0xd3d"),
            (ValueType::DWORD_BIG_ENDIAN, vec![0, 0, 0, 1], "0x1"),
            (
                ValueType::QWORD,
                vec![1, 0, 0, 0, 0, 0, 0, 0x80],
                "0x8000000000000001",
            ),
            (ValueType::SZ, utf16::encode("a b\0"), "a b"),
            (
                ValueType::EXPAND_SZ,
                utf16::encode("%SystemRoot%\0"),
                "%SystemRoot%",
            ),
            (ValueType::MULTI_SZ, utf16::encode("a\0b\0\0"), "a\\0b"),
            (ValueType::MULTI_SZ, utf16::encode("\0"), ""),
            (ValueType::BINARY, vec![0, 0xff], "00FF"),
            (ValueType::NONE, vec![], ""),
        ] {
            assert_eq!(line(value_type, &data), shown, "{value_type}");
        }
    }

    #[test]
    fn data_that_do_not_fit_their_type_are_shown_in_full() {
        assert_eq!(line(ValueType::DWORD, &[1, 2]), "0102");
        assert_eq!(line(ValueType::SZ, &utf16::encode("open")), "open");
        assert_eq!(
            line(ValueType::SZ, &utf16::encode("a\0hidden\0")),
            "a\\0hidden"
        );
        assert_eq!(line(ValueType::SZ, &[0x61, 0, 0x62]), "610062");
        assert_eq!(line(ValueType::SZ, &[0, 0xd8]), "<U+D800>");
    }

    #[test]
    fn a_list_has_a_line_for_each_string() {
        let data = utf16::encode("a\0b\0\0");
        assert_eq!(lines(ValueType::MULTI_SZ, &data), ["a", "b"]);
        assert_eq!(lines(ValueType::DWORD, &[10, 0, 0, 0]), ["0xa (10)"]);
    }
}
