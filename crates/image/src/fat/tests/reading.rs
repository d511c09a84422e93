use super::*;
use crate::fat::{EntryKind, FatKind};

#[test]
fn folders_and_files_of_every_kind_are_read() {
    for (kind, len) in KINDS {
        let device = Recorder::new(sample(kind, len));
        let volume = open(&device);
        let expected = match kind {
            FatType::Fat12 => FatKind::Fat12,
            FatType::Fat16 => FatKind::Fat16,
            FatType::Fat32 => FatKind::Fat32,
        };
        assert_eq!(volume.kind(), expected);
        let names = |at: &str| -> Vec<String> {
            let entries = volume.list(&path(at)).expect("a folder");
            entries.into_iter().map(|entry| entry.name).collect()
        };
        assert_eq!(names(""), ["EFI", "ReadMe.txt"]);
        assert_eq!(
            names("efi/MICROSOFT/boot"),
            ["BCD", "A rather long name.LOG1", "empty.dat"]
        );
        assert_eq!(read_all(&volume, "efi/microsoft/BOOT/bcd"), store());
        assert_eq!(
            read_all(&volume, LOG),
            read_with_fatfs(&device.bytes(), LOG)
        );
        assert_eq!(
            read_all(&volume, "EFI/Microsoft/Boot/ARATHE~1.LOG").len(),
            4000
        );
        assert_eq!(read_all(&volume, "EFI/Microsoft/Boot/empty.dat"), b"");
        let entry = volume.metadata(&path("README.TXT")).expect("a file");
        assert_eq!((entry.kind, entry.len), (EntryKind::File, 5));
        assert_eq!(volume.metadata(&[]).expect("root").kind, EntryKind::Folder);
    }
}

#[test]
fn a_missing_entry_differs_from_one_of_another_kind() {
    let device = Recorder::new(sample(KINDS[1].0, KINDS[1].1));
    let volume = open(&device);
    let kind = |at: &str| volume.open_file(&path(at)).expect_err("no file").kind();
    assert_eq!(kind("EFI/none"), io::ErrorKind::NotFound);
    assert_eq!(kind("none/BCD"), io::ErrorKind::NotFound);
    assert_eq!(kind("ReadMe.txt/BCD"), io::ErrorKind::NotADirectory);
    assert_eq!(kind("EFI"), io::ErrorKind::IsADirectory);
    assert_eq!(kind(""), io::ErrorKind::IsADirectory);
    assert_eq!(kind("EFI/.."), io::ErrorKind::NotFound);
}

#[test]
fn reading_never_writes() {
    for (kind, len) in KINDS {
        let before = sample(kind, len);
        let device = Recorder::new(before.clone());
        let volume = open(&device);
        volume.list(&path("EFI/Microsoft/Boot")).expect("a folder");
        read_all(&volume, BCD);
        volume.check_writable().expect("clean");
        drop(volume);
        assert_eq!(device.steps(), []);
        assert!(device.bytes() == before);
    }
}

#[test]
fn opening_reads_the_boot_sector_only() {
    let device = Recorder::with_reads(sample(KINDS[2].0, KINDS[2].1), 1);
    open(&device);
}

#[test]
fn a_read_beyond_the_end_of_a_file_is_refused() {
    let device = Recorder::new(sample(KINDS[0].0, KINDS[0].1));
    let file = open(&device).open_file(&path(BCD)).expect("a file");
    let mut buf = [0; 10];
    file.read_exact_at(&mut buf, 39_990).expect("inside");
    for offset in [39_991, 40_000, u64::MAX] {
        let error = file.read_exact_at(&mut buf, offset).expect_err("outside");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[test]
fn short_names_are_shown_in_the_case_that_windows_marks() {
    let mut bytes = sample(KINDS[1].0, KINDS[1].1);
    let at = bytes
        .windows(11)
        .position(|name| name == b"BCD        ")
        .expect("an entry");
    // This removes the long name, which `fatfs` makes for every file.
    bytes[at - 32] = 0xE5;
    bytes[at + 12] = 0x08;
    let volume = open(&Recorder::new(bytes));
    let names = volume.list(&path("EFI/Microsoft/Boot")).expect("a folder");
    assert_eq!(names[0].name, "bcd");
}
