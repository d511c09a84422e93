//! Indexes that grow. Their blocks are small, so that the trees soon become deep.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// The bytes on a disk, without update sequence numbers.
#[derive(Clone, Default)]
struct Volume {
    blocks: BTreeMap<u64, Vec<u8>>,
    used: BTreeSet<u64>,
}

impl Blocks for &Volume {
    fn block(&self, at: u64, _: usize) -> Result<Vec<u8>, SecurityError> {
        Ok(self.blocks[&at].clone())
    }

    fn in_use(&self, number: u64) -> Result<bool, SecurityError> {
        Ok(self.used.contains(&number))
    }
}

/// An empty index with blocks of `size` bytes.
fn empty<K: Key>(size: u32) -> Vec<u8> {
    let mut root = root::<K>(&[], &[]);
    root[8..12].copy_from_slice(&size.to_le_bytes());
    root
}

fn ids<K: Key>(volume: &Volume, root: &[u8]) -> BTreeSet<u32> {
    let index: Index<K, _> = Index::open(root.to_vec(), cluster(512), volume).expect("an index");
    let mut ids = BTreeSet::new();
    let walked = index.walk(None, &mut |entry| {
        assert!(ids.insert(entry.security_id.get()));
        ControlFlow::Continue(())
    });
    walked.expect("sound");
    ids
}

/// Adds batches of ids, with a power failure at every moment of each batch.
fn grow<K: Key>(size: u32, room: usize, batches: &[Vec<u32>]) {
    let mut volume = Volume::default();
    let mut root = empty::<K>(size);
    let mut all: BTreeSet<u32> = BTreeSet::new();
    for batch in batches {
        let mut after = volume.clone();
        let mut index: Index<K, _> =
            Index::open(root.clone(), cluster(512), &volume).expect("an index");
        index.set_root_room(room);
        let before = all.clone();
        for id in batch {
            if all.insert(*id) {
                index.insert(&entry(*id)).expect("room");
            }
        }
        index.check().expect("sound");
        for (at, bytes) in index.new_blocks() {
            assert!(!volume.used.contains(&(at / u64::from(size))));
            after.blocks.insert(at, bytes.to_vec());
        }
        assert_eq!(
            ids::<K>(&after, &root),
            before,
            "the new blocks are not named"
        );
        let numbers: BTreeSet<u64> = index.new_numbers().collect();
        assert_eq!(numbers.len(), index.new_blocks().count());
        after.used.extend(&numbers);
        assert_eq!(ids::<K>(&after, &root), before);
        root = index.root().to_vec();
        assert!(root.len() <= room && root.len() < size as usize);
        let between = |volume: &Volume, root: &[u8]| {
            let ids = ids::<K>(volume, root);
            assert!(before.is_subset(&ids) && ids.is_subset(&all));
        };
        between(&after, &root);
        // The blocks are written in order and in reverse order.
        let changed: Vec<(u64, &[u8])> = index.changed_blocks().collect();
        let mut other = after.clone();
        for ((at, bytes), (other_at, other_bytes)) in changed.iter().zip(changed.iter().rev()) {
            after.blocks.insert(*at, bytes.to_vec());
            between(&after, &root);
            other.blocks.insert(*other_at, other_bytes.to_vec());
            between(&other, &root);
        }
        for number in index.replaced() {
            assert!(after.used.remove(number));
            after.blocks.remove(&(number * u64::from(size)));
        }
        assert_eq!(ids::<K>(&after, &root), all);
        let reached = Index::<K, _>::open(root.clone(), cluster(512), &after).expect("an index");
        let reached = reached.walk_blocks(&mut |_| ControlFlow::Continue(()));
        let reached: BTreeSet<u64> = reached.expect("sound").into_iter().collect();
        assert_eq!(reached, after.used);
        volume = after;
    }
    let index: Index<K, _> = Index::open(root, cluster(512), &volume).expect("an index");
    for id in all {
        assert_eq!(
            index.find(K::of(&entry(id))).expect("sound"),
            Some(entry(id))
        );
    }
}

#[test]
fn blocks_of_ids_that_ascend_stay_full() {
    let mut volume = Volume::default();
    let mut root = empty::<ById>(4096);
    for id in 1..=1000 {
        let mut after = volume.clone();
        let mut index: Index<ById, _> = Index::open(root, cluster(512), &volume).expect("an index");
        index.set_root_room(700);
        index.insert(&entry(id)).expect("room");
        for (at, bytes) in index.new_blocks().chain(index.changed_blocks()) {
            after.blocks.insert(at, bytes.to_vec());
        }
        after.used.extend(index.new_numbers());
        for number in index.replaced() {
            after.used.remove(number);
        }
        root = index.root().to_vec();
        volume = after;
    }
    assert_eq!(ids::<ById>(&volume, &root).len(), 1000);
    // A block has room for 100 entries.
    assert_eq!(volume.used.len(), 10);
}

#[test]
fn a_root_with_more_than_a_block_holds_is_not_pushed_down() {
    let volume = Volume::default();
    let mut index: Index<ById, _> =
        Index::open(empty::<ById>(512), cluster(512), &volume).expect("an index");
    for id in 1..=20 {
        index.insert(&entry(id)).expect("room in the root");
    }
    assert!(!index.push_down().expect("sound"));
    index.set_root_room(32 + 16 + 20 * 40);
    let error = index.insert(&entry(21)).expect_err("too many");
    assert!(matches!(error, SecurityError::NoRoom { index: "$SII" }));
}

#[test]
fn a_block_that_is_part_of_the_tree_is_not_given_out_again() {
    let (root, mut memory) = tree::<ByHash>();
    let mut index: Index<ByHash, _> =
        Index::open(root.clone(), cluster(4096), &memory).expect("an index");
    assert!(index.push_down().expect("sound"));
    memory.free.push(3);
    let mut index: Index<ByHash, _> = Index::open(root, cluster(4096), &memory).expect("an index");
    let error = index.push_down().expect_err("its bit is clear");
    assert!(matches!(error, SecurityError::Corrupt { .. }));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(16))]

    #[test]
    fn inserted_entries_are_found_for_every_order_and_size(
        small in proptest::bool::ANY,
        room in 200..600usize,
        batches in proptest::collection::vec(proptest::collection::vec(1..2000u32, 1..50), 1..8),
    ) {
        let size = if small { 512 } else { 1024 };
        grow::<ByHash>(size, room, &batches);
        grow::<ById>(size, room, &batches);
    }

    #[test]
    fn ids_that_ascend_are_found(room in 200..600usize, batches in proptest::collection::vec(1..60u32, 1..8)) {
        let mut next = 0x100;
        let batches: Vec<Vec<u32>> = batches
            .into_iter()
            .map(|len| {
                let first = next;
                next += len;
                (first..next).collect()
            })
            .collect();
        grow::<ById>(512, room, &batches);
        grow::<ByHash>(512, room, &batches);
    }
}
