//! `diskmend acl` shows, saves, compares, restores and resets permissions on a real NTFS volume.

use std::fs;
use std::os::unix::fs::symlink;

use diskmend_hive::ValueType;

use crate::fixture::{Volume, hive_file, utf16};
use crate::ntfs_disk::{DEFAULT_FOLDER, DEFAULT_KEY, KEYS, NtfsDisk, OTHER_KEY, RDP_KEY};
use crate::program::{Run, diskmend};

fn acl(disk: &NtfsDisk, verb: &str, args: &[&str]) -> Run {
    let mut all = vec!["acl", verb];
    all.extend(args);
    all.extend(["--target", disk.root()]);
    diskmend(all)
}

#[test]
fn permissions_are_shown_as_icacls_prints_them() {
    let Some(disk) = NtfsDisk::new() else { return };
    let run = acl(&disk, "show", &[KEYS]).ends(0);
    let indent = " ".repeat(KEYS.len());
    let shown = format!(
        "owner NT AUTHORITY\\SYSTEM\n{KEYS} Everyone:(R,W)\n{indent} BUILTIN\\Administrators:(F)\n"
    );
    assert_eq!(run.stdout, shown);
    let whole = disk.path(KEYS);
    let whole = whole.to_str().expect("UTF-8");
    assert_eq!(
        diskmend(["acl", "show", whole]).ends(0).stdout,
        shown,
        "the root is found"
    );
    let run = acl(
        &disk,
        "show",
        &[&KEYS.replace('/', "\\"), "--tree", "--sddl"],
    )
    .ends(0);
    assert_eq!(run.stdout.lines().count(), 3);
    assert!(
        run.stdout
            .contains(&format!("{KEYS}/{RDP_KEY} {DEFAULT_KEY}\n")),
        "{}",
        run.stdout
    );
    let document = acl(&disk, "show", &[KEYS, "--tree", "--json"])
        .ends(0)
        .json();
    assert_eq!(document["objects"][0]["sddl"], DEFAULT_FOLDER);
    acl(&disk, "show", &["ProgramData/Nothing"])
        .ends(1)
        .says("not found");
    acl(&disk, "show", &["."]).ends(0);
}

#[test]
fn saved_permissions_are_restored_with_owners() {
    let Some(disk) = NtfsDisk::new() else { return };
    let before = disk.content();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.acl");
    let (file, owners) = (
        file.to_str().expect("UTF-8").to_owned(),
        folder.path().join("keys.acl.owners"),
    );
    let owners = owners.to_str().expect("UTF-8");
    acl(&disk, "save", &[KEYS, "--tree", "-o", &file]).ends(0);
    acl(&disk, "save", &[KEYS, "--tree", "-o", &file])
        .ends(1)
        .says("already exists");
    let base = KEYS.trim_end_matches("/MachineKeys");
    acl(&disk, "diff", &[base, &file, "--owners", owners]).ends(0);

    let key = format!("{KEYS}/{OTHER_KEY}");
    disk.secure(&key, "O:BAG:SYD:AI(D;;FA;;;WD)");
    let changed = disk.content();
    let diff = acl(&disk, "diff", &[base, &file, "--owners", owners]).ends(3);
    assert!(
        diff.stdout.contains("remove Everyone:(N)"),
        "{}",
        diff.stdout
    );
    assert!(
        diff.stdout.contains("set owner NT AUTHORITY\\SYSTEM"),
        "{}",
        diff.stdout
    );
    acl(&disk, "restore", &[base, &file, "--dry-run"]).ends(3);
    assert_eq!(disk.content(), changed);
    acl(&disk, "restore", &[base, &file, "--yes"]).ends(0);
    assert_eq!(
        disk.sddl(&key),
        DEFAULT_KEY.replace("O:SY", "O:BA"),
        "without the owners"
    );
    acl(
        &disk,
        "restore",
        &[base, &file, "--owners", owners, "--yes"],
    )
    .ends(0);
    assert_eq!(disk.content().descriptors, before.descriptors);
    for _ in 0..2 {
        diskmend(["undo", disk.root(), "--yes"]).ends(0);
    }
    assert_eq!(disk.content(), changed);
}

