//! The seals of a record's frames.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The length of a key in bytes.
pub const KEY_LEN: usize = 32;
/// The length of a seal in bytes.
pub(super) const SEAL_LEN: usize = 32;

/// A seal of a record up to some frame.
pub(super) type Seal = [u8; SEAL_LEN];

/// The seal of the bytes at an offset of the record, built on the seal before it.
pub(super) fn seal(key: &[u8; KEY_LEN], before: &Seal, at: u64, parts: &[&[u8]]) -> Seal {
    // HMAC pads a key with zeros to its hash's block length.
    let mut block = [0; 64];
    for (byte, key) in block.iter_mut().zip(key) {
        *byte = *key;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(before);
    mac.update(&at.to_le_bytes());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// True if both seals are equal. The time doesn't depend on the place of a difference.
pub(super) fn same(one: &Seal, other: &Seal) -> bool {
    let differ = one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
    differ == 0
}
