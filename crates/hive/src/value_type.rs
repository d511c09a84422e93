//! Registry data types.

use std::fmt;

/// The type of a value's data, as stored; every number is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueType(pub u32);

impl ValueType {
    /// No defined type.
    pub const NONE: Self = Self(0);
    /// UTF-16LE string with terminator.
    pub const SZ: Self = Self(1);
    /// UTF-16LE string with terminator and with references to environment variables that are not
    /// expanded.
    pub const EXPAND_SZ: Self = Self(2);
    /// Bytes.
    pub const BINARY: Self = Self(3);
    /// 32-bit number, little-endian.
    pub const DWORD: Self = Self(4);
    /// 32-bit number, big-endian.
    pub const DWORD_BIG_ENDIAN: Self = Self(5);
    /// Symbolic link.
    pub const LINK: Self = Self(6);
    /// Sequence of strings, ended by an empty one.
    pub const MULTI_SZ: Self = Self(7);
    /// List of hardware resources.
    pub const RESOURCE_LIST: Self = Self(8);
    /// Hardware resources of a device.
    pub const FULL_RESOURCE_DESCRIPTOR: Self = Self(9);
    /// Requirements of hardware resources.
    pub const RESOURCE_REQUIREMENTS_LIST: Self = Self(10);
    /// 64-bit number, little-endian.
    pub const QWORD: Self = Self(11);

    const NAMES: [&'static str; 12] = [
        "REG_NONE",
        "REG_SZ",
        "REG_EXPAND_SZ",
        "REG_BINARY",
        "REG_DWORD",
        "REG_DWORD_BIG_ENDIAN",
        "REG_LINK",
        "REG_MULTI_SZ",
        "REG_RESOURCE_LIST",
        "REG_FULL_RESOURCE_DESCRIPTOR",
        "REG_RESOURCE_REQUIREMENTS_LIST",
        "REG_QWORD",
    ];

    /// The documented name, if there is one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Self::NAMES.get(usize::try_from(self.0).ok()?).copied()
    }

    /// Parses a documented name, ignoring case, with or without `REG_`, or a number (decimal, or
    /// hexadecimal with `0x`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_meant = |name: &str| {
            let bare = name.strip_prefix("REG_");
            name.eq_ignore_ascii_case(text)
                || bare.is_some_and(|bare| bare.eq_ignore_ascii_case(text))
        };
        let named = Self::NAMES.iter().position(|name| is_meant(name));
        if let Some(number) = named {
            return u32::try_from(number).ok().map(Self);
        }
        match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(hex) => u32::from_str_radix(hex, 16).ok().map(Self),
            None => text.parse().ok().map(Self),
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#x}", self.0),
        }
    }
}

impl fmt::Debug for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_with_and_without_reg_in_any_case() {
        for (number, name) in (0..).zip(ValueType::NAMES) {
            let bare = name.strip_prefix("REG_").expect("a prefix");
            for spelled in [name, bare, &name.to_lowercase(), &bare.to_lowercase()] {
                assert_eq!(
                    ValueType::parse(spelled),
                    Some(ValueType(number)),
                    "{spelled}"
                );
            }
        }
        for other in ["", "REG_", "REG_REG_SZ", "REG", "_SZ", "DWORD ", "REG-SZ"] {
            assert_eq!(ValueType::parse(other), None, "{other:?}");
        }
    }
}
