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
