use std::fs;

use super::image::Image;
use super::*;
use crate::device::Device;
use crate::ntfs::bitmap::Bitmap;
use crate::ntfs::place::{Extent, Lcn};

/// A volume with a file `file` that contains `data`, and `other` after it.
fn filled(arguments: &[&str], data: &[u8]) -> Option<Image> {
    let image = Image::make(12, arguments)?;
    image.mounted("defaults", |folder| {
        fs::write(folder.join("file"), data).expect("written");
        fs::write(folder.join("other"), pattern(9000, 9)).expect("written");
    })?;
    Some(image)
}

pub(super) fn check(image: &Image, device: &crate::testing::Memory, expected: &[u8]) {
    image.store_and_check(device);
    assert!(image.cat("file").is_none_or(|found| found == expected));
    image.mounted("defaults", |folder| {
        assert!(fs::read(folder.join("file")).expect("read") == expected);
        assert!(fs::read(folder.join("other")).expect("read") == pattern(9000, 9));
        // The clusters of the file must not be allocated again.
        fs::write(folder.join("later"), pattern(200_000, 11)).expect("written");
        assert!(fs::read(folder.join("file")).expect("read") == expected);
        fs::remove_file(folder.join("later")).expect("removed");
    });
}

fn used(volume: &Volume) -> u64 {
    volume.free_bytes().expect("sound")
}

#[test]
fn a_file_grows_within_its_clusters_and_beyond_them() {
    for (arguments, cluster) in [
        (&["-c", "512"][..], 512_u64),
        (&["-c", "4096"], 4096),
        (&["-c", "65536"], 65536),
        (&["-s", "4096"], 4096),
    ] {
        let data = pattern(70_000, 1);
        let Some(image) = filled(arguments, &data) else {
            return;
        };
        let (volume, device) = image.open();
        let file = open(&volume, "file");
        let free = used(&volume);
        let mut expected = data.clone();
        let slack = file.allocated_len();
        if slack > file.len() {
            file.set_len(slack).expect("within its clusters");
            assert_eq!(used(&volume), free);
        }
        for len in [slack + 1, slack + 100_000, slack + 1_100_000] {
            file.check_write(len, &[]).expect("room");
            file.set_len(len).expect("grown");
            expected.resize(usize::try_from(len).expect("small"), 0);
            assert_eq!(file.len(), len);
            assert_eq!(file.allocated_len(), len.next_multiple_of(cluster));
            assert!(read(&file) == expected, "{arguments:?}");
            assert_eq!(used(&volume), free - (file.allocated_len() - slack));
        }
        let end = pattern(50_000, 2);
        let at = expected.len() - end.len();
        file.write(&end, at as u64).expect("within");
        expected[at..].copy_from_slice(&end);
        check(&image, &device, &expected);
    }
}

#[test]
fn bytes_after_a_shorter_end_do_not_come_back() {
    let data = pattern(70_000, 1);
    let Some(image) = filled(&["-c", "4096"], &data) else {
        return;
    };
    let (volume, device) = image.open();
    let file = open(&volume, "file");
    let allocated = file.allocated_len();
    file.set_len(10_001).expect("shortened");
    assert_eq!(file.allocated_len(), allocated, "its clusters stay");
    check(&image, &device, &data[..10_001]);
    file.set_len(65_000).expect("within its clusters");
    let mut expected = data[..10_001].to_vec();
    expected.resize(65_000, 0);
    check(&image, &device, &expected);
    file.set_len(0).expect("shortened");
    check(&image, &device, &[]);
    file.set_len(5).expect("within its clusters");
    check(&image, &device, &[0; 5]);
}

#[test]
fn a_file_in_its_record_grows_there_and_then_into_clusters() {
    for data in [&b""[..], b"begin", &pattern(600, 6)] {
        let Some(image) = filled(&["-c", "4096"], data) else {
            return;
        };
        let (volume, device) = image.open();
        let file = open(&volume, "file");
        let free = used(&volume);
        let mut expected = data.to_vec();
        expected.resize(data.len() + 30, 0);
        file.set_len(expected.len() as u64)
            .expect("grown in its record");
        assert_eq!(used(&volume), free);
        check(&image, &device, &expected);
        expected.resize(20_480, 0);
        file.check_write(20_480, &[]).expect("room");
        file.set_len(20_480).expect("grown into clusters");
        assert_eq!(file.allocated_len(), 20_480);
        assert_eq!(used(&volume), free - 20_480);
        file.write(b"end", 20_477).expect("within");
        expected[20_477..].copy_from_slice(b"end");
        assert!(read(&file) == expected);
        check(&image, &device, &expected);
    }
}

