//! Hives that are made to waste time or memory, or to crash a reader.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

#[test]
fn many_problems_are_counted_and_errors_kept() {
    let mut bytes = Bytes::edited(|editor| {
        for number in 0..3000 {
            editor.create_key(&format!("{number:04}")).expect("created");
        }
    });
    let hive = bytes.hive();
    let keys: Vec<u32> = hive
        .root()
        .expect("readable")
        .subkeys()
        .expect("readable")
        .map(|key| key.expect("readable").cell().get())
        .collect();
    for key in &keys {
        bytes.put(*key, 2, &[0x21]);
    }
    bytes.put_number(keys[2999], 16, 0);
    let report = bytes.check();
    assert_eq!((report.errors, report.warnings), (1, 3000));
    assert_eq!(report.problems.len(), report::MAX_PROBLEMS);
    assert_eq!(report.omitted, 2001);
    assert!(kinds(&report).contains(&ProblemKind::KeyParent));
}

#[test]
fn wrong_parents_that_form_a_circle_do_not_hang_the_path() {
    let mut bytes = Bytes::sample();
    let (key, sub) = (bytes.key("A"), bytes.key("A\\sub"));
    bytes.put_number(key, 16, sub);
    let report = bytes.check();
    assert_eq!(report.problems[0].path.as_deref(), Some("A"));
}

static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(|| Bytes::sample().0);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_change_of_bytes_gets_a_report(
        changes in prop::collection::vec((0usize..30_000, any::<u8>()), 1..20)
    ) {
        let mut bytes = Bytes(SAMPLE.clone());
        for (at, byte) in changes {
            let at = BASE_BLOCK_LEN + at % (bytes.0.len() - BASE_BLOCK_LEN);
            bytes.0[at] = byte;
        }
        let report = bytes.check();
        prop_assert_eq!(report.errors + report.warnings, report.problems.len() + report.omitted);
    }

    #[test]
    fn any_offset_in_any_field_gets_a_report(
        changes in prop::collection::vec((0usize..8000, 0u32..900), 1..6)
    ) {
        let mut bytes = Bytes(SAMPLE.clone());
        for (at, cell) in changes {
            let at = BASE_BLOCK_LEN + at * 4 % (bytes.0.len() - BASE_BLOCK_LEN);
            bytes.0[at..at + 4].copy_from_slice(&(cell * 8).to_le_bytes());
        }
        bytes.check();
    }
}
