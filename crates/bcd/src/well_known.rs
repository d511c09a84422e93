//! Objects that every store names alike, and `bcdedit`'s names for them.

use crate::guid::Guid;
use crate::object_type::ObjectType;

/// An object with a fixed GUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WellKnown {
    /// Its GUID.
    pub guid: Guid,
    /// Its name in `bcdedit`, braces included.
    pub alias: &'static str,
    /// The type with which Windows makes it.
    pub object_type: ObjectType,
    /// The heading under which `bcdedit` lists it.
    pub title: &'static str,
}

/// `{bootmgr}`: the Windows boot manager.
pub const BOOTMGR: Guid = Guid::new(
    0x9dea_862c,
    0x5cdd,
    0x4e70,
    [0xac, 0xc1, 0xf3, 0x2b, 0x34, 0x4d, 0x47, 0x95],
);
/// `{fwbootmgr}`: the firmware's boot manager.
pub const FWBOOTMGR: Guid = Guid::new(
    0xa5a3_0fa2,
    0x3d06,
    0x4e9f,
    [0xb5, 0xf4, 0xa0, 0x1d, 0xf9, 0xd1, 0xfc, 0xba],
);
/// `{memdiag}`: the memory tester.
pub const MEMDIAG: Guid = Guid::new(
    0xb272_1d73,
    0x1db4,
    0x4c62,
    [0xbf, 0x78, 0xc5, 0x48, 0xa8, 0x80, 0x14, 0x2d],
);
/// `{ntldr}`: the loader of Windows before Vista.
pub const NTLDR: Guid = Guid::new(
    0x466f_5a88,
    0x0af2,
    0x4f76,
    [0x90, 0x38, 0x09, 0x5b, 0x17, 0x0d, 0xc2, 0x1c],
);
/// `{emssettings}`: port and rate of Emergency Management Services.
pub const EMSSETTINGS: Guid = Guid::new(
    0x0ce4_991b,
    0xe6b3,
    0x4b16,
    [0xb2, 0x3c, 0x5e, 0x0d, 0x92, 0x50, 0xe5, 0xd9],
);
/// `{dbgsettings}`: how the debugger is reached.
pub const DBGSETTINGS: Guid = Guid::new(
    0x4636_856e,
    0x540f,
    0x4170,
    [0xa1, 0x30, 0xa8, 0x47, 0x76, 0xf4, 0xc6, 0x54],
);
/// `{badmemory}`: pages of memory to leave alone.
pub const BADMEMORY: Guid = Guid::new(
    0x5189_b25c,
    0x5558,
    0x4bf2,
    [0xbc, 0xa4, 0x28, 0x9b, 0x11, 0xbd, 0x29, 0xe2],
);
/// `{globalsettings}`: what all boot applications inherit.
pub const GLOBALSETTINGS: Guid = Guid::new(
    0x7ea2_e1ac,
    0x2e61,
    0x4728,
    [0xaa, 0xa3, 0x89, 0x6d, 0x9d, 0x0a, 0x9f, 0x0e],
);
/// `{bootloadersettings}`: what all loaders inherit.
pub const BOOTLOADERSETTINGS: Guid = Guid::new(
    0x6efb_52bf,
    0x1766,
    0x41db,
    [0xa6, 0xb3, 0x0e, 0xe5, 0xef, 0xf7, 0x2b, 0xd7],
);
/// `{hypervisorsettings}`: how the hypervisor's debugger is reached.
pub const HYPERVISORSETTINGS: Guid = Guid::new(
    0x7ff6_07e0,
    0x4395,
    0x11db,
    [0xb0, 0xde, 0x08, 0x00, 0x20, 0x0c, 0x9a, 0x66],
);
/// `{kerneldbgsettings}`: how the kernel's debugger is reached, where apart from the loader's.
pub const KERNELDBGSETTINGS: Guid = Guid::new(
    0x313e_8eed,
    0x7098,
    0x4586,
    [0xa9, 0xbf, 0x30, 0x9c, 0x61, 0xf8, 0xd4, 0x49],
);
/// `{resumeloadersettings}`: what all resume loaders inherit.
pub const RESUMELOADERSETTINGS: Guid = Guid::new(
    0x1afa_9c49,
    0x16ab,
    0x4a5c,
    [0x90, 0x1b, 0x21, 0x28, 0x02, 0xda, 0x94, 0x60],
);
/// `{ramdiskoptions}`: options of the memory disk that setup boots from.
pub const RAMDISKOPTIONS: Guid = Guid::new(
    0xae55_34e0,
    0xa924,
    0x466c,
    [0xb8, 0x36, 0x75, 0x85, 0x39, 0xa3, 0xee, 0x3a],
);
/// `{current}`: stands for the entry that the running Windows was booted from; never stored as
/// an object.
pub const CURRENT: Guid = Guid::new(
    0xfa92_6493,
    0x6f1c,
    0x4193,
    [0xa4, 0x14, 0x58, 0xf0, 0xb2, 0x45, 0x6d, 0x1e],
);
/// `{default}`: stands for the boot manager's default entry; never stored as an object.
pub const DEFAULT: Guid = Guid::new(
    0x1cae_1eb7,
    0xa0df,
    0x4d4d,
    [0x98, 0x51, 0x48, 0x60, 0xe3, 0x4e, 0xf5, 0x35],
);

