//! Windows NT's upper-casing of UTF-16 code units, by which Windows compares names of registry keys
//! and files.
//!
//! The kernel maps each code unit to one code unit with the table in `l_intl.nls`
//! (`RtlUpcaseUnicodeChar`); the `$UpCase` file of a volume is a copy of this table from the day
//! when the volume was formatted. The table is not Unicode's full mapping: no text becomes longer
//! or shorter, and surrogates do not change.
//!
//! This is the table of Windows NT 5 (2000, XP, Server 2003). It contains Unicode's simple
//! upper-case mappings between letters of Unicode 1.1, 636 in all, without these 43:
//!
//! - look-alikes and title case: U+00B5 (micro), U+0131 (dotless i), U+017F (long s), U+01C5,
//!   U+01C8, U+01CB, U+01F2, U+0280, U+03D0, U+03D1, U+03D5, U+03D6, U+03F0, U+03F1;
//! - Greek iota subscript: U+0345, U+1FBE, U+1F80 to 1F87, 1F90 to 1F97, 1FA0 to 1FA7, U+1FB3,
//!   U+1FC3, U+1FF3.
//!
//! Expanded to 65536 little-endian units, the table has the MD5 sum
//! 6fa3db2468275286210751e869d36373, which is published for the `$UpCase` of Windows XP.
//!
//! Later versions of Windows differ. Vista added letters, and Windows 7 added more; the table has
//! not changed since Windows 8, with 338 more mappings and one less. ASCII, Latin-1, Latin
//! Extended-A and the letters of Russian are the same in all tables. These differences can occur in
//! practice: Romanian U+0219 and U+021B (upper-cased since Vista), Cyrillic U+0450 and U+045D, and
//! Greek final sigma U+03C2 (upper-cased to U+03A3 here, unchanged since Windows 7). The others are
//! Georgian Nuskhuri, Glagolitic, Coptic, polytonic Greek with iota subscript, and phonetic and
//! minority-language letters. Names with such letters are very rare in the hives of a Windows
//! installation. [`CaseTable::Later`] is the table of Windows 8, which is also that of `$UpCase` on
//! volumes that Windows 10 formatted; [`changed_since_nt5`] finds the letters that differ.

mod later;

pub use later::{changed_since_nt5, matters_since_nt5};

use later::upcase_later;

/// Whose upper-case table compares names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseTable {
    /// Windows 2000, XP and Server 2003.
    Nt5,
    /// Windows 8 and later. It stands for Windows Vista and 7 too, which lack some of its letters.
    Later,
}

impl CaseTable {
    /// The table for names of files if that of their volume is not at hand: `$UpCase` of volumes
    /// that Windows 8 and later formatted.
    pub const FILES: Self = Self::Later;

    /// Whether two names, given in code units, are the same but for case.
    #[must_use]
    pub fn same(self, a: impl IntoIterator<Item = u16>, b: impl IntoIterator<Item = u16>) -> bool {
        let a = a.into_iter().map(|unit| self.upcase(unit));
        a.eq(b.into_iter().map(|unit| self.upcase(unit)))
    }

    /// The other table.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Nt5 => Self::Later,
            Self::Later => Self::Nt5,
        }
    }

    /// The upper case of a code unit.
    #[inline]
    #[must_use]
    pub fn upcase(self, unit: u16) -> u16 {
        match self {
            Self::Nt5 => upcase(unit),
            Self::Later if unit < 0x100 => upcase(unit),
            Self::Later => upcase_later(unit),
        }
    }
}

/// A number that is equal for units that either table takes for the same letter.
#[inline]
#[must_use]
pub fn fold(unit: u16) -> u16 {
    CaseTable::Later.upcase(upcase(unit))
}

/// Letters at the same distance from their upper case.
struct Run {
    first: u16,
    last: u16,
    /// 2 if lower and upper case alternate.
    stride: u16,
    /// Upper case minus lower case.
    delta: i16,
}

const fn run(first: u16, last: u16, stride: u16, delta: i16) -> Run {
    Run {
        first,
        last,
        stride,
        delta,
    }
}

