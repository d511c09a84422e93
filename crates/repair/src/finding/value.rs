//! Values of a hive, judged and changed.

use serde::{Deserialize, Serialize, Serializer};

use super::{MayBeFault, RowState};
use crate::value_data::{Bits, ValueData};

/// The state that a row wants.
///
/// It is serialized as the data, or as null if something is deleted or nothing is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The value has these data.
    Data(ValueData),
    /// The value doesn't exist.
    NoValue,
    /// The key doesn't exist, and so nothing in it does. The name of the value means nothing.
    NoKey,
    /// The key exists, as a copy of another one. The name of the value means nothing.
    CopyOf(KeyCopy),
    /// The key has these permissions. The name of the value means nothing.
    Permissions(Box<KeyPermissions>),
    /// The row only looks: whatever is there stays.
    Anything,
}

/// The permissions of a key, and a row's judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPermissions {
    /// The security descriptor that the key has.
    pub(crate) before: Vec<u8>,
    /// The one that it should have; absent if nothing changes.
    pub(crate) after: Option<Vec<u8>>,
    /// The evidence of the fault: who lacks which rights, and why.
    pub(crate) reasons: Vec<String>,
    /// The edits, for display; empty if nothing changes.
    pub(crate) edits: Vec<String>,
}

/// A key that is copied to a place where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyCopy {
    /// The key that is copied, below the hive's root.
    pub from: String,
    /// What is in it.
    #[serde(flatten)]
    pub content: Subtree,
}

/// The thing that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deletion {
    /// A value.
    Value,
    /// A key, with everything in it.
    Key,
}

/// The number of keys and values in a key, at any depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Subtree {
    /// The number of keys below it.
    pub subkeys: usize,
    /// The number of values in it and in the keys below it.
    pub values: usize,
    /// The number of bytes of their data and of the security descriptors.
    pub bytes: usize,
}

impl Subtree {
    /// An empty key, or none.
    pub(crate) const NOTHING: Self = Self {
        subkeys: 0,
        values: 0,
        bytes: 0,
    };
    /// The maximum number of keys and values that are deleted or copied with keys of a hive.
    const MOST_THINGS: usize = 20_000;
    /// The maximum number of their bytes. The run records all of them, so that they can come back
    /// even after later changes.
    const MOST_BYTES: usize = 4 << 20;

    /// True if it is too much to be deleted or copied.
    pub(crate) fn is_too_large(self) -> bool {
        self.subkeys.saturating_add(self.values) > Self::MOST_THINGS
            || self.bytes > Self::MOST_BYTES
    }

    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            subkeys: self.subkeys.saturating_add(other.subkeys),
            values: self.values.saturating_add(other.values),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl Wanted {
    /// The wanted data; `None` if something is deleted or nothing is wanted.
    #[must_use]
    pub fn data(&self) -> Option<&ValueData> {
        match self {
            Self::Data(data) => Some(data),
            Self::NoValue
            | Self::NoKey
            | Self::CopyOf(_)
            | Self::Permissions(_)
            | Self::Anything => None,
        }
    }

    /// The copy, if that is what the row wants.
    #[must_use]
    pub fn copy(&self) -> Option<&KeyCopy> {
        match self {
            Self::CopyOf(copy) => Some(copy),
            _ => None,
        }
    }

    /// The thing that is deleted, if that is what the row wants.
    #[must_use]
    pub fn deletion(&self) -> Option<Deletion> {
        match self {
            Self::Data(_) | Self::CopyOf(_) | Self::Permissions(_) | Self::Anything => None,
            Self::NoValue => Some(Deletion::Value),
            Self::NoKey => Some(Deletion::Key),
        }
    }
}

impl Wanted {
    /// The permissions, if the row is about those of a key.
    #[must_use]
    pub(crate) fn permissions(&self) -> Option<&KeyPermissions> {
        match self {
            Self::Permissions(permissions) => Some(permissions),
            _ => None,
        }
    }
}

impl From<ValueData> for Wanted {
    fn from(data: ValueData) -> Self {
        Self::Data(data)
    }
}

impl Serialize for Wanted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.data().serialize(serializer)
    }
}

/// A value or a whole key, and a row's judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JudgedValue {
    /// The key below the hive's root.
    pub(crate) key: String,
    /// The value's name; empty for the default value, and if the row is about the whole key or its
    /// permissions.
    pub(crate) value: String,
    /// True if the key is in the control set that `Select\Current` names; absent if it is in none.
    pub(crate) in_current_set: Option<bool>,
    /// What it should be.
    pub(crate) desired: Wanted,
    /// What it is; absent if it does not exist, and if the row is about the whole key.
    pub(crate) current: Option<ValueData>,
    /// The content of the key, if the row is about the whole key and the key exists.
    pub(crate) subtree: Option<Subtree>,
    /// The bits that the row is about, if it isn't about the whole value.
    pub(crate) bits: Option<Bits>,
    /// The result of comparing the two.
    pub(crate) state: RowState,
}

impl MayBeFault for JudgedValue {
    fn is_fault(&self) -> bool {
        self.state == RowState::Fault
    }

    fn is_no_fault(&mut self) {
        if let Wanted::Permissions(permissions) = &mut self.desired {
            permissions.reasons.clear();
            self.state = match permissions.after {
                None => RowState::Ok,
                Some(_) => RowState::Differs,
            };
            return;
        }
        self.state = match (&self.current, self.subtree) {
            _ if self.desired == Wanted::Anything => RowState::Reported,
            (None, None) => RowState::Missing,
            _ => RowState::Differs,
        };
    }
}

/// A value before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedValue {
    /// The key below the hive's root.
    pub key: String,
    /// The value's name; empty for the default value.
    pub value: String,
    /// Its data before; absent if it didn't exist.
    pub old: Option<ValueData>,
    /// Its data after; absent if it is deleted.
    pub new: Option<ValueData>,
}

/// A key that is created or deleted as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedKey {
    /// The key below the hive's root.
    pub key: String,
}
