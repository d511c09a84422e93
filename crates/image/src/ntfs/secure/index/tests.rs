use std::cell::RefCell;

use zerocopy::IntoBytes;

use super::*;
use crate::ntfs::format::{IndexBlock, IndexEntryHeader, IndexHeader, IndexRoot, ProtectedHeader};
use crate::ntfs::secure::key::{ByHash, ById};
use crate::ntfs::secure::node::entry_len;

mod growth;

const SIZE: usize = 4096;

/// Blocks in memory without update sequence numbers. It counts the reads of blocks.
#[derive(Default)]
struct Memory {
    blocks: Vec<Vec<u8>>,
    free: Vec<u64>,
    read: RefCell<usize>,
}

impl Blocks for &Memory {
    fn block(&self, at: u64, len: usize) -> Result<Vec<u8>, SecurityError> {
        *self.read.borrow_mut() += 1;
        assert_eq!(len, SIZE);
        Ok(self.blocks[at as usize / SIZE].clone())
    }

    fn in_use(&self, number: u64) -> Result<bool, SecurityError> {
        Ok((number as usize) < self.blocks.len() && !self.free.contains(&number))
    }
}

/// The length of a cluster.
fn cluster(len: u64) -> std::num::NonZeroU64 {
    std::num::NonZeroU64::new(len).expect("not 0")
}

fn entry(id: u32) -> SdsHeader {
    SdsHeader {
        hash: id.wrapping_mul(0x9E37_79B1).into(),
        security_id: id.into(),
        offset: (u64::from(id) * 128).into(),
        length: 100.into(),
    }
}

/// The entries of a node. If it has `children`, the last child has the highest keys.
fn entries<K: Key>(items: &[SdsHeader], children: &[u64]) -> Vec<u8> {
    let mut all = Vec::new();
    let child_len = if children.is_empty() { 0 } else { 8 };
    for number in 0..=items.len() {
        let item = items.get(number);
        let len = item.map_or(size_of::<IndexEntryHeader>(), |_| entry_len::<K>());
        let head = IndexEntryHeader {
            reference: item.map_or(0, |_| 20 << 16 | (16 + K::LEN as u64)).into(),
            length: (len as u16 + child_len).into(),
            key_length: item.map_or(0, |_| K::LEN as u16).into(),
            flags: (u16::from(child_len > 0) + item.map_or(2, |_| 0)).into(),
            reserved: 0.into(),
        };
        let mut bytes = head.as_bytes().to_vec();
        if let Some(item) = item {
            bytes.extend(K::of(item).bytes());
            bytes.extend(item.as_bytes());
            bytes.extend(K::PADDING);
        }
        if let Some(child) = children.get(number) {
            bytes.extend(child.to_le_bytes());
        }
        all.extend(bytes);
    }
    all
}

fn header(first: u32, entries: usize, room: u32, children: &[u64]) -> IndexHeader {
    IndexHeader {
        entries_offset: first.into(),
        index_length: (first + entries as u32).into(),
        allocated_size: room.into(),
        flags: u8::from(!children.is_empty()),
        reserved: [0; 3],
    }
}

fn root<K: Key>(items: &[SdsHeader], children: &[u64]) -> Vec<u8> {
    let entries = entries::<K>(items, children);
    let room = 16 + entries.len() as u32;
    let head = IndexRoot {
        kind: 0.into(),
        collation_rule: K::COLLATION.into(),
        index_block_size: (SIZE as u32).into(),
        clusters_per_index_block: 1,
        reserved: [0; 3],
        index: header(16, entries.len(), room, children),
    };
    [head.as_bytes(), &entries].concat()
}

fn block<K: Key>(vcn: u64, items: &[SdsHeader], children: &[u64]) -> Vec<u8> {
    let entries = entries::<K>(items, children);
    let head = IndexBlock {
        protected: ProtectedHeader {
            magic: IndexBlock::MAGIC,
            usa_offset: 40.into(),
            usa_count: 9.into(),
        },
        lsn: 0.into(),
        vcn: vcn.into(),
        index: header(0x28, entries.len(), SIZE as u32 - 24, children),
    };
    let mut bytes = [head.as_bytes(), &[0; 0x18], &entries].concat();
    bytes.resize(SIZE, 0);
    bytes
}

