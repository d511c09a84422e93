//! `$MFT` with an attribute list, as on every old and full volume.

use std::collections::BTreeMap;
use std::fs;

use super::super::bitmap::Bitmap;
use super::super::format::attribute_type;
use super::super::mft::Mft;
use super::super::place::{Extent, Lcn};
use super::super::records::Records;
use super::super::runs::{self, Run};
use super::super::stream::Stream;
use super::super::testing::{self, RecordBuilder};
use super::image::Image;
use super::*;
use crate::device::Device;
use crate::testing::Memory;

/// The record that describes the second part of `$MFT`; it is not used otherwise.
const HOLDER: u64 = 16;
/// The number of clusters in the first part.
const FIRST: u64 = 8;

/// Moves the later clusters of `$MFT` to another place, and describes them in another record.
fn spread(volume: &Volume, device: &Memory) {
    let mft = &volume.inner.mft;
    let runs = mft.layout().runs().to_vec();
    let clusters = mft.layout().clusters();
    assert!(clusters > FIRST + 4, "{runs:?}");
    let bitmap = Bitmap::open(mft).expect("sound");
    let near = Lcn(mft.disk().geometry.clusters / 2);
    let found = bitmap.find(near, clusters - FIRST, &[]).expect("sound");
    let new: Vec<Extent> = found.expect("room");
    bitmap.take(&new).expect("written");
    let mut rest = vec![0; usize::try_from((clusters - FIRST) * 4096).expect("small")];
    let whole = mft.layout();
    // The last cluster may be partly used.
    let filled = usize::try_from(whole.len - FIRST * 4096).expect("small");
    whole
        .read(mft.disk(), &mut rest[..filled], FIRST * 4096)
        .expect("readable");
    let mut at = 0;
    let mut later = Vec::new();
    for extent in &new {
        let len = usize::try_from(extent.len * 4096).expect("small");
        let offset = extent.start.0 * 4096;
        device
            .write_all_at(&rest[at..at + len], offset)
            .expect("inside");
        later.push(Run {
            vcn: FIRST + at as u64 / 4096,
            lcn: Some(extent.start),
            len: extent.len,
        });
        at += len;
    }
    let pairs = runs::encode(&later).expect("fits");
    let mut part = testing::non_resident(attribute_type::DATA, "", clusters, &pairs);
    part[16..24].copy_from_slice(&FIRST.to_le_bytes());
    let mut holder = RecordBuilder::new(u32::try_from(HOLDER).expect("small"));
    // The base record is that of $MFT itself.
    holder.bytes_mut()[32..40].copy_from_slice(&(1_u64 << 48).to_le_bytes());
    let holder = holder.attribute(part).protected();
    let place = whole.position(HOLDER * 1024).expect("there");
    device.write_all_at(&holder, place).expect("inside");

    let mut base = mft.read_system(0).expect("sound");
    let data = base.find(attribute_type::DATA, "").expect("one").place();
    let first: Vec<Run> = runs
        .iter()
        .filter(|run| run.vcn < FIRST)
        .map(|run| Run {
            len: run.len.min(FIRST - run.vcn),
            ..*run
        })
        .collect();
    let kept = runs::encode(&first).expect("fits");
    base.set_mapping_pairs(data, &kept, FIRST - 1)
        .expect("shorter");
    let mut entries: Vec<(u32, u64, u64, u16)> = base
        .attributes()
        .map(|attribute| (attribute.kind(), 0, 0, attribute.instance()))
        .collect();
    entries.push((attribute_type::DATA, FIRST, HOLDER, 0));
    entries.sort_unstable();
    let mut list = Vec::new();
    for (kind, lowest, record, instance) in entries {
        let mut entry = vec![0; 32];
        entry[..4].copy_from_slice(&kind.to_le_bytes());
        entry[4] = 32;
        entry[7] = 26;
        entry[8..16].copy_from_slice(&lowest.to_le_bytes());
        entry[16..24].copy_from_slice(&(record | 1 << 48).to_le_bytes());
        entry[24..26].copy_from_slice(&instance.to_le_bytes());
        list.extend(entry);
    }
    base.add_resident(attribute_type::ATTRIBUTE_LIST, "", list.len())
        .expect("room");
    let value = base.resident_mut(attribute_type::ATTRIBUTE_LIST, "");
    value.expect("added").copy_from_slice(&list);
    mft.write(&mut base).expect("written");
    let old: Vec<Extent> = runs
        .iter()
        .filter_map(|run| {
            let before = FIRST.saturating_sub(run.vcn);
            let len = run.len.checked_sub(before).filter(|len| *len > 0)?;
            let start = run.lcn?.after(before)?;
            Some(Extent { start, len })
        })
        .collect();
    bitmap.give_back(&old).expect("written");
}

