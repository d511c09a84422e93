//! Changes inputs where it hurts: at the fields of cells, bins and log entries.

use diskmend_hive::checksum;

use super::{Target, image, join, mutate_short, split};
use crate::fixtures::rehash_entries;
use crate::random::Random;

/// Longest input.
const MAX_LEN: usize = 2 << 20;

/// Where structures begin, so that their fields can be hit.
pub(super) struct Seed {
    pub(super) bytes: Vec<u8>,
    places: Vec<usize>,
}

const SIGNATURES: [&[u8]; 12] = [
    b"nk", b"vk", b"sk", b"lf", b"lh", b"li", b"ri", b"db", b"hbin", b"HvLE", b"DIRT", b"regf",
];

impl Seed {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        // Cells are aligned to eight bytes and begin with their size.
        let places = (0..bytes.len())
            .step_by(4)
            .filter(|&at| {
                let rest = bytes.get(at..).unwrap_or_default();
                SIGNATURES
                    .iter()
                    .any(|signature| rest.starts_with(signature))
            })
            .collect();
        Self { bytes, places }
    }
}

/// A new input, made from one of the seeds.
pub(super) fn mutate(target: Target, seeds: &[Seed], random: &mut Random) -> Vec<u8> {
    if let Some(kind) = image::Kind::of(target) {
        return image::input(kind, random);
    }
    let unit = match target {
        Target::Descriptor => Some(4),
        Target::AclSave => Some(2),
        Target::Sddl => Some(1),
        _ => None,
    };
    if let Some(unit) = unit {
        return mutate_short::mutate(seeds, unit, random);
    }
    let Some(seed) = seeds.get(random.below(seeds.len())) else {
        return Vec::new();
    };
    let mut bytes = seed.bytes.clone();
    for _ in 0..=random.below(6) {
        match random.below(12) {
            0 => flip_bit(&mut bytes, random),
            1 => set_byte(&mut bytes, random),
            2 => truncate(&mut bytes, random),
            3 => splice(&mut bytes, seeds, random),
            _ => hit_field(&mut bytes, &seed.places, random),
        }
    }
    if random.below(8) > 0 {
        bytes = repair(target, bytes);
    }
    if target == Target::Edit {
        bytes.extend((0..64).map(|_| random.next() as u8));
    }
    bytes
}

pub(super) fn flip_bit(bytes: &mut [u8], random: &mut Random) {
    let at = random.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

pub(super) fn set_byte(bytes: &mut [u8], random: &mut Random) {
    let at = random.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte = random.next() as u8;
    }
}

fn truncate(bytes: &mut Vec<u8>, random: &mut Random) {
    let len = match random.below(4) {
        0 => random.below(bytes.len()),
        1 => bytes.len().saturating_sub(random.below(16)),
        2 => bytes.len() / 512 * 512,
        _ => bytes.len().saturating_sub(4096),
    };
    bytes.truncate(len);
}

fn splice(bytes: &mut [u8], seeds: &[Seed], random: &mut Random) {
    let Some(other) = seeds.get(random.below(seeds.len())) else {
        return;
    };
    let len = random.pick(&[4, 8, 32, 80, 512, 4096]).unwrap_or(4);
    let from = random.below(other.bytes.len()) / 4 * 4;
    let to = random.below(bytes.len()) / 4 * 4;
    let source = other.bytes.get(from..from + len);
    if let (Some(source), Some(place)) = (source, bytes.get_mut(to..to + len)) {
        place.copy_from_slice(source);
    }
}

/// Puts an interesting number into a field of a structure.
fn hit_field(bytes: &mut [u8], places: &[usize], random: &mut Random) {
    let Some(place) = random.pick(places) else {
        return flip_bit(bytes, random);
    };
    let other = random.pick(places).unwrap_or_default();
    // From the cell's size before the signature to behind the longest structure.
    let at = (place + 2 * random.below(42)).saturating_sub(4);
    let near = |base: usize| base.wrapping_sub(4096 + 4) as u32;
    let number = match random.below(12) {
        0 => 0,
        1 => 1,
        2 => u32::MAX,
        3 => 0x7FFF_FFFF,
        4 => 0x8000_0000,
        5 => 0xFFFF_FFF8,
        6 => bytes.len() as u32,
        7 => 1 << random.below(32),
        8 => random.below(64) as u32,
        // The offset of the cell itself, or of another one.
        9 => near(place),
        _ => near(other),
    };
    let width = if random.below(4) == 0 { 2 } else { 4 };
    let source = number.to_le_bytes();
    let target = bytes.get_mut(at..at + width);
    if let (Some(target), Some(source)) = (target, source.get(..width)) {
        target.copy_from_slice(source);
    }
}

/// Makes checksums and hashes right again, so that the damage is met behind them.
fn repair(target: Target, mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(MAX_LEN);
    match target {
        Target::RegFile => {}
        Target::Replay => {
            let [primary, log1, log2] = split(&bytes).map(<[u8]>::to_vec);
            let [mut log1, mut log2] = [log1, log2];
            for log in [&mut log1, &mut log2] {
                seal(log);
                rehash_entries(log);
            }
            bytes = join(&primary, &log1, &log2);
        }
        _ => seal(&mut bytes),
    }
    bytes
}

fn seal(bytes: &mut [u8]) {
    let sum = checksum(bytes);
    if let (Some(sum), Some(place)) = (sum, bytes.get_mut(508..512)) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}
