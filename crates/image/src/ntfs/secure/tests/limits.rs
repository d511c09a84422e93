//! Where `$Secure` ends: full leaves, full records, ends of blocks, other geometries.

use super::*;

/// Adds descriptors one by one until one is refused, and gives them with what was said.
fn fill(secure: &Secure, from: u32) -> (Vec<Vec<u8>>, SecurityError) {
    let mut added = Vec::new();
    for number in from.. {
        let descriptor = descriptor(number, 0);
        match secure.add(&[&descriptor]) {
            Ok(_) => added.push(descriptor),
            Err(error) => return (added, error),
        }
    }
    unreachable!("numbers do not end");
}

#[test]
fn what_has_no_room_is_refused_before_anything_is_written() {
    // 0: the record is full; 100: so is the root of $SII, which has children; 230: a leaf.
    for (count, at_least) in [(0, 1), (100, 1), (230, 10)] {
        let old: Vec<Vec<u8>> = (0..count.max(5))
            .map(|number| descriptor(number % count.max(1), 0))
            .collect();
        let Some((image, records)) = made(8, &old) else {
            return;
        };
        let (memory, secure) = open(&image.device().bytes());
        let (new, error) = fill(&secure, 10_000);
        assert!(matches!(error, SecurityError::NoRoom { .. }), "{error}");
        assert!(new.len() >= at_least, "{}", new.len());
        let full = memory.bytes();
        let other = descriptor(20_000, 0);
        let batch = [&*new[0], &other, &old[0]];
        match secure.add(&batch) {
            Err(SecurityError::NoRoom { .. }) => assert!(memory.bytes() == full),
            // Another leaf than that of the first refusal may have room.
            other => drop(other.expect("added")),
        }
        let files = files(&secure, &records);
        let ids = secure.add(&slices(&new)).expect("all there");
        let count = files.len().min(ids.len());
        set(&secure, &files[..count], &ids[..count]);
        store(&image, &memory);
        check(&image);
        let expected: Vec<&[u8]> = new
            .iter()
            .take(count)
            .chain(&old[count..])
            .map(Vec::as_slice)
            .collect();
        compare(&image, &expected);
    }
}

#[test]
fn entries_go_on_in_the_next_block_where_one_ends() {
    // About 14 KiB each: 18 of them fill a block.
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
    // The runs of the indexes need more than one record by then.
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
    let change = |number: usize| Change {
        file: files[number],
        from,
        to,
    };
    let before = memory.bytes();
    let mut unknown = change(0);
    unknown.to = SecurityId(0x4444);
    let error = secure.set(&[change(1), unknown]).expect_err("no such id");
    assert!(matches!(
        error,
        SecurityError::UnknownId(SecurityId(0x4444))
    ));
    assert!(memory.bytes() == before);
    let mut stale = change(2);
    stale.file.sequence += 1;
    let mut other = change(3);
    other.from = to;
    let mut beyond = change(4);
    beyond.file.record = u64::MAX >> 16;
    let changes = [
        change(9),
        stale,
        change(0),
        other,
        beyond,
        change(9),
        change(5),
    ];
    let results = secure.set(&changes).expect("written");
    assert!(matches!(results[1], Err(SecurityError::Volume(_))));
    assert!(matches!(results[3], Err(SecurityError::Changed { .. })));
    assert!(matches!(results[4], Err(SecurityError::Volume(_))));
    assert!(matches!(results[5], Err(SecurityError::Twice(_))));
    for set in [0, 2, 6] {
        results[set].as_ref().expect("set");
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
fn what_is_no_descriptor_is_not_added() {
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
