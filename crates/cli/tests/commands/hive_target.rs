//! A hive file named as the target: every command recognizes it and shows the command that is
//! meant.

use std::fs;

use crate::bcd_store::{Disk, EFI};
use crate::fixture::{Fixture, Volume};
use crate::program::{Run, diskmend};

fn each_command(target: &str) -> [Run; 7] {
    [
        diskmend(["inspect", target]),
        diskmend(["plan", target, "tls"]),
        diskmend(["repair", target, "tls", "--yes"]),
        diskmend(["runs", target]),
        diskmend(["undo", target, "--yes"]),
        diskmend(["acl", "show", "ProgramData", "--target", target]),
        diskmend(["disks", target]),
    ]
}

#[test]
fn a_hive_is_recognized_and_its_command_shown() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let before = fs::read(&file).expect("readable");
    for run in each_command(file.to_str().expect("UTF-8")) {
        let run = run
            .ends(1)
            .says("SYSTEM: a registry hive, not a disk or folder")
            .says("hint: 'diskmend hive check ");
        assert!(!run.stderr.contains("TARGET is"), "{}", run.stderr);
    }
    assert_eq!(fs::read(&file).expect("readable"), before);
    // It is a hive even if nothing but its signature can be read.
    fs::write(&file, [b"regf".as_slice(), &[0xff; 8188]].concat()).expect("writable");
    for run in each_command(file.to_str().expect("UTF-8")) {
        run.ends(1).says("a registry hive, not a disk or folder");
    }
    // Any other file is still taken for a disk image.
    fs::write(&file, [b"regg".as_slice(), &[0xff; 8188]].concat()).expect("writable");
    for run in each_command(file.to_str().expect("UTF-8")) {
        let run = run.ends(1).says("neither a partition table nor");
        assert!(!run.stderr.contains("hive"), "{}", run.stderr);
    }
}

#[test]
fn a_boot_store_is_recognized_by_its_keys() {
    let disk = Disk::new(&EFI);
    for run in each_command(disk.store()) {
        run.ends(1)
            .says("BCD: a boot store, not a disk or folder")
            .says("hint: 'diskmend bcd show ");
    }
}

#[test]
fn the_volume_of_a_hive_is_named_and_the_folder_of_an_edited_file() {
    let volume = Volume::new();
    let system = volume.system();
    let root = volume.folder.path().canonicalize().expect("it exists");
    let root = root.display().to_string();
    let run = diskmend(["inspect", system.to_str().expect("UTF-8")]).ends(1);
    let said = run.says("for the Windows that it belongs to, TARGET is ");
    let name = root.rsplit(['/', '\\']).next().expect("a name");
    let line = said.stderr.lines().last().expect("a hint");
    assert!(line.trim_end_matches(['"', '\'']).ends_with(name), "{line}");

    let fixture = Fixture::new();
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    diskmend([
        "hive",
        "set",
        file,
        "Select",
        "Current",
        "REG_DWORD",
        "2",
        "--yes",
    ])
    .ends(0);
    diskmend(["undo", file, "--yes"])
        .ends(1)
        .says("for the edits of this file, TARGET is its folder: 'diskmend runs ");
}