/// A volume with an `$MFT` in two parts, and with files in both.
fn volume() -> Option<(Image, BTreeMap<String, Vec<u8>>)> {
    let image = Image::make(12, &["-c", "4096"])?;
    let files = image.mounted("defaults", |folder| {
        let mut files = BTreeMap::new();
        for number in 0..60 {
            let name = format!("file {number}");
            let data = pattern(number * 300, 5 + u32::try_from(number).expect("small"));
            fs::write(folder.join(&name), &data).expect("written");
            files.insert(name, data);
        }
        let pieces = super::reading::fragment(folder, "pieces", 40, 4096);
        files.insert("pieces".to_owned(), pieces);
        fs::remove_dir_all(folder.join("neighbours")).expect("removed");
        files
    })?;
    let (volume, device) = image.open();
    spread(&volume, &device);
    image.store_and_check(&device);
    Some((image, files))
}

fn is_late(mft: &Mft, file: FileId) -> bool {
    file.record >= mft.first_part().expect("several parts")
}

/// The runs of a file's unnamed data according to ntfs-3g's tool.
fn runs_of_others(image: &Image, path: &str) -> Option<Vec<(u64, u64, u64)>> {
    let info = image.info(path)?;
    let lines = info
        .lines()
        .skip_while(|line| !line.starts_with("Dumping attribute $DATA"));
    let number = |text: &str| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    let run = |line: &str| {
        let words: Vec<Option<u64>> = line.split_whitespace().map(number).collect();
        match words.as_slice() {
            [Some(vcn), Some(lcn), Some(len)] => Some((*vcn, *lcn, *len)),
            _ => None,
        }
    };
    Some(lines.filter_map(run).collect())
}

/// The second reader knows only the first part of `$MFT`. Files with a record in another part once
/// could not be written.
#[test]
fn files_of_a_later_part_of_the_table_are_read_and_written() {
    let Some((image, files)) = volume() else {
        return;
    };
    let (volume, device) = image.open();
    assert!(volume.has_spread_mft());
    volume.fit_for_writing().expect("fit");
    let mut late = 0;
    let mut expected = files.clone();
    for (name, data) in &mut expected {
        let file = open(&volume, name);
        assert!(read(&file) == *data, "{name}");
        if let (Some(layout), Some(theirs)) = (file.layout(), runs_of_others(&image, name)) {
            let ours = layout.runs().iter();
            let ours: Vec<_> = ours
                .map(|run| (run.vcn, run.lcn.expect("no hole").0, run.len))
                .collect();
            assert_eq!(ours, theirs, "{name}");
        }
        late += u32::from(is_late(&volume.inner.mft, file.id()));
        file.check_in_place()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let len = data.len();
        if let Some(byte) = data.first_mut() {
            *byte ^= 0x55;
            file.write(&[*byte], 0).expect("its own");
            file.set_len(len as u64 + 5000).expect("room");
            data.resize(len + 5000, 0);
        }
    }
    assert!(late > 20, "{late}");
    image.store_and_check(&device);
    let (volume, _) = image.open();
    for (name, data) in &expected {
        assert!(read(&open(&volume, name)) == *data, "{name}");
        if name.ends_with('9') || name == "pieces" {
            assert!(image.cat(name).is_none_or(|found| found == *data), "{name}");
        }
    }
}

/// The two remaining readers must agree.
#[test]
fn a_file_that_the_raw_records_describe_differently_is_not_written() {
    let Some((image, _)) = volume() else { return };
    let (volume, device) = image.open();
    let mft = &volume.inner.mft;
    let name = "file 50";
    let file = open(&volume, name);
    assert!(is_late(mft, file.id()));
    file.check_in_place().expect("sound");
    drop(file);
    // This reader knows the file as it was, and then the record is changed.
    let (volume, _) = image.open();
    let file = open(&volume, name);
    let mut record = mft.read(file.id()).expect("there");
    let at = record.find(attribute_type::DATA, "").expect("one").place();
    let header = record.non_resident_mut(at).expect("in clusters");
    header.initialized_size = 1.into();
    mft.write(&mut record).expect("written");
    let changed = Volume::open(device.clone()).expect("sound");
    let other = open(&changed, name);
    other.check_in_place().expect("both read it so");
    let stale = super::super::second::agree(
        &changed.inner.mft,
        file.id(),
        &Stream::of(
            mft.disk(),
            &Records::read(&volume.inner.mft, file.id()).expect("sound"),
            attribute_type::DATA,
            "",
        )
        .expect("sound")
        .expect("one"),
    );
    assert!(
        matches!(stale, Err(VolumeError::ReadersDisagree { .. })),
        "{stale:?}"
    );
}
