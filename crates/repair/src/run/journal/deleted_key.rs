//! What a journal records of keys besides their values and subkeys: the state of a deleted key, and
//! security descriptors.

use diskmend_hive::{Filetime, KeyState};
use serde::{Deserialize, Serialize};

/// A key that was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeletedKey {
    /// The key below the hive's root.
    pub(crate) key: String,
    /// Its state; absent if it could not be read, and in runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<Box<RecordedState>>,
}

/// A key that got another security descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChangedDescriptor {
    /// The key below the hive's root.
    pub(crate) key: String,
    /// The old descriptor, self-relative.
    #[serde(with = "hex_bytes")]
    pub(crate) old: Vec<u8>,
    /// The new descriptor.
    #[serde(with = "hex_bytes")]
    pub(crate) new: Vec<u8>,
}

/// The state of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordedState {
    /// Its self-relative security descriptor.
    #[serde(with = "hex_bytes")]
    descriptor: Vec<u8>,
    /// Its class name as stored; empty if it has none.
    #[serde(with = "hex_bytes", default, skip_serializing_if = "Vec::is_empty")]
    class: Vec<u8>,
    /// Its last-written time as a FILETIME.
    last_written: u64,
    /// Its flags, as far as they are its own.
    #[serde(default)]
    flags: u16,
    /// Its virtualization and user flags.
    #[serde(default)]
    user_flags: u8,
}

impl From<KeyState> for RecordedState {
    fn from(state: KeyState) -> Self {
        Self {
            descriptor: state.descriptor,
            class: state.class,
            last_written: state.last_written.0,
            flags: state.flags,
            user_flags: state.user_flags,
        }
    }
}

impl From<&RecordedState> for KeyState {
    fn from(state: &RecordedState) -> Self {
        Self {
            descriptor: state.descriptor.clone(),
            class: state.class.clone(),
            last_written: Filetime(state.last_written),
            flags: state.flags,
            user_flags: state.user_flags,
        }
    }
}

/// Bytes as hexadecimal digits.
mod hex_bytes {
    use diskmend_base::hex;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let digits = String::deserialize(deserializer)?;
        hex::decode_separated(&digits).ok_or_else(|| D::Error::custom("no hexadecimal bytes"))
    }
}
