//! What `fatfs` refuses is told before anything is written: Windows and Linux take volumes that it does
//! not.

use super::*;

/// Where the BPB has the number of sectors, and that of the sector with the numbers of free clusters.
const TOTAL_SECTORS_AT: usize = 32;
const FS_INFO_AT: usize = 48;

fn path(text: &str) -> Vec<String> {
    text.split('/').map(str::to_owned).collect()
}

/// A FAT32 volume whose boot sector, and the copy of it, have these bytes.
fn changed(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut volume = sample(KINDS[2].0, KINDS[2].1);
    for sector in [0, 6 * 512] {
        volume[sector + at..][..bytes.len()].copy_from_slice(bytes);
    }
    volume
}

/// Makes a file, and lengthens a file, as they are foretold.
#[track_caller]
fn comes_as_foretold(bytes: &[u8]) -> bool {
    const NEW: &str = "EFI/Microsoft/Boot/BCD.LOG1";
    const OLD: &str = "ReadMe.txt";
    let device = Recorder::new(bytes.to_vec());
    let volume = Volume::open(device.clone()).expect("a volume");
    let old = volume.open_file(&path(OLD)).expect("a file");
    let created = volume.can_create(&path(NEW), 70_000);
    let lengthened = old.can_set_len(70_000);
    let shortened = old.can_set_len(1);
    assert_eq!(device.steps(), [], "it was only tried");
    let made = volume
        .create_file(&path(NEW))
        .and_then(|file| file.set_len(70_000));
    assert_eq!(created.is_ok(), made.is_ok(), "{created:?} {made:?}");
    let set = old.set_len(70_000);
    assert_eq!(lengthened.is_ok(), set.is_ok(), "{lengthened:?} {set:?}");
    let set = old.set_len(1);
    assert_eq!(shortened.is_ok(), set.is_ok(), "{shortened:?} {set:?}");
    if made.is_err() {
        assert_eq!(device.steps(), [], "nothing is written");
        // What is in place can be written on any of them.
        old.can_set_len(old.len().expect("known"))
            .expect("as it is");
        old.write_all_at(b"h", 0).expect("in place");
    }
    made.is_ok()
}

#[test]
fn what_a_volume_does_not_take_is_told_before() {
    for (kind, len) in KINDS {
        assert!(comes_as_foretold(&sample(kind, len)));
    }
    // FAT32 with fewer clusters than a FAT32 has: firmware's tools and Linux make such.
    assert!(!comes_as_foretold(&changed(
        TOTAL_SECTORS_AT,
        &42_000_u32.to_le_bytes()
    )));
    // The numbers of free clusters outside of the reserved sectors; then the volume's version, the
    // place of the copy of the boot sector, the kind of signature.
    for (at, bytes) in [
        (FS_INFO_AT, [40, 0]),
        (FS_INFO_AT, [0xFF, 0xFF]),
        (50, [0xFF, 0x7F]),
        (66, [0, 0]),
    ] {
        comes_as_foretold(&changed(at, &bytes));
    }
}

/// A change is tried with its first mebibyte only: that there is room for all of it is known before.
#[test]
fn a_full_volume_is_told_before() {
    for (kind, len) in KINDS {
        let device = Recorder::new(sample(kind, len));
        let volume = Volume::open(device.clone()).expect("a volume");
        let free = volume.free_bytes().expect("counted");
        let new = path("EFI/Microsoft/Boot/BCD.LOG1");
        volume.can_create(&new, free - 4096).expect("room");
        for len in [free + 1, u64::from(u32::MAX), u64::MAX] {
            volume.can_create(&new, len).expect_err("no room");
            let old = volume.open_file(&path("ReadMe.txt")).expect("a file");
            let len = len.saturating_add(8192);
            old.can_set_len(len).expect_err("no room");
        }
        volume
            .can_create(&path("none/new"), 1)
            .expect_err("no such folder");
        volume
            .can_create(&path("ReadMe.txt"), 1)
            .expect_err("there");
        assert_eq!(device.steps(), []);
    }
}
