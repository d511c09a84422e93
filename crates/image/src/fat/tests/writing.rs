use super::*;
use crate::fat::FatError;

/// Checks that both readers see the expected bytes, and that the copies of the FAT are equal.
fn check(device: &Arc<Recorder>, at: &str, expected: &[u8]) {
    let volume = open(device);
    assert!(read_all(&volume, at) == expected, "{at}");
    assert!(
        read_with_fatfs(&device.bytes(), at) == expected,
        "{at} with fatfs"
    );
    let table = crate::fat::Table::new(&**device, &volume.inner.geometry);
    table.compare_copies().expect("equal");
}

#[test]
fn overwriting_changes_those_bytes_alone() {
    for (kind, len) in KINDS {
        let before = sample(kind, len);
        let device = Recorder::new(before.clone());
        let file = open(&device).open_file(&path(BCD)).expect("a file");
        file.write_all_at(&[0xFF; 3000], 700).expect("written");
        let mut expected = store();
        expected[700..3700].fill(0xFF);
        check(&device, BCD, &expected);
        let after = device.bytes();
        let changed = before
            .iter()
            .zip(&after)
            .filter(|(old, new)| old != new)
            .count();
        assert_eq!(changed, 3000, "all bytes of the store are below 0xfb");
    }
}

#[test]
fn files_are_lengthened_and_shortened() {
    for (kind, len) in KINDS {
        let device = Recorder::new(sample(kind, len));
        let volume = open(&device);
        let file = volume.open_file(&path(BCD)).expect("a file");
        let log = read_all(&volume, LOG);
        let mut expected = store();
        // Within the last cluster, across its end, and far beyond the end of the file.
        for (offset, len) in [(40_000, 10), (39_900, 5000), (50_000, 20_000)] {
            let data = vec![0x5A; len];
            file.write_all_at(&data, offset as u64).expect("written");
            expected.resize(expected.len().max(offset + len), 0);
            expected[offset..offset + len].copy_from_slice(&data);
            check(&device, BCD, &expected);
        }
        for len in [90_000, 40_960, 40_000, 1, 0, 3] {
            file.set_len(len as u64).expect("set");
            expected.resize(len, 0);
            check(&device, BCD, &expected);
            assert_eq!(file.len().expect("known"), len as u64);
        }
        assert_eq!(read_all(&volume, LOG), log);
    }
}

#[test]
fn a_file_grows_by_more_than_one_change_holds() {
    let device = Recorder::new(sample(KINDS[1].0, KINDS[1].1));
    let file = open(&device)
        .open_file(&path("ReadMe.txt"))
        .expect("a file");
    let mut expected = b"Hello".to_vec();
    expected.resize(1_200_000, 0);
    let data: Vec<u8> = (0..1_100_000_u32).map(|n| (n % 253) as u8).collect();
    file.write_all_at(&data, 1_200_000).expect("written");
    expected.extend_from_slice(&data);
    check(&device, "ReadMe.txt", &expected);
}

