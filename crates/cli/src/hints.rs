//! What to do about an error: known to the command line only, which knows the person's next step.

use std::io;
use std::path::Path;

use diskmend_bcd::loader::LoaderError;
use diskmend_disk::{Content, DiskError, DiskNumber, GuardError, OpenError, is_in_use};
use diskmend_hive::ReadLogError;
use diskmend_repair::recipe::RecipeError;
use diskmend_repair::{Class, Doubt, Error, Refusal, Trust};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::shell;
use crate::volume_root::volume_root;

const PERMISSION: &str = "run diskmend as root, or from a prompt that was opened as administrator";
const STATE_FOLDER_OPEN: &str = "look at what is in it. Undo data that are yours: copy the folder to this machine, to a place \
     that only you can write, and name that with --state-dir DIR; then move the folder on the disk \
     away (in a folder of this machine, chown and chmod go-w do as well). What somebody else put \
     there is not to be undone";
const NOT_A_HIVE: &str = "hives lie in Windows/System32/config (SYSTEM, SOFTWARE, SAM and so on), \
                          in user profiles (NTUSER.DAT) and in the boot store (BCD); of a disk \
                          image, mount the volume";
const NO_LOG: &str = "copy the hive together with its .LOG1 and .LOG2 files, which lie beside it; \
                      where they are lost, so are the last changes to the registry";
const A_TARGET: &str =
    "name the folder that the Windows volume is mounted on, a disk image, or a disk";
const BITLOCKER: &str = "unlock it with its recovery key: 'manage-bde -unlock' on Windows, \
                         'cryptsetup open --type bitlk' or dislocker on Linux";

const LOADED: &str = "another program has it open; where it is loaded into this machine's registry, \
                      close regedit and unload it: 'reg unload HKLM\\NAME', with the name that \
                      it was loaded under";

/// Whether it is a disk that nobody has mounted.
fn is_disk(target: &Path) -> bool {
    !volume_root(target).is_dir()
}

/// Where no volume shows permissions.
pub(crate) fn no_descriptors(target: &Path) -> &'static str {
    if is_disk(target) {
        "permissions are kept on NTFS volumes; 'diskmend disks' shows which these are"
    } else if cfg!(windows) {
        "permissions are kept on NTFS volumes, by their drive letter or volume name"
    } else {
        "permissions are repaired on an NTFS volume that is mounted with ntfs-3g or the kernel's \
         ntfs3, as root"
    }
}

/// Where it is not known which boot store is meant.
pub(crate) fn boot_store(target: &Path) -> &'static str {
    if is_disk(target) {
        "all volumes of the disk that can be read were looked through; where several stores are found, --loader GUID \
         names the loader that is meant, and so the store that holds it"
    } else if cfg!(windows) {
        "--boot-volume VOLUME names the boot partition (BIOS) or the EFI system partition, by letter \
         or as 'mountvol' lists it; where several stores are found, --store FILE names the one that \
         is meant"
    } else {
        "mount the boot partition (BIOS) or the EFI system partition and add --boot-volume DIR; where \
         several stores are found, --store FILE names the one that is meant"
    }
}

/// Where it is not known which loader is meant.
fn loader(target: &Path) -> &'static str {
    match is_disk(target) {
        true => "--loader GUID names the loader of this Windows, --all-loaders means all",
        false => {
            "--loader GUID names the loader of this Windows, --all-loaders means all; 'diskmend bcd \
             show STORE' lists them"
        }
    }
}

impl From<RecipeError> for Failure {
    fn from(error: RecipeError) -> Self {
        let hint = match &error {
            RecipeError::Unknown { known, .. } => Some(format!("there are: {}", known.join(", "))),
            RecipeError::Conflict { .. }
            | RecipeError::ElementConflict { .. }
            | RecipeError::AclConflict { .. } => Some("name one of the two only".to_owned()),
            _ => None,
        };
        Self::of(Exit::Usage, &error).maybe_hint(hint)
    }
}

/// A target that could not be opened.
pub(crate) fn target_failure(error: &OpenError) -> Failure {
    let (exit, hint) = target_hint(error);
    Failure::of(exit, error).maybe_hint(hint)
}

fn target_hint(error: &OpenError) -> (Exit, Option<String>) {
    let (exit, hint) = match error {
        OpenError::Offline { disks, .. } => {
            let lines: Vec<String> = disks.iter().map(|disk| online(*disk)).collect();
            let hint = format!("where it is on that disk: {}", lines.join("; "));
            return (Exit::Failure, Some(hint));
        }
        OpenError::BitLocker { .. } => (Exit::Refused, Some(BITLOCKER)),
        OpenError::NotAFolder { .. } => (Exit::Failure, Some(A_TARGET)),
        OpenError::NoPartitions { .. } => (Exit::Usage, Some("leave --volume out")),
        OpenError::Disk { source, .. } => return disk_hint(source),
        OpenError::Permission { .. } => (Exit::Failure, Some(PERMISSION)),
        _ => (Exit::Failure, None),
    };
    (exit, hint.map(str::to_owned))
}

