use super::*;
use crate::ntfs::error::VolumeError;

impl Source for Vec<u8> {
    fn written(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, at: u64, len: usize) -> Result<Vec<u8>, SecurityError> {
        Ok(bytes::slice(self, at as usize, len)
            .expect("inside")
            .to_vec())
    }
}

/// Bytes; the first of them, up to this number, can't be read.
struct Unreadable<'a>(&'a Vec<u8>, u64);

impl Source for Unreadable<'_> {
    fn written(&self) -> u64 {
        self.0.written()
    }

    fn read(&self, at: u64, len: usize) -> Result<Vec<u8>, SecurityError> {
        if at < self.1 {
            Err(VolumeError::device(at)(std::io::Error::other("a bad sector")).into())
        } else {
            self.0.read(at, len)
        }
    }
}

#[test]
fn the_second_copy_is_read_where_the_first_cannot_be() {
    let mut sds = Vec::new();
    let mut named = Vec::new();
    let wanted = descriptor(1, 100);
    add(&mut sds, &mut named, std::slice::from_ref(&wanted));
    let place = &named[0];
    let found = read(&Unreadable(&sds, SdsHeader::BLOCK), place);
    assert_eq!(found.expect("the second"), wanted);
    let error = read(&Unreadable(&sds, u64::MAX), place).expect_err("neither");
    assert_eq!(error.to_string(), "the device failed at offset 0");
    sds[SdsHeader::BLOCK as usize + 30] ^= 1;
    let error = read(&Unreadable(&sds, SdsHeader::BLOCK), place).expect_err("not sound");
    assert_eq!(error.to_string(), "the device failed at offset 0");
}

fn apply(sds: &mut Vec<u8>, append: &Append) {
    sds.resize(append.len as usize, 0xEE);
    for (at, bytes) in &append.writes {
        sds[*at as usize..][..bytes.len()].copy_from_slice(bytes);
    }
}

fn add(sds: &mut Vec<u8>, named: &mut Vec<SdsHeader>, descriptors: &[Vec<u8>]) -> Append {
    let mut tail = Tail::EMPTY;
    for place in named.iter() {
        tail.take(place).expect("sound");
    }
    tail.take_unnamed(sds).expect("readable");
    let slices: Vec<&[u8]> = descriptors.iter().map(Vec::as_slice).collect();
    let append = Append::new(sds, tail, &slices).expect("room");
    apply(sds, &append);
    named.extend(&append.entries);
    append
}

/// Reads entries one after another up to the first gap of each block, as a check of the volume
/// does. After a gap there must be zeros only.
fn scan(sds: &[u8]) -> Vec<u32> {
    let mut ids = Vec::new();
    let mut base = 0;
    for pair in sds.chunks(2 * SdsHeader::BLOCK as usize) {
        let (first, second) = pair.split_at(pair.len().min(SdsHeader::BLOCK as usize));
        assert!(first.starts_with(second), "the copies are equal");
        let mut at = 0;
        while let Some(place) = bytes::view::<SdsHeader>(first, at) {
            if place.length.get() == 0 {
                assert!(first[at..].iter().all(|byte| *byte == 0));
                break;
            }
            let entry = bytes::slice(first, at, place.length.get() as usize);
            assert!(sound(entry.expect("inside"), place).is_some());
            assert_eq!(place.offset.get(), base + at as u64);
            ids.push(place.security_id.get());
            at = (at + place.length.get() as usize).next_multiple_of(16);
        }
        base += pair.len() as u64;
    }
    ids
}

fn descriptor(number: u32, len: usize) -> Vec<u8> {
    let mut bytes = vec![0xA5; len];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    bytes
}

