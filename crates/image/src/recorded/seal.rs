//! The seals of a record's frames.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Bytes of a key.
pub const KEY_LEN: usize = 32;
/// Bytes of a seal.
pub(super) const SEAL_LEN: usize = 32;

/// The seal of a record as far as it goes.
pub(super) type Seal = [u8; SEAL_LEN];

/// The seal of what is at an offset of the record, after the seal before it.
pub(super) fn seal(key: &[u8; KEY_LEN], before: &Seal, at: u64, parts: &[&[u8]]) -> Seal {
    // HMAC fills a key up to the length of a block of its hash.
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

/// True if two seals are the same, in a time that does not depend on where they differ.
pub(super) fn same(one: &Seal, other: &Seal) -> bool {
    let differ = one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
    differ == 0
}