/// All objects with fixed GUIDs.
pub const WELL_KNOWN: [WellKnown; 13] = [
    WellKnown {
        guid: FWBOOTMGR,
        alias: "{fwbootmgr}",
        object_type: ObjectType::FIRMWARE_BOOT_MANAGER,
        title: "Firmware Boot Manager",
    },
    WellKnown {
        guid: BOOTMGR,
        alias: "{bootmgr}",
        object_type: ObjectType::BOOT_MANAGER,
        title: "Windows Boot Manager",
    },
    WellKnown {
        guid: MEMDIAG,
        alias: "{memdiag}",
        object_type: ObjectType::MEMORY_TESTER,
        title: "Windows Memory Tester",
    },
    WellKnown {
        guid: NTLDR,
        alias: "{ntldr}",
        object_type: ObjectType::LEGACY_LOADER,
        title: "Windows Legacy OS Loader",
    },
    WellKnown {
        guid: EMSSETTINGS,
        alias: "{emssettings}",
        object_type: ObjectType::SETTINGS,
        title: "EMS Settings",
    },
    WellKnown {
        guid: DBGSETTINGS,
        alias: "{dbgsettings}",
        object_type: ObjectType::SETTINGS,
        title: "Debugger Settings",
    },
    WellKnown {
        guid: BADMEMORY,
        alias: "{badmemory}",
        object_type: ObjectType::SETTINGS,
        title: "RAM Defects",
    },
    WellKnown {
        guid: GLOBALSETTINGS,
        alias: "{globalsettings}",
        object_type: ObjectType::SETTINGS,
        title: "Global Settings",
    },
    WellKnown {
        guid: BOOTLOADERSETTINGS,
        alias: "{bootloadersettings}",
        object_type: ObjectType::LOADER_SETTINGS,
        title: "Boot Loader Settings",
    },
    WellKnown {
        guid: HYPERVISORSETTINGS,
        alias: "{hypervisorsettings}",
        object_type: ObjectType::LOADER_SETTINGS,
        title: "Hypervisor Settings",
    },
    WellKnown {
        guid: KERNELDBGSETTINGS,
        alias: "{kerneldbgsettings}",
        object_type: ObjectType::LOADER_SETTINGS,
        title: "Kernel Debugger Settings",
    },
    WellKnown {
        guid: RESUMELOADERSETTINGS,
        alias: "{resumeloadersettings}",
        object_type: ObjectType::RESUME_SETTINGS,
        title: "Resume Loader Settings",
    },
    WellKnown {
        guid: RAMDISKOPTIONS,
        alias: "{ramdiskoptions}",
        object_type: ObjectType::DEVICE,
        title: "Setup Ramdisk Options",
    },
];

/// The well-known object with this GUID.
#[must_use]
pub fn by_guid(guid: Guid) -> Option<&'static WellKnown> {
    WELL_KNOWN.iter().find(|object| object.guid == guid)
}

/// The well-known object with this name, whatever its case; braces may be missing.
#[must_use]
pub fn by_alias(alias: &str) -> Option<&'static WellKnown> {
    let bare = bare(alias);
    WELL_KNOWN
        .iter()
        .find(|object| self::bare(object.alias).eq_ignore_ascii_case(bare))
}

/// A name without its braces.
pub(crate) fn bare(alias: &str) -> &str {
    alias
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(alias)
}
