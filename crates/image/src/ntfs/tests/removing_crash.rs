//! Crashes while a file is removed. Whatever subset of the writes since the last flush is on the
//! disk, the folder has its old or its new names, all other files are whole, and nothing that a file
//! uses is marked as free.

use std::collections::BTreeSet;

use super::crash::{crashes, flushes};
use super::image::Image;
use super::removing::{NOW, filled, name, own_names, units};
use super::*;
use crate::ntfs::bitmap::Bitmap;
use crate::ntfs::format::attribute_type;
use crate::ntfs::mft_bitmap::MftBitmap;
use crate::ntfs::place::Extent;
use crate::ntfs::runs;

/// Checks that no cluster belongs to two files, and that all clusters and records that are used are
/// marked so. Returns the number of files.
pub(super) fn check_uses(volume: &Volume) -> usize {
    let mft = &volume.inner.mft;
    let bitmap = Bitmap::open(mft).expect("sound");
    let records = MftBitmap::open(mft).expect("sound");
    let mut used = vec![false; usize::try_from(mft.disk().geometry.clusters).expect("small")];
    let mut files = 0;
    for number in 0..mft.count() {
        let Ok(record) = mft.read_any(number) else {
            continue;
        };
        if !record.is_in_use() {
            continue;
        }
        records.check_used(number).expect("marked");
        files += usize::from(record.base().is_none());
        for attribute in record.attributes() {
            // $BadClus has no clusters, but a hole of the volume's length.
            let (Some(header), Some(pairs)) = (attribute.non_resident(), attribute.mapping_pairs())
            else {
                continue;
            };
            let clusters = mft.disk().geometry.clusters;
            let all = runs::decode(pairs, header.lowest_vcn.get(), clusters).expect("sound");
            for run in all {
                let Some(start) = run.lcn else { continue };
                let len = run.len;
                let extent = Extent { start, len };
                assert!(bitmap.are_used(extent).expect("sound"), "record {number}");
                let (first, end) = (start.0 as usize, extent.end() as usize);
                assert!(
                    !used[first..end].contains(&true),
                    "record {number}: {run:?}"
                );
                used[first..end].fill(true);
            }
            assert!(attribute.kind() != attribute_type::END);
        }
    }
    files
}

/// Every crash while `gone` is removed from the folder `drivers`.
fn crash_while_removing(image: &Image, gone: &str) {
    let (volume, _) = image.open();
    let folder = id(&volume, "drivers");
    let before = own_names(&volume, folder);
    let after: Vec<String> = before
        .iter()
        .filter(|name| *name != gone)
        .cloned()
        .collect();
    assert_eq!(after.len() + 1, before.len());
    let mut found = [false; 2];
    crashes(
        image,
        |volume| {
            let removed = volume.remove(folder, &units(gone), NOW);
            removed.unwrap_or_else(|error| panic!("{gone}: {error}"));
        },
        |crash, choice, device| {
            let volume = Volume::open(device.clone()).expect("sound");
            volume.fit_for_writing().expect("fit");
            let names = own_names(&volume, folder);
            assert!(
                names == before || names == after,
                "crash {crash} choice {choice}: {} names",
                names.len()
            );
            found[usize::from(names == after)] = true;
            for name in names.iter().step_by(5) {
                let entry = volume.find(folder, &units(name)).expect("sound");
                let entry = entry.unwrap_or_else(|| panic!("{name}"));
                // Its record leads back here.
                volume.metadata(entry.id).expect("there");
            }
            if choice > 1 {
                check_uses(&volume);
            }
        },
    );
    assert_eq!(found, [true; 2]);
}

#[test]
fn a_file_is_there_or_removed_after_any_crash() {
    // A folder with all names in its record, and one with blocks.
    for (arguments, count) in [(&["-c", "4096"][..], 4), (&["-c", "1024"], 60)] {
        let Some(image) = filled(arguments, count) else {
            return;
        };
        let (volume, _) = image.open();
        let folder = id(&volume, "drivers");
        // One from a leaf, and one from above the leaves, which needs a new block.
        let mut kinds = BTreeSet::new();
        for number in (3..count).step_by(7) {
            let gone = name(number);
            let remove = |volume: &Volume| volume.remove(folder, &units(&gone), NOW);
            let events = crashes(
                &image,
                |volume| remove(volume).expect("removed"),
                |_, _, _| {},
            );
            if kinds.insert(flushes(&events)) {
                crash_while_removing(&image, &gone);
            }
        }
        assert_eq!(kinds.len(), if count == 4 { 1 } else { 2 }, "{kinds:?}");
    }
}

/// The last name of a leaf is removed with the leaf, and the last of all with all blocks.
#[test]
fn leaves_and_blocks_disappear_in_one_step() {
    let Some(image) = filled(&["-c", "4096"], 24) else {
        return;
    };
    let (volume, device) = image.open();
    let folder = id(&volume, "drivers");
    let mut names = own_names(&volume, folder);
    while names.len() > 2 {
        let gone = names.remove(1);
        volume.remove(folder, &units(&gone), NOW).expect("removed");
        image.store(&device);
        if names.len() < 4 {
            crash_while_removing(&image, &names[0]);
            crash_while_removing(&image, &names[names.len() - 1]);
        }
    }
    for _ in 0..2 {
        crash_while_removing(&image, &names[0]);
        let gone = names.remove(0);
        volume.remove(folder, &units(&gone), NOW).expect("removed");
        image.store_and_check(&device);
    }
    let record = volume.inner.mft.read(folder).expect("sound");
    for kind in [attribute_type::INDEX_ALLOCATION, attribute_type::BITMAP] {
        assert!(record.find(kind, "$I30").is_none(), "{kind:#x}");
    }
    // Another system uses the folder again.
    let again = image.mounted("defaults", |mounted| {
        for number in 0..40 {
            std::fs::write(mounted.join("drivers").join(name(number)), b"again").expect("written");
        }
    });
    assert!(again.is_some());
    let (volume, _) = image.open();
    assert_eq!(own_names(&volume, folder).len(), 40);
    check_uses(&volume);
}
