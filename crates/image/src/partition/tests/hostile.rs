//! Hostile tables: no panic, and no partition that can be opened outside the disk or over another.

use proptest::prelude::*;

use super::*;

/// Checks the conditions that hold for every table.
fn check(bytes: Vec<u8>) {
    let disk: Arc<dyn Device> = Arc::new(Memory::new(bytes));
    for sector_size in [None, Some(512), Some(4096)] {
        let Ok(table) = read(&*disk, sector_size) else {
            continue;
        };
        let mut opened = Vec::new();
        for partition in &table.partitions {
            if let Ok(slice) = partition.open(disk.clone()) {
                assert_eq!(slice.len(), partition.len);
                opened.push((partition.start, partition.end()));
            }
        }
        opened.sort_unstable();
        for pair in opened.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "{opened:?}");
        }
        assert!(opened.last().is_none_or(|last| last.1 <= disk.len()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_gpt_with_right_checksums_causes_no_panic(
        changes in prop::collection::vec((0..92_usize, any::<u8>()), 0..3),
        parts in prop::collection::vec((1..=128_u32, 0..320_u64, 0..320_u64), 0..8),
        is_sealed: bool,
    ) {
        let mut disk = with_gpt(512, 300, &parts);
        for (at, value) in changes {
            disk[512 + at] = value;
        }
        if is_sealed {
            seal(&mut disk, 512);
        }
        check(disk);
    }

    #[test]
    fn any_mbr_causes_no_panic(
        records in prop::collection::vec(
            (0..3_usize, 0..4_usize, prop::sample::select(vec![5_u8, 7, 0x0F, 0xEE, 0]),
             prop_oneof![0..60_u32, any::<u32>()], prop_oneof![0..60_u32, any::<u32>()]),
            1..10,
        ),
    ) {
        let mut disk = vec![0; 50 * 512];
        for (at, index, kind, first, sectors) in records {
            put_record(&mut disk, at * 20 * 512, index, kind, first, sectors);
        }
        check(disk);
    }

    #[test]
    fn any_bytes_cause_no_panic(mut disk in prop::collection::vec(any::<u8>(), 0..2048)) {
        if let Some(end) = disk.get_mut(510..512) {
            end.copy_from_slice(&[0x55, 0xAA]);
        }
        check(disk);
    }
}