#[test]
fn the_hash_is_that_of_a_volume_made_by_mkntfs() {
    // The descriptor with the id 0x101 as mkntfs writes it: read for the owner, administrators.
    let hex = "0100048048000000580000000000000014000000020034000200000000001400\
               9f011200010100000000000512000000000018009f0112000102000000000005\
               20000000200200000102000000000005200000002002000001020000000000052000000020020000";
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect();
    assert_eq!(hash(&bytes), 0x00b3_2451);
    assert_eq!(hash(&[1, 0, 0, 0x80, 2, 0, 0, 0, 0xFF]), 2 + 0xC);
}

#[test]
fn entries_go_behind_the_last_in_both_copies_and_never_cross_a_block() {
    let mut sds = Vec::new();
    let mut named = Vec::new();
    for round in 0..40 {
        let batch: Vec<Vec<u8>> = (0..7)
            .map(|number| descriptor(round * 7 + number, 20 + (number as usize * 1999)))
            .collect();
        add(&mut sds, &mut named, &batch);
    }
    let ids: Vec<u32> = (0..280).map(|number| 0x100 + number).collect();
    assert_eq!(scan(&sds), ids);
    assert!(sds.len() as u64 > 4 * SdsHeader::BLOCK);
    for (number, place) in named.iter().enumerate() {
        let found = read(&sds, place).expect("sound");
        let len = 20 + (number % 7) * 1999;
        assert_eq!(found, descriptor(number as u32, len));
    }
    let last = named.last().expect("some");
    let end = last.offset.get() + u64::from(last.length.get()) + SdsHeader::BLOCK;
    assert_eq!(sds.len() as u64, end);
}

#[test]
fn an_entry_that_ends_with_its_block_is_followed_by_one_in_the_next() {
    let mut sds = Vec::new();
    let mut named = Vec::new();
    let batch: Vec<Vec<u8>> = (0..5)
        .map(|number| descriptor(number, (1 << 16) - 20))
        .collect();
    add(&mut sds, &mut named, &batch);
    assert_eq!(named[3].offset.get(), 3 << 16);
    assert_eq!(named[4].offset.get(), 2 * SdsHeader::BLOCK);
    let mut other = Vec::new();
    let mut other_named = Vec::new();
    for one in batch.chunks(1) {
        add(&mut other, &mut other_named, one);
    }
    assert_eq!((other, other_named), (sds, named));
}

#[test]
fn the_second_copy_is_read_where_the_first_is_damaged() {
    let mut sds = Vec::new();
    let mut named = Vec::new();
    add(
        &mut sds,
        &mut named,
        &[descriptor(1, 32), descriptor(2, 32)],
    );
    for at in [0, 4, 8, 16, 20, 51] {
        let mut damaged = sds.clone();
        damaged[at] ^= 1;
        assert_eq!(read(&damaged, &named[0]).expect("copy"), descriptor(1, 32));
        damaged[at + SdsHeader::BLOCK as usize] ^= 1;
        let error = read(&damaged, &named[0]).expect_err("both");
        assert!(matches!(error, SecurityError::Corrupt { .. }));
        read(&damaged, &named[1]).expect("not touched");
    }
}

#[test]
fn places_where_no_entry_can_be_are_refused() {
    let sds = vec![0; 1 << 20];
    let sound = SdsHeader {
        hash: 0.into(),
        security_id: 0x100.into(),
        offset: 0.into(),
        length: 40.into(),
    };
    check_place(&sound).expect("sound");
    let block = SdsHeader::BLOCK;
    for (offset, length) in [
        (8, 40),
        (block, 40),
        (block - 32, 40),
        (0, 20),
        (0, 0),
        (0, u32::MAX),
        (0, 0x1_0015),
        (u64::MAX - 15, 40),
        (!0x7_FFFF, 40),
    ] {
        let place = SdsHeader {
            offset: offset.into(),
            length: length.into(),
            ..sound
        };
        read(&sds, &place).expect_err("no entry");
        Tail::EMPTY.clone().take(&place).expect_err("no entry");
    }
    let past_end = SdsHeader {
        offset: (8 * block).into(),
        ..sound
    };
    read(&sds, &past_end).expect_err("past the end");
    let mut tail = Tail::EMPTY;
    tail.take(&past_end).expect("a possible place");
    Append::new(&sds, tail, &[&[0; 20]]).expect_err("past the end");
}