#[test]
fn a_file_that_cannot_grow_is_refused_before_anything_is_written() {
    let data = pattern(70_000, 1);
    let Some(image) = filled(&["-c", "4096"], &data) else {
        return;
    };
    let (volume, device) = image.open();
    let before = device.bytes();
    let file = open(&volume, "file");
    for len in [12 << 20, 1 << 40, i64::MAX.unsigned_abs(), u64::MAX] {
        for error in [
            file.check_write(len, &[]).expect_err("no room"),
            file.set_len(len).expect_err("no room"),
        ] {
            assert!(matches!(error, VolumeError::Full { .. }), "{len}: {error}");
            assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        }
    }
    assert!(device.bytes() == before);
    let most = volume.free_bytes().expect("sound") + file.allocated_len();
    file.check_write(most, &[]).expect("all of the volume");
    file.check_write(most + 1, &[]).expect_err("one byte more");
}

#[test]
fn a_file_grows_into_several_places_until_its_record_is_full() {
    let Some(image) = Image::make(16, &["-c", "1024"]) else {
        return;
    };
    let Some(data) = image.mounted("defaults", |folder| {
        let data = super::reading::fragment(folder, "file", 30, 1024);
        // Only the gaps between the small files are free.
        fs::write(folder.join("other"), pattern(9000, 9)).expect("written");
        let mut filler = fs::File::create(folder.join("filler")).expect("a file");
        for len in [64 << 10, 1024] {
            let part = pattern(len, 5);
            while std::io::Write::write_all(&mut filler, &part).is_ok() {}
        }
        for number in (1..60).step_by(2) {
            fs::remove_file(folder.join("neighbours").join(number.to_string())).expect("removed");
        }
        data
    }) else {
        return;
    };
    let (volume, device) = image.open();
    let file = open(&volume, "file");
    let mut expected = data;
    let before = device.bytes();
    let all = file.allocated_len() + volume.free_bytes().expect("sound");
    match file.set_len(all) {
        Ok(()) => {}
        Err(error) => {
            assert!(matches!(error, VolumeError::CannotGrow { .. }), "{error}");
            assert!(device.bytes() == before);
        }
    }
    let mut len = file.len();
    while file.check_write(len + 1024, &[]).is_ok() {
        len += 1024;
        file.set_len(len).expect("room");
    }
    expected.resize(usize::try_from(len).expect("small"), 0);
    assert!(len > 30 * 1024, "it has not grown at all");
    assert!(read(&file) == expected);
    image.store_and_check(&device);
    assert!(image.cat("file").is_none_or(|found| found == expected));
}

/// The sizes in the index of a folder for a name: the allocated length and the length of the data.
pub(super) fn listed_sizes(
    volume: &Volume,
    device: &crate::testing::Memory,
    path: &str,
) -> Vec<(u64, u64)> {
    let reference = {
        let id = id(volume, path);
        let mut bytes = id.record.to_le_bytes();
        bytes[6..].copy_from_slice(&id.sequence.to_le_bytes());
        bytes
    };
    // Entries begin at multiples of 8, and only indexes of folders contain the reference.
    let bytes = device.bytes();
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    (0..bytes.len() - 82)
        .step_by(8)
        .filter(|at| bytes[*at..].starts_with(&reference) && bytes[*at + 80] > 0)
        .filter(|at| bytes[*at + 10] == 66 + 2 * bytes[*at + 80])
        .map(|at| (number(at + 56), number(at + 64)))
        .collect()
}

