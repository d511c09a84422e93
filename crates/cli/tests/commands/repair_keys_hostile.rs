//! Permissions on hostile, damaged and unwritable NTFS volumes, and a kill at any time.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::common::run;
use crate::fixture::{Volume, utf16};
use crate::image::make_junction;
use crate::ntfs_disk::{
    BROKEN_KEY, KEYS, NtfsDisk, OTHER_KEY, RDP_KEY, REPAIRED_KEY, descriptor, key_path,
};
use crate::program::{command, diskmend};

#[test]
fn a_folder_on_the_way_that_is_a_link_is_refused() {
    let Some(mut disk) = NtfsDisk::broken() else {
        return;
    };
    let real = disk.path("Elsewhere");
    fs::create_dir_all(&real).expect("writable");
    for (depth, junction) in [(5, false), (4, true), (2, false), (1, true)] {
        let names: Vec<&str> = KEYS.split('/').take(depth).collect();
        let link = disk.path(&names.join("/"));
        fs::remove_dir_all(&link).expect("writable");
        let rest: Vec<&str> = KEYS.split('/').skip(depth).collect();
        fs::create_dir_all(real.join(rest.join("/"))).expect("writable");
        if junction {
            make_junction(&link, r"\??\C:\Elsewhere")
        } else {
            symlink(&real, &link).expect("writable")
        }
        disk.remount();
        let before = disk.content();
        diskmend(["repair", disk.root(), "machine-keys", "--yes"])
            .ends(5)
            .says("a link or reparse point, which is not followed");
        diskmend(["inspect", disk.root(), "machine-keys"]).ends(5);
        assert_eq!(disk.content(), before);
        let link = disk.path(&names.join("/"));
        if junction {
            fs::remove_dir(&link)
                .or_else(|_| fs::remove_file(&link))
                .expect("writable")
        } else {
            fs::remove_file(&link).expect("writable")
        }
        fs::create_dir_all(disk.path(KEYS)).expect("writable");
    }
}

#[test]
fn another_volume_in_the_place_of_the_folder_is_refused() {
    let Some(disk) = NtfsDisk::broken() else {
        return;
    };
    let Some(other) = NtfsDisk::new() else { return };
    let before = (disk.content(), other.content());
    let keys = disk.path(KEYS);
    let keys = keys.to_str().expect("UTF-8");
    let elsewhere = other.path(KEYS);
    let elsewhere = elsewhere.to_str().expect("UTF-8");
    run("mount", &["--bind", elsewhere, keys]).expect("mounted");
    let refused = diskmend(["repair", disk.root(), "machine-keys", "--yes"]);
    run("umount", &[keys]).expect("unmounted");
    refused.ends(5).says("another volume is mounted here");
    assert_eq!((disk.content(), other.content()), before);
}

#[test]
fn strange_names_are_shown_escaped_and_repaired() {
    let Some(mut disk) = NtfsDisk::broken() else {
        return;
    };
    let names = [
        OsStr::from_bytes(b"lone \xED\xA0\x80"),
        OsStr::new("line\nend"),
        OsStr::new("back\\slash"),
        OsStr::new("turned \u{202e}yek"),
        OsStr::new("\u{1f511} Schlüssel"),
    ];
    for name in names {
        let path = disk.path(KEYS).join(name);
        fs::write(&path, "key").expect("writable");
    }
    disk.remount();
    let before = disk.content();
    let run = diskmend(["repair", disk.root(), "machine-keys", "--yes"]).ends(0);
    assert!(!run.stdout.contains('\u{202e}'), "{}", run.stdout);
    for name in names {
        let found = descriptor(&disk.path(KEYS).join(name));
        assert_ne!(
            found,
            before.descriptors[&Path::new(KEYS).join(name)],
            "{name:?}"
        );
    }
    diskmend(["undo", disk.root(), "--yes"]).ends(0);
    assert_eq!(disk.content(), before);
}

/// Damages the record of a file that stays listed in its folder.
fn damage_record(disk: &mut NtfsDisk, name: &str) {
    disk.unmount();
    let device = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(disk.image().device())
        .expect("the device");
    let wanted = utf16(name);
    let mut record = vec![0; 1024];
    for at in (0u64..96 << 20).step_by(1024) {
        device.read_exact_at(&mut record, at).expect("readable");
        let is_file = record.starts_with(b"FILE");
        if is_file && record.windows(wanted.len()).any(|part| part == wanted) {
            device.write_all_at(b"BAAD", at).expect("writable");
            disk.remount();
            return;
        }
    }
    panic!("{name} is not on the volume");
}

#[test]
fn a_file_that_can_not_be_read_is_reported_and_the_others_are_repaired() {
    let Some(mut disk) = NtfsDisk::broken() else {
        return;
    };
    damage_record(&mut disk, OTHER_KEY);
    let run = diskmend(["repair", disk.root(), "tls", "machine-keys", "--yes"]).ends(4);
    let path = key_path(OTHER_KEY);
    assert!(
        run.stderr.contains(&format!("{path} is not repaired")),
        "{}",
        run.stderr
    );
    assert_eq!(disk.sddl(&key_path(RDP_KEY)), REPAIRED_KEY);
    diskmend(["inspect", disk.root(), "machine-keys"])
        .ends(3)
        .says("could not be looked at");
    diskmend(["undo", disk.root(), "--yes"]).ends(0);
    assert_eq!(disk.sddl(&key_path(RDP_KEY)), BROKEN_KEY);
}