/// A tree of three levels with the ids 10, 20, ... 1000 in leaves of nine.
fn tree<K: Key>() -> (Vec<u8>, Memory) {
    let mut all: Vec<SdsHeader> = (1..=100).map(|number| entry(number * 10)).collect();
    all.sort_by_key(K::of);
    let mut blocks = Vec::new();
    let mut separators = Vec::new();
    for (number, ten) in all.chunks(10).enumerate() {
        blocks.push(block::<K>(number as u64, &ten[..9], &[]));
        separators.push(ten[9]);
    }
    // The last key is alone in the last leaf.
    let last = separators.pop().expect("ten");
    let vcn = |number: usize| number as u64;
    blocks.push(block::<K>(10, &[last], &[]));
    // The border between leaf 9 and leaf 10 is the first of the remaining keys.
    let border = all[98];
    blocks[9] = block::<K>(9, &all[90..98], &[]);
    let left: Vec<u64> = (0..5).map(vcn).collect();
    let right: Vec<u64> = (5..11).map(vcn).collect();
    blocks.push(block::<K>(11, &separators[..4], &left));
    let mut separators_right = separators[5..].to_vec();
    separators_right.push(border);
    blocks.push(block::<K>(12, &separators_right, &right));
    let memory = Memory {
        blocks,
        ..Memory::default()
    };
    (root::<K>(&separators[4..5], &[11, 12]), memory)
}

fn all<K: Key, B: Blocks>(
    index: &Index<K, B>,
    from: &SdsHeader,
) -> Result<Vec<u32>, SecurityError> {
    let mut ids = Vec::new();
    index.walk(Some(K::of(from)), &mut |entry| {
        ids.push(entry.security_id.get());
        ControlFlow::Continue(())
    })?;
    Ok(ids)
}

fn by_id(memory: &Memory, root: Vec<u8>) -> Index<ById, &Memory> {
    Index::open(root, cluster(4096), memory).expect("an index")
}

#[test]
fn keys_are_found_by_descent() {
    let (root, memory) = tree::<ById>();
    let index = by_id(&memory, root);
    for id in 1..=1010 {
        *memory.read.borrow_mut() = 0;
        let found = index.find(ById(id)).expect("sound");
        assert_eq!(found, (id % 10 == 0 && id <= 1000).then(|| entry(id)));
        assert!(*memory.read.borrow() <= 2);
    }
    let ids: Vec<u32> = (1..=100).map(|number| number * 10).collect();
    assert_eq!(all(&index, &entry(0)).expect("sound"), ids);
    assert_eq!(all(&index, &entry(555)).expect("sound"), ids[55..]);
    let (root, memory) = tree::<ByHash>();
    let index: Index<ByHash, _> = Index::open(root, cluster(4096), &memory).expect("an index");
    for id in ids {
        let found = index.find(ByHash::of(&entry(id))).expect("sound");
        assert_eq!(found, Some(entry(id)));
        assert_eq!(index.find(ByHash::of(&entry(id + 1))).expect("sound"), None);
    }
}

#[test]
fn entries_are_put_into_the_leaf_where_they_belong() {
    fn check<K: Key>() {
        let (root, memory) = tree::<K>();
        let mut index: Index<K, _> =
            Index::open(root.clone(), cluster(4096), &memory).expect("an index");
        let mut ids: Vec<u32> = (1..=100).map(|number| number * 10).collect();
        for id in (1..1020).filter(|id| id % 7 == 1 && id % 10 != 0) {
            index.insert(&entry(id)).expect("room");
            ids.push(id);
        }
        ids.sort_by_key(|id| K::of(&entry(*id)));
        let mut lowest = entry(0);
        lowest.hash = 0.into();
        assert_eq!(all(&index, &lowest).expect("sound"), ids);
        index.insert(&entry(20)).expect_err("is there");
        // The result must be the same after it is written.
        let mut written = Memory {
            blocks: memory.blocks.clone(),
            ..Memory::default()
        };
        assert!(!index.root_changed() && index.new_blocks().next().is_none());
        assert_eq!(index.changed_blocks().count(), 11);
        for (at, bytes) in index.changed_blocks() {
            written.blocks[at as usize / SIZE] = bytes.to_vec();
        }
        let index: Index<K, _> = Index::open(root, cluster(4096), &written).expect("an index");
        assert_eq!(all(&index, &lowest).expect("sound"), ids);
    }
    check::<ById>();
    check::<ByHash>();
}

#[test]
fn a_root_without_children_grows() {
    let memory = Memory::default();
    let mut items: Vec<SdsHeader> = [0x100, 0x102].map(entry).to_vec();
    let mut index = by_id(&memory, root::<ById>(&items, &[]));
    for id in [0x101, 0x103, 0x99] {
        index.insert(&entry(id)).expect("room");
        items.push(entry(id));
    }
    items.sort_by_key(ById::of);
    assert!(index.root_changed());
    assert_eq!(index.root(), root::<ById>(&items, &[]));
}

