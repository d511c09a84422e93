//! Bytes that are written as hexadecimal digits.

use std::fmt;

use diskmend_base::hex::{self, Hex};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `N` bytes, each written as two lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digits<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Digits<N> {
    /// Parses exactly `N` bytes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = Self(hex::decode(text)?.try_into().ok()?);
        (bytes.to_string() == text).then_some(bytes)
    }
}

impl<const N: usize> fmt::Display for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl<const N: usize> fmt::Debug for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> Serialize for Digits<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Digits<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            let what = format!("not {} lower-case hexadecimal digits", 2 * N);
            serde::de::Error::custom(what)
        })
    }
}
