//! Files that ntfs-3g has compressed.

use std::fs;
use std::path::Path;

use rustix::fs::{XattrFlags, setxattr};

use super::image::Image;
use super::*;

/// `FILE_ATTRIBUTE_COMPRESSED`: ntfs-3g compresses files that are made in a folder with this
/// attribute.
const COMPRESSED: u32 = 0x800;

fn compressed_folder(path: &Path) {
    fs::create_dir_all(path).expect("a folder");
    let name = "system.ntfs_attrib";
    let value = (COMPRESSED | 0x10).to_le_bytes();
    setxattr(path, name, &value, XattrFlags::empty()).expect("an attribute");
}

/// Files with units of every kind: none, some or all of them compressed, and holes.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let text = "a hive of cells, each of which looks much like the last one; ".repeat(9000);
    let mut mixed = pattern(200_000, 3);
    mixed[20_000..90_000].fill(0);
    mixed[120_000..190_000].copy_from_slice(&text.as_bytes()[..70_000]);
    let mut sparse = vec![0; 500_000];
    sparse[300_000..300_005].copy_from_slice(b"islet");
    vec![
        ("text", text.into_bytes()),
        ("random", pattern(100_001, 7)),
        ("mixed", mixed),
        ("zeros", vec![0; 70_000]),
        ("sparse", sparse),
        ("short", b"in its record".to_vec()),
    ]
}

#[test]
fn compressed_files_are_read_and_not_written() {
    for cluster in ["512", "1024", "4096"] {
        let Some(image) = Image::make(12, &["-c", cluster]) else {
            return;
        };
        let filled = image.mounted("compression", |folder| {
            compressed_folder(&folder.join("packed"));
            for (name, data) in files() {
                fs::write(folder.join("packed").join(name), data).expect("written");
            }
        });
        if filled.is_none() {
            return;
        }
        let (volume, device) = image.open();
        let before = device.bytes();
        for (name, data) in files() {
            let path = format!("packed/{name}");
            let metadata = volume.metadata(id(&volume, &path)).expect("sound");
            assert!(metadata.compressed, "{name}");
            let file = open(&volume, &path);
            assert!(read(&file) == data, "{name}, {cluster}");
            for (at, len) in [
                (0, 1),
                (4095, 3),
                (65_535, 2),
                (69_000, 999),
                (8191, 60_000),
            ] {
                if at + len > data.len() {
                    continue;
                }
                let mut part = vec![0xEE; len];
                file.read(&mut part, at as u64).expect("inside");
                assert!(
                    part == data[at..at + len],
                    "{name}, {cluster}: {len} at {at}"
                );
            }
            let mut beyond = [0; 2];
            file.read(&mut beyond, data.len() as u64 - 1)
                .expect_err("beyond");
            if name == "short" {
                continue;
            }
            for refused in [
                file.check_in_place(),
                file.write(b"x", 0),
                file.set_len(1),
                file.check_write(data.len() as u64, &[(0, 1)]),
            ] {
                let error = refused.expect_err("compressed").to_string();
                assert!(error.contains("compact /u"), "{name}: {error}");
            }
        }
        assert!(device.bytes() == before);
    }
}

#[test]
fn a_damaged_unit_is_an_error() {
    let Some(image) = Image::make(12, &["-c", "4096"]) else {
        return;
    };
    let (_, data) = files().remove(0);
    let filled = image.mounted("compression", |folder| {
        compressed_folder(&folder.join("packed"));
        fs::write(folder.join("packed/text"), &data).expect("written");
    });
    if filled.is_none() {
        return;
    }
    let (volume, device) = image.open();
    let file = open(&volume, "packed/text");
    let place = file
        .layout()
        .expect("in clusters")
        .position(0)
        .expect("there");
    // The signature of the first chunk.
    crate::device::Device::write_all_at(&*device, &[0xFF, 0x80], place).expect("inside");
    let error = file.read(&mut [0; 9], 0).expect_err("damaged");
    assert!(error.to_string().contains("LZNT1"), "{error}");
    let mut later = vec![0; 1000];
    file.read(&mut later, 70_000).expect("another unit");
    assert!(later == data[70_000..71_000]);
    // A single unit of this size would fill the memory.
    let layout = file.layout().expect("in clusters");
    let disk = volume.inner.mft.disk();
    for clusters in [257, 1 << 40, u64::MAX] {
        let clusters = std::num::NonZeroU64::new(clusters).expect("not 0");
        let read = crate::ntfs::compressed::read(disk, &layout, clusters, &mut later, 70_000);
        let error = read.expect_err("too long").to_string();
        assert!(error.contains("at most 1 MiB"), "{error}");
    }
}
