//! Runs that lead to clusters of other files.

use std::fs;

use super::super::attribute::Attribute;
use super::super::bitmap::Bitmap;
use super::super::claims;
use super::super::format::attribute_type;
use super::super::layout::Layout;
use super::super::mft::Mft;
use super::super::place::Extent;
use super::super::record::Record;
use super::super::records::Records;
use super::super::runs::{self, Run};
use super::super::stream::Stream;
use super::image::Image;
use super::*;

/// A volume with a file of one cluster, another file, and a folder with many names.
fn volume() -> Option<Image> {
    let image = Image::make(12, &["-c", "4096"])?;
    image.mounted("defaults", |folder| {
        fs::write(folder.join("file"), pattern(4000, 4)).expect("written");
        fs::write(folder.join("other"), pattern(20_000, 5)).expect("written");
        fs::create_dir(folder.join("many")).expect("a folder");
        for number in 0..100 {
            fs::write(
                folder.join(format!("many/a name of some length {number}")),
                b"",
            )
            .expect("written");
        }
    })?;
    Some(image)
}

/// The clusters of an attribute.
fn clusters(mft: &Mft, record: u64, kind: u32, name: &str) -> Vec<Extent> {
    let records = Records::read_system(mft, record).expect("sound");
    let stream = Stream::of(mft.disk(), &records, kind, name).expect("sound");
    let stream = stream.unwrap_or_else(|| panic!("{record} has no {kind:#x} {name}"));
    let layout = stream.layout().expect("in clusters");
    Layout::extents(layout).collect()
}

/// Makes the runs of a file lead to the first of these clusters.
fn lead(mft: &Mft, file: FileId, to: &[Extent]) -> Extent {
    let lcn = to.first().expect("some").start;
    let run = Run {
        vcn: 0,
        lcn: Some(lcn),
        len: 1,
    };
    let mut record = mft.read(file).expect("there");
    let at = record.find(attribute_type::DATA, "").expect("one").place();
    let pairs = runs::encode(&[run]).expect("fits");
    record.set_mapping_pairs(at, &pairs, 0).expect("fits");
    mft.write(&mut record).expect("written");
    Extent { start: lcn, len: 1 }
}

/// A log with runs that led to the clusters of `$LogFile` was once written over them, because only
/// four of the volume's own files were examined, and no other file.
#[test]
fn clusters_of_another_file_are_not_written() {
    let Some(image) = volume() else { return };
    let (volume, _) = image.open();
    let (other, many) = (id(&volume, "other"), id(&volume, "many"));
    let data = attribute_type::DATA;
    for (what, record, kind, name) in [
        ("$LogFile", 2, data, ""),
        ("$AttrDef", 4, data, ""),
        ("$Secure", 9, data, "$SDS"),
        ("$UpCase", 10, data, ""),
        ("the map of records", 0, attribute_type::BITMAP, ""),
        ("another file", other.record, data, ""),
        (
            "a folder",
            many.record,
            attribute_type::INDEX_ALLOCATION,
            "$I30",
        ),
    ] {
        let (volume, device) = image.open();
        let mft = &volume.inner.mft;
        let file = id(&volume, "file");
        let extent = lead(mft, file, &clusters(mft, record, kind, name));
        let before = device.bytes();
        let says = |error: VolumeError| {
            let error = error.to_string();
            let whose = format!("file {record}-");
            let told = error.contains("has, too") && error.contains(&whose);
            assert!(told, "{what}: {error}");
        };
        let open = open(&volume, "file");
        says(open.check_in_place().expect_err("claimed"));
        says(open.check_write(4000, &[(0, 1)]).expect_err("claimed"));
        says(open.write(b"x", 0).expect_err("claimed"));
        open.set_len(9000).expect_err("claimed");
        // If a volume has more files than are examined, the volume's own files and the open files
        // are.
        let among_some = || {
            let is_own = |found: &Record, _: &Attribute<'_>| found.number() == file.record;
            claims::check_within(mft, file.record, &[extent], is_own, 0)
        };
        if record == other.record {
            volume.file(other).expect("its data");
        }
        if record != many.record {
            says(among_some().expect_err("claimed"));
        }
        assert!(device.bytes() == before, "{what}");
    }
    let (volume, device) = image.open();
    open(&volume, "file").write(b"x", 0).expect("its own");
    image.store_and_check(&device);
}

/// The bitmap says that the clusters are free, but a file has them.
#[test]
fn a_free_cluster_that_a_file_has_is_given_to_no_other() {
    let Some(image) = volume() else { return };
    let (volume, device) = image.open();
    let mft = &volume.inner.mft;
    let other = clusters(mft, id(&volume, "other").record, attribute_type::DATA, "");
    Bitmap::open(mft)
        .expect("sound")
        .give_back(&other)
        .expect("written");
    let before = device.bytes();
    let file = open(&volume, "file");
    let all = volume.free_bytes().expect("sound");
    let error = file.check_write(all, &[]).expect_err("claimed");
    assert!(error.to_string().contains("has, too"), "{error}");
    file.set_len(all).expect_err("claimed");
    assert!(device.bytes() == before);
}

/// All changes are written to `$MFT` and `$Bitmap`.
#[test]
fn a_volume_whose_tables_share_clusters_with_a_file_is_not_fit() {
    let Some(image) = volume() else { return };
    for (record, what) in [(0, "$MFT"), (6, "$Bitmap")] {
        let (volume, _) = image.open();
        volume.fit_for_writing().expect("fit");
        let (volume, device) = image.open();
        let mft = &volume.inner.mft;
        let file = id(&volume, "file");
        lead(mft, file, &clusters(mft, record, attribute_type::DATA, ""));
        let volume = Volume::open(device).expect("readable");
        let error = volume.fit_for_writing().expect_err(what);
        assert!(error.to_string().contains("has, too"), "{what}: {error}");
    }
}