fn disk_hint(error: &DiskError) -> (Exit, Option<String>) {
    let (exit, hint) = match error {
        DiskError::SeveralWindows { .. } => (
            Exit::Usage,
            Some("say which one with --volume N; 'diskmend disks' shows what each holds"),
        ),
        DiskError::NoSuchPartition { .. } => {
            (Exit::Usage, Some("'diskmend disks' lists the partitions"))
        }
        DiskError::NotReadable {
            content: Content::BitLocker,
            ..
        } => (Exit::Refused, Some(BITLOCKER)),
        DiskError::Partitions(_) => (Exit::Failure, Some(A_TARGET)),
        DiskError::Container(_)
        | DiskError::NotReadable { .. }
        | DiskError::DynamicDisk { .. }
        | DiskError::StorageSpaces { .. } => (Exit::Refused, None),
        DiskError::NoWindows { .. } => (
            Exit::Failure,
            Some("'diskmend disks' shows what the disk holds"),
        ),
        _ => (Exit::Failure, None),
    };
    (exit, hint.map(str::to_owned))
}

/// Makes the volumes of a disk reachable.
fn online(disk: DiskNumber) -> String {
    format!(
        "in PowerShell 'Set-Disk -Number {disk} -IsOffline $false' (diskpart: 'select disk {disk}', \
         'online disk')"
    )
}

/// Makes the volumes of a disk writable.
fn disk_writable(disk: DiskNumber) -> String {
    format!(
        "in PowerShell 'Set-Disk -Number {disk} -IsReadOnly $false' (diskpart: 'select disk {disk}', \
         'attributes disk clear readonly')"
    )
}

/// An operation of the engine on `target` that came to no good end.
///
/// `state` is the option that names the folder for undo data, where one was given.
pub(crate) fn engine_failure(error: &Error, target: &Path, state: &str) -> Failure {
    let exit = match error.class() {
        Class::Failed => Exit::Failure,
        Class::Refused => Exit::Refused,
        Class::RolledBack => Exit::RolledBack,
        Class::Broken => Exit::NotRolledBack,
        Class::Interrupted => Exit::Interrupted,
    };
    let failure = Failure::of(exit, error);
    let hint = match error {
        Error::Refused(Refusal::Untrusted { run, trust, .. }) => {
            let hints = untrusted(run, trust, &word(target), state);
            return hints.into_iter().fold(failure, Failure::hint);
        }
        Error::DamagedRun { run, .. } => Some(format!(
            "look at run {run} in the folder for undo data; once its folder is moved away, it \
             hinders nobody"
        )),
        Error::Refused(refusal) => refusal_hint(refusal, target, state),
        Error::Target { source, .. } => target_hint(source).1,
        Error::NotAHive { .. } => Some(NOT_A_HIVE.to_owned()),
        Error::Draft { .. } => Some(
            "free some space there, or have TMPDIR name another folder of this machine".to_owned(),
        ),
        Error::Corrupt { .. } => Some("'diskmend hive check FILE' lists all that is wrong".into()),
        Error::NoRun { .. } | Error::NotUndoable { .. } => Some(format!(
            "'diskmend runs {}{state}' lists the runs",
            word(target)
        )),
        Error::RolledBack { .. } => Some("the disk is as it was; nothing is left to undo".into()),
        Error::Broken { run, .. } => Some(format!(
            "find out why the disk can't be written, then: {}",
            undo(target, run, state)
        )),
        Error::NotUndone { run, .. } => Some(format!(
            "find out why, then once more: {}; if it never succeeds, add --force-bytes, which shows \
             what differs and restores the run's old bytes alone",
            undo(target, run, state)
        )),
        Error::NotReversible { run, .. } => Some(format!(
            "undo what came later first; or restore the run's old bytes over it, after it is shown: \
             {} --force-bytes",
            undo(target, run, state)
        )),
        Error::NotCompleted { run, .. } => Some(format!(
            "find out why, then repeat the command; or take the run back: {}",
            undo(target, run, state)
        )),
        Error::Io { source, .. } => io_hint(source).map(str::to_owned),
        _ => None,
    };
    failure.maybe_hint(hint)
}

