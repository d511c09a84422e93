//! The programs that are compared. Each finds the volume as the previous one in the list has left
//! it.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::files::{KEYS, Look, look};
use super::volume::Volume;
use crate::program;

/// The file beside the volume from which `ntfssecaudit` restores.
const BACKUP: &str = "backup.txt";

/// Something under measurement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Contender {
    ReadFloor,
    ReadFloorWithin,
    Floor,
    FloorWithin,
    Restore,
    SetModes,
    Repair,
    RepairAgain,
    Undo,
}

/// The expected result of a contender.
pub(super) struct Expected {
    /// The volume with the broken descriptors.
    pub(super) broken: Look,
    /// The volume as it was when the contender began.
    pub(super) before: Look,
}

impl Contender {
    pub(super) const ALL: [Self; 9] = [
        Self::ReadFloor,
        Self::ReadFloorWithin,
        Self::Floor,
        Self::FloorWithin,
        Self::Restore,
        Self::SetModes,
        Self::Repair,
        Self::RepairAgain,
        Self::Undo,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ReadFloor => "`getxattr` of each file, by path",
            Self::ReadFloorWithin => "`getxattr` of each file, by name within the folder",
            Self::Floor => "`getxattr` and `setxattr` of each file, by path",
            Self::FloorWithin => {
                "`getxattr` and `setxattr` of each file, by name within the folder"
            }
            Self::Restore => "`ntfssecaudit -s`, not mounted",
            Self::SetModes => "`ntfssecaudit -r DEVICE 600 FOLDER`, not mounted",
            Self::Repair => "`diskmend repair`, all change",
            Self::RepairAgain => "`diskmend repair`, none changes",
            Self::Undo => "`diskmend undo`",
        }
    }

    /// The contender with which its time is compared.
    pub(super) fn floor(self) -> Self {
        match self {
            Self::ReadFloor | Self::ReadFloorWithin | Self::RepairAgain => Self::ReadFloor,
            _ => Self::Floor,
        }
    }

    pub(super) fn is_ntfssecaudit(self) -> bool {
        matches!(self, Self::Restore | Self::SetModes)
    }

    pub(super) fn exists(self) -> bool {
        !self.is_ntfssecaudit() || program::exists("ntfssecaudit")
    }

    /// Brings the volume into the contender's initial state.
    pub(super) fn prepare(self, volume: &mut Volume) -> Result<()> {
        match self {
            Self::ReadFloor
            | Self::ReadFloorWithin
            | Self::Floor
            | Self::FloorWithin
            | Self::SetModes
            | Self::Repair => volume.reset(),
            Self::RepairAgain | Self::Undo => volume.remount(),
            Self::Restore => {
                volume.reset()?;
                back_up(volume)?;
                let root = volume.root();
                volume.remount()?;
                let mut floor = floor_command(&root, &["--set"])?;
                if !floor.status()?.success() {
                    bail!("the descriptors can't be set");
                }
                Ok(())
            }
        }
    }

    pub(super) fn command(self, volume: &mut Volume, diskmend: &Path) -> Result<Command> {
        let root = volume.root();
        let mut command = match self {
            Self::ReadFloor => return floor_command(&root, &[]),
            Self::ReadFloorWithin => return floor_command(&root, &["--within"]),
            Self::Floor => return floor_command(&root, &["--set"]),
            Self::FloorWithin => return floor_command(&root, &["--set", "--within"]),
            Self::Restore | Self::SetModes => Command::new("ntfssecaudit"),
            Self::Repair | Self::RepairAgain | Self::Undo => Command::new(diskmend),
        };
        match self {
            Self::Restore => {
                command.args(["-s", &volume.unmounted()?]);
                command.arg(volume.beside(BACKUP));
            }
            Self::SetModes => {
                command.args(["-r", &volume.unmounted()?, "600", KEYS]);
            }
            Self::Undo => {
                command.arg("undo").arg(root).arg("--yes");
            }
            _ => {
                command.arg("repair").arg(root);
                command.args(["machine-keys", "--yes"]);
            }
        }
        Ok(command)
    }

    /// Checks that it has done its job.
    pub(super) fn verify(self, volume: &mut Volume, expected: &Expected) -> Result<()> {
        if self.is_ntfssecaudit() {
            volume.remount()?;
        }
        let now = look(&volume.root())?;
        let right = match self {
            Self::ReadFloor | Self::ReadFloorWithin | Self::RepairAgain => now == expected.before,
            Self::Floor | Self::FloorWithin | Self::SetModes | Self::Repair => {
                now.descriptors != expected.broken.descriptors
            }
            Self::Restore | Self::Undo => now.descriptors == expected.broken.descriptors,
        };
        if !right {
            bail!(
                "{}: what is on the volume now is not what it should be",
                self.name()
            );
        }
        Ok(())
    }
}

fn floor_command(root: &Path, options: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("bench-descriptors-floor").args(options);
    command.arg(root.join(KEYS));
    Ok(command)
}

fn back_up(volume: &mut Volume) -> Result<()> {
    let device = volume.unmounted()?;
    let file = std::fs::File::create(volume.beside(BACKUP))?;
    let status = Command::new("ntfssecaudit")
        .args(["-b", &device, KEYS])
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(Stdio::null())
        .status()
        .context("ntfssecaudit")?;
    if !status.success() {
        bail!("ntfssecaudit -b: {status}");
    }
    Ok(())
}
