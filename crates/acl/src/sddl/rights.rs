//! The letters for access masks (MS-DTYP 2.5.1.1, ace-rights).

use crate::ace::AceType;
use crate::mask::AccessMask;

/// Letters for one bit, in the order in which Windows writes them.
const BITS: [(&str, u32); 17] = [
    ("CC", 0x1),
    ("DC", 0x2),
    ("LC", 0x4),
    ("SW", 0x8),
    ("RP", 0x10),
    ("WP", 0x20),
    ("DT", 0x40),
    ("LO", 0x80),
    ("CR", 0x100),
    ("SD", 0x1_0000),
    ("RC", 0x2_0000),
    ("WD", 0x4_0000),
    ("WO", 0x8_0000),
    ("GA", 0x1000_0000),
    ("GX", 0x2000_0000),
    ("GW", 0x4000_0000),
    ("GR", 0x8000_0000),
];

/// Letters for several bits. They are written only if the mask is exactly theirs.
const WHOLE: [(&str, u32); 8] = [
    ("FA", 0x1F_01FF),
    ("FR", 0x12_0089),
    ("FW", 0x12_0116),
    ("FX", 0x12_00A0),
    ("KA", 0xF_003F),
    // KX comes last: it has the meaning of KR, and Windows writes KR.
    ("KR", 0x2_0019),
    ("KW", 0x2_0006),
    ("KX", 0x2_0019),
];

/// The rights of a mandatory label ACE (MS-DTYP 2.4.4.13).
const LABEL: [(&str, u32); 3] = [("NW", 0x1), ("NR", 0x2), ("NX", 0x4)];

pub(super) fn mask_of(text: &str) -> Option<AccessMask> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return number(digits, 16);
    }
    // A number that starts with 0 would be octal. Nothing writes such numbers.
    if text == "0" || text.starts_with(|c: char| matches!(c, '1'..='9')) {
        return number(text, 10);
    }
    let mut rest = text;
    let mut mask = 0;
    while !rest.is_empty() {
        let (pair, after) = rest.split_at_checked(2)?;
        let (_, bits) = BITS
            .iter()
            .chain(&WHOLE)
            .chain(&LABEL)
            .find(|(letters, _)| letters.eq_ignore_ascii_case(pair))?;
        mask |= bits;
        rest = after;
    }
    Some(AccessMask(mask))
}

fn number(digits: &str, radix: u32) -> Option<AccessMask> {
    digits
        .chars()
        .all(|c| c.is_digit(radix))
        .then(|| u32::from_str_radix(digits, radix).ok().map(AccessMask))
        .flatten()
}

/// The mask as Windows writes it: the letters of exactly this mask, or else a pair of letters for
/// each bit if every bit has one, or else a hexadecimal number.
pub(super) fn write_mask(mask: AccessMask, ace_type: AceType, out: &mut String) {
    let label = ace_type == AceType::SYSTEM_MANDATORY_LABEL;
    let whole = WHOLE.iter().find(|(_, bits)| *bits == mask.0);
    if let (Some((letters, _)), false) = (whole, label) {
        out.push_str(letters);
        return;
    }
    let table: &[(&str, u32)] = if label { &LABEL } else { &BITS };
    if mask.0 & !table.iter().fold(0, |all, (_, bit)| all | bit) != 0 {
        out.push_str(&format!("{:#x}", mask.0));
        return;
    }
    for (letters, bit) in table {
        if mask.0 & bit != 0 {
            out.push_str(letters);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_written_as_windows_writes_them() {
        for (mask, text) in [
            (0x1F_01FF, "FA"),
            (0x12_0089, "FR"),
            (0x12_00A9, "0x1200a9"),
            (0x12_019F, "0x12019f"),
            (0xE001_0000, "SDGXGWGR"),
            (0xA000_0000, "GXGR"),
            (0x1000_0000, "GA"),
            (0x1, "CC"),
            (0xF_003F, "KA"),
            (0x2_0019, "KR"),
            (0xF_01FF, "CCDCLCSWRPWPDTLOCRSDRCWDWO"),
            (0, ""),
        ] {
            let mut written = String::new();
            write_mask(AccessMask(mask), AceType::ACCESS_ALLOWED, &mut written);
            assert_eq!(written, text);
            assert_eq!(mask_of(text), Some(AccessMask(mask)), "{text}");
        }
        let mut label = String::new();
        write_mask(AccessMask(5), AceType::SYSTEM_MANDATORY_LABEL, &mut label);
        assert_eq!(label, "NWNX");
    }

    #[test]
    fn text_that_is_not_a_mask_is_refused() {
        for text in ["F", "QQ", "FAF", "0x", "0x100000000", "017", "0xg", "é"] {
            assert_eq!(mask_of(text), None, "{text}");
        }
        assert_eq!(mask_of("KX"), Some(AccessMask(0x2_0019)));
        assert_eq!(mask_of("1179785"), Some(AccessMask::FILE_READ));
    }
}
