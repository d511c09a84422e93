//! Compares volumes by what they mean: without logs, LSNs, update sequence numbers, and bytes that
//! no structure uses.

use std::collections::BTreeSet;

use super::bytes::{u16_at, u32_at};
use super::image::{self, DATA, Image, LOG, MFT};
use super::lfs::PAGE;

/// The clusters of two volumes that differ in more than that, by their positions.
#[must_use]
pub fn differing_clusters(one: &[u8], other: &[u8]) -> BTreeSet<u64> {
    if one == other {
        return BTreeSet::new();
    }
    let (one, other) = (Image::new(one.to_vec()), Image::new(other.to_vec()));
    let cluster = one.cluster;
    let (one, other) = (meaning(one), meaning(other));
    let pairs = one.chunks(cluster).zip(other.chunks(cluster)).enumerate();
    let differ = pairs.filter(|(_, (one, other))| one != other);
    differ.map(|(number, _)| number as u64).collect()
}

/// The bytes that have a meaning; all others are zero.
fn meaning(mut image: Image) -> Vec<u8> {
    let log = image.read_value(LOG, DATA, "").len();
    image.write_value(LOG, DATA, "", &vec![0; log]);
    let mft = image.read_value(MFT, DATA, "").len();
    let mut all = image.bytes.clone();
    for number in 0..(mft / image.record) as u64 {
        let (_, lcn, offset) = image.record_place(number);
        let at = lcn as usize * image.cluster + offset;
        let stored = all[at..at + image.record].to_vec();
        all[at..at + image.record].copy_from_slice(&of_record(&image, at, stored));
    }
    // The copies of the first records, and index blocks, are known by their signatures.
    for at in (0..all.len() - PAGE + 1).step_by(PAGE) {
        match &all[at..at + 4] {
            b"FILE" => {
                for at in (at..at + PAGE).step_by(image.record) {
                    let stored = all[at..at + image.record].to_vec();
                    all[at..at + image.record].copy_from_slice(&of_record(&image, at, stored));
                }
            }
            b"INDX" => {
                let mut block = image.read_block(at, PAGE, *b"INDX");
                let end = 0x18 + u32_at(&block, 0x1C) as usize;
                block[end.min(PAGE)..].fill(0);
                without_numbers(&mut block);
                all[at..at + PAGE].copy_from_slice(&block);
            }
            _ => {}
        }
    }
    all
}

fn of_record(image: &Image, at: usize, stored: Vec<u8>) -> Vec<u8> {
    let mut record = image.read_block(at, image.record, *b"FILE");
    if !record.starts_with(b"FILE") {
        return stored;
    }
    let end = image::used(&record).min(record.len());
    record[end..].fill(0);
    // What follows the mark of the end is not used either.
    if let Some(padding) = record.get_mut(end.saturating_sub(4)..end) {
        padding.fill(0);
    }
    without_numbers(&mut record);
    record
}

/// Clears the LSN and the update sequence array; the signature stays.
fn without_numbers(data: &mut [u8]) {
    let start = usize::from(u16_at(data, 4));
    let end = start + 2 * usize::from(u16_at(data, 6));
    data[8..16].fill(0);
    if let Some(array) = data.get_mut(start..end) {
        array.fill(0);
    }
}