const RUNS: [Run; 88] = [
    run(0x0061, 0x007A, 1, -32),
    run(0x00E0, 0x00F6, 1, -32),
    run(0x00F8, 0x00FE, 1, -32),
    run(0x00FF, 0x00FF, 1, 121),
    run(0x0101, 0x012F, 2, -1),
    run(0x0133, 0x0137, 2, -1),
    run(0x013A, 0x0148, 2, -1),
    run(0x014B, 0x0177, 2, -1),
    run(0x017A, 0x017E, 2, -1),
    run(0x0183, 0x0185, 2, -1),
    run(0x0188, 0x0188, 1, -1),
    run(0x018C, 0x018C, 1, -1),
    run(0x0192, 0x0192, 1, -1),
    run(0x0199, 0x0199, 1, -1),
    run(0x01A1, 0x01A5, 2, -1),
    run(0x01A8, 0x01A8, 1, -1),
    run(0x01AD, 0x01AD, 1, -1),
    run(0x01B0, 0x01B0, 1, -1),
    run(0x01B4, 0x01B6, 2, -1),
    run(0x01B9, 0x01B9, 1, -1),
    run(0x01BD, 0x01BD, 1, -1),
    run(0x01C6, 0x01C6, 1, -2),
    run(0x01C9, 0x01C9, 1, -2),
    run(0x01CC, 0x01CC, 1, -2),
    run(0x01CE, 0x01DC, 2, -1),
    run(0x01DD, 0x01DD, 1, -79),
    run(0x01DF, 0x01EF, 2, -1),
    run(0x01F3, 0x01F3, 1, -2),
    run(0x01F5, 0x01F5, 1, -1),
    run(0x01FB, 0x0217, 2, -1),
    run(0x0253, 0x0253, 1, -210),
    run(0x0254, 0x0254, 1, -206),
    run(0x0256, 0x0257, 1, -205),
    run(0x0259, 0x0259, 1, -202),
    run(0x025B, 0x025B, 1, -203),
    run(0x0260, 0x0260, 1, -205),
    run(0x0263, 0x0263, 1, -207),
    run(0x0268, 0x0268, 1, -209),
    run(0x0269, 0x0269, 1, -211),
    run(0x026F, 0x026F, 1, -211),
    run(0x0272, 0x0272, 1, -213),
    run(0x0275, 0x0275, 1, -214),
    run(0x0283, 0x0283, 1, -218),
    run(0x0288, 0x0288, 1, -218),
    run(0x028A, 0x028B, 1, -217),
    run(0x0292, 0x0292, 1, -219),
    run(0x03AC, 0x03AC, 1, -38),
    run(0x03AD, 0x03AF, 1, -37),
    run(0x03B1, 0x03C1, 1, -32),
    run(0x03C2, 0x03C2, 1, -31),
    run(0x03C3, 0x03CB, 1, -32),
    run(0x03CC, 0x03CC, 1, -64),
    run(0x03CD, 0x03CE, 1, -63),
    run(0x03E3, 0x03EF, 2, -1),
    run(0x0430, 0x044F, 1, -32),
    run(0x0451, 0x045C, 1, -80),
    run(0x045E, 0x045F, 1, -80),
    run(0x0461, 0x0481, 2, -1),
    run(0x0491, 0x04BF, 2, -1),
    run(0x04C2, 0x04C4, 2, -1),
    run(0x04C8, 0x04C8, 1, -1),
    run(0x04CC, 0x04CC, 1, -1),
    run(0x04D1, 0x04EB, 2, -1),
    run(0x04EF, 0x04F5, 2, -1),
    run(0x04F9, 0x04F9, 1, -1),
    run(0x0561, 0x0586, 1, -48),
    run(0x1E01, 0x1E95, 2, -1),
    run(0x1EA1, 0x1EF9, 2, -1),
    run(0x1F00, 0x1F07, 1, 8),
    run(0x1F10, 0x1F15, 1, 8),
    run(0x1F20, 0x1F27, 1, 8),
    run(0x1F30, 0x1F37, 1, 8),
    run(0x1F40, 0x1F45, 1, 8),
    run(0x1F51, 0x1F57, 2, 8),
    run(0x1F60, 0x1F67, 1, 8),
    run(0x1F70, 0x1F71, 1, 74),
    run(0x1F72, 0x1F75, 1, 86),
    run(0x1F76, 0x1F77, 1, 100),
    run(0x1F78, 0x1F79, 1, 128),
    run(0x1F7A, 0x1F7B, 1, 112),
    run(0x1F7C, 0x1F7D, 1, 126),
    run(0x1FB0, 0x1FB1, 1, 8),
    run(0x1FD0, 0x1FD1, 1, 8),
    run(0x1FE0, 0x1FE1, 1, 8),
    run(0x1FE5, 0x1FE5, 1, 7),
    run(0x2170, 0x217F, 1, -16),
    run(0x24D0, 0x24E9, 1, -26),
    run(0xFF41, 0xFF5A, 1, -32),
];