#[test]
fn entries_that_no_index_names_stay_and_keep_their_ids() {
    let mut sds = Vec::new();
    let mut named = Vec::new();
    let batch: Vec<Vec<u8>> = (0..5).map(|number| descriptor(number, 60_000)).collect();
    add(&mut sds, &mut named, &batch);
    named.truncate(2);
    let before = sds.clone();
    let append = add(&mut sds, &mut named, &[descriptor(9, 40)]);
    assert_eq!(append.entries[0].security_id.get(), 0x105);
    assert_eq!(scan(&sds), [0x100, 0x101, 0x102, 0x103, 0x104, 0x105]);
    assert!(sds.starts_with(&before[..0x4_0000]));
}

#[test]
fn torn_entries_after_the_last_one_are_cleared() {
    let mut whole = Vec::new();
    let mut named = Vec::new();
    let batch: Vec<Vec<u8>> = (0..3).map(|number| descriptor(number, 60_000)).collect();
    add(&mut whole, &mut named, &batch);
    // Both copies of the third entry are torn.
    let torn = named[2].offset.get() as usize + 500;
    whole[torn] ^= 1;
    whole[torn + SdsHeader::BLOCK as usize] ^= 1;
    named.truncate(2);
    for count in 1..=5 {
        let mut sds = whole.clone();
        let mut named = named.clone();
        let new = [20, 36, 60_000, 60_000, 60_000].map(|len| descriptor(77, len));
        add(&mut sds, &mut named, &new[..count]);
        let ids: Vec<u32> = (0x100..).take(2 + count).collect();
        assert_eq!(scan(&sds), ids);
    }
}

#[test]
fn sound_entries_behind_damage_are_neither_overwritten_nor_skipped() {
    let mut sds = Vec::new();
    let mut named = Vec::new();
    let batch: Vec<Vec<u8>> = (0..7).map(|number| descriptor(number, 60_000)).collect();
    add(&mut sds, &mut named, &batch);
    for number in 2..6 {
        let torn = named[number].offset.get() as usize + 500;
        let mut sds = sds.clone();
        sds[torn] ^= 1;
        let mut tail = Tail::EMPTY;
        tail.take(&named[1]).expect("sound");
        tail.take_unnamed(&sds).expect("the other copy is sound");
        assert_eq!(tail.last_id, 0x106);
        sds[torn + SdsHeader::BLOCK as usize] ^= 1;
        let mut tail = Tail::EMPTY;
        tail.take(&named[1]).expect("sound");
        tail.take_unnamed(&sds).expect_err("damage before entries");
    }
}

#[test]
fn a_length_far_beyond_the_last_entry_is_refused() {
    /// A stream of zeros.
    struct Long;
    impl Source for Long {
        fn written(&self) -> u64 {
            u64::MAX
        }
        fn read(&self, _: u64, len: usize) -> Result<Vec<u8>, SecurityError> {
            Ok(vec![0; len])
        }
    }
    let mut tail = Tail::EMPTY;
    tail.take_unnamed(&Long).expect_err("too long");
}

#[test]
fn the_last_id_there_is_has_no_successor() {
    let mut tail = Tail::EMPTY;
    tail.last_id = u32::MAX - 1;
    let sds = Vec::new();
    let one: &[u8] = &[0; 20];
    Append::new(&sds, tail, &[one]).expect("the last id");
    let error = Append::new(&sds, tail, &[one, one]).expect_err("no more ids");
    assert!(matches!(error, SecurityError::IdsUsedUp));
}

#[test]
fn too_long_a_descriptor_is_refused() {
    let long = vec![0; 0x1_0001];
    let error = Append::new(&Vec::new(), Tail::EMPTY, &[&long]).expect_err("too long");
    assert!(matches!(error, SecurityError::NotADescriptor { .. }));
}
