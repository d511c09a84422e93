//! Digests that show if a file is unchanged or restored.

use std::fmt;
use std::io;
use std::ops::Range;

use diskmend_base::count::{to_u64, to_usize};
use diskmend_hive::Storage;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The number of bytes in a chunk.
const CHUNK: usize = 1 << 16;

/// The digest of a whole file. It is the XXH3-128 of the XXH3-128s of the file's chunks of 64 KiB,
/// each as 16 bytes little-endian. It detects change, but not an attacker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest(u128);

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Chunks::of(bytes).digest()
    }

    pub(crate) fn of_file(file: &dyn Storage) -> io::Result<Self> {
        let mut chunks = Vec::new();
        let len = file.len()?;
        let mut chunk = vec![0; CHUNK];
        let mut at = 0;
        while at < len {
            // Only the last chunk is shorter.
            chunk.truncate(to_usize(len - at));
            file.read_exact_at(&mut chunk, at)?;
            chunks.push(xxh3_128(&chunk));
            at += to_u64(chunk.len());
        }
        Ok(Chunks(chunks).digest())
    }
}

/// The XXH3-128s of a file's chunks. After a change of the file they are computed from these and
/// the changed chunks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chunks(Vec<u128>);

impl Chunks {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut chunks = Self::default();
        chunks.add(0, bytes);
        chunks
    }

    /// Adds the bytes at an offset that is a multiple of 64 KiB; what was known of later bytes is
    /// forgotten.
    pub(crate) fn add(&mut self, offset: usize, bytes: &[u8]) {
        self.0.truncate(offset / CHUNK);
        self.0.extend(bytes.chunks(CHUNK).map(xxh3_128));
    }

    /// The chunks of a file with `len` bytes that differs from this one at its end and in the
    /// chunks for which `changed` returns true. `pieces` returns the bytes of a range of it.
    pub(crate) fn after<'a, P: IntoIterator<Item = &'a [u8]>>(
        &self,
        len: usize,
        changed: impl Fn(&Range<usize>) -> bool,
        pieces: impl Fn(Range<usize>) -> P,
    ) -> Self {
        let chunk = |(index, range): (usize, Range<usize>)| {
            // A chunk at the old or the new end may be shorter.
            let is_whole = range.len() == CHUNK && index + 1 < self.0.len();
            match self.0.get(index).filter(|_| is_whole) {
                Some(digest) if !changed(&range) => *digest,
                _ => hash(pieces(range)),
            }
        };
        Self(Self::ranges(len).enumerate().map(chunk).collect())
    }

    /// The chunks of a file with `len` bytes, as ranges of its offsets.
    pub(crate) fn ranges(len: usize) -> impl Iterator<Item = Range<usize>> {
        (0..len)
            .step_by(CHUNK)
            .map(move |start| start..len.min(start.saturating_add(CHUNK)))
    }

    /// True if the chunk at the offset `start` contains these bytes.
    pub(crate) fn is_at(&self, start: usize, bytes: &[u8]) -> bool {
        self.0.get(start / CHUNK) == Some(&xxh3_128(bytes))
    }

    /// The digest of the whole file.
    pub(crate) fn digest(&self) -> Digest {
        fold(self.0.iter().copied())
    }

    /// The digest of the first `len` bytes. `pieces` returns the bytes of a range of the file.
    pub(crate) fn head<'a, P: IntoIterator<Item = &'a [u8]>>(
        &self,
        len: usize,
        pieces: impl Fn(Range<usize>) -> P,
    ) -> Digest {
        let whole = self.0.iter().copied().take(len / CHUNK);
        let rest = len / CHUNK * CHUNK..len;
        let partial = (!rest.is_empty()).then(|| hash(pieces(rest)));
        fold(whole.chain(partial))
    }
}

fn hash<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> u128 {
    let mut hash = Xxh3::new();
    for piece in pieces {
        hash.update(piece);
    }
    hash.digest128()
}

fn fold(chunks: impl Iterator<Item = u128>) -> Digest {
    let bytes: Vec<u8> = chunks.flat_map(u128::to_le_bytes).collect();
    Digest(xxh3_128(&bytes))
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

/// The content of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// The length in bytes.
    pub(crate) length: u64,
    /// The digest of all bytes.
    pub(crate) xxh3: Digest,
}

impl Content {
    pub(crate) fn of_file(file: &dyn Storage) -> io::Result<Self> {
        Ok(Self {
            length: file.len()?,
            xxh3: Digest::of_file(file)?,
        })
    }

    /// True if a file has this content. A file of another length isn't read.
    pub(crate) fn is_of(&self, file: &dyn Storage) -> io::Result<bool> {
        Ok(file.len()? == self.length && Digest::of_file(file)? == self.xxh3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        (0..9_000_000u32).map(|n| (n % 251) as u8).collect()
    }

    #[test]
    fn bytes_and_files_have_the_same_digest() {
        let bytes = sample();
        let digest = Digest::of(&bytes);
        let chunks = Chunks::of(&bytes);
        for head in [0, 1, CHUNK, CHUNK + 1, 4_500_000, bytes.len()] {
            let found = chunks.head(head, |range| [&bytes[range]]);
            assert_eq!(found, Digest::of(&bytes[..head]), "{head}");
        }
        assert_eq!(Digest::of_file(&bytes).expect("in memory"), digest);
        let mut again = Chunks::default();
        again.add(0, &bytes[..3 * CHUNK]);
        for (index, piece) in bytes.chunks(16 * CHUNK).enumerate() {
            again.add(index * 16 * CHUNK, piece);
        }
        assert_eq!(again, chunks);
    }

    #[test]
    fn a_changed_file_has_the_digest_of_its_bytes() {
        let before = sample();
        let chunks = Chunks::of(&before);
        for len in [0, 1, CHUNK * 3, 8_999_999, 9_000_000, 9_000_001, 9_500_000] {
            let mut after = before.clone();
            after.resize(len, 7);
            let place = 5 * CHUNK + 17;
            if let Some(byte) = after.get_mut(place) {
                *byte ^= 1;
            }
            let found = chunks.after(len, |range| range.contains(&place), |range| [&after[range]]);
            assert_eq!(found, Chunks::of(&after), "{len}");
        }
    }
}
