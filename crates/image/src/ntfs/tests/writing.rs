use std::fs;

use super::image::Image;
use super::*;
use crate::ntfs::member::Member;
use crate::ntfs::secure::{Change, FileSecurity, Secure};

#[test]
fn bytes_are_written_in_place_and_nowhere_else() {
    for arguments in [
        &["-c", "512"][..],
        &["-c", "4096"],
        &["-c", "65536"],
        &["-s", "4096"],
    ] {
        let Some(image) = Image::make(12, arguments) else {
            return;
        };
        let big = pattern(300_001, 1);
        let filled = image.mounted("defaults", |folder| {
            fs::write(folder.join("big"), &big).expect("written");
            fs::write(folder.join("small"), b"hello, world").expect("written");
            fs::write(folder.join("other"), &big).expect("written");
        });
        if filled.is_none() {
            return;
        }
        let (volume, device) = image.open();
        let before = device.bytes();
        let file = open(&volume, "big");
        let new = pattern(100_000, 2);
        file.write(&new, 150_001).expect("within");
        let mut expected = big.clone();
        expected[150_001..250_001].copy_from_slice(&new);
        assert!(read(&file) == expected);
        let changed = before
            .iter()
            .zip(device.bytes())
            .filter(|(old, new)| *old != new)
            .count();
        assert!(changed <= new.len(), "{changed} bytes changed");

        let small = open(&volume, "small");
        small.write(b"WORLD", 7).expect("within");
        assert_eq!(read(&small), b"hello, WORLD");
        assert_eq!(read(&open(&volume, "small")), b"hello, WORLD");
        let at_the_end = device.bytes();
        for (data, offset) in [(&b"x"[..], 12), (b"12345", 10), (b"", 13), (b"x", u64::MAX)] {
            let error = small.write(data, offset).expect_err("outside");
            assert!(matches!(error, VolumeError::OutOfRange { .. }), "{error}");
        }
        small.write(b"", 12).expect("nothing");
        assert!(device.bytes() == at_the_end);
        file.sync().expect("durable");

        image.store_and_check(&device);
        assert!(image.cat("big").is_none_or(|found| found == expected));
        assert!(
            image
                .cat("small")
                .is_none_or(|found| found == b"hello, WORLD")
        );
        image.mounted("defaults", |folder| {
            assert!(fs::read(folder.join("big")).expect("read") == expected);
            assert!(fs::read(folder.join("small")).expect("read") == b"hello, WORLD");
            assert!(fs::read(folder.join("other")).expect("read") == big);
        });
    }
}

#[test]
fn two_handles_of_a_file_see_the_same() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    let filled = image.mounted("defaults", |folder| {
        fs::write(folder.join("file"), b"first")
    });
    if filled.is_none() {
        return;
    }
    let (volume, _) = image.open();
    let (one, two) = (open(&volume, "file"), open(&volume.clone(), "FILE"));
    one.write(b"F", 0).expect("within");
    two.set_len(3).expect("shortened");
    assert_eq!(one.len(), 3);
    assert_eq!(read(&one), b"Fir");
}

#[test]
fn bytes_past_the_initialized_size_read_as_zeros_until_written() {
    let Some(image) = Image::make(12, &["-c", "4096"]) else {
        return;
    };
    let data = pattern(60_000, 4);
    let filled = image.mounted("defaults", |folder| fs::write(folder.join("file"), &data));
    if filled.is_none() {
        return;
    }
    let (volume, device) = image.open();
    let mft = &volume.inner.mft;
    let id = id(&volume, "file");
    let mut record = mft.read(id).expect("there");
    let at = record.find(0x80, "").expect("there").place();
    record.non_resident_mut(at).expect("there").initialized_size = 10_000.into();
    mft.write(&mut record).expect("written");
    let file = open(&volume, "file");
    let mut expected = data[..10_000].to_vec();
    expected.resize(60_000, 0);
    assert!(read(&file) == expected);
    file.write(b"island", 30_000).expect("within");
    expected[30_000..30_006].copy_from_slice(b"island");
    assert!(read(&file) == expected);
    file.write(b"bridge", 9_998).expect("within");
    expected[9_998..10_004].copy_from_slice(b"bridge");
    assert!(read(&file) == expected);
    image.store_and_check(&device);
    assert!(image.cat("file").is_none_or(|found| found == expected));
}

