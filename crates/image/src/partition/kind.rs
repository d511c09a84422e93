//! Types of partitions, with display names.

use std::fmt;

use diskmend_base::Guid;

/// The purpose of a partition according to its table.
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
    (MBR_EFI_SYSTEM, "EFI system"),
    (0xFD, "Linux RAID"),
];

const EFI_SYSTEM: Guid = Guid::from_u128(0xc12a7328_f81f_11d2_ba4b_00a0c93ec93b);
const MBR_EFI_SYSTEM: u8 = 0xEF;
const BASIC_DATA: Guid = Guid::from_u128(0xebd0a0a2_b9e5_4433_87c0_68b6b72699c7);
const LDM_METADATA: Guid = Guid::from_u128(0x5808c8aa_7e8f_42e0_85d2_e1e90434cfb3);
const LDM_DATA: Guid = Guid::from_u128(0xaf9b60a0_1431_4f62_bc68_3311714a69ad);
const STORAGE_SPACES: Guid = Guid::from_u128(0xe75caf8f_f680_4cee_afa3_b001e56efc2d);

const GPT_NAMES: &[(Guid, &str)] = &[
    (EFI_SYSTEM, "EFI system"),
    (BASIC_DATA, "Microsoft basic data"),
    (
        Guid::from_u128(0xe3c9e316_0b5c_4db8_817d_f92df00215ae),
        "Microsoft reserved",
    ),
    (
        Guid::from_u128(0xde94bba4_06d1_4d40_a16a_bfd50179d6ac),
        "Windows recovery",
    ),
    (LDM_METADATA, "dynamic disk (LDM) metadata"),
    (LDM_DATA, "dynamic disk (LDM) data"),
    (STORAGE_SPACES, "Storage Spaces"),
    (
        Guid::from_u128(0x558d43c5_a1ac_43c0_aac8_d1472b2923d1),
        "Storage replica",
    ),
    (
        Guid::from_u128(0x21686148_6449_6e6f_744e_656564454649),
        "BIOS boot",
    ),
    (
        Guid::from_u128(0x0fc63daf_8483_4772_8e79_3d69d8477de4),
        "Linux",
    ),
    (
        Guid::from_u128(0x4f68bce3_e8cd_4db1_96e7_fbcaf984b709),
        "Linux root (x86-64)",
    ),
    (
        Guid::from_u128(0xbc13c2ff_59e6_4262_a352_b275fd6f7172),
        "Linux extended boot",
    ),
    (
        Guid::from_u128(0x0657fd6d_a4ab_43c4_84e5_0933c84b4f4f),
        "Linux swap",
    ),
    (
        Guid::from_u128(0xe6d6d379_f507_44c2_a23c_238f2a3df928),
        "Linux LVM",
    ),
    (
        Guid::from_u128(0xa19d880f_05fc_4d3b_a006_743f0f84911e),
        "Linux RAID",
    ),
];

impl PartitionType {
    /// True if it belongs to a dynamic disk: only the logical disk manager knows the volumes on it.
    #[must_use]
    pub fn is_dynamic(self) -> bool {
        match self {
            Self::Gpt(guid) => guid == LDM_METADATA || guid == LDM_DATA,
            Self::Mbr(kind) => kind == MBR_DYNAMIC,
            Self::Whole => false,
        }
    }

    /// True for an EFI system partition, from which EFI firmware starts.
    #[must_use]
    pub fn is_efi_system(self) -> bool {
        match self {
            Self::Gpt(guid) => guid == EFI_SYSTEM,
            Self::Mbr(kind) => kind == MBR_EFI_SYSTEM,
            Self::Whole => false,
        }
    }

    /// True if it belongs to a pool of Storage Spaces.
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
                None => write!(f, "type {}", guid.bare()),
            },
            Self::Mbr(kind) => match MBR_NAMES.iter().find(|(known, _)| known == kind) {
                Some((_, name)) => f.write_str(name),
                None => write!(f, "type 0x{kind:02x}"),
            },
            Self::Whole => f.write_str("whole disk"),
        }
    }
}