/// What can be done about a run that nobody speaks for. The name of a run is only digits, `T`, `Z`
/// and `-`, whoever has written it.
pub(crate) fn untrusted(run: &str, trust: &Trust, target: &str, state: &str) -> Vec<String> {
    let mut hints = Vec::new();
    if let Trust::Foreign { key } = trust {
        hints.push(format!(
            "if you know the machine with the key {key}: have 'diskmend key export' there give its \
             key, and add --key FILE"
        ));
    }
    hints.push(format!(
        "to see what it would change, and then to decide: diskmend undo {target} {run} --trust{state}"
    ));
    // Another machine may still need its own.
    hints.push(match trust {
        Trust::Foreign { .. } => format!(
            "to keep it without undoing it: move its folder diskmend/runs/{run} off the disk"
        ),
        Trust::Unauthenticated {
            reason: Doubt::OtherDisk,
        } => format!(
            "this machine has made it for another disk that may still need it: name that disk to \
             undo it, or move its folder diskmend/runs/{run} to that disk's folder for undo data"
        ),
        _ => format!("to remove it without undoing it: diskmend runs {target} --prune{state}"),
    });
    hints
}

/// A target as a shell takes it.
fn word(target: &Path) -> String {
    shell::word(&target.display().to_string()).into_owned()
}

/// The command that undoes a run.
fn undo(target: &Path, run: &str, state: &str) -> String {
    format!("diskmend undo {} {}{state}", word(target), shell::word(run))
}