#[test]
fn the_copies_of_the_sizes_in_folders_follow() {
    for (others, holder) in [(0, "the root of the index"), (300, "a node of the index")] {
        let Some(image) = Image::make(12, &["-c", "4096"]) else {
            return;
        };
        let filled = image.mounted("defaults", |folder| {
            for path in ["one", "two"] {
                fs::create_dir(folder.join(path)).expect("a folder");
                for number in 0..others {
                    fs::write(folder.join(path).join(number.to_string()), b"").expect("written");
                }
            }
            fs::write(folder.join("one/file"), pattern(9000, 1)).expect("written");
            fs::hard_link(folder.join("one/file"), folder.join("two/other name")).expect("linked");
        });
        if filled.is_none() {
            return;
        }
        let (volume, device) = image.open();
        assert_eq!(
            listed_sizes(&volume, &device, "one/file"),
            [(12288, 9000); 2],
            "{holder}"
        );
        open(&volume, "one/file").set_len(50_001).expect("room");
        assert_eq!(
            listed_sizes(&volume, &device, "one/file"),
            [(53248, 50_001); 2],
            "{holder}"
        );
        open(&volume, "two/other name").set_len(7).expect("room");
        assert_eq!(
            listed_sizes(&volume, &device, "one/file"),
            [(53248, 7); 2],
            "{holder}"
        );
        image.store_and_check(&device);
        assert!(
            image
                .cat("two/other name")
                .is_none_or(|found| found == pattern(7, 1))
        );
    }
}

#[test]
fn a_record_that_lost_its_room_is_found_before_clusters_are_taken() {
    let Some(image) = filled(&["-c", "4096"], b"small") else {
        return;
    };
    let (volume, device) = image.open();
    let file = open(&volume, "file");
    file.check_write(20_000, &[]).expect("room");
    let mft = &volume.inner.mft;
    let mut record = mft.read(file.id()).expect("sound");
    let rest = record.free_len() - 24 - 8;
    record.add_resident(0x100, "", rest).expect("room");
    mft.write(&mut record).expect("written");
    let before = device.bytes();
    let error = file.set_len(20_000).expect_err("no room");
    assert!(error.to_string().contains("no room"), "{error}");
    assert!(matches!(error, VolumeError::CannotGrow { .. }), "{error}");
    assert!(device.bytes() == before, "clusters were taken");
}

#[test]
fn a_small_file_that_would_be_compressed_in_clusters_is_refused_as_such() {
    let Some(image) = filled(&["-c", "4096"], b"small") else {
        return;
    };
    for (flags, how) in [(1, "compressed"), (0x80_u8, "sparse")] {
        let (volume, device) = image.open();
        let record = volume.inner.mft.read(id(&volume, "file")).expect("sound");
        let at = record.find(0x80, "").expect("one").place().0 as u64 + 12;
        let at = record.offset() + at + u64::from(flags == 0x80);
        device.write_all_at(&[flags], at).expect("inside");
        let file = open(&volume, "file");
        file.write(b"S", 0).expect("in its record");
        let before = device.bytes();
        let error = file.set_len(20_000).expect_err("not in clusters");
        assert!(error.to_string().contains(how), "{error}");
        assert!(matches!(error, VolumeError::Transformed { .. }), "{error}");
        assert!(device.bytes() == before);
    }
}

#[test]
fn a_volume_whose_free_clusters_are_scattered_is_not_called_full() {
    let Some(image) = filled(&["-c", "4096"], &pattern(5000, 1)) else {
        return;
    };
    let (volume, _) = image.open();
    let mft = &volume.inner.mft;
    let bitmap = Bitmap::open(mft).expect("sound");
    let single = |start| Extent {
        start: Lcn(start),
        len: 1,
    };
    let clusters = (0..mft.disk().geometry.clusters).step_by(2).map(single);
    let all: Vec<Extent> = clusters.collect();
    bitmap.take(&all).expect("written");
    let file = open(&volume, "file");
    assert!(volume.free_bytes().expect("sound") > 1 << 20);
    let error = file.check_write(400_000, &[]).expect_err("scattered");
    assert!(error.to_string().contains("too many places"), "{error}");
    let error = file.check_write(40 << 20, &[]).expect_err("full");
    assert!(matches!(error, VolumeError::Full { .. }), "{error}");
}
