//! Files with holes, which `cp` makes on ntfs-3g.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use super::growing::{check, listed_sizes};
use super::image::Image;
use super::*;

/// Makes a file and writes only `parts` (offset and length) of it; returns its content.
pub(super) fn make(path: &Path, len: usize, parts: &[(usize, usize)]) -> Vec<u8> {
    let mut data = vec![0; len];
    let mut file = fs::File::create(path).expect("a file");
    for (at, part_len) in parts {
        let part = pattern(*part_len, 7);
        file.seek(SeekFrom::Start(*at as u64)).expect("sought");
        file.write_all(&part).expect("written");
        data[*at..][..*part_len].copy_from_slice(&part);
    }
    file.set_len(len as u64).expect("a length");
    data
}

/// A volume with such a file, and `other` after it.
pub(super) fn filled(
    arguments: &[&str],
    len: usize,
    parts: &[(usize, usize)],
) -> Option<(Image, Vec<u8>)> {
    let image = Image::make(12, arguments)?;
    let data = image.mounted("defaults", |folder| {
        let data = make(&folder.join("file"), len, parts);
        fs::write(folder.join("other"), pattern(9000, 9)).expect("written");
        data
    })?;
    Some((image, data))
}

fn runs(file: &File) -> (usize, usize) {
    let open = file.layout().expect("in clusters");
    let holes = open.runs().iter().filter(|run| run.lcn.is_none()).count();
    (open.runs().len(), holes)
}

fn write(file: &File, expected: &mut [u8], at: usize, data: &[u8]) {
    file.write(data, at as u64)
        .unwrap_or_else(|error| panic!("{error}"));
    expected[at..][..data.len()].copy_from_slice(data);
    assert!(read(file) == expected, "{} bytes at {at}", data.len());
}

/// The parts of a file of 600,000 bytes that are written, with a name for each case.
const SHAPES: [(&str, &[(usize, usize)]); 4] = [
    ("a hole at the start", &[(300_000, 300_000)]),
    ("one in the middle", &[(0, 70_000), (500_000, 100_000)]),
    ("one at the end", &[(0, 70_000)]),
    (
        "many",
        &[
            (70_000, 1000),
            (140_000, 70_000),
            (270_000, 1),
            (340_000, 4096),
            (450_000, 5),
        ],
    ),
];

#[test]
fn parts_with_clusters_are_written_in_place() {
    for (shape, parts) in SHAPES {
        let Some((image, mut expected)) = filled(&["-c", "4096"], 600_000, parts) else {
            return;
        };
        let (volume, device) = image.open();
        let file = open(&volume, "file");
        let (before, free) = (device.bytes(), volume.free_bytes().expect("sound"));
        let (number, holes) = runs(&file);
        assert!(holes > 0, "{shape}: {number} runs");
        for (at, len) in parts {
            let data = pattern(*len, 3);
            file.check_write(600_000, &[(*at as u64, *len as u64)])
                .expect("nothing is needed");
            write(&file, &mut expected, *at, &data);
        }
        assert_eq!(volume.free_bytes().expect("sound"), free);
        assert_eq!(runs(&file), (number, holes));
        let written: usize = parts.iter().map(|(_, len)| len).sum();
        let after = device.bytes();
        let changed = before.iter().zip(&after).filter(|(old, new)| old != new);
        assert!(changed.count() <= written, "{shape}");
        check(&image, &device, &expected);
    }
}

#[test]
fn holes_get_clusters_where_they_are_written() {
    for arguments in [
        &["-c", "512"][..],
        &["-c", "4096"],
        &["-c", "65536"],
        &["-s", "4096"],
    ] {
        for (shape, parts) in SHAPES {
            let Some((image, mut expected)) = filled(arguments, 600_000, parts) else {
                return;
            };
            let (volume, device) = image.open();
            let file = open(&volume, "file");
            let free = volume.free_bytes().expect("sound");
            write(&file, &mut expected, 250_001, b"an island");
            let taken = free - volume.free_bytes().expect("sound");
            assert!(taken <= 16 * 65536, "{shape}: {taken}");
            image.store_and_check(&device);
            write(&file, &mut expected, 99_999, &pattern(200_003, 11));
            write(&file, &mut expected, 0, b"start");
            write(&file, &mut expected, 599_997, b"end");
            let sizes = listed_sizes(&volume, &device, "file");
            let total = file.layout().expect("in clusters").total_allocated();
            assert_eq!(sizes, [(total, 600_000)], "{arguments:?}, {shape}");
            check(&image, &device, &expected);
            if let Some(info) = image.info("file") {
                assert!(info.contains(&format!("{total} ")), "{info}");
            }
            // This fills the whole file.
            let (volume, device) = image.open();
            let file = open(&volume, "file");
            let all = pattern(600_000, 13);
            write(&file, &mut expected, 0, &all);
            assert_eq!(runs(&file).1, 0, "{shape}");
            check(&image, &device, &all);
        }
    }
}

