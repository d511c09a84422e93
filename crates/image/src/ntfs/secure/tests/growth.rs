//! Indexes that grow, from roots without blocks to trees of several levels.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::*;
use crate::ntfs::secure::key::{ByHash, ById, Key};
use crate::ntfs::secure::store::View;

/// The ids of an index in its order; its map has the bits of its blocks and no others.
fn walk<K: Key>(view: &View) -> Vec<u32> {
    let index = view.index::<K>().expect("sound");
    let mut ids = Vec::new();
    let blocks = index.walk_blocks(&mut |place| {
        ids.push(place.security_id.get());
        ControlFlow::Continue(())
    });
    let blocks: BTreeSet<u64> = blocks.expect("sound").into_iter().collect();
    let bits = view.blocks.bits.iter().zip(0..);
    let bits = bits.flat_map(|(byte, at)| {
        (0..8)
            .filter(move |bit| byte >> bit & 1 != 0)
            .map(move |bit| at * 8 + bit)
    });
    assert!(bits.eq(blocks), "bits of {}", K::NAME);
    ids
}

/// Both indexes hold the same ids, `count` of them; gives the depth of neither more than expected.
fn check_indexes(secure: &Secure, count: usize) {
    let store = Store::open(&secure.volume.inner.mft).expect("sound");
    let ids = walk::<ById>(&store.by_id);
    assert_eq!(ids.len(), count);
    assert!(ids.is_sorted());
    let mut same = walk::<ByHash>(&store.by_hash);
    same.sort_unstable();
    assert_eq!(same, ids);
}

/// Each descriptor has this id, whichever index is asked.
fn check_ids(secure: &Secure, descriptors: &[Vec<u8>], ids: &[SecurityId]) {
    assert_eq!(descriptors.len(), ids.len());
    for (descriptor, id) in descriptors.iter().zip(ids) {
        assert_eq!(*secure.descriptor(*id).expect("by its id"), **descriptor);
        assert_eq!(secure.id_of(descriptor).expect("by its hash"), Some(*id));
    }
}

/// Adds `count` descriptors in batches to a volume that has none, then lets ntfs-3g read them and add
/// more, and adds to these.
fn grow(arguments: &[&str], count: u32, batch: usize) {
    let old = vec![descriptor(0, 0); 40];
    let Some((image, records)) = made_with(24, arguments, &old) else {
        return;
    };
    let (memory, secure) = open(&image.device().bytes());
    let before = walk::<ById>(&Store::open(&secure.volume.inner.mft).expect("sound").by_id).len();
    let files = files(&secure, &records);
    let new: Vec<Vec<u8>> = (1..=count).map(|number| descriptor(number, 0)).collect();
    let mut ids = Vec::new();
    for part in new.chunks(batch) {
        ids.extend(secure.add(&slices(part)).expect("room"));
        check_indexes(&secure, before + ids.len());
        let first = ids.len() - part.len();
        check_ids(&secure, part, &ids[first..]);
    }
    check_ids(&secure, &new, &ids);
    let step = new.len() / files.len();
    let chosen: Vec<usize> = (0..files.len()).map(|file| file * step).collect();
    let chosen_ids: Vec<SecurityId> = chosen.iter().map(|number| ids[*number]).collect();
    set(&secure, &files, &chosen_ids);
    store(&image, &memory);
    check(&image);
    let expected: Vec<&[u8]> = chosen.iter().map(|number| &*new[*number]).collect();
    compare(&image, &expected);
    // By turns.
    let mut all = before + new.len();
    for turn in 0..3 {
        let theirs: Vec<Vec<u8>> = (0..40)
            .map(|number| descriptor(10_000 + turn * 100 + number, 0))
            .collect();
        set_files(&image, &theirs);
        all += theirs.len();
        let (memory, secure) = open(&image.device().bytes());
        check_ids(&secure, &new, &ids);
        let ours: Vec<Vec<u8>> = (0..40)
            .map(|number| descriptor(20_000 + turn * 100 + number, 0))
            .collect();
        match secure.add(&slices(&ours)) {
            Ok(added) => {
                all += ours.len();
                check_indexes(&secure, all);
                check_ids(&secure, &ours, &added);
            }
            Err(error) => panic!("{turn}: {error}"),
        }
        check_ids(&secure, &new, &ids);
        store(&image, &memory);
        check(&image);
        compare(&image, &slices(&theirs));
    }
}

#[test]
fn indexes_grow_in_batches_of_any_size() {
    for (count, batch) in [(200, 1), (300, 7), (600, 30), (2000, 500), (2000, 2000)] {
        grow(&[], count, batch);
    }
}

#[test]
fn indexes_grow_on_volumes_of_any_geometry() {
    for arguments in [
        &["-c", "512", "-s", "512"],
        &["-c", "1024", "-s", "512"],
        &["-c", "65536", "-s", "512"],
        &["-c", "4096", "-s", "4096"],
    ] {
        grow(arguments, 600, 60);
    }
}