#[test]
fn the_folder_above_is_named_if_the_paths_in_a_save_file_begin_there() {
    let Some(disk) = NtfsDisk::new() else { return };
    let before = disk.content();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.acl");
    let file = file.to_str().expect("UTF-8");
    acl(&disk, "save", &[KEYS, "--tree", "-o", file]).ends(0);
    let base = KEYS.trim_end_matches("/MachineKeys");
    let hint = |above: &str| format!("name that folder instead: {above}\n");
    let deeper = disk.path(KEYS).join("deeper");
    std::fs::create_dir(&deeper).expect("writable");
    for (path, options) in [
        (KEYS, ["--dry-run"].as_slice()),
        (&format!("{KEYS}/deeper"), &["--dry-run"]),
        (KEYS, &["--yes"]),
    ] {
        let args = [&[path, file], options].concat();
        let run = acl(&disk, "restore", &args)
            .says("MachineKeys, with which")
            .says(&hint(base));
        assert!([3, 4].contains(&run.code), "{}", run.code);
    }
    acl(&disk, "diff", &[KEYS, file]).ends(3).says(&hint(base));
    // Without --target, the whole path is shown, and it is right.
    let whole = |path: &str| disk.path(path).to_str().expect("UTF-8").to_owned();
    let run = diskmend(["acl", "diff", &whole(KEYS), file]).ends(3);
    run.says(&hint(&whole(base)));
    let run = diskmend(["acl", "diff", &whole(base), file]).ends(0);
    assert!(!run.stderr.contains("hint"), "{}", run.stderr);
    // Nothing above has this name.
    let gone = folder.path().join("gone.acl");
    let text = "gone\r\nD:(A;;FA;;;SY)\r\n";
    let text: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(&gone, text).expect("writable");
    let run = acl(&disk, "diff", &[KEYS, gone.to_str().expect("UTF-8")]).ends(3);
    assert!(!run.stderr.contains("folder above"), "{}", run.stderr);
    std::fs::remove_dir(deeper).expect("writable");
    assert_eq!(disk.content(), before);
}

#[test]
fn a_save_file_that_is_wrong_changes_nothing() {
    let Some(disk) = NtfsDisk::new() else { return };
    let before = disk.content();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.acl");
    let path = file.to_str().expect("UTF-8");
    let utf16 = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    for (bytes, says) in [
        (b"o\0d".to_vec(), "odd number of bytes"),
        (utf16("a\r\nnonsense\r\n"), "line 2"),
        (utf16("a\r\n"), "line 2"),
        (
            utf16("a\r\nD:\r\na\r\nD:\r\n"),
            "this path is already in line 1",
        ),
    ] {
        fs::write(&file, bytes).expect("writable");
        acl(&disk, "restore", &[".", path, "--yes"])
            .ends(1)
            .says(says);
    }
    fs::remove_file(&file).expect("writable");
    acl(&disk, "restore", &[".", path, "--yes"]).ends(1);
    fs::write(
        &file,
        utf16("gone\r\nD:(A;;FA;;;SY)\r\n..\\..\\etc\r\nD:\r\n"),
    )
    .expect("writable");
    acl(&disk, "restore", &[".", path, "--yes"])
        .ends(4)
        .says("gone is not repaired");
    assert_eq!(disk.content(), before);
}

#[test]
fn a_reset_sets_what_the_parent_folder_passes_on() {
    let Some(disk) = NtfsDisk::new() else { return };
    fs::create_dir_all(disk.path("site/sub")).expect("writable");
    fs::write(disk.path("site/sub/page"), "page").expect("writable");
    disk.secure(
        "site",
        "O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;CI;FR;;;BU)(A;OICIIO;GA;;;CO)",
    );
    disk.secure("site/sub", "O:BAG:SYD:P(D;;FA;;;WD)");
    disk.secure("site/sub/page", "O:BAG:SYD:P(A;;FR;;;WD)");
    symlink("/etc/passwd", disk.path("site/sub/link")).expect("writable");
    let before = disk.content();
    let run = acl(&disk, "reset", &["site/sub", "--tree", "--yes"]).ends(0);
    assert!(
        run.stderr.contains("site/sub/link is left alone"),
        "{}",
        run.stderr
    );
    assert_eq!(
        disk.sddl("site/sub"),
        "O:BAG:SYD:AI(A;OICIID;FA;;;SY)(A;CIID;FR;;;BU)(A;ID;FA;;;BA)(A;OICIIOID;GA;;;CO)"
    );
    assert_eq!(
        disk.sddl("site/sub/page"),
        "O:BAG:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)"
    );
    let again = acl(&disk, "reset", &["site/sub", "--tree", "--yes"]).ends(0);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    diskmend(["undo", disk.root(), "--yes"]).ends(0);
    assert_eq!(disk.content(), before);

    // Children of the folder of keys inherit nothing from it, so nobody could open the keys any
    // more.
    let key = format!("{KEYS}/{RDP_KEY}");
    acl(&disk, "reset", &[&key, "--yes"])
        .ends(4)
        .says("nothing is inherited from the folder above");
    acl(&disk, "reset", &[".", "--yes"])
        .ends(4)
        .says("no folder above");
    assert_eq!(disk.content(), before);
}