#[test]
fn a_hash_entry_is_laid_out_as_windows_does() {
    let memory = Memory::default();
    let mut index: Index<ByHash, _> =
        Index::open(root::<ByHash>(&[], &[]), cluster(4096), &memory).expect("an index");
    let place = SdsHeader {
        hash: 0x00b3_2451.into(),
        security_id: 0x101.into(),
        offset: 0x80.into(),
        length: 0x7c.into(),
    };
    index.insert(&place).expect("room");
    // From a volume made by mkntfs, which copies the entries of Windows.
    let expected = [
        0x18, 0, 0x14, 0, 0, 0, 0, 0, 0x30, 0, 8, 0, 0, 0, 0, 0, //
        0x51, 0x24, 0xb3, 0, 1, 1, 0, 0, 0x51, 0x24, 0xb3, 0, 1, 1, 0, 0, //
        0x80, 0, 0, 0, 0, 0, 0, 0, 0x7c, 0, 0, 0, 0x49, 0, 0x49, 0, //
        0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 2, 0, 0, 0,
    ];
    assert_eq!(index.root()[32..], expected);
}

#[test]
fn numbers_of_blocks_count_clusters_or_512_bytes() {
    for (cluster, unit) in [
        (512, 512),
        (1024, 1024),
        (4096, 4096),
        (8192, 512),
        (1 << 16, 512),
    ] {
        let vcn = 4096 / unit;
        let memory = Memory {
            blocks: vec![Vec::new(), block::<ById>(vcn, &[entry(1)], &[])],
            ..Memory::default()
        };
        let root = root::<ById>(&[], &[vcn]);
        let index: Index<ById, _> =
            Index::open(root, self::cluster(cluster), &memory).expect("an index");
        assert_eq!(index.find(ById(1)).expect("sound"), Some(entry(1)));
    }
}

#[test]
fn loops_and_wrong_places_are_errors() {
    let cases: [(&str, Vec<u8>, Memory); 7] = [
        {
            // A block that is its own child.
            let items = [entry(100)];
            let blocks = vec![block::<ById>(0, &items, &[0, 0])];
            let memory = Memory {
                blocks,
                ..Memory::default()
            };
            ("own child", root::<ById>(&[], &[0]), memory)
        },
        {
            let blocks = vec![block::<ById>(0, &[], &[0])];
            let memory = Memory {
                blocks,
                ..Memory::default()
            };
            ("own only child", root::<ById>(&[], &[0]), memory)
        },
        {
            let blocks = vec![block::<ById>(0, &[entry(100)], &[])];
            let memory = Memory {
                blocks,
                ..Memory::default()
            };
            (
                "same child twice",
                root::<ById>(&[entry(200)], &[0, 0]),
                memory,
            )
        },
        {
            let blocks = vec![block::<ById>(0, &[entry(300)], &[])];
            let memory = Memory {
                blocks,
                ..Memory::default()
            };
            (
                "key beyond the parent's",
                root::<ById>(&[entry(200)], &[0, 1]),
                memory,
            )
        },
        {
            let (root, mut memory) = tree::<ById>();
            memory.free.push(2);
            ("a free block", root, memory)
        },
        {
            let (root, mut memory) = tree::<ById>();
            memory.blocks[3][16] ^= 1;
            ("a block of another number", root, memory)
        },
        (
            "a child outside",
            root::<ById>(&[], &[u64::MAX]),
            Memory::default(),
        ),
    ];
    for (name, root, memory) in cases {
        let index = by_id(&memory, root);
        all(&index, &entry(0)).expect_err(name);
    }
    // A chain of blocks that is longer than the depth of any tree.
    let blocks = (0..200)
        .map(|number| block::<ById>(number, &[], &[number + 1]))
        .collect();
    let memory = Memory {
        blocks,
        ..Memory::default()
    };
    let mut index = by_id(&memory, root::<ById>(&[], &[0]));
    all(&index, &entry(0)).expect_err("too deep");
    index.insert(&entry(1)).expect_err("too deep");
}

#[test]
fn another_index_is_not_taken_for_this_one() {
    let memory = Memory::default();
    for root in [root::<ByHash>(&[], &[]), Vec::new(), vec![0; 40]] {
        assert!(Index::<ById, _>::open(root, cluster(4096), &memory).is_err());
    }
}

proptest::proptest! {
    #[test]
    fn damaged_nodes_give_errors_or_sorted_keys(
        changes in proptest::collection::vec((0..13usize, 0..SIZE, 0..8u8), 1..4),
        root_change in 0..200usize,
        id in 0..1200u32,
    ) {
        let (mut root, mut memory) = tree::<ById>();
        for (number, at, bit) in changes {
            // Most of a block is unused, so the used part is changed more often.
            let at = match bit % 2 { 0 => at, _ => at % 500 };
            memory.blocks[number][at] ^= 1 << bit;
        }
        let len = root.len();
        root[root_change % len] ^= 4;
        if let Ok(mut index) = Index::<ById, _>::open(root, cluster(4096), &memory) {
            if let Ok(ids) = all(&index, &entry(0)) {
                assert!(ids.is_sorted());
            }
            let _ = index.find(ById(id));
            let _ = index.insert(&entry(id));
        }
    }
}