#[test]
fn files_are_made_and_removed() {
    for (kind, len) in KINDS {
        let device = Recorder::new(sample(kind, len));
        let volume = open(&device);
        let names: Vec<String> = (0..40)
            .map(|n| format!("EFI/microsoft/boot/A new file with number {n}.regtrans-ms"))
            .collect();
        for name in &names {
            let file = volume.create_file(&path(name)).expect("made");
            file.write_all_at(name.as_bytes(), 0).expect("written");
        }
        for name in &names {
            check(&device, name, name.as_bytes());
        }
        let error = volume
            .create_file(&path(&names[0].to_uppercase()))
            .expect_err("there");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        for name in &names {
            volume.remove_file(&path(name)).expect("removed");
        }
        assert_eq!(
            volume
                .list(&path("EFI/Microsoft/Boot"))
                .expect("a folder")
                .len(),
            3
        );
        check(&device, BCD, &store());
        let error = volume.remove_file(&path("EFI")).expect_err("a folder");
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        let error = volume
            .create_file(&path("none/file"))
            .expect_err("no folder");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}

/// `fatfs` does not clear a cluster that it adds to a FAT32 root folder, so its old content became
/// entries: with 0xA5 in all free space, 480 of them.
#[test]
fn a_root_folder_that_grows_has_no_old_bytes_in_it() {
    let device = Recorder::new(sample(KINDS[2].0, KINDS[2].1));
    let volume = open(&device);
    for n in 0..30 {
        volume
            .create_file(&path(&format!("some file {n}")))
            .expect("made");
        assert_eq!(volume.list(&[]).expect("root").len(), 3 + n);
    }
}

#[test]
fn a_removed_file_is_not_found() {
    let device = Recorder::new(sample(KINDS[1].0, KINDS[1].1));
    let volume = open(&device);
    let file = volume.open_file(&path(BCD)).expect("a file");
    volume.remove_file(&path(BCD)).expect("removed");
    assert_eq!(
        file.len().expect_err("gone").kind(),
        io::ErrorKind::NotFound
    );
    let error = file.write_all_at(b"x", 0).expect_err("gone");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn names_with_separators_and_empty_names_are_refused() {
    let before = sample(KINDS[1].0, KINDS[1].1);
    let device = Recorder::new(before.clone());
    let volume = open(&device);
    for name in [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "a:b",
        "a.",
        "a ",
        "a\0b",
        &"x".repeat(256),
    ] {
        let error = volume.create_file(&[name.to_owned()]).expect_err("refused");
        assert_eq!(error.kind(), io::ErrorKind::InvalidFilename, "{name:?}");
    }
    assert!(device.bytes() == before);
}

#[test]
fn files_too_long_for_the_volume_are_refused_before_anything_is_written() {
    for (kind, len) in KINDS {
        let before = sample(kind, len);
        let device = Recorder::new(before.clone());
        let volume = open(&device);
        let file = volume.open_file(&path(BCD)).expect("a file");
        let error = file.set_len(len as u64).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        let error = file.write_all_at(b"x", 1 << 32).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        let error = file.write_all_at(b"x", u64::MAX).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(device.bytes() == before);
    }
}

#[test]
fn a_full_root_folder_is_refused_before_anything_is_written() {
    let device = Recorder::new(sample(KINDS[0].0, KINDS[0].1));
    let volume = open(&device);
    let mut made = 0;
    let before = loop {
        let before = device.bytes();
        match volume.create_file(&path(&format!("file {made}"))) {
            Ok(_) => made += 1,
            Err(_) => break before,
        }
    };
    assert!(made > 100, "made {made}");
    assert!(device.bytes() == before);
}

#[test]
fn a_volume_that_was_not_closed_is_read_but_not_written() {
    for (kind, len) in KINDS {
        let mut bytes = sample(kind, len);
        let reserved = usize::from(u16::from_le_bytes([bytes[14], bytes[15]]));
        let (at, bit) = match kind {
            FatType::Fat12 => (37, 1),
            FatType::Fat16 => (reserved * 512 + 3, 0x80),
            FatType::Fat32 => (reserved * 512 + 7, 0x08),
        };
        bytes[at] ^= bit;
        let device = Recorder::new(bytes.clone());
        let volume = open(&device);
        assert_eq!(read_all(&volume, BCD), store());
        let error = volume.check_writable().expect_err("marked");
        assert!(matches!(error, FatError::Marked { .. }), "{error}");
        assert!(error.to_string().contains("chkdsk"), "{error}");
        let file = volume.open_file(&path(BCD)).expect("a file");
        file.write_all_at(b"x", 0).expect_err("marked");
        file.set_len(1).expect_err("marked");
        volume.create_file(&path("new")).expect_err("marked");
        volume.remove_file(&path(BCD)).expect_err("marked");
        assert!(device.bytes() == bytes);
    }
}

#[test]
fn no_cluster_is_allocated_or_freed_if_the_copies_of_the_fat_differ() {
    let mut bytes = sample(KINDS[1].0, KINDS[1].1);
    bytes[512 + 700] ^= 1;
    let device = Recorder::new(bytes.clone());
    let volume = open(&device);
    let file = volume.open_file(&path(BCD)).expect("a file");
    let error = file.set_len(100_000).expect_err("different");
    assert!(error.to_string().contains("chkdsk"), "{error}");
    assert!(device.bytes() == bytes);
    file.write_all_at(b"x", 0).expect("in place");
}

/// Makes many changes, and compares the volume with a model in memory.
#[test]
fn many_changes_agree_with_a_model() {
    for (kind, len) in KINDS {
        let device = Recorder::new(sample(kind, len));
        let volume = open(&device);
        let mut model = std::collections::BTreeMap::<String, Vec<u8>>::new();
        let mut random = super::hostile::Random(7);
        for _ in 0..150 {
            let name = format!("EFI/file {}", random.below(12));
            let (offset, len) = (random.below(9000), random.below(3000));
            if let Some(data) = model.get_mut(&name) {
                let file = volume.open_file(&path(&name)).expect("a file");
                match random.below(4) {
                    0 => {
                        volume.remove_file(&path(&name)).expect("removed");
                        model.remove(&name);
                    }
                    1 => {
                        file.set_len(offset as u64).expect("set");
                        data.resize(offset, 0);
                    }
                    _ if len > 0 => {
                        let fill = random.below(256) as u8;
                        file.write_all_at(&vec![fill; len], offset as u64)
                            .expect("written");
                        data.resize(data.len().max(offset + len), 0);
                        data[offset..offset + len].fill(fill);
                    }
                    _ => {}
                }
            } else {
                volume.create_file(&path(&name)).expect("made");
                model.insert(name, Vec::new());
            }
        }
        for (name, data) in &model {
            check(&device, name, data);
        }
        assert_eq!(
            volume.list(&path("EFI")).expect("a folder").len(),
            model.len() + 1
        );
        check(&device, BCD, &store());
        #[cfg(target_os = "linux")]
        super::tools::check_clean(&device.bytes());
    }
}

#[test]
fn a_wrong_number_of_free_clusters_gets_no_worse() {
    let mut bytes = sample(KINDS[2].0, KINDS[2].1);
    let info = usize::from(u16::from_le_bytes([bytes[48], bytes[49]])) * 512;
    bytes[info + 488..info + 492].fill(0);
    let device = Recorder::new(bytes.clone());
    let file = open(&device).open_file(&path(BCD)).expect("a file");
    file.write_all_at(&[7; 2000], 40_000).expect("room");
    let expected = [store(), vec![7; 2000]].concat();
    check(&device, BCD, &expected);
    let after = device.bytes();
    assert_eq!(after[info..info + 512], bytes[info..info + 512]);
}

#[test]
fn a_volume_that_waits_for_chkdsk_is_reported() {
    for (kind, len) in KINDS {
        let mut bytes = sample(kind, len);
        let at = if kind == FatType::Fat32 { 65 } else { 37 };
        for (marks, expected) in [(2, "disk errors"), (3, "not closed")] {
            bytes[at] = marks;
            let error = open(&Recorder::new(bytes.clone())).check_writable();
            let error = error.expect_err("marked").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
