//! The entry points by name.

/// What to fuzz.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// Opening and reading a hive.
    Open,
    /// Recovering a hive from its logs.
    Replay,
    /// The full structural check.
    Check,
    /// Editing, also of corrupt hives.
    Edit,
    /// Parsing registry text files.
    RegFile,
    /// Listing, checking and exporting a boot store.
    Bcd,
    /// Reading and editing security descriptors.
    Descriptor,
    /// Reading SDDL.
    Sddl,
    /// Reading save files of icacls.
    AclSave,
    /// Opening, reading and writing VHDs.
    Vhd,
    /// Opening, reading and writing VHDXs.
    Vhdx,
    /// Reading partition tables.
    Partition,
    /// Reading and changing FAT volumes.
    Fat,
    /// Reading NTFS volumes.
    NtfsRead,
    /// Changing NTFS volumes.
    NtfsWrite,
    /// Recording changes of a disk, and taking them back.
    Record,
    /// Reading and following a folder for undo data that an attacker has left.
    #[cfg(target_os = "linux")]
    Forge,
}

impl Target {
    /// Every target.
    pub const ALL: &[Self] = &[
        Self::Open,
        Self::Replay,
        Self::Check,
        Self::Edit,
        Self::RegFile,
        Self::Bcd,
        Self::Descriptor,
        Self::Sddl,
        Self::AclSave,
        Self::Vhd,
        Self::Vhdx,
        Self::Partition,
        Self::Fat,
        Self::NtfsRead,
        Self::NtfsWrite,
        Self::Record,
        #[cfg(target_os = "linux")]
        Self::Forge,
    ];

    /// Its name, as on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replay => "replay",
            Self::Check => "check",
            Self::Edit => "edit",
            Self::RegFile => "reg-file",
            Self::Bcd => "bcd",
            Self::Descriptor => "descriptor",
            Self::Sddl => "sddl",
            Self::AclSave => "acl-save",
            Self::Vhd => "vhd",
            Self::Vhdx => "vhdx",
            Self::Partition => "partition",
            Self::Fat => "fat",
            Self::NtfsRead => "ntfs-read",
            Self::NtfsWrite => "ntfs-write",
            Self::Record => "record",
            #[cfg(target_os = "linux")]
            Self::Forge => "forge",
        }
    }

    /// Runs it on one input.
    pub fn run(self, data: &[u8]) {
        match self {
            Self::Open => super::open(data),
            Self::Replay => super::replay(data),
            Self::Check => super::check(data),
            Self::Edit => super::edit(data),
            Self::RegFile => super::reg_file(data),
            Self::Bcd => super::bcd(data),
            Self::Descriptor => super::descriptor(data),
            Self::Sddl => super::sddl(data),
            Self::AclSave => super::acl_save(data),
            Self::Vhd => super::vhd(data),
            Self::Vhdx => super::vhdx(data),
            Self::Partition => super::partition(data),
            Self::Fat => super::fat(data),
            Self::NtfsRead => super::ntfs_read(data),
            Self::NtfsWrite => super::ntfs_write(data),
            Self::Record => super::record(data),
            #[cfg(target_os = "linux")]
            Self::Forge => super::forge(data),
        }
    }
}
