//! Types of partitions, with names for people.

use std::fmt;

use super::guid::Guid;

/// What a partition says of its purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartitionType {
    /// The type GUID of a GPT entry.
    Gpt(Guid),
    /// The type byte of an MBR entry.
    Mbr(u8),
    /// A volume that fills a disk without partition table.
    Whole,
}

const MBR_DYNAMIC: u8 = 0x42;

const MBR_NAMES: &[(u8, &str)] = &[
    (0x01, "FAT12"),
    (0x04, "FAT16"),
    (0x06, "FAT16"),
    (0x07, "NTFS or exFAT"),
    (0x0B, "FAT32"),
    (0x0C, "FAT32 (LBA)"),
    (0x0E, "FAT16 (LBA)"),
    (0x11, "hidden FAT12"),
    (0x14, "hidden FAT16"),
    (0x16, "hidden FAT16"),
    (0x17, "hidden NTFS"),
    (0x1B, "hidden FAT32"),
    (0x1C, "hidden FAT32 (LBA)"),
    (0x1E, "hidden FAT16 (LBA)"),
    (0x27, "Windows recovery"),
    (MBR_DYNAMIC, "dynamic disk (LDM)"),
    (0x82, "Linux swap"),
    (0x83, "Linux"),
    (0x8E, "Linux LVM"),
    (0xA5, "FreeBSD"),
    (0xDE, "Dell utility"),
    (0xEE, "GPT protective"),
    (0xEF, "EFI system"),
    (0xFD, "Linux RAID"),
];

const BASIC_DATA: Guid = Guid::new(0xEBD0A0A2, 0xB9E5, 0x4433, 0x87C0_68B6_B726_99C7);
const LDM_METADATA: Guid = Guid::new(0x5808C8AA, 0x7E8F, 0x42E0, 0x85D2_E1E9_0434_CFB3);
const LDM_DATA: Guid = Guid::new(0xAF9B60A0, 0x1431, 0x4F62, 0xBC68_3311_714A_69AD);
const STORAGE_SPACES: Guid = Guid::new(0xE75CAF8F, 0xF680, 0x4CEE, 0xAFA3_B001_E56E_FC2D);

const GPT_NAMES: &[(Guid, &str)] = &[
    (
        Guid::new(0xC12A7328, 0xF81F, 0x11D2, 0xBA4B_00A0_C93E_C93B),
        "EFI system",
    ),
    (BASIC_DATA, "Microsoft basic data"),
    (
        Guid::new(0xE3C9E316, 0x0B5C, 0x4DB8, 0x817D_F92D_F002_15AE),
        "Microsoft reserved",
    ),
    (
        Guid::new(0xDE94BBA4, 0x06D1, 0x4D40, 0xA16A_BFD5_0179_D6AC),
        "Windows recovery",
    ),
    (LDM_METADATA, "dynamic disk (LDM) metadata"),
    (LDM_DATA, "dynamic disk (LDM) data"),
    (STORAGE_SPACES, "Storage Spaces"),
    (
        Guid::new(0x558D43C5, 0xA1AC, 0x43C0, 0xAAC8_D147_2B29_23D1),
        "Storage replica",
    ),
    (
        Guid::new(0x21686148, 0x6449, 0x6E6F, 0x744E_6565_6445_4649),
        "BIOS boot",
    ),
    (
        Guid::new(0x0FC63DAF, 0x8483, 0x4772, 0x8E79_3D69_D847_7DE4),
        "Linux",
    ),
    (
        Guid::new(0x4F68BCE3, 0xE8CD, 0x4DB1, 0x96E7_FBCA_F984_B709),
        "Linux root (x86-64)",
    ),
    (
        Guid::new(0xBC13C2FF, 0x59E6, 0x4262, 0xA352_B275_FD6F_7172),
        "Linux extended boot",
    ),
    (
        Guid::new(0x0657FD6D, 0xA4AB, 0x43C4, 0x84E5_0933_C84B_4F4F),
        "Linux swap",
    ),
    (
        Guid::new(0xE6D6D379, 0xF507, 0x44C2, 0xA23C_238F_2A3D_F928),
        "Linux LVM",
    ),
    (
        Guid::new(0xA19D880F, 0x05FC, 0x4D3B, 0xA006_743F_0F84_911E),
        "Linux RAID",
    ),
];

impl PartitionType {
    /// Whether it belongs to a dynamic disk, whose volumes only the logical disk manager knows.
    #[must_use]
    pub fn is_dynamic(self) -> bool {
        match self {
            Self::Gpt(guid) => guid == LDM_METADATA || guid == LDM_DATA,
            Self::Mbr(kind) => kind == MBR_DYNAMIC,
            Self::Whole => false,
        }
    }

    /// Whether it belongs to a pool of Storage Spaces.
    #[must_use]
    pub fn is_storage_spaces(self) -> bool {
        self == Self::Gpt(STORAGE_SPACES)
    }
}

impl fmt::Display for PartitionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gpt(guid) => match GPT_NAMES.iter().find(|(known, _)| known == guid) {
                Some((_, name)) => f.write_str(name),
                None => write!(f, "type {guid}"),
            },
            Self::Mbr(kind) => match MBR_NAMES.iter().find(|(known, _)| known == kind) {
                Some((_, name)) => f.write_str(name),
                None => write!(f, "type 0x{kind:02x}"),
            },
            Self::Whole => f.write_str("whole disk"),
        }
    }
}