/// The DACL states a length shorter than its own header, and ntfs-3g accepts that.
#[test]
fn a_corrupt_dacl_is_replaced_and_given_back_by_undo() {
    let Some(mut disk) = NtfsDisk::broken() else {
        return;
    };
    let path = key_path(RDP_KEY);
    let mut corrupt = descriptor(&disk.key(RDP_KEY));
    let dacl = u32::from_le_bytes(corrupt[16..20].try_into().expect("4 bytes")) as usize;
    corrupt[dacl + 2..dacl + 4].copy_from_slice(&4u16.to_le_bytes());
    disk.secure_bytes(&path, &corrupt);
    disk.remount();
    assert_eq!(descriptor(&disk.key(RDP_KEY)), corrupt);
    let before = disk.content();
    let plan = diskmend(["plan", disk.root(), "machine-keys"]).ends(3);
    assert!(
        plan.stdout.contains("ACL size at offset"),
        "{}",
        plan.stdout
    );
    assert!(
        plan.stdout.contains("replace the DACL: it is corrupt"),
        "{}",
        plan.stdout
    );
    diskmend(["repair", disk.root(), "machine-keys", "--yes"]).ends(0);
    assert!(
        disk.sddl(&path)
            .contains("(A;;FA;;;SY)(A;;FR;;;NS)(A;;FA;;;BA)")
    );
    diskmend(["undo", disk.root(), "--yes"]).ends(0);
    assert_eq!(disk.content(), before);
}

#[test]
fn a_file_with_another_name_is_left_alone() {
    let Some(disk) = NtfsDisk::broken() else {
        return;
    };
    let hive = disk.path("Windows/System32/config/SYSTEM");
    fs::hard_link(&hive, disk.key("linked")).expect("writable");
    let before = descriptor(&hive);
    diskmend(["repair", disk.root(), "machine-keys", "--yes"])
        .ends(4)
        .says("hard links");
    assert_eq!(descriptor(&hive), before);
    assert_eq!(disk.sddl(&key_path(RDP_KEY)), REPAIRED_KEY);
}

#[test]
fn a_volume_that_can_not_be_written_is_refused() {
    let Some(disk) = NtfsDisk::broken() else {
        return;
    };
    let before = disk.content();
    run("mount", &["-o", "remount,ro", disk.root()])
        .or_else(|_| run("mount", &["-o", "remount,ro,bind", disk.root()]))
        .expect("remounted");
    diskmend(["repair", disk.root(), "machine-keys", "--yes"])
        .ends(5)
        .says("read-only");
    diskmend([
        "acl",
        "reset",
        KEYS,
        "--target",
        disk.root(),
        "--tree",
        "--yes",
    ])
    .ends(5);
    diskmend(["inspect", disk.root(), "machine-keys"]).ends(3);
    assert_eq!(disk.content(), before);
}

#[test]
fn a_hibernated_windows_is_refused() {
    let Some(disk) = NtfsDisk::broken() else {
        return;
    };
    let mut session = vec![0; 4096];
    session[..4].copy_from_slice(b"hibr");
    fs::write(disk.path("hiberfil.sys"), session).expect("writable");
    let before = disk.content();
    diskmend(["repair", disk.root(), "machine-keys", "--yes"])
        .ends(5)
        .says("hibernated");
    assert_eq!(disk.content(), before);
}

#[test]
fn a_folder_without_permissions_says_what_is_missing() {
    let volume = Volume::new();
    fs::create_dir_all(volume.folder.path().join(KEYS)).expect("writable");
    diskmend(["repair", volume.root(), "machine-keys", "--yes"])
        .ends(5)
        .says("ntfs-3g");
    let run = diskmend(["repair", volume.root(), "tls", "machine-keys", "--yes"]).ends(4);
    assert!(run.stdout.contains("Enabled"), "{}", run.stdout);
    diskmend(["undo", volume.root(), "--yes"]).ends(0);
    diskmend(["inspect", volume.root()])
        .ends(3)
        .says("were not looked at");
}

#[test]
fn a_kill_at_any_time_leaves_a_run_that_can_be_completed_or_undone() {
    let Some(disk) = NtfsDisk::broken() else {
        return;
    };
    for number in 0..400 {
        let name = format!("{number:032x}_7d2fb2f2-6f3a-4a52-9d0d-0d2c6e3c5a11");
        fs::write(disk.key(&name), "key").expect("writable");
        disk.secure(&key_path(&name), BROKEN_KEY);
    }
    let before = disk.content();
    let (mut untouched, mut completed, mut undone) = (0, 0, 0);
    for (number, delay) in [1, 20, 40, 60, 80, 100, 120, 150, 180, 220, 260, 300]
        .iter()
        .enumerate()
    {
        let mut child = command(["repair", disk.root(), "machine-keys", "--yes"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(Duration::from_millis(*delay));
        // It may already have ended.
        let _ = child.kill();
        child.wait().expect("it ends");
        let half = disk.content();
        untouched += u32::from(half == before);
        if number % 2 == 0 {
            diskmend(["repair", disk.root(), "machine-keys", "--yes"]).ends(0);
            completed += 1;
            for name in [RDP_KEY, OTHER_KEY] {
                assert_eq!(disk.sddl(&key_path(name)), REPAIRED_KEY, "after {delay} ms");
            }
        }
        while diskmend(["undo", disk.root(), "--yes"]).code == 0 {
            undone += 1;
        }
        assert!(disk.content() == before, "after {delay} ms");
    }
    println!("{untouched} killed before a change, {completed} completed, {undone} runs undone");
    assert!(undone >= completed);
}
