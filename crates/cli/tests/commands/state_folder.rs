//! The folder for undo data is created for diskmend alone, and not used if others can write to it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use crate::common::{Mount, skipped};
use crate::fixture::Volume;
use crate::ntfs_disk::{NtfsDisk, sddl, secure, windows};
use crate::program::diskmend;

/// The descriptor of the folder and of everything below it.
const FOLDER: &str = "O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";
const FILE: &str = "O:BAG:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)";
/// The descriptor that it would inherit from a root in which users may create folders.
const INHERITED: &str = "O:BAG:SYD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;0x1301bf;;;AU)";

/// The folder and everything below it.
fn all(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            all.extend(self::all(&path))
        } else {
            all.push(path)
        }
    }
    all
}

#[track_caller]
fn is_private(state: &Path) {
    let all = all(state);
    assert!(all.len() > 3, "{all:?}");
    for path in all {
        let wanted = if path.is_dir() { FOLDER } else { FILE };
        assert_eq!(sddl(&path), wanted, "{}", path.display());
    }
}

#[test]
fn on_ntfs_only_the_system_and_administrators_have_the_undo_data() {
    let Some(disk) = NtfsDisk::broken() else {
        return;
    };
    // Everybody has access to files that are created in the root.
    secure(
        &disk.path(""),
        "O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;BU)",
    );
    diskmend(["repair", disk.root(), "tls", "machine-keys", "--yes"]).ends(0);
    is_private(&disk.path("diskmend"));
    diskmend(["undo", disk.root(), "--yes"]).ends(0);
    is_private(&disk.path("diskmend"));
}

/// Most people mount in this way, and then ntfs-3g creates files to which everybody can write.
#[test]
fn undo_data_are_protected_without_the_option_permissions_too() {
    let Some(mut disk) = NtfsDisk::new() else {
        return;
    };
    disk.unmount();
    let device = disk.image().device().to_owned();
    let Some(mount) = Mount::new(&["-t", "ntfs-3g", &device]) else {
        return;
    };
    let root = mount.path().to_str().expect("UTF-8");
    diskmend(["repair", root, "tls", "--yes"]).ends(0);
    is_private(&mount.path().join("diskmend"));
    diskmend(["undo", root, "--yes"]).ends(0);
}

#[track_caller]
fn refused(root: &str, says: &str) {
    for command in [
        ["plan", root, "tls"].as_slice(),
        &["repair", root, "tls", "--yes"],
        &["undo", root, "--yes"],
    ] {
        diskmend(command).ends(5).says(says);
    }
    for command in [["inspect", root, "tls"].as_slice(), &["runs", root]] {
        let run = diskmend(command);
        assert!([0, 3].contains(&run.code), "{}", run.stderr);
        run.says(says);
    }
}

#[test]
fn a_folder_on_ntfs_that_others_may_write_is_not_used() {
    let Some(disk) = NtfsDisk::new() else { return };
    let before = disk.content();
    let root = disk.root();
    diskmend(["repair", root, "tls", "--yes"]).ends(0);
    diskmend(["undo", root, "--yes"]).ends(0);
    for (sddl, says) in [
        (INHERITED, r"NT AUTHORITY\Authenticated Users may write it"),
        (
            "O:BAG:SYD:P(A;;FA;;;SY)(A;CIIO;GA;;;WD)",
            "Everyone may write it",
        ),
        (
            "O:BAG:SYD:P(A;;FA;;;SY)(A;;WD;;;BU)",
            r"BUILTIN\Users may write it",
        ),
        ("O:BAG:SYD:NO_ACCESS_CONTROL", "everybody may write it"),
        (
            "O:S-1-5-21-1-2-3-1001G:SYD:P(A;;FA;;;SY)",
            "S-1-5-21-1-2-3-1001 owns it",
        ),
    ] {
        for folder in ["diskmend", "diskmend/runs"] {
            let was = self::sddl(&disk.path(folder));
            secure(&disk.path(folder), sddl);
            refused(root, says);
            secure(&disk.path(folder), &was);
        }
    }
    assert!(disk.content() == before, "something was written");
    // Others that can only read can't forge anything; the system itself may write.
    let readable = "O:SYG:SYD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;BU)(D;;FA;;;WD)(A;CIIO;FA;;;CO)";
    secure(&disk.path("diskmend"), readable);
    diskmend(["plan", root, "tls"]).ends(3);
}