#[test]
fn nothing_is_written_if_the_runs_are_doubtful() {
    let Some(image) = Image::make(12, &["-c", "4096"]) else {
        return;
    };
    let data = pattern(20_000, 4);
    let filled = image.mounted("defaults", |folder| {
        fs::write(folder.join("file"), &data).expect("written");
        fs::write(folder.join("other"), &data).expect("written");
    });
    if filled.is_none() {
        return;
    }
    // Runs that lead to a free cluster, to $MFT, and twice to the same cluster.
    for (name, pairs, what) in [
        ("free", &[0x21, 5, 0xB8, 0x0B, 0][..], "not used"),
        ("$MFT", &[0x11, 5, 4, 0], "own structures"),
        ("boot sector", &[0x11, 5, 0, 0], "own structures"),
    ] {
        let (volume, device) = image.open();
        let mft = &volume.inner.mft;
        let id = id(&volume, "file");
        let mut record = mft.read(id).expect("there");
        let at = record.find(0x80, "").expect("there").place();
        record.set_mapping_pairs(at, pairs, 4).expect("fits");
        mft.write(&mut record).expect("written");
        let before = device.bytes();
        let error = open(&volume, "file").write(b"x", 0).expect_err("doubtful");
        assert!(error.to_string().contains(what), "{name}: {error}");
        open(&volume, "file").set_len(80_000).expect_err("doubtful");
        assert!(device.bytes() == before, "{name}");
    }
}

#[test]
fn a_file_with_runs_in_several_records_is_written_in_place_but_gets_no_clusters() {
    let Some(image) = Image::make(16, &["-c", "1024"]) else {
        return;
    };
    let Some(mut expected) = image.mounted("defaults", |folder| {
        super::reading::fragment(folder, "pieces", 700, 1024)
    }) else {
        return;
    };
    let (volume, device) = image.open();
    let file = open(&volume, "pieces");
    let new = pattern(100_000, 3);
    file.write(&new, 600_001).expect("within");
    expected[600_001..700_001].copy_from_slice(&new);
    assert!(read(&file) == expected);
    image.store_and_check(&device);
    assert!(image.cat("pieces").is_none_or(|found| found == expected));

    let before = device.bytes();
    let error = file.set_len(900_000).expect_err("several records");
    assert!(error.to_string().contains("several records"), "{error}");
    assert!(device.bytes() == before);

    file.set_len(500_001).expect("shortened");
    file.set_len(700_000).expect("within its clusters");
    expected.truncate(500_001);
    expected.resize(700_000, 0);
    image.store_and_check(&device);
    assert!(image.cat("pieces").is_none_or(|found| found == expected));
}

#[test]
fn the_files_of_the_volume_itself_are_not_written() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    let (volume, device) = image.open();
    let before = device.bytes();
    // $MFT, $MFTMirr, $LogFile, $AttrDef, $Bitmap, $Boot, $UpCase.
    for number in [0, 1, 2, 4, 6, 7, 10] {
        let record = volume.inner.mft.read_system(number).expect("sound");
        let file = volume.file(record.id()).expect("its data");
        let error = file.write(&[0], 0).expect_err("its own");
        assert!(error.to_string().contains("own files"), "{error}");
        file.set_len(file.len() + 1).expect_err("its own");
        file.set_len(0).expect_err("its own");
    }
    assert!(device.bytes() == before);
}

#[test]
fn an_open_file_is_written_correctly_after_its_data_move_in_the_record() {
    let Some(image) = Image::make(12, &["-c", "4096"]) else {
        return;
    };
    let names = ["small", "big"];
    let contents = [b"hello, world".to_vec(), pattern(20_000, 4)];
    let filled = image.mounted("rw", |folder| {
        for (name, data) in names.iter().zip(&contents) {
            fs::write(folder.join(name), data).expect("written");
        }
    });
    if filled.is_none() {
        return;
    }
    let (volume, device) = image.open();
    let secure = Secure::new(&volume);
    for (name, mut expected) in names.into_iter().zip(contents) {
        let file = open(&volume, name);
        file.check_write(expected.len() as u64 + 10, &[(0, 10)])
            .expect("room");
        let own = secure.of_file(file.id()).expect("sound").expect("one");
        let to = secure.add(&[&own]).expect("room")[0];
        let name_units: Vec<u16> = name.encode_utf16().collect();
        let member = Member {
            folder: volume.root(),
            name: &name_units,
            file: file.id(),
        };
        let set = secure.set(&[Change { member, to }], |_, _, now| {
            now == FileSecurity::Own
        });
        let set = set.expect("written");
        assert!(matches!(set[..], [Ok(true)]), "{name}: {set:?}");
        file.write(b"HELLO", 0).expect("in place");
        file.set_len(expected.len() as u64 + 10).expect("room");
        expected[..5].copy_from_slice(b"HELLO");
        expected.resize(expected.len() + 10, 0);
        assert!(read(&open(&volume_on(&device), name)) == expected, "{name}");
        file.set_len(100_000).expect("into more clusters");
        expected.resize(100_000, 0);
        image.store_and_check(&device);
        assert!(image.cat(name).is_none_or(|found| found == expected));
    }
}

/// The volume as it is on the device now.
fn volume_on(device: &std::sync::Arc<crate::testing::Memory>) -> Volume {
    Volume::open(device.clone()).expect("sound")
}