#[test]
fn a_path_through_a_link_is_refused() {
    let Some(disk) = NtfsDisk::new() else { return };
    symlink("/", disk.path("root")).expect("writable");
    let through = disk.path("root/etc/passwd");
    diskmend(["acl", "show", through.to_str().expect("UTF-8")])
        .ends(5)
        .says("a link, which is not followed here");
    acl(&disk, "show", &["root/etc/passwd"])
        .ends(5)
        .says("not followed");
    acl(&disk, "reset", &["root/etc", "--yes"])
        .ends(5)
        .says("not followed");
}

#[test]
fn a_folder_without_permissions_is_refused() {
    let volume = Volume::new();
    for args in [&["show"][..], &["reset", "--yes"]] {
        let mut all = vec!["acl", args[0], volume.root()];
        all.extend(&args[1..]);
        diskmend(all).ends(5).says("ntfs-3g");
    }
}

/// Writes a save file.
fn save_file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("saved.acl");
    fs::write(&path, utf16(text)).expect("writable");
    let path = path.to_str().expect("UTF-8").to_owned();
    (folder, path)
}

#[test]
fn accounts_of_the_machine_are_those_of_the_disk_and_unknown_ones_are_left_out() {
    let Some(disk) = NtfsDisk::new() else { return };
    let base = KEYS.trim_end_matches("/MachineKeys");
    let key = format!("MachineKeys\\{RDP_KEY}");
    let text = format!(
        "MachineKeys\r\nD:PAI(A;;FA;;;LA)(A;;FR;;;DU)\r\n{key}\r\nD:PAI(A;;FA;;;LG)(A;;FA;;;EA)\r\n"
    );
    let (_folder, file) = save_file(&text);
    let restore = || acl(&disk, "restore", &[base, &file, "--yes"]);
    let before = disk.content();
    // If the accounts are unknown, every object is named and nothing is done.
    let run = restore().ends(4);
    for part in [
        "MachineKeys",
        RDP_KEY,
        "LA depends on the machine's SID",
        "SAM",
    ] {
        assert!(
            run.stdout.contains(part) || run.stderr.contains(part),
            "{part}: {}",
            run.stdout
        );
    }
    assert_eq!(disk.content(), before);

    let config = disk.path("Windows/System32/config");
    hive_file(&config.join("SAM"), |editor| {
        let mut data = vec![7; 0xcc];
        data.extend([1_u32, 2, 3].map(u32::to_le_bytes).as_flattened());
        editor.create_key(r"SAM\Domains\Account").expect("valid");
        editor
            .set_value(r"SAM\Domains\Account", "V", ValueType::BINARY, &data)
            .expect("valid");
    });
    hive_file(&config.join("SECURITY"), |editor| {
        let mut sid = vec![1, 4, 0, 0, 0, 0, 0, 5];
        sid.extend([21_u32, 7, 8, 9].map(u32::to_le_bytes).as_flattened());
        editor.create_key(r"Policy\PolPrDmS").expect("valid");
        editor
            .set_value(r"Policy\PolPrDmS", "", ValueType::NONE, &sid)
            .expect("valid");
    });
    let run = restore().ends(4);
    run.says("EA depends on the forest root domain's SID");
    let sddl = disk.sddl(KEYS);
    assert!(
        sddl.contains("D:PAI(A;;FA;;;S-1-5-21-1-2-3-500)(A;;FR;;;S-1-5-21-7-8-9-513)"),
        "{sddl}"
    );
    let untouched = disk.sddl(&format!("{KEYS}/{RDP_KEY}"));
    assert!(!untouched.contains("S-1-5-21"), "{untouched}");
}

#[test]
fn a_save_file_in_another_encoding_is_named_as_such() {
    let Some(disk) = NtfsDisk::new() else { return };
    let (_folder, file) = save_file("");
    for mark in ["", "\u{feff}"] {
        fs::write(&file, format!("{mark}MachineKeys\r\nD:PAI(A;;FA;;;BA)\r\n")).expect("writable");
        acl(&disk, "restore", &["ProgramData", &file, "--yes"])
            .ends(1)
            .says("not UTF-16LE, but UTF-8")
            .says("hint: icacls reads and writes UTF-16LE")
            .says("iconv -f UTF-8 -t");
    }
    let text = "\u{feff}MachineKeys\r\nD:PAI(A;;FA;;;BA)\r\n".encode_utf16();
    let big: Vec<u8> = text.clone().flat_map(u16::to_be_bytes).collect();
    fs::write(&file, big).expect("writable");
    let run = acl(&disk, "restore", &["ProgramData", &file, "--yes"]).ends(1);
    run.says("iconv -f UTF-16BE -t UTF-16LE");
    let mut odd: Vec<u8> = text.flat_map(u16::to_le_bytes).collect();
    odd.pop();
    fs::write(&file, odd).expect("writable");
    let run = acl(&disk, "restore", &["ProgramData", &file, "--yes"]).ends(1);
    let run = run
        .says("an odd number of bytes")
        .says("hint: icacls reads");
    assert!(!run.stderr.contains("iconv"), "{}", run.stderr);
}
