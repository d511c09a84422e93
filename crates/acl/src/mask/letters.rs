//! The letters for access masks that icacls reads and prints, and letters of the same kind for the
//! rights of registry keys.

use super::{AccessMask, Objects};

/// Text that icacls wouldn't accept as a permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{letters}\" isn't a permission that icacls knows")]
pub struct MaskTextError {
    /// The letters without a meaning.
    pub letters: String,
}

/// `W` is smaller than FILE_GENERIC_WRITE: icacls leaves READ_CONTROL out of it.
const SIMPLE_OF_FILES: [(&str, AccessMask); 6] = [
    ("F", AccessMask::FILE_ALL),
    ("M", AccessMask(0x13_01BF)),
    ("RX", AccessMask(0x12_00A9)),
    ("R", AccessMask::FILE_READ),
    ("W", AccessMask(0x10_0116)),
    ("D", AccessMask(0x11_0000)),
];

/// KEY_ALL_ACCESS, KEY_READ and KEY_WRITE.
const SIMPLE_OF_KEYS: [(&str, AccessMask); 3] = [
    ("F", AccessMask::KEY_ALL),
    ("R", AccessMask::KEY_READ),
    ("W", AccessMask::KEY_WRITE),
];

/// The rights that all objects have, in the order in which icacls prints them.
const COMMON: [(&str, AccessMask); 11] = [
    ("DE", AccessMask::DELETE),
    ("Rc", AccessMask::READ_CONTROL),
    ("WDAC", AccessMask::WRITE_DAC),
    ("WO", AccessMask::WRITE_OWNER),
    ("S", AccessMask::SYNCHRONIZE),
    ("AS", AccessMask::SYSTEM_SECURITY),
    ("MA", AccessMask::MAXIMUM_ALLOWED),
    ("GR", AccessMask::GENERIC_READ),
    ("GW", AccessMask::GENERIC_WRITE),
    ("GE", AccessMask::GENERIC_EXECUTE),
    ("GA", AccessMask::GENERIC_ALL),
];

/// The other rights of files, in the order in which icacls prints them.
const OF_FILES: [(&str, AccessMask); 9] = [
    ("RD", AccessMask::READ_DATA),
    ("WD", AccessMask::WRITE_DATA),
    ("AD", AccessMask::APPEND_DATA),
    ("REA", AccessMask::READ_EA),
    ("WEA", AccessMask::WRITE_EA),
    ("X", AccessMask::EXECUTE),
    ("DC", AccessMask::DELETE_CHILD),
    ("RA", AccessMask::READ_ATTRIBUTES),
    ("WA", AccessMask::WRITE_ATTRIBUTES),
];

/// The other rights of keys: query value, set value, create subkey, enumerate subkeys, notify, create
/// link.
const OF_KEYS: [(&str, AccessMask); 6] = [
    ("QV", AccessMask(0x1)),
    ("SV", AccessMask(0x2)),
    ("CS", AccessMask(0x4)),
    ("ES", AccessMask(0x8)),
    ("NT", AccessMask(0x10)),
    ("CL", AccessMask(0x20)),
];

type Letters = (&'static str, AccessMask);

impl Objects {
    /// The letters for several rights of these objects.
    const fn simple(self) -> &'static [Letters] {
        match self {
            Self::Files => &SIMPLE_OF_FILES,
            Self::Keys => &SIMPLE_OF_KEYS,
        }
    }

    /// The letters for one right of these objects.
    fn specific(self) -> impl Iterator<Item = &'static Letters> {
        let others: &[Letters] = match self {
            Self::Files => &OF_FILES,
            Self::Keys => &OF_KEYS,
        };
        COMMON.iter().chain(others)
    }

    /// The whole set of rights, icacls's `F`.
    pub(crate) const fn all(self) -> AccessMask {
        match self {
            Self::Files => AccessMask::FILE_ALL,
            Self::Keys => AccessMask::KEY_ALL,
        }
    }

    /// The rights as letters between parentheses, as [`AccessMask::to_icacls`] writes those of files.
    #[must_use]
    pub fn rights_text(self, mask: AccessMask) -> String {
        if mask.is_empty() {
            return "N".to_owned();
        }
        let mut words: Vec<String> = Vec::new();
        let mut rest = mask;
        if mask.contains(AccessMask::GENERIC_ALL) {
            words.push("F".to_owned());
            rest = rest.without(AccessMask::GENERIC_ALL | self.all());
        } else if self == Self::Files && mask.contains(GENERIC_MODIFY) {
            words.push("M".to_owned());
            rest = rest.without(GENERIC_MODIFY);
        }
        for (letters, rights) in self.simple() {
            // Several simple rights hold SYNCHRONIZE and READ_CONTROL.
            let shared = AccessMask::SYNCHRONIZE | AccessMask::READ_CONTROL;
            if mask.contains(*rights) && rest.contains(rights.without(shared)) {
                words.push((*letters).to_owned());
                rest = rest.without(*rights);
            }
        }
        for (letters, right) in self.specific() {
            if rest.intersects(*right) {
                words.push((*letters).to_owned());
                rest = rest.without(*right);
            }
        }
        if !rest.is_empty() {
            words.push(format!("{:#x}", rest.0));
        }
        words.join(",")
    }

    /// The mask for which the letters stand: simple or specific rights separated by commas, with or
    /// without parentheses, in upper or lower case: `F`, `(RX,W)`, `(DE,RC,WDAC)`.
    ///
    /// # Errors
    /// If some letters aren't a right.
    pub(crate) fn read_rights(self, text: &str) -> Result<AccessMask, MaskTextError> {
        let inner = text
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
            .unwrap_or(text);
        inner.split(',').try_fold(AccessMask::NONE, |mask, word| {
            self.right(word)
                .map(|right| mask | right)
                .ok_or(MaskTextError {
                    letters: word.chars().take(100).collect(),
                })
        })
    }

    fn right(self, word: &str) -> Option<AccessMask> {
        if word.eq_ignore_ascii_case("N") {
            return Some(AccessMask::NONE);
        }
        if let Some(digits) = word.strip_prefix("0x") {
            return digits
                .bytes()
                .all(|b| b.is_ascii_hexdigit())
                .then(|| u32::from_str_radix(digits, 16).ok().map(AccessMask))
                .flatten();
        }
        self.simple()
            .iter()
            .chain(self.specific())
            .find(|(letters, _)| letters.eq_ignore_ascii_case(word))
            .map(|(_, mask)| *mask)
    }
}

