//! Hints: what the user can do about an error. Only the command line knows the user's next
//! step.

use std::io;
use std::path::Path;

use diskmend_bcd::loader::LoaderError;
use diskmend_disk::{Content, DiskError, DiskNumber, GuardError, OpenError, is_in_use};
use diskmend_hive::ReadLogError;
use diskmend_repair::diagnosis::RuleError;
use diskmend_repair::recipe::RecipeError;
use diskmend_repair::{Class, Doubt, Error, Refusal, Trust};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_target::HiveTarget;
use crate::image_path;
use crate::nearest::nearest;
use crate::output::shell;
use crate::volume_root::{is_drive_of_windows, volume_root};
use crate::windows_on::choices;

pub(crate) const PERMISSION: &str =
    "run diskmend as root, or from a prompt that was opened as administrator";
const STATE_FOLDER_OPEN: &str = "look at what is in it. If the undo data are yours, copy the \
     folder to this machine, to a place that only you can write, and name that place with \
     --state-dir DIR; then move the folder on the disk away (for a folder of this machine, chown \
     and chmod go-w are enough). Do not undo runs that somebody else put there";
const NOT_A_HIVE: &str = "hives are in Windows/System32/config (SYSTEM, SOFTWARE, SAM and so on), \
                          in user profiles (NTUSER.DAT) and in the boot store (BCD); if this is a \
                          disk image, name the hive on it as IMAGE:PATH, such as \
                          disk.vhdx:Windows/System32/config/SYSTEM";
const NO_LOG: &str = "copy the hive together with its .LOG1 and .LOG2 files from the same folder; \
                      if they are lost, so are the last changes to the registry";
const A_TARGET: &str =
    "name the folder that the Windows volume is mounted on, a disk image, or a disk";
const ELSEWHERE: &str = "name the root of the Windows volume, or the folder of the hive file that was \
                         edited; if the undo data are elsewhere, name their folder with --state-dir \
                         DIR";
/// If nothing on the disk can take the place of a damaged file.
pub(crate) const BACKUP: &str = "restore the damaged file from a backup of this disk; Windows 10 version 1803 and later fill \
     Windows/System32/config/RegBack only if somebody has asked them to (recipe regback-on)";
pub(crate) const PLAN_AGAIN: &str =
    "make the plan again with 'diskmend plan --out FILE', and have it reviewed again";
/// If the page of `--report` could not be written.
pub(crate) const NO_REPORT: &str = "the command itself ended as it says above, and what it changed stays changed; 'diskmend report \
     TARGET [RUN] -o FILE' makes a page about the disk";
const DRIVE_LETTER: &str = "only Windows has drive letters; here, name the mount point of the \
                            volume (or a path below it), a disk image, or a device such as \
                            /dev/sdb";
const BITLOCKER: &str = "unlock it with its recovery key: 'manage-bde -unlock' on Windows, \
                         'cryptsetup open --type bitlk' or dislocker on Linux";

const LOADED: &str = "another program has it open; if it is loaded into this machine's registry, \
                      close regedit and unload it: 'reg unload HKLM\\NAME', with the name that \
                      it was loaded under";

/// True if the target is an unmounted disk.
fn is_disk(target: &Path) -> bool {
    !volume_root(target).is_dir()
}

/// The hint if the volume shows no permissions.
pub(crate) fn no_descriptors(target: &Path) -> &'static str {
    if is_disk(target) {
        "permissions are kept on NTFS volumes; 'diskmend disks' shows which volumes are NTFS"
    } else if cfg!(windows) {
        "permissions are kept on NTFS volumes, by their drive letter or volume name"
    } else {
        "permissions are repaired on an NTFS volume that is mounted with ntfs-3g or the kernel's \
         ntfs3, as root"
    }
}

/// The hint if several boot stores are possible, or none was found.
pub(crate) fn boot_store(target: &Path) -> &'static str {
    if is_disk(target) {
        "diskmend searched all volumes of the disk that it can read; if there are several stores, \
 --loader GUID names the loader, and so the store that contains it"
    } else if cfg!(windows) {
        "--boot-volume VOLUME names the boot partition (BIOS) or the EFI system partition, by \
         letter or as 'mountvol' lists it; if there are several stores, --store FILE names the \
         right one"
    } else {
        "mount the boot partition (BIOS) or the EFI system partition and add --boot-volume DIR; if \
         there are several stores, --store FILE names the right one"
    }
}