/// An empty folder can't contain a forged run.
#[test]
fn an_empty_folder_of_others_is_taken_over() {
    let Some(disk) = NtfsDisk::new() else { return };
    fs::create_dir(disk.path("diskmend")).expect("writable");
    secure(&disk.path("diskmend"), INHERITED);
    diskmend(["plan", disk.root(), "tls"]).ends(3);
    diskmend(["repair", disk.root(), "tls", "--yes"]).ends(0);
    is_private(&disk.path("diskmend"));
}

#[test]
fn a_folder_elsewhere_that_others_may_write_is_not_used() {
    let volume = Volume::new();
    let root = volume.root();
    diskmend(["repair", root, "tls", "--yes"]).ends(0);
    let state = Path::new(root).join("diskmend");
    for folder in ["diskmend", "diskmend/runs"] {
        let path = Path::new(root).join(folder);
        assert_eq!(fs::metadata(&path).expect("a folder").mode() & 0o777, 0o700);
        for mode in [0o770, 0o707, 0o1777] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("own");
            refused(root, "others than its owner may write it");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("own");
        diskmend(["plan", root, "nla"]).ends(3);
        match chown(&path, Some(12_345), None) {
            Ok(()) => {
                refused(root, "user 12345 owns it");
                chown(&path, Some(0), None).expect("root");
            }
            Err(error) => skipped("to run as root", &error.to_string()),
        }
    }
    diskmend(["undo", root, "--yes"]).ends(0);
    // If the path is a link, others may have written to the folder behind it.
    let moved = state.with_file_name("moved");
    for linked in [state.join("runs"), state] {
        fs::rename(&linked, &moved).expect("writable");
        symlink(&moved, &linked).expect("writable");
        for command in [
            ["plan", root, "tls"].as_slice(),
            &["repair", root, "tls", "--yes"],
            &["undo", root, "--yes"],
        ] {
            diskmend(command).ends(5).says("a link");
        }
        fs::remove_file(&linked).expect("a link");
        fs::rename(&moved, &linked).expect("writable");
    }
    diskmend(["plan", root, "tls"]).ends(3);
}

/// If others can write to a file, it can change after its seal was checked.
#[test]
fn a_run_file_that_others_may_write_is_not_used() {
    let volume = Volume::new();
    let root = volume.root();
    let report = diskmend(["repair", root, "tls", "--yes", "--json"]).ends(0);
    let run = report.json()["run"].as_str().expect("a run").to_owned();
    let file = volume.folder.path().join("diskmend/runs").join(&run);
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode));
    mode(0o666).expect("own");
    diskmend(["undo", root, &run, "--yes"])
        .ends(5)
        .says("may write it (mode 0666)");
    mode(0o644).expect("own");
    diskmend(["undo", root, &run, "--yes"]).ends(0);
}

#[test]
fn the_folder_of_a_run_is_checked_before_it_is_undone() {
    let Some(disk) = NtfsDisk::new() else { return };
    windows(&disk.path(""));
    let root = disk.root();
    let report = diskmend(["repair", root, "tls", "--yes", "--json"])
        .ends(0)
        .json();
    let run = report["run"].as_str().expect("a run").to_owned();
    secure(&disk.path(&format!("diskmend/runs/{run}")), INHERITED);
    diskmend(["undo", root, &run, "--yes"])
        .ends(5)
        .says("may write it");
}
