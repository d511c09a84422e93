//! Object types (BCD reference, BcdObject: object code, image code, application code).

use std::fmt;

/// The type of an object: `Type` in its `Description` key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectType(pub u32);

/// The boot application that reads the application elements of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Application {
    /// The firmware's or Windows's boot manager.
    BootManager,
    /// The Windows loader.
    Loader,
    /// The loader of a hibernated Windows.
    Resume,
    /// The memory tester.
    MemoryTester,
    /// The loader of Windows before Vista.
    LegacyLoader,
    /// The network start program.
    Startup,
}

impl ObjectType {
    /// Stands for the type of an object without a type, or with one that can't be read.
    pub(crate) const UNKNOWN: Self = Self(0);
    /// The firmware's boot manager.
    pub(crate) const FIRMWARE_BOOT_MANAGER: Self = Self(0x1010_0001);
    /// The Windows boot manager.
    pub const BOOT_MANAGER: Self = Self(0x1010_0002);
    /// A Windows loader.
    pub const LOADER: Self = Self(0x1020_0003);
    /// A loader of a hibernated Windows.
    pub const RESUME: Self = Self(0x1020_0004);
    /// The memory tester.
    pub const MEMORY_TESTER: Self = Self(0x1020_0005);
    /// The loader of Windows before Vista.
    pub const LEGACY_LOADER: Self = Self(0x1030_0006);
    /// A boot sector.
    pub(crate) const BOOT_SECTOR: Self = Self(0x1040_0008);
    /// Settings that any object can inherit.
    pub const SETTINGS: Self = Self(0x2010_0000);
    /// Settings that a loader can inherit.
    pub(crate) const LOADER_SETTINGS: Self = Self(0x2020_0003);
    /// Settings that a resume loader can inherit.
    pub(crate) const RESUME_SETTINGS: Self = Self(0x2020_0004);
    /// Options of a device.
    pub(crate) const DEVICE: Self = Self(0x3000_0000);

    /// Bits 28 to 31: 1 an application, 2 settings to inherit, 3 a device.
    #[must_use]
    pub(crate) const fn object_code(self) -> u32 {
        self.0 >> 28
    }

    /// Whether other objects may inherit from it.
    #[must_use]
    pub(crate) const fn is_inheritable(self) -> bool {
        self.object_code() == 2
    }

    /// The application that reads its application elements.
    #[must_use]
    pub(crate) const fn application(self) -> Option<Application> {
        if !matches!(self.object_code(), 1 | 2) {
            return None;
        }
        match self.0 & 0x000f_ffff {
            1 | 2 => Some(Application::BootManager),
            3 => Some(Application::Loader),
            4 => Some(Application::Resume),
            5 => Some(Application::MemoryTester),
            6 | 7 => Some(Application::LegacyLoader),
            9 => Some(Application::Startup),
            _ => None,
        }
    }

    /// The heading under which `bcdedit` lists objects of this type.
    #[must_use]
    pub fn title(self) -> String {
        match self {
            Self::FIRMWARE_BOOT_MANAGER => "Firmware Boot Manager".into(),
            Self::BOOT_MANAGER => "Windows Boot Manager".into(),
            Self::LOADER => "Windows Boot Loader".into(),
            Self::RESUME => "Resume from Hibernate".into(),
            Self::MEMORY_TESTER => "Windows Memory Tester".into(),
            Self::LEGACY_LOADER => "Windows Legacy OS Loader".into(),
            Self::BOOT_SECTOR => "Real-mode Boot Sector".into(),
            Self::DEVICE => "Device options".into(),
            _ => {
                let kind = match (self.object_code(), (self.0 >> 20) & 0xf) {
                    (1, 1) => "Firmware Application",
                    (1, 2) => "Boot Application",
                    (1, 3) => "Legacy Loader",
                    (1, 4) => "Real-mode Application",
                    (2, _) => "Inheritable Settings",
                    (3, _) => "Device options",
                    _ => "Unknown Object",
                };
                format!("{kind} ({:08x})", self.0)
            }
        }
    }
}

impl fmt::Display for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

impl fmt::Debug for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
