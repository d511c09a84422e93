//! If `fatfs` can't change a volume that Windows and Linux accept, this is reported before anything
//! is written.

use super::*;

/// The offsets in the BPB of the number of sectors, and of the number of the FSInfo sector.
const TOTAL_SECTORS_AT: usize = 32;
const FS_INFO_AT: usize = 48;

fn path(text: &str) -> Vec<String> {
    text.split('/').map(str::to_owned).collect()
}

/// A FAT32 volume with these bytes in its boot sector and in the copy of it.
fn changed(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut volume = sample(KINDS[2].0, KINDS[2].1);
    for sector in [0, 6 * 512] {
        volume[sector + at..][..bytes.len()].copy_from_slice(bytes);
    }
    volume
}

/// Makes a file and lengthens a file. Returns true if both succeed, and checks that the prediction
/// agrees.
#[track_caller]
fn agrees_with_prediction(bytes: &[u8]) -> bool {
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
        // On each of these volumes, existing bytes can be overwritten.
        old.can_set_len(old.len().expect("known"))
            .expect("as it is");
        old.write_all_at(b"h", 0).expect("in place");
    }
    made.is_ok()
}

#[test]
fn a_change_that_fatfs_refuses_is_reported_before() {
    for (kind, len) in KINDS {
        assert!(agrees_with_prediction(&sample(kind, len)));
    }
    // FAT32 with fewer clusters than the type allows; tools of firmware and Linux make such
    // volumes.
    assert!(!agrees_with_prediction(&changed(
        TOTAL_SECTORS_AT,
        &42_000_u32.to_le_bytes()
    )));
    // The FSInfo sector outside the reserved sectors; then the volume's version, the sector of the
    // copy of the boot sector, and the kind of signature.
    for (at, bytes) in [
        (FS_INFO_AT, [40, 0]),
        (FS_INFO_AT, [0xFF, 0xFF]),
        (50, [0xFF, 0x7F]),
        (66, [0, 0]),
    ] {
        agrees_with_prediction(&changed(at, &bytes));
    }
}

/// A change is tried only with its first mebibyte, after it is known that there is room for all of
/// it.
#[test]
fn a_full_volume_is_reported_before() {
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