#[test]
fn a_sparse_file_grows() {
    for arguments in [&["-c", "512"][..], &["-c", "4096"], &["-c", "65536"]] {
        for (shape, parts) in SHAPES {
            let Some((image, mut expected)) = filled(arguments, 600_000, parts) else {
                return;
            };
            let (volume, device) = image.open();
            let file = open(&volume, "file");
            for len in [600_100, 700_000, 2_000_000] {
                file.check_write(len as u64, &[]).expect("room");
                file.set_len(len as u64).expect("grown");
                expected.resize(len, 0);
                assert!(read(&file) == expected, "{arguments:?}, {shape}, {len}");
            }
            let free = volume.free_bytes().expect("sound");
            write(&file, &mut expected, 1_999_000, &pattern(1000, 3));
            assert_eq!(volume.free_bytes().expect("sound"), free);
            file.set_len(100_000).expect("shortened");
            file.set_len(150_000).expect("grown");
            expected.truncate(100_000);
            expected.resize(150_000, 0);
            check(&image, &device, &expected);
        }
    }
}

#[test]
fn checked_writes_succeed_in_any_order() {
    let parts = SHAPES[3].1;
    let Some((image, mut expected)) = filled(&["-c", "4096"], 600_000, parts) else {
        return;
    };
    let (volume, device) = image.open();
    let file = open(&volume, "file");
    let before = device.bytes();
    let extents = [(0, 5000), (230_000, 30_000), (590_000, 60_000)];
    file.check_write(650_000, &extents).expect("room");
    // Other files can only have clusters that are not promised.
    let other = open(&volume, "other");
    let rest = volume.free_bytes().expect("sound") + other.allocated_len();
    let error = other.check_write(rest, &[]).expect_err("promised");
    assert!(matches!(error, VolumeError::Full { .. }), "{error}");
    assert!(device.bytes() == before, "asking has written");
    let most = (0..).map(|clusters| rest - clusters * 4096);
    let most = most.take(100).find(|len| other.set_len(*len).is_ok());
    assert!(most.is_some_and(|most| most < rest), "{most:?}");
    assert_ne!(volume.free_bytes().expect("sound"), 0);
    for (offset, len) in [(230_000, 30_000), (0, 5000)] {
        write(&file, &mut expected, offset, &pattern(len, 3));
    }
    file.set_len(650_000).expect("promised");
    expected.resize(650_000, 0);
    write(&file, &mut expected, 590_000, &pattern(60_000, 5));
    assert_eq!(volume.free_bytes().expect("sound"), 0);
    image.store_and_check(&device);
    assert!(image.cat("file").is_none_or(|found| found == expected));
}

#[test]
fn a_promise_ends_with_the_file() {
    let Some((image, _)) = filled(&["-c", "4096"], 600_000, SHAPES[2].1) else {
        return;
    };
    let (volume, _) = image.open();
    let other = open(&volume, "other");
    let all = volume.free_bytes().expect("sound") + other.allocated_len();
    {
        let file = open(&volume, "file");
        let again = open(&volume, "file");
        file.check_write(600_000, &[(590_000, 1)]).expect("room");
        drop(file);
        other.check_write(all, &[]).expect_err("promised");
        drop(again);
    }
    other.check_write(all, &[]).expect("free again");
}

#[test]
fn holes_that_cannot_be_filled_are_refused_before_anything_is_written() {
    let Some(image) = Image::make(12, &["-c", "512"]) else {
        return;
    };
    // Small files use every second cluster of the volume.
    let Some(expected) = image.mounted("defaults", |folder| {
        let parts: Vec<_> = (0..60).map(|number| (number * 65_536, 512)).collect();
        make(&folder.join("file"), 60 * 65_536, &parts)
    }) else {
        return;
    };
    let (volume, device) = image.open();
    let before = device.bytes();
    let file = open(&volume, "file");
    let islands: Vec<(u64, u64)> = (0..60)
        .map(|number| (number * 65_536 + 20_000, 1))
        .collect();
    let error = file
        .check_write(60 * 65_536, &islands)
        .expect_err("the record is full");
    assert!(matches!(error, VolumeError::CannotGrow { .. }), "{error}");
    let error = file
        .check_write(u64::MAX, &islands)
        .expect_err("not so long");
    assert!(matches!(error, VolumeError::Full { .. }), "{error}");
    file.check_write(10, &islands).expect_err("past the end");
    assert!(device.bytes() == before);
    // As many writes as there is room for; each is refused or done.
    let mut now = expected;
    let mut refused = false;
    for (at, _) in islands {
        let before = device.bytes();
        match file.write(b"x", at) {
            Ok(()) => now[usize::try_from(at).expect("small")] = b'x',
            Err(error) => {
                assert!(matches!(error, VolumeError::CannotGrow { .. }), "{error}");
                assert!(device.bytes() == before);
                refused = true;
            }
        }
    }
    assert!(refused);
    assert!(read(&file) == now);
    image.store_and_check(&device);
    assert!(image.cat("file").is_none_or(|found| found == now));
}

#[test]
fn a_sparse_file_with_a_wrong_number_of_clusters_gets_no_more() {
    let Some((image, _)) = filled(&["-c", "4096"], 600_000, SHAPES[1].1) else {
        return;
    };
    let (volume, device) = image.open();
    let mft = &volume.inner.mft;
    let mut record = mft.read(id(&volume, "file")).expect("there");
    let at = record.find(0x80, "").expect("there").place();
    *record.total_allocated_mut(at).expect("sparse") = 4096.into();
    mft.write(&mut record).expect("written");
    let before = device.bytes();
    let file = open(&volume, "file");
    let error = file.write(b"x", 200_000).expect_err("wrong");
    assert!(error.to_string().contains("total allocated"), "{error}");
    assert!(device.bytes() == before);
    file.write(b"x", 0).expect("in place");
}
