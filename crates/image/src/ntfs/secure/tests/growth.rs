//! Indexes that grow from roots without blocks to trees of several levels.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::*;
use crate::ntfs::secure::key::{ByHash, ById, Key};
use crate::ntfs::secure::store::View;

/// The ids of an index in its order, the blocks of its tree, and the blocks in its bitmap.
fn walk<K: Key>(view: &View) -> (Vec<u32>, BTreeSet<u64>, BTreeSet<u64>) {
    let index = view.index::<K>().expect("sound");
    let mut ids = Vec::new();
    let blocks = index.walk_blocks(&mut |place| {
        ids.push(place.security_id.get());
        ControlFlow::Continue(())
    });
    let blocks = blocks.expect("sound").into_iter().collect();
    let mut bits = BTreeSet::new();
    for (byte, at) in view.blocks.bits.iter().zip(0..) {
        bits.extend(
            (0..8)
                .filter(|bit| byte >> bit & 1 != 0)
                .map(|bit| at * 8 + bit),
        );
    }
    (ids, blocks, bits)
}

/// Checks that all blocks of both indexes are sound and marked in the bitmaps.
pub(super) fn check_blocks(secure: &Secure) {
    let store = Store::open(&secure.volume.inner.mft).expect("sound");
    for (ids, blocks, bits) in [walk::<ById>(&store.by_id), walk::<ByHash>(&store.by_hash)] {
        assert!(!ids.is_empty());
        assert!(blocks.is_subset(&bits));
    }
}

/// Checks that both indexes contain the same `count` ids, and no superfluous block.
fn check_indexes(secure: &Secure, count: usize) {
    let store = Store::open(&secure.volume.inner.mft).expect("sound");
    let (ids, blocks, bits) = walk::<ById>(&store.by_id);
    assert_eq!(ids.len(), count);
    assert!(ids.is_sorted());
    assert_eq!(blocks, bits);
    let (mut same, blocks, bits) = walk::<ByHash>(&store.by_hash);
    same.sort_unstable();
    assert_eq!(same, ids);
    assert_eq!(blocks, bits);
}

/// Checks that each descriptor has this id in both indexes.
fn check_ids(secure: &Secure, descriptors: &[Vec<u8>], ids: &[SecurityId]) {
    assert_eq!(descriptors.len(), ids.len());
    for (descriptor, id) in descriptors.iter().zip(ids) {
        assert_eq!(*secure.descriptor(*id).expect("by its id"), **descriptor);
        assert_eq!(secure.id_of(descriptor).expect("by its hash"), Some(*id));
    }
}

/// Adds `count` descriptors in batches to a volume without descriptors. Then ntfs-3g reads them and
/// adds more, and more are added to those.
fn grow(arguments: &[&str], count: u32, batch: usize) {
    let old = vec![descriptor(0, 0); 40];
    let Some((image, records)) = made_with(24, arguments, &old) else {
        return;
    };
    let (memory, secure) = open(&image.device().bytes());
    let store_before = Store::open(&secure.volume.inner.mft).expect("sound");
    let (before, ..) = walk::<ById>(&store_before.by_id);
    let files = files(&secure, &records);
    let new: Vec<Vec<u8>> = (1..=count).map(|number| descriptor(number, 0)).collect();
    let mut ids = Vec::new();
    for part in new.chunks(batch) {
        ids.extend(secure.add(&slices(part)).expect("room"));
        check_indexes(&secure, before.len() + ids.len());
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
    // Here and by ntfs-3g, by turns.
    let mut all = before.len() + new.len();
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
    for (count, batch) in [(80, 1), (140, 7), (300, 30), (2000, 2000)] {
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
        grow(arguments, 300, 60);
    }
}
