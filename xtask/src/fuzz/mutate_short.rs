//! Changes short inputs, such as descriptors and text: their parts move, and their lengths change.

use super::mutate::{Seed, flip_bit, set_byte};
use crate::random::Random;

/// Longest input.
const MAX_LEN: usize = 96 << 10;

/// A new input, made from one of the seeds. Most changes are of whole units, such as UTF-16's two
/// bytes, so that what follows stays in step.
pub(super) fn mutate(seeds: &[Seed], unit: usize, random: &mut Random) -> Vec<u8> {
    let Some(seed) = seeds.get(random.below(seeds.len())) else {
        return Vec::new();
    };
    let mut bytes = seed.bytes.clone();
    for _ in 0..=random.below(6) {
        match random.below(10) {
            0 => flip_bit(&mut bytes, random),
            1 => set_byte(&mut bytes, random),
            2 => {
                let at = random.below(bytes.len());
                bytes.truncate(at);
            }
            3 => {
                let (from, to) = range(&bytes, unit, random);
                bytes.drain(from..to);
            }
            4 => {
                let (from, to) = range(&bytes, unit, random);
                let piece = bytes.get(from..to).unwrap_or_default().to_vec();
                let times = random.pick(&[1, 1, 1, 2, 70, 4000]).unwrap_or(1);
                insert(&mut bytes, &piece.repeat(times), unit, random);
            }
            5 => {
                let other = seeds.get(random.below(seeds.len()));
                let other = other.map(|seed| seed.bytes.as_slice()).unwrap_or_default();
                let (from, to) = range(other, unit, random);
                let piece = other.get(from..to).unwrap_or_default();
                insert(&mut bytes, piece, unit, random);
            }
            6 | 7 if unit == 4 => set_number(&mut bytes, random),
            _ => replace_unit(&mut bytes, unit, random),
        }
    }
    bytes.truncate(MAX_LEN);
    bytes
}

/// A place in `bytes`, nearly always between two units.
fn place(bytes: &[u8], unit: usize, random: &mut Random) -> usize {
    let at = random.below(bytes.len() + 1);
    if random.below(16) == 0 {
        at
    } else {
        at / unit * unit
    }
}

/// Start and end of a piece, which is short most of the time.
fn range(bytes: &[u8], unit: usize, random: &mut Random) -> (usize, usize) {
    let from = place(bytes, unit, random);
    let most = random.pick(&[1, 4, 16, 64, 4096]).unwrap_or(1);
    let len = unit * (1 + random.below(most));
    (from, (from + len).min(bytes.len()))
}

fn insert(bytes: &mut Vec<u8>, piece: &[u8], unit: usize, random: &mut Random) {
    let at = place(bytes, unit, random);
    let room = MAX_LEN.saturating_sub(bytes.len());
    let piece = piece.get(..room.min(piece.len())).unwrap_or_default();
    bytes.splice(at..at, piece.iter().copied());
}

/// Puts an interesting number where a length, count, offset or mask may stand.
fn set_number(bytes: &mut [u8], random: &mut Random) {
    let at = random.below(bytes.len()) / 2 * 2;
    let number = match random.below(8) {
        0 => 0,
        1 => u32::MAX,
        2 => 0x8000_0000,
        3 => bytes.len() as u32,
        4 => 1 << random.below(32),
        5 => 4 * random.below(64) as u32,
        _ => random.below(64) as u32,
    };
    let width = if random.below(2) == 0 { 2 } else { 4 };
    let source = number.to_le_bytes();
    if let (Some(to), Some(from)) = (bytes.get_mut(at..at + width), source.get(..width)) {
        to.copy_from_slice(from);
    }
}

/// Puts another unit of the input, or a character that means something, in the place of one.
fn replace_unit(bytes: &mut [u8], unit: usize, random: &mut Random) {
    let to = random.below(bytes.len()) / unit * unit;
    let from = random.below(bytes.len()) / unit * unit;
    if random.below(2) == 0 && from + unit <= bytes.len() && to + unit <= bytes.len() {
        bytes.copy_within(from..from + unit, to);
        return;
    }
    let characters = b"();:SDOGAPINXZCRWFE0179x-\"#%{}@!&|=<>,._ \n\r\t\0\xFF\xD8";
    let character = random.pick(characters).unwrap_or_default();
    if let Some(place) = bytes.get_mut(to) {
        *place = character;
    }
}