/// The hint if several loaders are possible.
fn loader(target: &Path) -> &'static str {
    if is_disk(target) {
        "--loader GUID names the loader of this Windows, --all-loaders means all of them"
    } else {
        "--loader GUID names the loader of this Windows, --all-loaders means all of them; \
         'diskmend bcd show STORE' lists them"
    }
}

impl From<RuleError> for Failure {
    fn from(error: RuleError) -> Self {
        let failure = Self::of(Exit::Usage, &error);
        match &error {
            RuleError::Unknown { name, known } => match nearest(name, known).as_slice() {
                [] => failure,
                near => failure.hint(format!("did you mean {}?", near.join(" or "))),
            }
            .hint("'diskmend recipes --causes' lists the causes"),
            RuleError::UnknownRecipe { .. } => {
                failure.hint("load the file of the recipe too, with --recipe FILE")
            }
            _ => failure,
        }
    }
}

impl From<RecipeError> for Failure {
    fn from(error: RecipeError) -> Self {
        let hint = match &error {
            RecipeError::Unknown { name, known } => {
                let all = format!("the recipes are: {}", known.join(", "));
                let near = nearest(name, known);
                let failure = Self::of(Exit::Usage, &error);
                return match near.as_slice() {
                    [] => failure,
                    near => failure.hint(format!("did you mean {}?", near.join(" or "))),
                }
                .hint(all);
            }
            RecipeError::Conflict { .. } => Some("name only one of the two".to_owned()),
            _ => None,
        };
        Self::of(Exit::Usage, &error).maybe_hint(hint)
    }
}

/// The failure if a target could not be opened.
pub(crate) fn target_failure(error: &OpenError) -> Failure {
    let (exit, hint) = target_hint(error);
    if let OpenError::Disk { path, .. } = error
        && let Some(hive) = HiveTarget::recognize(path)
    {
        let failure = Failure::new(exit, format_args!("{}: {}", path.display(), hive.what));
        return hive.hints.into_iter().fold(failure, Failure::hint);
    }
    if let OpenError::Disk { path, source, .. } = error
        && let DiskError::SeveralWindows { numbers } = &**source
    {
        let failure = Failure::of(exit, error).maybe_hint(hint);
        return choices(path, numbers)
            .into_iter()
            .fold(failure, Failure::hint);
    }
    Failure::of(exit, error).maybe_hint(hint)
}

/// The failure of a command that needs runs, if the target is not Windows and has no undo data.
pub(crate) fn not_a_target(target: &Path) -> Failure {
    let message = format_args!(
        "{}: not a Windows volume (there is no folder Windows/System32/config), and no folder for \
         undo data",
        target.display()
    );
    Failure::new(Exit::Failure, message).hint(ELSEWHERE)
}

