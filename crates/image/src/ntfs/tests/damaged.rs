//! A single structure is damaged. An error names it, and it never counts as missing.

use std::fs;
use std::io;
use std::sync::Arc;

use super::image::Image;
use super::*;
use crate::device::Device;
use crate::ntfs::fixup;
use crate::ntfs::format::{AttributeHeader, attribute_type, system};
use crate::ntfs::place::Lcn;
use crate::ntfs::records::Records;
use crate::ntfs::runs::{self, Run};
use crate::ntfs::stream::Stream;
use crate::testing::Memory;

/// Checks that an error reports damage, not a missing file.
#[track_caller]
fn assert_damage<T>(found: Result<T, VolumeError>, expected: &str) {
    let error = found.err().expect("damaged");
    assert!(error.to_string().contains(expected), "{error}");
    assert!(matches!(error, VolumeError::Corrupt(_)), "{error}");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidData);
}

fn units(name: &str) -> Vec<u16> {
    name.encode_utf16().collect()
}

/// A case in which $MFT describes clusters that don't belong to it.
type Endless = (&'static str, u16, Vec<Run>);

#[test]
fn an_mft_of_more_clusters_than_it_can_have_is_refused() {
    let Some(image) = Image::make(12, &["-c", "4096"]) else {
        return;
    };
    let (volume, device) = image.open();
    let own = volume.inner.mft.layout().runs().to_vec();
    let end = own.last().expect("some").end();
    let with = |more: &[Run]| [own.as_slice(), more].concat();
    let hole = Run {
        vcn: end,
        lcn: None,
        len: 1 << 40,
    };
    let repeated: Vec<Run> = (0..3)
        .map(|index| Run {
            vcn: end + index * 2000,
            lcn: Some(Lcn(100)),
            len: 2000,
        })
        .collect();
    let sparse = AttributeHeader::FLAG_SPARSE;
    let cases: [Endless; 4] = [
        ("flags 0x8000", sparse, own.clone()),
        ("flags 0x0001", 1, own.clone()),
        ("flags 0x8000, holes: true", sparse, with(&[hole])),
        ("clusters of $MFT", 0, with(&repeated)),
    ];
    for (expected, flags, runs) in cases {
        let mft = &volume.inner.mft;
        let mut record = mft.read_system(system::MFT).expect("sound");
        let at = record.find(attribute_type::DATA, "").expect("one").place();
        let clusters = runs.last().expect("some").end();
        let pairs = runs::encode(&runs).expect("short");
        record
            .set_mapping_pairs(at, &pairs, clusters - 1)
            .expect("room");
        let header = record.non_resident_mut(at).expect("in clusters");
        header.common.flags = flags.into();
        header.allocated_size = (clusters * 4096).into();
        header.data_size = header.allocated_size;
        header.initialized_size = header.allocated_size;
        mft.write(&mut record).expect("written");
        assert_damage(Volume::open(device.clone()), expected);
    }
}

#[test]
fn a_name_of_a_file_that_does_not_exist_is_damage() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    if image
        .mounted("defaults", |folder| {
            fs::write(folder.join("SYSTEM.LOG1"), b"log")
        })
        .is_none()
    {
        return;
    }
    let (volume, device) = image.open();
    let log = id(&volume, "SYSTEM.LOG1");
    let record = volume.inner.mft.read(log).expect("sound");
    let other_number = log.sequence.wrapping_add(1).to_le_bytes();
    for (at, bytes) in [(22, [0, 0]), (16, other_number)] {
        let at = record.offset() + at;
        let mut before = [0; 2];
        device.read_exact_at(&mut before, at).expect("inside");
        device.write_all_at(&bytes, at).expect("inside");
        let name = units("system.log1");
        let expected = format!("file {log}, which does not exist");
        assert_damage(volume.find(volume.root(), &name), &expected);
        assert_damage(volume.find_all(volume.root(), &name), &expected);
        let kept = volume.metadata(log).expect_err("not there");
        assert!(matches!(kept, VolumeError::Stale(_)), "{kept}");
        device.write_all_at(&before, at).expect("inside");
        volume.find_all(volume.root(), &name).expect("sound again");
    }
}

