//! The limits of `$Secure`: full leaves, full records, ends of blocks, and other geometries.

use super::*;
use crate::ntfs::VolumeError;
use crate::ntfs::bitmap::Bitmap;
use crate::ntfs::place::Lcn;

/// Takes all free clusters except for `left`.
fn take_clusters(secure: &Secure, left: u64) {
    let mft = &secure.volume.inner.mft;
    let bitmap = Bitmap::open(mft).expect("sound");
    let free = bitmap.free().expect("sound");
    let taken = bitmap.find(Lcn(0), free - left, &[]).expect("sound");
    bitmap.take(&taken.expect("few places")).expect("writable");
}

#[test]
fn without_free_clusters_as_much_is_added_as_there_is_room_for() {
    let old = vec![descriptor(0, 0); 5];
    let Some((image, records)) = made(8, &old) else {
        return;
    };
    let fresh = image.device().bytes();
    for left in [0, 1, 3] {
        let (memory, secure) = open(&fresh);
        take_clusters(&secure, left);
        let mut added: Vec<Vec<u8>> = Vec::new();
        let error = loop {
            let next = descriptor(10_000 + added.len() as u32, 0);
            let before = memory.bytes();
            match secure.add(&[&next]) {
                Ok(_) => added.push(next),
                Err(error) => {
                    assert!(memory.bytes() == before, "nothing is written");
                    break error;
                }
            }
        };
        let full = SecurityError::Volume(VolumeError::Full { needed: 0, free: 0 });
        assert_eq!(
            std::mem::discriminant(&error),
            std::mem::discriminant(&full),
            "{error}"
        );
        assert!(added.len() > left as usize, "{left}: {}", added.len());
        let free = secure.volume.free_bytes().expect("sound");
        assert_eq!(free, 0, "{left}");
        let files = files(&secure, &records);
        let ids = secure.add(&slices(&added)).expect("all there");
        set(&secure, &files[..1], &ids[..1]);
        store(&image, &memory);
        check(&image);
        compare(&image, &[&*added[0], &old[0], &old[0], &old[0], &old[0]]);
    }
}

#[test]
fn a_full_record_is_refused_before_anything_is_written() {
    let Some((image, _)) = made(8, &[]) else {
        return;
    };
    let fresh = image.device().bytes();
    let new: Vec<Vec<u8>> = (0..7).map(|number| descriptor(1000 + number, 0)).collect();
    let mut outcomes = Vec::new();
    for free in (0..=256).step_by(16) {
        let (memory, secure) = open(&fresh);
        let mft = &secure.volume.inner.mft;
        let mut record = mft.read_any(9).expect("a record");
        let len = record.free_len() - free - 32;
        record
            .add_resident(attribute_type::DATA, "x", len)
            .expect("fits");
        assert_eq!(record.free_len(), free);
        mft.write(&mut record).expect("written");
        let before = memory.bytes();
        match secure.add(&slices(&new)) {
            Err(SecurityError::NoRoom { .. }) => assert!(memory.bytes() == before),
            Err(error) => panic!("{error}"),
            Ok(ids) => {
                for (id, new) in ids.iter().zip(&new) {
                    assert_eq!(*secure.descriptor(*id).expect("added"), **new);
                }
                store(&image, &memory);
                check(&image);
                outcomes.push(free);
            }
        }
    }
    assert_eq!(outcomes.first(), Some(&80));
    assert!(outcomes.len() > 10);
}

#[test]
fn entries_go_on_in_the_next_block_where_one_ends() {
    // Each has about 14 KiB, so that 18 of them fill a block.
    let large = |number| descriptor(number, 400);
    let old: Vec<Vec<u8>> = (0..16).map(large).collect();
    let Some((image, records)) = made(8, &old) else {
        return;
    };
    let (memory, secure) = open(&image.device().bytes());
    let free = secure.volume.free_bytes().expect("sound");
    let new: Vec<Vec<u8>> = (0..10).map(|number| large(1000 + number)).collect();
    let ids = secure.add(&slices(&new)).expect("room");
    let after = Store::open(&secure.volume.inner.mft).expect("sound");
    assert!(after.sds.layout.len > 0xC_0000, "past the first two blocks");
    assert!(secure.volume.free_bytes().expect("sound") < free);
    let files = files(&secure, &records);
    set(&secure, &files[..10], &ids);
    store(&image, &memory);
    check(&image);
    let expected: Vec<&[u8]> = new.iter().chain(&old[10..]).map(Vec::as_slice).collect();
    compare(&image, &expected);
    let more: Vec<Vec<u8>> = (0..16).map(|number| large(3000 + number)).collect();
    set_files(&image, &more);
    check(&image);
    compare(&image, &slices(&more));
}