fn target_hint(error: &OpenError) -> (Exit, Option<String>) {
    let (exit, hint) = match error {
        OpenError::NotFound { path } => {
            return (Exit::Failure, not_found(path));
        }
        OpenError::Offline { disks, .. } => {
            let lines: Vec<String> = disks.iter().map(|disk| online(*disk)).collect();
            let hint = format!("if it is on that disk: {}", lines.join("; "));
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

/// The hint if the target does not exist: it may be the name of a file on an unmounted disk, or of
/// a drive.
fn not_found(path: &Path) -> Option<String> {
    match image_path::split(path, image_path::is_disk) {
        Some((disk, _)) => Some(format!(
            "only 'hive' and 'bcd' take a file on an unmounted disk; here TARGET is the disk: {}",
            word(disk)
        )),
        None => drive_letter(path).map(str::to_owned),
    }
}

fn disk_hint(error: &DiskError) -> (Exit, Option<String>) {
    let (exit, hint) = match error {
        DiskError::SeveralWindows { .. } | DiskError::SeveralFiles { .. } => {
            (Exit::Usage, Some("choose one with --volume N"))
        }
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
            Some("'diskmend disks' shows what the disk contains"),
        ),
        _ => (Exit::Failure, None),
    };
    (exit, hint.map(str::to_owned))
}

/// The hint if the path begins with a drive letter, which this machine does not have.
pub(crate) fn drive_letter(path: &Path) -> Option<&'static str> {
    is_drive_of_windows(path).then_some(DRIVE_LETTER)
}

/// The command that brings a disk online, so that its volumes can be reached.
fn online(disk: DiskNumber) -> String {
    format!(
        "in PowerShell 'Set-Disk -Number {disk} -IsOffline $false' (diskpart: 'select disk \
         {disk}', 'online disk')"
    )
}

/// The command that makes the volumes of a disk writable.
fn disk_writable(disk: DiskNumber) -> String {
    format!(
        "in PowerShell 'Set-Disk -Number {disk} -IsReadOnly $false' (diskpart: 'select disk \
         {disk}', 'attributes disk clear readonly')"
    )
}

/// The failure of an operation of the engine on `target`.
///
/// `state` is the option that names the folder for undo data, if it was given.
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
        Error::Refused(
            Refusal::Guard(GuardError::Condition(condition))
            | Refusal::OnlyInPlace {
                source: GuardError::Condition(condition),
            }
            | Refusal::NotInPlace {
                condition: GuardError::Condition(condition),
                ..
            }
            | Refusal::BootVolumeGuard {
                source: GuardError::Condition(condition),
                ..
            },
        ) => return condition.remedies.iter().fold(failure, Failure::hint),
        Error::DamagedRun { run, .. } => Some(format!(
            "look at run {run} in the folder for undo data; if you move it away, diskmend \
             no longer waits for it"
        )),
        Error::Refused(refusal) => refusal_hint(refusal, target, state),
        Error::Target { source, .. } => target_hint(source).1,
        Error::NotAHive { .. } => Some(NOT_A_HIVE.to_owned()),
        Error::Draft { .. } => Some(
            "free some space there, or set TMPDIR to another folder of this machine".to_owned(),
        ),
        Error::Corrupt { .. } => Some("'diskmend hive check FILE' lists all problems".into()),
        Error::NoRun { known, .. } => {
            let failure = if known.is_empty() {
                failure
            } else {
                failure.hint(format!("the newest runs are: {known}"))
            };
            return failure.hint(list_runs(target, state));
        }
        Error::SeveralRuns { .. } => {
            return failure
                .hint("give more of the run's name")
                .hint(list_runs(target, state));
        }
        Error::NotUndoable { .. } => Some(list_runs(target, state)),
        Error::RolledBack { .. } => Some("the disk is as it was; there is nothing to undo".into()),
        Error::Broken { run, .. } => Some(format!(
            "find out why the disk can't be written, then: {}",
            undo(target, run, state)
        )),
        Error::NotUndone { run, .. } => Some(format!(
            "find out why, then run again: {}; if it never succeeds, add --force-bytes, which \
             shows what differs and restores only the run's old bytes",
            undo(target, run, state)
        )),
        Error::NotReversible { run, .. } => Some(format!(
            "undo the later changes first; or restore the run's old bytes over them, after \
             diskmend has shown them: {} --force-bytes",
            undo(target, run, state)
        )),
        Error::NotCompleted { run, .. } => Some(format!(
            "find out why, then repeat the command; or undo the run: {}",
            undo(target, run, state)
        )),
        Error::Io { source, .. } => io_hint(source).map(str::to_owned),
        _ => None,
    };
    let hint = hint.or_else(|| drive_letter(target).map(str::to_owned));
    failure.maybe_hint(hint)
}

/// Hints for a run without a valid seal. The name of a run contains only digits, `T`, `Z` and `-`,
/// whoever has written it.
pub(crate) fn untrusted(run: &str, trust: &Trust, target: &str, state: &str) -> Vec<String> {
    let mut hints = Vec::new();
    if let Trust::Foreign { key } = trust {
        hints.push(format!(
            "if you know the machine with the key {key}: run 'diskmend key export' there, and name \
             the exported file with --key FILE"
        ));
    }
    hints.push(format!(
        "to see what it would change, and then decide: diskmend undo {target} {run} --trust{state}"
    ));
    // Another machine may still need a run with its key.
    hints.push(match trust {
        Trust::Foreign { .. } => format!(
            "to keep it without undoing it: move runs/{run}, and what else begins with that name, \
             out of the folder for undo data"
        ),
        Trust::Unauthenticated {
            reason: Doubt::OtherDisk,
        } => format!(
            "this machine made it for another disk that may still need it: name that disk to undo \
             it, or move runs/{run}, and what else begins with that name, from this folder for \
             undo data to that disk's"
        ),
        _ => format!("to remove it without undoing it: diskmend runs {target} --prune{state}"),
    });
    hints
}

/// The target, quoted for the shell.
fn word(target: &Path) -> String {
    shell::word(&target.display().to_string()).into_owned()
}

