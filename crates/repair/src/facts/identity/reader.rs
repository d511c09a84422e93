//! Reads short values of a hive that may be damaged.

use diskmend_base::utf16;
use diskmend_hive::{Corruption, ValueType};

use crate::error::{Error, chain};
use crate::hive_on_disk::HiveOnDisk;
use crate::reading;
use crate::value_data::ValueData;

/// The maximum length of a value that is read, in bytes.
const MOST_BYTES: usize = 4096;
/// The maximum length of a text, in characters.
const MOST_CHARS: usize = 256;

/// A hive that couldn't be read, or not completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The hive.
    pub hive: &'static str,
    /// The reason, for display.
    pub reason: String,
}

/// An open hive. What is damaged is absent; the first damage is remembered.
pub(super) struct Reader<'h> {
    opened: &'h HiveOnDisk,
    damage: Option<Corruption>,
}

impl<'h> Reader<'h> {
    pub(super) const fn of(opened: &'h HiveOnDisk) -> Self {
        Self {
            opened,
            damage: None,
        }
    }

    /// Remembers damage that somebody else found.
    pub(super) fn cannot_read(&mut self, corruption: Corruption) {
        self.damage.get_or_insert(corruption);
    }

    /// What couldn't be read.
    pub(super) fn unread(self, hive: &'static str) -> Option<Unread> {
        let path = self.opened.path();
        let reason = chain(&Error::corrupt(path)(self.damage?));
        Some(Unread { hive, reason })
    }

    pub(super) fn has_key(&mut self, key: &str) -> bool {
        let found = self.opened.hive.key(key).map(|key| key.is_some());
        self.sound(found).unwrap_or(false)
    }

    /// The bytes of a value of any type.
    pub(super) fn bytes(&mut self, key: &str, name: &str) -> Option<Vec<u8>> {
        self.value(key, name).map(|data| data.bytes)
    }

    /// The text of a `REG_SZ` up to its first NUL, after which Windows leaves whatever was in the
    /// buffer (seen in `TimeZoneKeyName`).
    pub(super) fn text(&mut self, key: &str, name: &str) -> Option<String> {
        let bytes = self.of_type(key, name, ValueType::SZ)?;
        bounded(utf16::decode_to_nul(&bytes)?)
    }

    pub(super) fn dword(&mut self, key: &str, name: &str) -> Option<u32> {
        let bytes = self.of_type(key, name, ValueType::DWORD)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    pub(super) fn qword(&mut self, key: &str, name: &str) -> Option<u64> {
        let bytes = self.of_type(key, name, ValueType::QWORD)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// A FILETIME that is stored as `REG_BINARY`.
    pub(super) fn filetime_bytes(&mut self, key: &str, name: &str) -> Option<u64> {
        let bytes = self.of_type(key, name, ValueType::BINARY)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    fn of_type(&mut self, key: &str, name: &str, value_type: ValueType) -> Option<Vec<u8>> {
        let data = self.value(key, name)?;
        (data.value_type == value_type).then_some(data.bytes)
    }

    fn value(&mut self, key: &str, name: &str) -> Option<ValueData> {
        let found = reading::short_value(&self.opened.hive, key, name, MOST_BYTES);
        self.sound(found)?
    }

    fn sound<T>(&mut self, read: Result<T, Corruption>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(corruption) => {
                self.cannot_read(corruption);
                None
            }
        }
    }
}

/// A text without the space around it; `None` if nothing is left, or if it is too long.
pub(super) fn bounded(text: String) -> Option<String> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().nth(MOST_CHARS).is_none();
    fits.then(|| text.to_owned())
}
