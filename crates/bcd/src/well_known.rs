//! Objects that have fixed GUIDs in every store, and `bcdedit`'s names for them.

use diskmend_base::Guid;

use crate::object_type::ObjectType;

/// An object with a fixed GUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WellKnown {
    /// Its GUID.
    pub guid: Guid,
    /// Its name in `bcdedit`, braces included.
    pub alias: &'static str,
    /// The type with which Windows creates it.
    pub object_type: ObjectType,
    /// The heading under which `bcdedit` lists it.
    pub title: &'static str,
}

/// `{bootmgr}`: the Windows boot manager.
pub const BOOTMGR: Guid = Guid::from_u128(0x9dea862c_5cdd_4e70_acc1_f32b344d4795);
/// `{fwbootmgr}`: the firmware's boot manager.
pub const FWBOOTMGR: Guid = Guid::from_u128(0xa5a30fa2_3d06_4e9f_b5f4_a01df9d1fcba);
/// `{memdiag}`: the memory tester.
pub const MEMDIAG: Guid = Guid::from_u128(0xb2721d73_1db4_4c62_bf78_c548a880142d);
/// `{ntldr}`: the loader of Windows before Vista.
pub const NTLDR: Guid = Guid::from_u128(0x466f5a88_0af2_4f76_9038_095b170dc21c);
/// `{emssettings}`: port and rate of Emergency Management Services.
pub const EMSSETTINGS: Guid = Guid::from_u128(0x0ce4991b_e6b3_4b16_b23c_5e0d9250e5d9);
/// `{dbgsettings}`: the connection of the debugger.
pub const DBGSETTINGS: Guid = Guid::from_u128(0x4636856e_540f_4170_a130_a84776f4c654);
/// `{badmemory}`: memory pages to avoid.
pub const BADMEMORY: Guid = Guid::from_u128(0x5189b25c_5558_4bf2_bca4_289b11bd29e2);
/// `{globalsettings}`: inherited by all boot applications.
pub const GLOBALSETTINGS: Guid = Guid::from_u128(0x7ea2e1ac_2e61_4728_aaa3_896d9d0a9f0e);
/// `{bootloadersettings}`: inherited by all loaders.
pub const BOOTLOADERSETTINGS: Guid = Guid::from_u128(0x6efb52bf_1766_41db_a6b3_0ee5eff72bd7);
/// `{hypervisorsettings}`: the connection of the hypervisor's debugger.
pub const HYPERVISORSETTINGS: Guid = Guid::from_u128(0x7ff607e0_4395_11db_b0de_0800200c9a66);
/// `{kerneldbgsettings}`: the connection of the kernel's debugger, if it differs from the loader's.
pub const KERNELDBGSETTINGS: Guid = Guid::from_u128(0x313e8eed_7098_4586_a9bf_309c61f8d449);
/// `{resumeloadersettings}`: inherited by all resume loaders.
pub const RESUMELOADERSETTINGS: Guid = Guid::from_u128(0x1afa9c49_16ab_4a5c_901b_212802da9460);
/// `{ramdiskoptions}`: options of the memory disk from which setup boots.
pub const RAMDISKOPTIONS: Guid = Guid::from_u128(0xae5534e0_a924_466c_b836_758539a3ee3a);
/// `{current}`: the entry from which the running Windows was booted; never stored as an object.
pub(crate) const CURRENT: Guid = Guid::from_u128(0xfa926493_6f1c_4193_a414_58f0b2456d1e);
/// `{default}`: the boot manager's default entry; never stored as an object.
pub(crate) const DEFAULT: Guid = Guid::from_u128(0x1cae1eb7_a0df_4d4d_9851_4860e34ef535);

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

/// The well-known object with this name, ignoring case; braces may be missing.
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
