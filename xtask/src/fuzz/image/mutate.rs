//! New inputs: a sound image is changed where its structures lie.

use super::Kind;
use super::input::{Base, SEAL};
use crate::random::Random;

/// Most bytes that tell what is done with an image.
const MAX_SCRIPT: usize = 96;

/// An input made of random numbers.
pub(in crate::fuzz) fn input(kind: Kind, random: &mut Random) -> Vec<u8> {
    let bases = kind.bases();
    let number = random.below(bases.len().max(1));
    let flags = if random.below(8) > 0 { SEAL } else { 0 };
    let mut input = vec![number as u8, flags];
    if let Some(base) = bases.get(number) {
        for _ in 0..random.below(6) {
            add_change(&mut input, base, random);
        }
    }
    input.push(0);
    input.extend((0..random.below(MAX_SCRIPT)).map(|_| random.next() as u8));
    input
}

/// Adds a change of a field, or of some bytes.
fn add_change(input: &mut Vec<u8>, base: &Base, random: &mut Random) {
    let place = |random: &mut Random| {
        let region = base.regions.get(random.below(base.regions.len()));
        let region = region.cloned().unwrap_or(0..base.bytes.len());
        region.start + random.below(region.len())
    };
    let at = place(random);
    let other = place(random);
    let width = random.pick(&[1, 2, 4, 4, 8, 8]).unwrap_or(4);
    let at = if random.below(8) > 0 {
        at / width * width
    } else {
        at
    };
    let field = base.bytes.get(at..at + width).unwrap_or(&[0; 8]);
    let old = field.iter().rev();
    let old = old.fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let number = match random.below(16) {
        0 => 0,
        1 => 1,
        2 => u64::MAX,
        3 => u64::MAX >> 1,
        4 => 1 << 63,
        5 => 1 << random.below(64),
        6 => random.below(64) as u64,
        7 => base.len,
        8 => other as u64,
        9 => other as u64 / 512,
        10 => other as u64 / 1024,
        11 => other as u64 / 4096,
        12 => old.wrapping_add(1),
        13 => old.wrapping_sub(1),
        14 => old ^ 1 << random.below(8 * width),
        _ => random.next(),
    };
    let bytes = match random.below(8) {
        0 => {
            // What lies elsewhere.
            let len = random.pick(&[2, 8, 16, 72, 250]).unwrap_or(8);
            base.bytes
                .get(other..other + len)
                .unwrap_or_default()
                .to_vec()
        }
        1 => number.to_be_bytes().into_iter().skip(8 - width).collect(),
        _ => number.to_le_bytes().into_iter().take(width).collect(),
    };
    if bytes.is_empty() {
        return;
    }
    input.push(bytes.len() as u8);
    input.extend((at as u32).to_le_bytes());
    input.extend(bytes);
}
