use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

fn utf16(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

fn order(left: &str, right: &str) -> Ordering {
    NameBuf::new(left)
        .as_name()
        .cmp_ignore_case(NameBuf::new(right).as_name())
}

#[test]
fn half_a_unit_is_refused_in_utf16_only() {
    assert_eq!(
        Name::stored(b"abc", false).unwrap_err(),
        NameError::OddLength { bytes: 3 }
    );
    assert_eq!(Name::stored(b"abc", true).unwrap().len(), 3);
}

#[test]
fn lengths_count_units_and_utf16_bytes() {
    let name = NameBuf::new("Caf\u{E9}");
    assert!(name.as_name().is_compressed());
    assert_eq!(name.as_name().bytes(), b"Caf\xE9");
    assert_eq!(name.as_name().utf16_len(), 8);
    let name = NameBuf::new("\u{1F600}x");
    assert!(!name.as_name().is_compressed());
    assert_eq!((name.as_name().len(), name.as_name().utf16_len()), (3, 6));
}

#[test]
fn the_default_values_name_is_not_compressed() {
    let name = NameBuf::value_name("").unwrap();
    assert!(name.as_name().is_empty());
    assert!(!name.as_name().is_compressed());
}

#[test]
fn order_goes_by_upper_case_units() {
    assert_eq!(order("select", "SELECT"), Ordering::Equal);
    assert_eq!(order("a", "a_"), Ordering::Less);
    // '_' is 0x5F: above the upper-case letters and below the lower-case ones.
    assert_eq!(order("ab", "a_"), Ordering::Less);
    // U+00FF becomes U+0178, above every Latin-1 letter.
    assert_eq!(order("\u{FF}", "\u{FE}"), Ordering::Greater);
    assert_eq!(order("\u{FF}", "\u{178}"), Ordering::Equal);
    assert_eq!(order("stra\u{DF}e", "STRASSE"), Ordering::Greater);
    // A surrogate sorts as a code unit, below the private use area.
    assert_eq!(order("\u{1F600}", "\u{E000}"), Ordering::Less);
}

#[test]
fn both_encodings_are_one_name() {
    let bytes = utf16(&[0x41, 0xE9]);
    let wide = Name::stored(&bytes, false).unwrap();
    let narrow = Name::stored(b"A\xE9", true).unwrap();
    assert_eq!(wide, narrow);
    assert!(wide.eq_ignore_case(Name::stored(b"a\xC9", true).unwrap()));
    assert!(!wide.eq_ignore_case(Name::stored(b"a", true).unwrap()));
    assert_eq!(wide.to_buf().as_name().bytes(), narrow.bytes());
}

/// The first two are in the `lh` list of the root in SYSTEM hives that Windows wrote.
#[test]
fn hash_is_that_of_hash_leaves() {
    assert_eq!(NameBuf::new("Select").as_name().hash(), 0x5F00_24A0);
    assert_eq!(NameBuf::new("CONTROLSET001").as_name().hash(), 0x8F3B_A9A2);
    assert_eq!(NameBuf::new("\u{E9}").as_name().hash(), 0xC9);
    assert_eq!(NameBuf::new("").as_name().hash(), 0);
}

/// Once only each wide character became zero. Windows rejects such a hint.
#[test]
fn a_hint_keeps_case_and_is_zero_if_a_character_of_it_is_wide() {
    let hint = |name: &str| NameBuf::new(name).as_name().lf_hint();
    assert_eq!(&hint("Select"), b"Sele");
    assert_eq!(&hint("a"), b"a\0\0\0");
    assert_eq!(&hint("\u{E9}\u{FF}x"), b"\xE9\xFFx\0");
    for name in [
        "\u{416}abc",
        "\u{E9}\u{416}x",
        "ab\u{100}",
        "abc\u{2013}d",
        "abc\u{1F600}",
    ] {
        assert_eq!(hint(name), [0; 4], "{name}");
    }
    assert_eq!(&hint("abcd\u{416}"), b"abcd");
}

#[test]
fn display_loses_nothing() {
    let name = NameBuf::from_units(&[0x61, 0xD800, 0x62]);
    assert_eq!(name.to_string(), "a<U+D800>b");
    assert_eq!(NameBuf::new("a<U+D800>b"), name);
}

#[test]
fn letters_of_later_versions_of_windows_are_recognized() {
    let depends = |text| NameBuf::new(text).as_name().case_depends_on_windows();
    assert!(depends("\u{39D}\u{3BF}\u{3C2}"));
    assert!(!depends("Caf\u{E9}"));
    assert!(!depends("\u{416}\u{443}\u{43A}"));
}

#[test]
fn escapes_only_what_could_mislead() {
    let shown = |units: &[u16]| NameBuf::from_units(units).as_name().escaped().to_string();
    assert_eq!(shown(&[0x61, 0, 0x1B, 0x9B]), "a<U+0000><U+001B><U+009B>");
    assert_eq!(shown(&[0xDC00, 0x202E]), "<U+DC00><U+202E>");
    let text = |text: &str| shown(&text.encode_utf16().collect::<Vec<_>>());
    assert_eq!(text(r"C:\users"), r"C:\users");
    assert_eq!(text("<U+00E9>"), "<U+003C>U+00E9>");
    let name = NameBuf::from_units(&[0x61, 0x5C, 0x62]);
    assert_eq!(name.as_name().in_path().to_string(), "a<U+005C>b");
    assert_eq!(text("\u{1F600}\u{416}"), "\u{1F600}\u{416}");
}

#[test]
fn key_names_are_checked() {
    assert!(NameBuf::key_name(&"k".repeat(255)).is_ok());
    assert_eq!(
        NameBuf::key_name(&"k".repeat(256)).unwrap_err(),
        NameError::TooLong {
            units: 256,
            limit: 255
        }
    );
    assert_eq!(NameBuf::key_name("").unwrap_err(), NameError::Empty);
    assert_eq!(
        NameBuf::key_name("a\\b").unwrap_err(),
        NameError::Backslash { index: 1 }
    );
    assert_eq!(
        NameBuf::key_name("a\0").unwrap_err(),
        NameError::Nul { index: 1 }
    );
    assert!(NameBuf::key_name("a<U+0000>").is_ok());
    assert_eq!(
        NameBuf::key_name("a<U+005C>").unwrap_err(),
        NameError::Backslash { index: 1 }
    );
    // Only the native API opens a key with NUL in its name. Such names in a hive are accepted.
    assert!(
        NameBuf::from_units(&[0x61, 0])
            .as_name()
            .check_key()
            .is_ok()
    );
}

#[test]
fn value_names_are_checked() {
    assert!(NameBuf::value_name(r"C:\path").is_ok());
    assert!(NameBuf::value_name(&"v".repeat(16_383)).is_ok());
    assert_eq!(
        NameBuf::value_name(&"v".repeat(16_384)).unwrap_err(),
        NameError::TooLong {
            units: 16_384,
            limit: 16_383
        }
    );
    assert_eq!(
        NameBuf::value_name("\0").unwrap_err(),
        NameError::Nul { index: 0 }
    );
}

fn any_units() -> impl Strategy<Value = Vec<u16>> {
    let unit = prop_oneof![
        4 => 0x20u16..0x7F,
        1 => Just(u16::from(b'\\')),
        1 => Just(u16::from(b'<')),
        2 => 0u16..0x250,
        1 => 0xD800u16..0xE000,
        2 => any::<u16>(),
    ];
    prop::collection::vec(unit, 0..40)
}

fn latin1_units() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40)
}