#[test]
fn an_attribute_list_that_names_a_missing_attribute_is_damage() {
    let Some(image) = Image::make(16, &["-c", "1024"]) else {
        return;
    };
    let filled = image.mounted("defaults", |folder| {
        fs::write(folder.join("small"), b"data").expect("written");
        super::reading::fragment(folder, "pieces", 700, 1024);
    });
    if filled.is_none() {
        return;
    }
    let (volume, device) = image.open();
    let mft = &volume.inner.mft;

    let small = id(&volume, "small");
    let mut record = mft.read(small).expect("sound");
    record
        .add_resident(attribute_type::ATTRIBUTE_LIST, "", 32)
        .expect("room");
    let list = record
        .resident_mut(attribute_type::ATTRIBUTE_LIST, "")
        .expect("there");
    list[..8].copy_from_slice(&[0x80, 0, 0, 0, 32, 0, 0, 26]);
    list[16..24].copy_from_slice(&(1_u64 << 40 | 1 << 48).to_le_bytes());
    mft.write(&mut record).expect("written");
    let expected = format!("offset {}: expected records of $MFT", record.offset());
    assert_damage(volume.metadata(small), &expected);
    assert_damage(volume.file(small), &expected);
    let root = volume.root();
    let name: Vec<u16> = "small".encode_utf16().collect();
    let member = crate::ntfs::Member {
        folder: root,
        name: &name,
        file: small,
    };
    let all = volume.metadata_of_all(&[member]);
    assert_damage(all.into_iter().next().expect("one"), &expected);

    let pieces = id(&volume, "pieces");
    let records = Records::read(mft, pieces).expect("sound");
    let (extension, _) = records
        .all(attribute_type::DATA, "")
        .find(|(record, _)| record.base().is_some())
        .expect("spread");
    device
        .write_all_at(&[0, 0], extension.offset() + 22)
        .expect("inside");
    assert_damage(volume.metadata(pieces), "not in use");
}

/// A volume with a folder `many`, which has a deep index, and the offsets of its blocks of 4096
/// bytes.
fn deep() -> Option<(Volume, Arc<Memory>, FileId, Vec<u64>)> {
    let image = Image::make(12, &["-c", "4096"])?;
    image.mounted("defaults", |folder| {
        fs::create_dir(folder.join("many")).expect("a folder");
        for number in 0..1500 {
            let name = format!("many/a rather long name so that few fit a node {number}");
            fs::write(folder.join(name), b"").expect("written");
        }
    })?;
    let (volume, device) = image.open();
    let folder = id(&volume, "many");
    let mft = &volume.inner.mft;
    let records = Records::read(mft, folder).expect("sound");
    let stream = Stream::of(
        mft.disk(),
        &records,
        attribute_type::INDEX_ALLOCATION,
        "$I30",
    );
    let stream = stream.expect("sound").expect("there");
    let layout = stream.layout().expect("in clusters");
    let blocks = (0..layout.len).step_by(4096);
    let blocks = blocks
        .map(|at| layout.position(at).expect("there"))
        .collect();
    Some((volume, device, folder, blocks))
}

/// Makes a block a node without names, with the child `child`.
fn put_above(device: &Memory, at: u64, child: u64) {
    let mut node = vec![0; 4096];
    device.read_exact_at(&mut node, at).expect("inside");
    fixup::unprotect(&mut node, *b"INDX", 0).expect("sound");
    let first = 24 + usize::from(node[24]);
    let length = u32::try_from(first - 24 + 24).expect("small");
    node[28..32].copy_from_slice(&length.to_le_bytes());
    node[36] = 1;
    let entry = &mut node[first..][..24];
    entry.fill(0);
    entry[8] = 24;
    entry[12] = 3;
    entry[16..].copy_from_slice(&child.to_le_bytes());
    fixup::protect(&mut node, *b"INDX", 0).expect("sound");
    device.write_all_at(&node, at).expect("inside");
}

#[test]
fn an_index_without_an_end_of_its_depth_is_damage() {
    let Some((volume, device, folder, blocks)) = deep() else {
        return;
    };
    assert!(blocks.len() > 40);
    let count = blocks.len() as u64;
    for (block, at) in (1..).zip(&blocks) {
        put_above(&device, *at, block % count);
    }
    assert_damage(volume.list(folder), "below 32 others");
    assert_damage(volume.find(folder, &units("!")), "below 32 others");
    assert_damage(volume.find_all(folder, &units("!")), "below 32 others");
}

#[test]
fn errors_of_an_index_name_the_place_in_its_node() {
    let Some((volume, device, folder, blocks)) = deep() else {
        return;
    };
    // The leftmost node, in which a name before all others would be.
    for at in &blocks {
        put_above(&device, *at, 1 << 40);
    }
    let find = |name: &str| volume.find(folder, &units(name));
    assert_damage(find("!"), "found node 1099511627776");
    for at in &blocks {
        let mut first = [0; 1];
        device.read_exact_at(&mut first, at + 24).expect("inside");
        // The length of the first entry.
        device
            .write_all_at(&[0xFF], at + 24 + u64::from(first[0]) + 9)
            .expect("inside");
    }
    let places = blocks.iter().map(|at| at + 24 + 0x28);
    let error = find("!").expect_err("damaged").to_string();
    let named = places.filter(|place| error.contains(&format!("offset {place}:")));
    assert_eq!(named.count(), 1, "{error}");
}
