//! Digests that tell whether a file is still, or again, what it was.

use std::fmt;
use std::io;

use diskmend_hive::Storage;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// Bytes read at once.
const CHUNK: usize = 1 << 20;

/// The XXH3-128 digest of a whole file. It notices change, not malice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest(u128);

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(xxh3_128(bytes))
    }

    /// The digests of the first `head` bytes of some pieces and of all of them.
    pub(crate) fn split<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, head: usize) -> Split {
        let mut hash = Xxh3::new();
        let mut left = head;
        let mut first = None;
        for piece in pieces {
            let (before, after) = piece.split_at_checked(left).unwrap_or((piece, &[]));
            hash.update(before);
            left -= before.len();
            if left == 0 && first.is_none() {
                first = Some(hash.digest128());
            }
            hash.update(after);
        }
        let whole = hash.digest128();
        Split {
            head: Self(first.unwrap_or(whole)),
            whole: Self(whole),
        }
    }

    pub(crate) fn of_file(file: &dyn Storage) -> io::Result<Self> {
        let mut hash = Xxh3::new();
        let len = file.len()?;
        let mut chunk = vec![0; CHUNK];
        let mut at = 0;
        while at < len {
            let size = usize::try_from(len - at).unwrap_or(CHUNK).min(CHUNK);
            let part = chunk.get_mut(..size).unwrap_or_default();
            file.read_exact_at(part, at)?;
            hash.update(part);
            at += size as u64;
        }
        Ok(Self(hash.digest128()))
    }
}

/// The digests of a file's first bytes and of all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) head: Digest,
    pub(crate) whole: Digest,
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_files_have_the_digest_of_their_bytes() {
        let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
        let whole = Digest::of(&bytes);
        for head in [0, 1, 1000, 1_500_000, bytes.len()] {
            let parts = bytes.chunks(777_777);
            let split = Digest::split(parts, head);
            assert_eq!(split.whole, whole);
            assert_eq!(split.head, Digest::of(&bytes[..head]), "{head}");
        }
        let file = crate::store::faulty::MemoryFile::new(bytes);
        assert_eq!(Digest::of_file(&file).expect("in memory"), whole);
    }
}
