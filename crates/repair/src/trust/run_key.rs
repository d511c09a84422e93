//! The key of one run. It is derived from a machine's key, the run's name and the disk, so that
//! nothing that it seals fits another run or another disk.

use std::fmt;
use std::io;

use diskmend_base::count::{to_u64, to_usize};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::digits::Digits;
use super::{Key, KeyId};
use crate::identity::TargetIdentity;
use crate::run_id::RunId;
use crate::run_state::SCHEMA;

/// The number of bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// An HMAC-SHA256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Mac(Digits<32>);

/// The key of one run on one disk.
#[derive(Clone)]
pub(crate) struct RunKey {
    bytes: [u8; 32],
    /// The machine's key that it is derived from.
    pub(super) id: KeyId,
}

impl fmt::Debug for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunKey").finish_non_exhaustive()
    }
}

impl RunKey {
    /// The key of the run with this name on the disk that its journal names.
    pub(crate) fn derive(key: &Key, run: &RunId, identity: &TargetIdentity) -> Self {
        let mut mac = hmac(key.bytes(), b"diskmend run\0");
        mac.update(&SCHEMA.to_le_bytes());
        let parts = [
            Some(run.to_string()),
            identity.volume.clone(),
            identity.disk.clone(),
        ];
        for part in parts {
            match part {
                // The length is included, so that two different lists of parts never give the same
                // bytes.
                Some(part) => {
                    mac.update(&(part.len() as u64).to_le_bytes());
                    mac.update(part.as_bytes());
                }
                None => mac.update(&u64::MAX.to_le_bytes()),
            }
        }
        Self {
            bytes: mac.finalize().into_bytes().into(),
            id: key.id(),
        }
    }

    /// The seal of a journal.
    pub(super) fn seal(&self, journal: &[u8]) -> Mac {
        let mut mac = hmac(&self.bytes, b"journal\0");
        mac.update(journal);
        Mac::of(mac)
    }

    /// True if this is the seal of the journal.
    pub(super) fn seals(&self, journal: &[u8], seal: &Mac) -> bool {
        let mut mac = hmac(&self.bytes, b"journal\0");
        mac.update(journal);
        seal.is_of(mac)
    }

    /// The MAC of a file of the run with this length; `read` fills a buffer from an offset on.
    pub(crate) fn of_file(
        &self,
        name: &str,
        len: u64,
        read: impl Fn(&mut [u8], u64) -> io::Result<()>,
    ) -> io::Result<Mac> {
        let mut mac = self.file(name);
        let mut chunk = vec![0; CHUNK];
        let mut at = 0;
        while at < len {
            // Only the last chunk is shorter.
            chunk.truncate(to_usize(len - at));
            read(&mut chunk, at)?;
            mac.update(&chunk);
            at += to_u64(chunk.len());
        }
        Ok(mac.finish())
    }

    /// The MAC of a file of the run with these bytes.
    pub(crate) fn of_bytes(&self, name: &str, bytes: &[u8]) -> Mac {
        let mut mac = self.file(name);
        mac.update(bytes);
        mac.finish()
    }

    /// Begins the MAC of a file of the run.
    pub(crate) fn file(&self, name: &str) -> FileMac {
        let mut mac = hmac(&self.bytes, b"file\0");
        mac.update(&(name.len() as u64).to_le_bytes());
        mac.update(name.as_bytes());
        FileMac(mac)
    }

    /// The key of a record of sectors, which seals its frames one by one.
    pub(crate) fn of_record(&self, name: &str) -> [u8; 32] {
        let mut mac = hmac(&self.bytes, b"record\0");
        mac.update(name.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// The MAC of a file that is being written.
pub(crate) struct FileMac(Hmac<Sha256>);

impl FileMac {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Mac {
        Mac::of(self.0)
    }
}

pub(super) fn hmac(key: &[u8; 32], domain: &[u8]) -> Hmac<Sha256> {
    // HMAC accepts a key of any length, and pads a block itself.
    let mut block = [0; 64];
    for (byte, key) in block.iter_mut().zip(key) {
        *byte = *key;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(domain);
    mac
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Mac {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Digits::parse(text).map(Self)
    }

    pub(super) fn of(mac: Hmac<Sha256>) -> Self {
        Self(Digits(mac.finalize().into_bytes().into()))
    }

    /// True if this is the MAC that was computed. The comparison takes the same time for all.
    pub(super) fn is_of(&self, mac: Hmac<Sha256>) -> bool {
        mac.verify_slice(&self.0.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use diskmend_hive::Storage as _;

    use super::*;
    fn key(run: &str, volume: Option<&str>, disk: Option<&str>) -> RunKey {
        let run = RunId::parse(run).expect("a run");
        let identity = TargetIdentity {
            volume: volume.map(str::to_owned),
            disk: disk.map(str::to_owned),
        };
        RunKey::derive(&Key::from_bytes([1; 32]), &run, &identity)
    }

    /// RFC 4231, test case 2, with a key shorter than the block.
    #[test]
    fn it_is_the_hmac_of_the_rfc() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let mac = hmac(&key, b"what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(Mac::of(mac).to_string(), expected);
    }

    #[test]
    fn every_run_and_every_disk_has_a_key_of_its_own() {
        let keys = [
            key("20261123T124100Z", None, None),
            key("20261123T124100Z-2", None, None),
            key("20261123T124100Z", Some("1"), None),
            key("20261123T124100Z", None, Some("1")),
            key("20261123T124100Z", Some("11"), None),
            key("20261123T124100Z", Some("1"), Some("1")),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(
                keys.iter()
                    .skip(at + 1)
                    .all(|other| other.bytes != one.bytes)
            );
        }
    }

    #[test]
    fn a_file_fits_by_its_name_and_all_its_bytes() {
        let key = key("20261123T124100Z", None, None);
        let of = |name: &str, bytes: Vec<u8>| {
            let mac = key.of_bytes(name, &bytes);
            let len = bytes.len() as u64;
            let file = key.of_file(name, len, |buf, at| bytes.read_exact_at(buf, at));
            let file = file.expect("memory");
            assert_eq!(file, mac);
            mac
        };
        let whole = of("undo-1.bin", vec![5; 200_000]);
        assert_eq!(of("undo-1.bin", vec![5; 200_000]), whole);
        assert_ne!(of("undo-2.bin", vec![5; 200_000]), whole);
        assert_ne!(of("undo-1.bin", vec![5; 199_999]), whole);
        let mut changed = vec![5; 200_000];
        changed[150_000] ^= 1;
        assert_ne!(of("undo-1.bin", changed), whole);
    }
}