/// The generic rights that icacls prints as `M`.
const GENERIC_MODIFY: AccessMask = AccessMask(0xE001_0000);

impl AccessMask {
    /// The mask as icacls prints it between parentheses: `F`, `R,W`, `Rc,S,RD`, or `N` for no
    /// rights. Like icacls, this writes GENERIC_ALL as `F` and the generic form of modify as `M`.
    /// Bits without a letter follow as a hexadecimal number.
    #[must_use]
    pub fn to_icacls(self) -> String {
        Objects::Files.rights_text(self)
    }

    /// The mask that icacls reads from `text`: simple or specific rights separated by commas, with
    /// or without parentheses, in upper or lower case: `F`, `(RX,W)`, `(DE,RC,WDAC)`.
    #[cfg(test)]
    pub(crate) fn from_icacls(text: &str) -> Result<Self, MaskTextError> {
        Objects::Files.read_rights(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn masks_are_written_as_icacls_prints_them() {
        for (mask, text) in [
            (0x1F_01FF, "F"),
            (0x12_019F, "R,W"),
            (0x13_01BF, "M"),
            (0x12_00A9, "RX"),
            (0x12_0089, "R"),
            (0x10_0116, "W"),
            (0x0001_0000, "DE"),
            (0x1F_019F, "R,W,D,WDAC,WO"),
            (0x17_00A9, "RX,D,WDAC"),
            (0x1B_01FF, "M,WO,DC"),
            (0x13_0156, "W,D,Rc,DC"),
            (0x4013_0156, "W,D,Rc,GW,DC"),
            (0x12_00A5, "Rc,S,RD,AD,X,RA"),
            (0x10_0001, "S,RD"),
            (0x1000_0000, "F"),
            (0xE001_0000, "M"),
            (0xA000_0000, "GR,GE"),
            (0x0C00, "0xc00"),
            (0, "N"),
        ] {
            assert_eq!(AccessMask(mask).to_icacls(), text, "{mask:#x}");
        }
    }

    #[test]
    fn what_icacls_takes_is_read() {
        for (text, mask) in [
            ("F", 0x1F_01FF),
            ("(f)", 0x1F_01FF),
            ("(R,W)", 0x12_019F),
            ("(DE,RC,WDAC)", 0x7_0000),
            ("GA", 0x1000_0000),
            ("N", 0),
        ] {
            assert_eq!(
                AccessMask::from_icacls(text),
                Ok(AccessMask(mask)),
                "{text}"
            );
        }
        for text in ["", "()", "Q", "F,", "0x+1", "0x", "(F"] {
            assert!(AccessMask::from_icacls(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_have_letters_of_their_own() {
        for (mask, text) in [
            (0xF_003F, "F"),
            (0x2_0019, "R"),
            (0x2_001F, "R,W"),
            (0x6, "SV,CS"),
            (0x2_0039, "R,CL"),
            (0x1000_0000, "F"),
            (0x8000_0040, "GR,0x40"),
        ] {
            assert_eq!(
                Objects::Keys.rights_text(AccessMask(mask)),
                text,
                "{mask:#x}"
            );
        }
        for (text, mask) in [("(f)", 0xF_003F), ("R,W", 0x2_001F), ("sv,CS,DE", 0x1_0006)] {
            assert_eq!(
                Objects::Keys.read_rights(text),
                Ok(AccessMask(mask)),
                "{text}"
            );
        }
        for text in ["M", "RX", "D", "RD"] {
            assert!(Objects::Keys.read_rights(text).is_err(), "{text}");
        }
    }

    #[test]
    fn generic_rights_map_to_file_rights() {
        assert_eq!(AccessMask(0xA000_0040).map_generic(), AccessMask(0x12_00E9));
        assert_eq!(AccessMask::GENERIC_ALL.map_generic(), AccessMask::FILE_ALL);
    }

    proptest! {
        #[test]
        fn letters_keep_every_bit(mask in any::<u32>()) {
            // icacls itself writes these two like the file rights for which they stand.
            prop_assume!(mask & 0x1000_0000 == 0 && mask & 0xE001_0000 != 0xE001_0000);
            let mask = AccessMask(mask);
            prop_assert_eq!(AccessMask::from_icacls(&mask.to_icacls()), Ok(mask));
        }
    }
}
