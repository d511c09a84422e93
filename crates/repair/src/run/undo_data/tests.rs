use std::io;

use super::format::{HEADER_LEN, MAGIC, checksum_of};
use super::*;
use crate::run::run_file::Part;

fn images() -> Images<'static> {
    Images {
        before: vec![
            PreImage {
                offset: 4096,
                bytes: vec![7; 4096],
            },
            PreImage {
                offset: 0,
                bytes: vec![1, 2, 3],
            },
        ],
        after: vec![PostImage {
            offset: 4096,
            bytes: &[8; 4200],
        }],
        lengths: 8192..=8296,
    }
}

fn encode(images: &Images<'_>) -> Vec<u8> {
    let mut file = Vec::new();
    let collect = |piece: &[u8]| {
        file.extend(piece);
        Ok(())
    };
    images.encode(collect).expect("in memory");
    assert_eq!(file.len() as u64, images.len());
    file
}

fn open(bytes: Vec<u8>) -> Result<UndoData, UndoDataError> {
    UndoData::open(Part::whole(Box::new(bytes))?)
}

fn before(undo: &UndoData) -> Vec<PreImage> {
    let records = (0..undo.len()).map(|index| undo.get(index));
    let records = records.collect::<io::Result<Option<_>>>();
    records.expect("in memory").expect("all")
}

#[test]
fn records_survive_in_order() {
    let undo = open(encode(&images())).expect("sound");
    assert_eq!(before(&undo), images().before);
    let after = undo.after.as_ref().expect("version 2");
    assert_eq!(after.lengths, 8192..=8296);
    let [record] = after.records[..] else {
        panic!("{:?}", after.records);
    };
    let image = undo.read(record).expect("in memory");
    assert_eq!((image.offset, image.bytes), (4096, vec![8; 4200]));
    assert_eq!(undo.end(), 8296);
}

#[test]
fn long_writes_are_divided() {
    let bytes = vec![5; 2 * MAX_RECORD + 10];
    let images = Images {
        before: Vec::new(),
        after: vec![PostImage {
            offset: 512,
            bytes: &bytes,
        }],
        lengths: 0..=0,
    };
    let undo = open(encode(&images)).expect("sound");
    let after = undo.after.as_ref().expect("version 2");
    let records = after.records.iter();
    let found: Vec<_> = records.map(|record| (record.offset, record.len)).collect();
    let offset = 512 + MAX_RECORD as u64;
    let last = offset + MAX_RECORD as u64;
    let expected = [(512, MAX_RECORD), (offset, MAX_RECORD), (last, 10)];
    assert_eq!(found, expected);
}

/// Undo data of diskmend 0.1.0 can be used.
#[test]
fn version_1_is_read() {
    let mut file = Vec::new();
    file.extend(MAGIC);
    file.extend(1u32.to_le_bytes());
    file.extend([0; 4]);
    file.extend(1u64.to_le_bytes());
    file.extend(xxhash_rust::xxh3::xxh3_64(&file).to_le_bytes());
    file.extend(512u64.to_le_bytes());
    file.extend(3u64.to_le_bytes());
    file.extend(checksum_of(512, b"old").to_le_bytes());
    file.extend(b"old");
    let undo = open(file).expect("sound");
    let expected = PreImage {
        offset: 512,
        bytes: b"old".to_vec(),
    };
    assert_eq!(before(&undo), [expected]);
    assert!(undo.after.is_none());
}

#[test]
fn every_damaged_byte_and_every_missing_one_is_noticed() {
    let sound = encode(&images());
    for at in 0..sound.len() {
        let mut damaged = sound.clone();
        damaged[at] ^= 0x10;
        assert!(open(damaged).is_err(), "byte {at}");
        assert!(open(sound[..at].to_vec()).is_err(), "cut at {at}");
    }
}

#[test]
fn hostile_lengths_allocate_nothing() {
    let mut file = encode(&images());
    file[HEADER_LEN + 8..HEADER_LEN + 16].copy_from_slice(&u64::MAX.to_le_bytes());
    let Err(error) = open(file) else {
        panic!("it was read");
    };
    assert!(matches!(error, UndoDataError::Record { index: 0, .. }));
}
