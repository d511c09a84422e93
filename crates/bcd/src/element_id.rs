//! Element ids: class, format and subtype in 32 bits (BCD reference, BcdElementType).

use std::fmt;

use diskmend_hive::ValueType;
use diskmend_hive::name::Name;

/// The id of an element; the name of its key is this number in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementId(pub u32);

/// The reader of an element: bits 28 to 31 of its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Every boot application.
    Library,
    /// One kind of boot application; for another kind the id has another meaning.
    Application,
    /// A device.
    Device,
    /// Windows setup, when it creates objects from its templates.
    Template,
    /// A manufacturer.
    Oem,
    /// Unknown.
    Unknown(u8),
}

/// The format of an element's data: bits 24 to 27 of its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A device: `REG_BINARY`.
    Device,
    /// A string: `REG_SZ`.
    String,
    /// One object: its GUID, `REG_SZ`.
    Object,
    /// A list of objects: `REG_MULTI_SZ`.
    ObjectList,
    /// A 64-bit number: `REG_BINARY`.
    Integer,
    /// Yes or no: `REG_BINARY`.
    Boolean,
    /// A list of 64-bit numbers: `REG_BINARY`.
    IntegerList,
    /// Unknown.
    Unknown(u8),
}

impl Format {
    /// The registry type of its data.
    #[must_use]
    pub const fn value_type(self) -> ValueType {
        match self {
            Self::String | Self::Object => ValueType::SZ,
            Self::ObjectList => ValueType::MULTI_SZ,
            Self::Device | Self::Integer | Self::Boolean | Self::IntegerList | Self::Unknown(_) => {
                ValueType::BINARY
            }
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Device => "device",
            Self::String => "string",
            Self::Object => "object",
            Self::ObjectList => "object list",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::IntegerList => "integer list",
            Self::Unknown(number) => return write!(f, "unknown format {number}"),
        })
    }
}

impl ElementId {
    /// `device`: the device of the boot application's file.
    pub const APPLICATION_DEVICE: Self = Self(0x1100_0001);
    /// `path`: the boot application's file.
    pub const APPLICATION_PATH: Self = Self(0x1200_0002);
    /// `description`: the text in the boot menu.
    pub const DESCRIPTION: Self = Self(0x1200_0004);
    /// `inherit`: objects that lend their elements.
    pub const INHERIT: Self = Self(0x1400_0006);
    /// `bootems`: Emergency Management Services in the boot application.
    pub const BOOT_EMS: Self = Self(0x1600_0020);
    /// `emsport`: the number of the COM port.
    pub const EMS_PORT: Self = Self(0x1500_0022);
    /// `emsbaudrate`: the rate of that port in bits per second.
    pub const EMS_BAUD_RATE: Self = Self(0x1500_0023);
    /// `displayorder` of a boot manager: the boot menu.
    pub const DISPLAY_ORDER: Self = Self(0x2400_0001);
    /// `default` of a boot manager.
    pub const DEFAULT: Self = Self(0x2300_0003);
    /// `timeout` of a boot manager, in seconds.
    pub const TIMEOUT: Self = Self(0x2500_0004);
    /// `displaybootmenu` of a boot manager.
    pub const DISPLAY_BOOT_MENU: Self = Self(0x2600_0020);
    /// `osdevice` of a loader: the device of the Windows folder.
    pub const OS_DEVICE: Self = Self(0x2100_0001);
    /// `systemroot` of a loader: the Windows folder, from the root of its device.
    pub const SYSTEM_ROOT: Self = Self(0x2200_0002);
    /// `winpe` of a loader: true if it loads Windows PE.
    pub const WINPE: Self = Self(0x2600_0022);
    /// `safeboot` of a loader.
    pub const SAFE_BOOT: Self = Self(0x2500_0080);
    /// `imcdevice` of a loader: the device of an additional hive.
    pub const IMC_DEVICE: Self = Self(0x2100_0138);
    /// `imchivename` of a loader: the path of an additional hive.
    pub const IMC_HIVE_NAME: Self = Self(0x2200_0137);
    /// `ems` of a loader: Emergency Management Services in Windows.
    pub const EMS: Self = Self(0x2600_00b0);

    /// The reader of the element.
    #[must_use]
    pub(crate) const fn class(self) -> Class {
        match (self.0 >> 28) as u8 {
            1 => Class::Library,
            2 => Class::Application,
            3 => Class::Device,
            4 => Class::Template,
            5 => Class::Oem,
            other => Class::Unknown(other),
        }
    }

    /// The format of its data.
    #[must_use]
    pub const fn format(self) -> Format {
        match (self.0 >> 24) as u8 & 0xf {
            1 => Format::Device,
            2 => Format::String,
            3 => Format::Object,
            4 => Format::ObjectList,
            5 => Format::Integer,
            6 => Format::Boolean,
            7 => Format::IntegerList,
            other => Format::Unknown(other),
        }
    }

    /// The number of the element within its class.
    #[cfg(test)]
    pub(crate) const fn subtype(self) -> u32 {
        self.0 & 0x00ff_ffff
    }

    /// Parses the name of an element's key: eight hexadecimal digits in either case.
    #[must_use]
    pub(crate) fn from_key_name(name: Name<'_>) -> Option<Self> {
        if name.len() != 8 {
            return None;
        }
        name.units()
            .try_fold(0u32, |id, unit| {
                let digit = char::from(u8::try_from(unit).ok()?).to_digit(16)?;
                Some(id << 4 | digit)
            })
            .map(Self)
    }
}

/// Eight hexadecimal digits in lower case, as Windows names the element's key.
impl fmt::Display for ElementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for ElementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diskmend_hive::name::NameBuf;

    #[test]
    fn an_id_has_class_format_and_subtype() {
        let id = ElementId(0x2600_00b0);
        assert_eq!(id.class(), Class::Application);
        assert_eq!(id.format(), Format::Boolean);
        assert_eq!(id.subtype(), 0xb0);
        assert_eq!(id.to_string(), "260000b0");
    }

    #[test]
    fn key_names_are_eight_digits_of_either_case() {
        let read = |text: &str| ElementId::from_key_name(NameBuf::new(text).as_name());
        assert_eq!(read("1600000B"), Some(ElementId(0x1600_000b)));
        assert_eq!(read("1600000b"), Some(ElementId(0x1600_000b)));
        assert_eq!(read("+600000b"), None);
        assert_eq!(read("600000b"), None);
        assert_eq!(read("ŷ600000b"), None);
    }
}
