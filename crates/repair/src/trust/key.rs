//! Keys of recovery machines.

use std::fmt;
use std::io;
use std::sync::Arc;

use diskmend_base::hex::Hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::digits::Digits;

/// The length of a key in bytes.
const LEN: usize = 32;
/// The start of a key file: its format and version.
const FORMAT: &str = "diskmend-key-1";

/// The key of a recovery machine, which seals the machine's runs.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; LEN]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

/// The id of a key: it can be shown, and reveals nothing about the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(Digits<8>);

/// The reason why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct KeyError {
    /// The problem, for display.
    pub reason: String,
}

impl KeyError {
    /// An error with this reason, for display.
    pub fn new(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { reason }
    }
}

impl Key {
    /// A new key.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn generate() -> io::Result<Self> {
        let mut bytes = [0; LEN];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Self(bytes))
    }

    /// A key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; LEN]) -> Self {
        Self(bytes)
    }

    pub(super) const fn bytes(&self) -> &[u8; LEN] {
        &self.0
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let hash: [u8; 32] = Sha256::new()
            .chain_update(b"diskmend key id\0")
            .chain_update(self.0)
            .finalize()
            .into();
        let [a, b, c, d, e, f, g, h, ..] = hash;
        KeyId(Digits([a, b, c, d, e, f, g, h]))
    }

    /// The line of a key file: the format, the key's id, the key. Whoever has the key can write
    /// runs that this machine believes.
    #[must_use]
    pub fn to_line(&self) -> String {
        format!("{FORMAT} {} {}\n", self.id(), Hex(&self.0))
    }

    /// Parses a key file.
    ///
    /// # Errors
    /// The problem, without any part of the key.
    pub fn from_line(text: &str) -> Result<Self, KeyError> {
        let mut words = text.split_ascii_whitespace();
        let (format, id, key) = (words.next(), words.next(), words.next());
        if format != Some(FORMAT) || words.next().is_some() {
            let reason = format!("it is not a key file: it must contain '{FORMAT} ID KEY'");
            return Err(KeyError::new(reason));
        }
        let Digits(bytes) = key.and_then(Digits::parse).ok_or_else(|| {
            let reason = "the key is not one of 64 hexadecimal digits";
            KeyError::new(reason)
        })?;
        let key = Self(bytes);
        if id == Some(key.id().to_string().as_str()) {
            Ok(key)
        } else {
            Err(KeyError::new("the key is damaged: it does not fit its id"))
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl KeyId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Digits::parse(text).map(Self)
    }
}

/// The place of a machine's key.
pub trait KeyStore: fmt::Debug + Send + Sync {
    /// The key, if it exists.
    ///
    /// # Errors
    /// The reason why it can't be used.
    fn load(&self) -> Result<Option<Key>, KeyError>;

    /// The key; if it does not exist, a new key is created durably.
    ///
    /// # Errors
    /// The reason why there is no key.
    fn obtain(&self) -> Result<Key, KeyError>;
}

/// A key that always exists.
#[derive(Clone, Debug)]
pub struct OwnKey(pub Key);

impl KeyStore for OwnKey {
    fn load(&self) -> Result<Option<Key>, KeyError> {
        Ok(Some(self.0.clone()))
    }

    fn obtain(&self) -> Result<Key, KeyError> {
        Ok(self.0.clone())
    }
}

/// The keys that diskmend accepts for seals.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// This machine's key. Without it nothing can be written.
    pub own: Option<Arc<dyn KeyStore>>,
    /// The keys of other machines; their runs are believed too.
    pub known: Vec<Key>,
}

impl Keys {
    /// Only this machine's key.
    #[must_use]
    pub fn own(key: Key) -> Self {
        Self {
            own: Some(Arc::new(OwnKey(key))),
            known: Vec::new(),
        }
    }

    pub(super) fn obtain(&self) -> Result<Key, KeyError> {
        match &self.own {
            Some(own) => own.obtain(),
            None => Err(KeyError::new("no key of this machine was given")),
        }
    }

    pub(super) fn check(&self) -> Result<(), KeyError> {
        match &self.own {
            Some(own) => own.load().map(|_| ()),
            None => Err(KeyError::new("no key of this machine was given")),
        }
    }

    /// The key with this id, and whether it is this machine's. A key that can't be read matches no
    /// run.
    pub(super) fn named(&self, id: KeyId) -> Option<(Key, bool)> {
        let own = self.own.as_ref().and_then(|own| match own.load() {
            Ok(own) => own,
            Err(error) => {
                tracing::warn!("this machine's key: {error}");
                None
            }
        });
        if let Some(own) = own.filter(|own| own.id() == id) {
            return Some((own, true));
        }
        let known = self.known.iter().find(|known| known.id() == id);
        known.map(|known| (known.clone(), false))
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self::own(Key::from_bytes([7; LEN]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_comes_back_and_a_damaged_one_is_noticed() {
        let key = Key::generate().expect("random numbers");
        let line = key.to_line();
        assert_eq!(Key::from_line(&line), Ok(key.clone()));
        for at in 0..line.len() - 1 {
            let mut damaged = line.clone().into_bytes();
            damaged[at] = if damaged[at] == b'0' { b'1' } else { b'0' };
            let damaged = String::from_utf8(damaged).expect("ASCII");
            assert!(Key::from_line(&damaged).is_err(), "{at}");
        }
        for odd in ["", "diskmend-key-1", &format!("{line} more")] {
            let error = Key::from_line(odd).expect_err("odd");
            assert!(!error.to_string().contains(&line[32..]), "{error}");
        }
    }

    #[test]
    fn no_two_keys_are_the_same_and_none_is_shown() {
        let keys = [(); 2].map(|()| Key::generate().expect("random numbers"));
        assert_ne!(keys[0], keys[1]);
        assert_ne!(keys[0].id(), keys[1].id());
        let shown = format!("{:?}", Keys::own(keys[0].clone()));
        let secret = keys[0].to_line();
        let secret = secret.rsplit(' ').next().expect("a key").trim();
        assert!(!shown.contains(secret) && shown.contains(&keys[0].id().to_string()));
    }
}