/// High bytes, other than 0, of the code units in [`RUNS`].
const PAGE_NUMBERS: [u8; 10] = [0x01, 0x02, 0x03, 0x04, 0x05, 0x1E, 0x1F, 0x21, 0x24, 0xFF];

/// In [`PAGE_OF`]: no code unit with this high byte has an upper case.
const NO_PAGE: u8 = u8::MAX;

type Page = [u16; 256];

/// Upper case of the code units below 0x100; that of U+00FF is U+0178.
static LATIN1: Page = build_page(0);
static PAGES: [Page; PAGE_NUMBERS.len()] = build_pages();
static PAGE_OF: [u8; 256] = build_page_index();

#[expect(
    clippy::indexing_slicing,
    reason = "runs at compile time only, where a bad index stops the build"
)]
const fn build_page(high: u8) -> Page {
    let mut page = [0; 256];
    let mut low = 0;
    while low < 256 {
        page[low as usize] = ((high as u16) << 8) | low;
        low += 1;
    }
    let mut index = 0;
    while index < RUNS.len() {
        let run = &RUNS[index];
        let mut unit = run.first;
        while unit <= run.last {
            if unit >> 8 == high as u16 {
                page[(unit & 0xFF) as usize] = unit.wrapping_add_signed(run.delta);
            }
            unit += run.stride;
        }
        index += 1;
    }
    page
}

#[expect(
    clippy::indexing_slicing,
    reason = "runs at compile time only, where a bad index stops the build"
)]
const fn build_pages() -> [Page; PAGE_NUMBERS.len()] {
    let mut pages = [[0; 256]; PAGE_NUMBERS.len()];
    let mut index = 0;
    while index < pages.len() {
        pages[index] = build_page(PAGE_NUMBERS[index]);
        index += 1;
    }
    pages
}

#[expect(
    clippy::indexing_slicing,
    reason = "runs at compile time only, where a bad index stops the build"
)]
const fn build_page_index() -> [u8; 256] {
    let mut of = [NO_PAGE; 256];
    let mut index = 0;
    while index < PAGE_NUMBERS.len() {
        of[PAGE_NUMBERS[index] as usize] = index as u8;
        index += 1;
    }
    of
}

/// The upper case of a UTF-16 code unit, or the unit itself if it has none.
#[inline]
#[must_use]
pub fn upcase(unit: u16) -> u16 {
    let [high, low] = unit.to_be_bytes();
    if high == 0 {
        return upcase_latin1(low);
    }
    PAGE_OF
        .get(usize::from(high))
        .and_then(|page| PAGES.get(usize::from(*page)))
        .and_then(|page| page.get(usize::from(low)))
        .copied()
        .unwrap_or(unit)
}