/// The command that lists the runs.
fn list_runs(target: &Path, state: &str) -> String {
    format!("'diskmend runs {}{state}' lists the runs", word(target))
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
                "to remove it without undoing it: diskmend runs {} --prune{state}; or move runs/{run} \
                 out of the folder for undo data",
                word(target)
            ));
        }
        Refusal::HiveErrors { .. } => {
            "'diskmend hive check FILE' lists them; restore the hive from a backup, or from \
             Windows/System32/config/RegBack if that folder contains one"
        }
        Refusal::Replacement { .. } => BACKUP,
        Refusal::Unrecoverable { .. } | Refusal::NoLog { .. } => NO_LOG,
        Refusal::Log {
            source: ReadLogError::TooLong { .. },
            ..
        } => "no Windows wrote such a log; look at the file, and move it away, then try again",
        Refusal::Linked { .. } | Refusal::SameFile { .. } => {
            "no Windows creates such a file; if its content belongs to this hive, copy it to a new \
             file and rename that file over this name; if not, move this file away; then try \
             again"
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
        Refusal::BootVolume { .. } => {
            if is_disk(target) {
                "'diskmend disks' shows what the other volumes of the disk contain"
            } else {
                "mount the volume again, and say where it is with --boot-volume DIR"
            }
        }
        Refusal::BootVolumeOffDisk { .. } => {
            "leave --boot-volume and --store out: diskmend finds the boot stores on the other \
             partitions of the disk; or mount both volumes and name their folders"
        }
        Refusal::BootVolumeNotMounted { .. } => {
            "mount the boot volume too and name its folder; or give only the disk that contains \
             both volumes, not mounted, as the target"
        }
        Refusal::ElementUndetermined { .. } => {
            "use the disk or its image as the target, not mounted, so that diskmend sees all its \
             partitions; or set the element with 'diskmend bcd set'"
        }
        Refusal::NoObject { .. } | Refusal::StoreUnsound { .. } => {
            "'diskmend bcd check STORE' shows what is wrong with it"
        }
        Refusal::OtherTarget { .. } => {
            "name the target that the plan was made for; for this one, make a plan of its own"
        }
        Refusal::StalePlan {
            nothing_left: true, ..
        } => "the target is already as these recipes want it: there is nothing to do",
        Refusal::StalePlan { .. } => PLAN_AGAIN,
        Refusal::Changed { .. } => "look at the plan again, then repeat the command",
        Refusal::NoDescriptors => no_descriptors(target),
        Refusal::NotElevated => PERMISSION,
        Refusal::HiveBusy { .. } => "wait until it has ended",
        Refusal::NoKey(_) => {
            "diskmend seals runs with a key that is kept on this machine, off the disk; \
             DISKMEND_KEY_FILE names another file for the key"
        }
        Refusal::StateFolderNeeded => "name a folder for them with --state-dir DIR",
        Refusal::StateFolderOpen { .. } => STATE_FOLDER_OPEN,
        Refusal::TwoStateFolders { .. } => {
            "look at both; move the one away whose runs are not needed, or name the right one with \
             --state-dir DIR"
        }
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
        GuardError::NotWindows => "name the root of the Windows volume: the folder that contains \
                                   the folder Windows"
            .to_owned(),
        GuardError::DiskReadOnly { disk } => disk_writable(*disk),
        GuardError::NotWritable { .. } => PERMISSION.to_owned(),
        GuardError::DiskChanged | GuardError::DiskWasInUse => {
            "repeat the command when nothing else uses it".to_owned()
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
             is read-only as a whole may have a switch, or be attached read-only"
                .into()
        }
        GuardError::ReadOnly => format!(
            "mount it for writing: mount -o remount,rw {target}; a volume that Windows did not \
             shut down fully is mounted read-only by some drivers"
        ),
        GuardError::Hibernated => "start that Windows and shut it down fully ('shutdown /s /f /t \
                                   0'); if it can't start, mount the volume with 'ntfs-3g -o \
                                   remove_hiberfile', which discards the saved session"
            .to_owned(),
        GuardError::OwnDisk => {
            "diskmend repairs a disk that is attached to another machine".to_owned()
        }
        GuardError::Busy => "wait until it has ended".to_owned(),
        GuardError::DiskInUse => "unmount its volumes, or end the program that uses it; then \
                                  repeat the command"
            .to_owned(),
        GuardError::DiskAttached { device } => format!(
            "unmount what is mounted from it and detach it ('findmnt -S /dev/{device}', 'losetup \
             -d /dev/{device}'), then repeat the command; or mount its volume and name the folder"
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
    fn each_guard_that_a_person_can_satisfy_has_a_hint() {
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
    fn hints_that_change_a_disk_name_it_by_its_number() {
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