fn refusal_hint(refusal: &Refusal, target: &Path, state: &str) -> Option<String> {
    let hint = match refusal {
        Refusal::Guard(guard) => return guard_hint(guard, &word(target)),
        Refusal::BootVolumeGuard { source, .. } => return guard_hint(source, &word(target)),
        Refusal::Unfinished { run, .. } | Refusal::OtherPartition { run, .. } => {
            return Some(undo(target, run, state));
        }
        Refusal::UnreadableRun { run, .. } => {
            return Some(format!(
                "to remove it without undoing it: diskmend runs {} --prune{state}; or move \
                 diskmend/runs/{run} away",
                word(target)
            ));
        }
        Refusal::HiveErrors { .. } => {
            "'diskmend hive check FILE' lists them; restore the hive from a backup, or from \
             Windows/System32/config/RegBack where that holds one"
        }
        Refusal::Unrecoverable { .. } | Refusal::NoLog { .. } => NO_LOG,
        Refusal::Log {
            source: ReadLogError::TooLong { .. },
            ..
        } => "no Windows wrote such a log; look at the file, and move it away before you try again",
        Refusal::Linked { .. } | Refusal::SameFile { .. } => {
            "no Windows makes such a file; if its content belongs to this hive, copy it to a new \
             file and rename that over this name; if not, move this name away; then try again"
        }
        Refusal::Log { .. } => return None,
        Refusal::NoStore { .. } | Refusal::StoreUnclear { .. } => boot_store(target),
        Refusal::LoaderUnclear { source, .. } => match source {
            LoaderError::SeveralFit { .. } => loader(target),
            _ => boot_store(target),
        },
        Refusal::SeveralWindows { .. }
        | Refusal::WrongLoader { .. }
        | Refusal::AnotherWindows { .. } => loader(target),
        Refusal::BootVolume { .. } => match is_disk(target) {
            true => "'diskmend disks' shows what the other volumes of the disk hold",
            false => "mount the volume again, and say where it is with --boot-volume DIR",
        },
        Refusal::BootVolumeOffDisk { .. } => {
            "leave --boot-volume and --store out: the boot stores on the other partitions of the \
             disk are found; or mount both volumes and name their folders"
        }
        Refusal::BootVolumeNotMounted { .. } => {
            "mount the boot volume too and name its folder; or name the disk that holds both \
             volumes, not mounted, as the target alone"
        }
        Refusal::NoObject { .. } | Refusal::StoreUnsound { .. } => {
            "'diskmend bcd check STORE' tells what is wrong with it"
        }
        Refusal::Changed { .. } => "look at the plan again, then repeat the command",
        Refusal::NoDescriptors => no_descriptors(target),
        Refusal::NotElevated => PERMISSION,
        Refusal::HiveBusy { .. } => "wait until it has ended",
        Refusal::NoKey(_) => {
            "runs are sealed with a key that is kept on this machine, off the disk; \
             DISKMEND_KEY_FILE names another file for it"
        }
        Refusal::StateFolderNeeded => "say where to keep them with --state-dir DIR",
        Refusal::StateFolderOpen { .. } => STATE_FOLDER_OPEN,
        Refusal::StateFolder { .. } => {
            "look at what it is; keep undo data elsewhere with \
                                        --state-dir DIR"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn guard_hint(guard: &GuardError, target: &str) -> Option<String> {
    Some(match guard {
        GuardError::NotWindows => "name the root of the Windows volume: the folder that holds \
                                   the folder Windows"
            .to_owned(),
        GuardError::DiskReadOnly { disk } => disk_writable(*disk),
        GuardError::NotWritable { .. } => PERMISSION.to_owned(),
        GuardError::DiskChanged | GuardError::DiskWasInUse => {
            "repeat the command once nobody else works on it".to_owned()
        }
        GuardError::DiskOnReadOnly => {
            "mount that file system for writing, or work on a copy of the image".to_owned()
        }
        GuardError::DiskOnline { disk } => format!(
            "work on its volume by the drive letter; or in PowerShell 'Set-Disk -Number {disk} \
             -IsOffline $true' (diskpart: 'select disk {disk}', 'offline disk')"
        ),
        GuardError::ReadOnly if cfg!(windows) => {
            "in diskpart: 'select volume LETTER', 'attributes volume clear readonly'; a disk that \
             is read-only as a whole may have a switch, or be attached so"
                .into()
        }
        GuardError::ReadOnly => format!(
            "mount it for writing: mount -o remount,rw {target}; a volume that Windows did not \
             shut down fully is mounted read-only by some drivers"
        ),
        GuardError::Hibernated => "start that Windows and shut it down fully ('shutdown /s /f /t \
                                   0'); where it can't start, mounting with 'ntfs-3g -o \
                                   remove_hiberfile' throws the saved session away"
            .to_owned(),
        GuardError::OwnDisk => {
            "diskmend repairs a disk that is attached to another machine".to_owned()
        }
        GuardError::Busy => "wait until it has ended".to_owned(),
        GuardError::DiskInUse => "unmount its volumes, or end the program that works on it; then \
                                  repeat the command"
            .to_owned(),
        GuardError::DiskAttached { device } => format!(
            "unmount what is mounted of it and detach it ('findmnt -S /dev/{device}', 'losetup -d \
             /dev/{device}'), then repeat the command; or mount its volume and name the folder"
        ),
        GuardError::DiskLocked | GuardError::DiskOpen => {
            "shut the virtual machine down, or end the program that has it \
                                   open (qemu-nbd, ntfs-3g), then repeat the command"
                .to_owned()
        }
        GuardError::NoSpace { .. } => {
            "free some space on the volume, or keep undo data elsewhere with --state-dir DIR".into()
        }
        GuardError::DecryptedImage { name } => {
            format!("mount it: mount -o loop {target}/{name} FOLDER, then name FOLDER")
        }
        GuardError::Io { source, .. } => return io_hint(source).map(str::to_owned),
        _ => return None,
    })
}

fn io_hint(error: &io::Error) -> Option<&'static str> {
    if is_in_use(error) {
        return Some(LOADED);
    }
    match error.kind() {
        io::ErrorKind::PermissionDenied => Some(PERMISSION),
        io::ErrorKind::IsADirectory => {
            Some("name the hive file itself, such as Windows/System32/config/SYSTEM")
        }
        io::ErrorKind::ReadOnlyFilesystem => Some("mount the volume for writing"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_guard_that_a_person_can_do_something_about_says_what() {
        for guard in [
            GuardError::NotWindows,
            GuardError::ReadOnly,
            GuardError::DiskReadOnly {
                disk: DiskNumber(2),
            },
            GuardError::Hibernated,
            GuardError::OwnDisk,
            GuardError::Busy,
            GuardError::DiskInUse,
            GuardError::DiskAttached {
                device: "loop0".to_owned(),
            },
            GuardError::DiskLocked,
            GuardError::DiskOpen,
            GuardError::DiskWasInUse,
            GuardError::DiskChanged,
            GuardError::DiskOnReadOnly,
            GuardError::NoSpace {
                needed: 2,
                available: 1,
            },
            GuardError::DecryptedImage {
                name: "dislocker-file",
            },
        ] {
            assert!(guard_hint(&guard, "/mnt/f").is_some(), "{guard}");
        }
    }

    #[test]
    fn bitlocker_is_a_guard_and_says_how_to_unlock() {
        let path = "/dev/sdb2".into();
        let (exit, hint) = target_hint(&OpenError::BitLocker { path });
        assert_eq!(exit, Exit::Refused);
        assert_eq!(hint.as_deref(), Some(BITLOCKER));
    }

    #[test]
    fn what_changes_a_disk_names_it_by_its_number() {
        let disk = DiskNumber(7);
        let read_only = guard_hint(&GuardError::DiskReadOnly { disk }, "F:").expect("a hint");
        for line in ["-Number 7 -IsReadOnly $false", "'select disk 7'"] {
            assert!(read_only.contains(line), "{read_only}");
        }
        let (exit, offline) = target_hint(&OpenError::Offline {
            path: "F:".into(),
            disks: vec![disk, DiskNumber(8)],
        });
        assert_eq!(exit, Exit::Failure);
        let offline = offline.expect("a hint");
        for line in ["-Number 7 -IsOffline $false", "-Number 8 -IsOffline $false"] {
            assert!(offline.contains(line), "{offline}");
        }
    }
}