proptest! {
    #[test]
    fn units_come_back(units in any_units()) {
        let name = NameBuf::from_units(&units);
        prop_assert!(name.as_name().units().eq(units.iter().copied()));
        prop_assert_eq!(name.as_name().units().len(), units.len());
        let compressed = !units.is_empty() && units.iter().all(|unit| *unit < 0x100);
        prop_assert_eq!(name.as_name().is_compressed(), compressed);
    }

    #[test]
    fn escaped_text_comes_back(units in any_units()) {
        let name = NameBuf::from_units(&units);
        let text = name.as_name().escaped().to_string();
        prop_assert!(!text.chars().any(char::is_control));
        prop_assert_eq!(&NameBuf::new(&text), &name);
        let text = name.as_name().in_path().to_string();
        prop_assert!(!text.contains('\\'));
        prop_assert_eq!(NameBuf::new(&text), name);
    }

    #[test]
    fn order_is_antisymmetric_and_total(a in any_units(), b in any_units(), c in any_units()) {
        let (a, b, c) = (NameBuf::from_units(&a), NameBuf::from_units(&b), NameBuf::from_units(&c));
        let (a, b, c) = (a.as_name(), b.as_name(), c.as_name());
        prop_assert_eq!(a.cmp_ignore_case(b), b.cmp_ignore_case(a).reverse());
        if a.cmp_ignore_case(b).is_le() && b.cmp_ignore_case(c).is_le() {
            prop_assert!(a.cmp_ignore_case(c).is_le());
        }
        if a.eq_ignore_case(b) {
            prop_assert_eq!(a.hash(), b.hash());
        }
    }

    #[test]
    fn forms_agree(ours in latin1_units(), theirs in latin1_units()) {
        let wide = |bytes: &[u8]| utf16(&bytes.iter().map(|byte| u16::from(*byte)).collect::<Vec<_>>());
        let (our_wide, their_wide) = (wide(&ours), wide(&theirs));
        let narrow = Name::stored(&ours, true).unwrap();
        let wide = Name::stored(&our_wide, false).unwrap();
        prop_assert_eq!(narrow.hash(), wide.hash());
        prop_assert_eq!(narrow.lf_hint(), wide.lf_hint());
        let (their_narrow, their_wide) = (
            Name::stored(&theirs, true).unwrap(),
            Name::stored(&their_wide, false).unwrap(),
        );
        let order = narrow.cmp_ignore_case(their_narrow);
        prop_assert_eq!(order, wide.cmp_ignore_case(their_wide));
        prop_assert_eq!(order, narrow.cmp_ignore_case(their_wide));
        prop_assert_eq!(order, wide.cmp_ignore_case(their_narrow));
    }

    #[test]
    fn case_changes_neither_order_nor_hash(text in "[a-zA-Z0-9_ \u{E0}-\u{F6}\u{430}-\u{44F}]{0,20}") {
        let (lower, upper) = (NameBuf::new(&text.to_lowercase()), NameBuf::new(&text.to_uppercase()));
        prop_assert!(lower.as_name().eq_ignore_case(upper.as_name()));
        prop_assert_eq!(lower.as_name().hash(), upper.as_name().hash());
    }
}