/// The upper case of a code unit below 0x100.
#[inline]
#[must_use]
pub fn upcase_latin1(unit: u8) -> u16 {
    LATIN1
        .get(usize::from(unit))
        .copied()
        .unwrap_or(u16::from(unit))
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;

    use super::*;

    /// The expanded table of Windows XP (see the module's documentation), hashed with FNV-1a.
    const NT5_HASH: u64 = 0xfeff_1515_16f8_4dea;
    fn table() -> Vec<u16> {
        (0..=u16::MAX).map(upcase).collect()
    }

    fn fnv1a(table: &[u16]) -> u64 {
        table
            .iter()
            .flat_map(|unit| unit.to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
    }

    #[test]
    fn expansion_is_that_of_windows_nt_5() {
        let table = table();
        let mapped = (0..=u16::MAX)
            .zip(&table)
            .filter(|(unit, upper)| unit != *upper);
        assert_eq!(mapped.count(), 636);
        assert_eq!(fnv1a(&table), NT5_HASH);
    }

    /// The expanded table of Windows 8 and later, hashed with FNV-1a. Its MD5 sum is
    /// 7ff498a44e45e77374cc7c962b1b92f2, like that of `$UpCase` on volumes that Windows 10
    /// formatted.
    const LATER_HASH: u64 = 0x48ed_4531_e939_9927;

    #[test]
    fn the_later_table_is_that_of_windows_8() {
        let later: Vec<u16> = (0..=u16::MAX)
            .map(|unit| CaseTable::Later.upcase(unit))
            .collect();
        assert_eq!(fnv1a(&later), LATER_HASH);
    }

    #[test]
    fn letters_that_are_equal_in_either_table_fold_to_one() {
        for unit in 0..=u16::MAX {
            for table in [CaseTable::Nt5, CaseTable::Later] {
                assert_eq!(fold(unit), fold(table.upcase(unit)), "{unit:#06x}");
            }
        }
    }

    /// A look-alike must not pass for the name of a system file.
    #[test]
    fn no_other_letter_becomes_an_ascii_letter() {
        for table in [CaseTable::Nt5, CaseTable::Later] {
            assert!((0x80..=u16::MAX).all(|unit| table.upcase(unit) >= 0x80));
        }
    }

    #[test]
    fn files_of_one_name_differ_in_case_only() {
        let same = |a: &str, b: &str| CaseTable::FILES.same(a.encode_utf16(), b.encode_utf16());
        assert!(same("Jürgen ÿ ț", "JÜRGEN Ÿ Ț"));
        for (a, b) in [
            ("ß", "SS"),
            ("SYSTEM", "\u{17f}YSTEM"),
            ("a", "ab"),
            ("\u{10428}", "\u{10400}"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn every_run_is_on_a_known_page() {
        for run in &RUNS {
            for unit in [run.first, run.last] {
                let [high, _] = unit.to_be_bytes();
                assert!(high == 0 || PAGE_NUMBERS.contains(&high), "{unit:#06x}");
            }
        }
    }

    #[test]
    fn ascii_maps_as_in_ascii() {
        for byte in 0..=0x7Fu8 {
            assert_eq!(
                upcase(u16::from(byte)),
                u16::from(byte.to_ascii_uppercase())
            );
        }
    }

    #[test]
    fn latin1_leaves_micro_sharp_s_and_division_alone() {
        for unit in [0xB5, 0xDF, 0xF7, 0xD7] {
            assert_eq!(upcase(unit), unit);
        }
        assert_eq!(upcase(0xE9), 0xC9);
        assert_eq!(upcase(0xFE), 0xDE);
        assert_eq!(upcase(0xFF), 0x178);
    }

    #[test]
    fn letters_that_unicode_maps_otherwise() {
        for unit in [
            0x131, 0x17F, 0x1C5, 0x1C8, 0x1CB, 0x1F2, 0x345, 0x1F80, 0x1FBE,
        ] {
            assert_eq!(upcase(unit), unit, "{unit:#06x}");
        }
        assert_eq!(upcase(0x1C6), 0x1C4);
        assert_eq!(upcase(0x3C2), 0x3A3);
    }

    #[test]
    fn letters_newer_than_unicode_1_1_stay() {
        for unit in [
            0x219, 0x450, 0x45D, 0x501, 0x10D0, 0x1D79, 0x2C30, 0x2D00, 0xA641,
        ] {
            assert_eq!(upcase(unit), unit, "{unit:#06x}");
        }
    }

    #[test]
    fn surrogates_stay() {
        assert!((0xD800..=0xDFFF).all(|unit| upcase(unit) == unit));
    }

    #[test]
    fn an_upper_case_is_its_own_upper_case() {
        assert!((0..=u16::MAX).all(|unit| upcase(upcase(unit)) == upcase(unit)));
    }

    #[test]
    fn matches_a_volumes_table() {
        let Some(path) = env::var_os("DISKMEND_UPCASE") else {
            println!("SKIPPED: DISKMEND_UPCASE names no $UpCase file");
            return;
        };
        let bytes = fs::read(path).unwrap();
        let (units, rest) = bytes.as_chunks::<2>();
        assert_eq!((units.len(), rest.len()), (65536, 0));
        let theirs: Vec<u16> = units.iter().copied().map(u16::from_le_bytes).collect();
        let ours = table();
        let different: Vec<u16> = (0..=u16::MAX)
            .zip(ours.iter().zip(&theirs))
            .filter_map(|(unit, (our, their))| (our != their).then_some(unit))
            .collect();
        let later = (0..=u16::MAX).map(|unit| CaseTable::Later.upcase(unit));
        assert!(
            different.is_empty() || theirs.iter().copied().eq(later),
            "neither the table of Windows NT 5 nor that of Windows 8: {} units differ",
            different.len()
        );
    }
}