#[test]
fn sizes_of_clusters_and_sectors_do_not_matter() {
    for arguments in [
        ["-c", "512", "-s", "512"],
        ["-c", "2048", "-s", "512"],
        ["-c", "65536", "-s", "512"],
        ["-c", "4096", "-s", "4096"],
    ] {
        let old: Vec<Vec<u8>> = (0..230).map(|number| descriptor(number, 0)).collect();
        let Some((image, records)) = made_with(16, &arguments, &old) else {
            return;
        };
        let (memory, secure) = open(&image.device().bytes());
        let files = files(&secure, &records);
        let new: Vec<Vec<u8>> = (0..10).map(|number| descriptor(1000 + number, 0)).collect();
        let ids = secure.add(&slices(&new)).expect("room");
        set(&secure, &files[..10], &ids);
        store(&image, &memory);
        check(&image);
        let expected: Vec<&[u8]> = new.iter().chain(&old[10..]).map(Vec::as_slice).collect();
        compare(&image, &expected);
    }
}

#[test]
fn a_record_with_an_attribute_list_is_read_and_added_to() {
    // Then the runs of the indexes need more than one record.
    let old: Vec<Vec<u8>> = (0..1500).map(|number| descriptor(number, 0)).collect();
    let Some((image, records)) = made(16, &old) else {
        return;
    };
    let (memory, secure) = open(&image.device().bytes());
    let record = secure.volume.inner.mft.read_any(9).expect("$Secure");
    assert!(record.find(attribute_type::ATTRIBUTE_LIST, "").is_some());
    let files = files(&secure, &records);
    let new: Vec<Vec<u8>> = (0..5)
        .map(|number| descriptor(10_000 + number, 60))
        .collect();
    let free = secure.volume.free_bytes().expect("sound");
    let ids = secure.add(&slices(&new)).expect("room");
    assert!(
        secure.volume.free_bytes().expect("sound") < free,
        "$SDS has grown"
    );
    set(&secure, &files[..5], &ids);
    store(&image, &memory);
    check(&image);
    let expected: Vec<&[u8]> = new.iter().chain(&old[5..]).map(Vec::as_slice).collect();
    compare(&image, &expected);
}

#[test]
fn only_files_that_are_as_expected_are_set() {
    let old = vec![descriptor(1, 0); 10];
    let Some((image, records)) = made(8, &old) else {
        return;
    };
    let (memory, secure) = open(&image.device().bytes());
    let files = files(&secure, &records);
    let new = descriptor(2, 0);
    let from = secure.id_of(&old[0]).expect("sound").expect("there");
    let to = secure.add(&[&new]).expect("room")[0];
    let mut members = Members::of(&secure, &files);
    members.files[2].sequence += 1;
    members.files[4].record = u64::MAX >> 16;
    let before = memory.bytes();
    let changes = [members.change(1, to), members.change(0, SecurityId(0x4444))];
    let error = secure
        .set(&changes, |_, _, _| true)
        .expect_err("no such id");
    assert!(matches!(
        error,
        SecurityError::UnknownId(SecurityId(0x4444))
    ));
    assert!(memory.bytes() == before);
    let changes = [9, 2, 0, 3, 4, 9, 5].map(|number| members.change(number, to));
    let results = secure.set(&changes, |index, _, now| {
        assert_eq!(now, FileSecurity::Shared(from));
        index != 3
    });
    let results = results.expect("written");
    assert!(matches!(results[1], Err(SecurityError::Volume(_))));
    assert!(matches!(results[3], Ok(false)));
    assert!(matches!(results[4], Err(SecurityError::Volume(_))));
    assert!(matches!(results[5], Err(SecurityError::Twice(_))));
    for set in [0, 2, 6] {
        assert!(matches!(results[set], Ok(true)));
    }
    store(&image, &memory);
    check(&image);
    let expected: Vec<&[u8]> = (0..10)
        .map(|number| match number {
            0 | 5 | 9 => &*new,
            _ => &*old[0],
        })
        .collect();
    compare(&image, &expected);
}

#[test]
fn bytes_that_are_not_a_descriptor_are_not_added() {
    let Some((image, _)) = made(8, &[]) else {
        return;
    };
    let (memory, secure) = open(&image.device().bytes());
    let sound = descriptor(1, 0);
    let mut absolute = sound.clone();
    absolute[3] = 0;
    let mut other_revision = sound.clone();
    other_revision[0] = 2;
    let mut long = sound.clone();
    long.resize(0x1_0001, 0);
    for wrong in [&[][..], &sound[..19], &absolute, &other_revision, &long] {
        let error = secure.add(&[&sound, wrong]).expect_err("no descriptor");
        assert!(
            matches!(error, SecurityError::NotADescriptor { .. }),
            "{error}"
        );
    }
    assert!(
        memory.bytes() == image.device().bytes(),
        "nothing is written"
    );
}
