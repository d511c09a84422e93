//! Targets for disks that nobody mounted: containers, partition tables, volumes, and the record of
//! changes. They begin with small sound images made by own code, and change them as the input says.

mod bytes;
mod container;
mod fat;
mod input;
mod mutate;
mod ntfs;
mod partition;
mod record;
mod sparse;
#[cfg(test)]
mod tests;
mod vhd;
mod vhdx;

pub use container::{vhd, vhdx};
pub use fat::fat;
pub use ntfs::{ntfs_read, ntfs_write};
pub use partition::partition;
pub use record::record;

use input::Base;
#[cfg(target_os = "linux")]
pub(super) use input::Script;
pub(super) use mutate::input;

use super::Target;

/// Which images a target begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Vhd,
    Vhdx,
    Partition,
    Fat,
    Ntfs,
    Record,
}

impl Kind {
    /// Those of a target, if it is one for images.
    pub(super) fn of(target: Target) -> Option<Self> {
        Some(match target {
            Target::Vhd => Self::Vhd,
            Target::Vhdx => Self::Vhdx,
            Target::Partition => Self::Partition,
            Target::Fat => Self::Fat,
            Target::NtfsRead | Target::NtfsWrite => Self::Ntfs,
            Target::Record => Self::Record,
            _ => return None,
        })
    }

    fn bases(self) -> &'static [Base] {
        match self {
            Self::Vhd => vhd::bases(),
            Self::Vhdx => vhdx::bases(),
            Self::Partition => partition::bases(),
            Self::Fat => fat::bases(),
            Self::Ntfs => ntfs::bases(),
            Self::Record => record::bases(),
        }
    }
}
