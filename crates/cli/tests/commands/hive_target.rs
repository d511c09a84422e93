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
    diskmend(["inspect", file])
        .ends(1)
        .says("for the edits of this file, TARGET is its folder: 'diskmend runs ");
}

/// `undo` once knew a hive file only by its folder, with the edits of all other files there.
#[test]
fn the_edits_of_a_file_are_listed_and_undone_by_its_name() {
    let fixture = Fixture::new();
    let system = fixture.system();
    let other = fixture.path("OTHER");
    fs::copy(&system, &other).expect("writable");
    let before = fs::read(&system).expect("readable");
    let set = |file: &std::path::Path, number: &str| {
        let file = file.to_str().expect("UTF-8").to_owned();
        let value = ["Select", "Failed", "REG_DWORD", number, "--yes"];
        diskmend([&["hive", "set", &file], &value[..]].concat()).ends(0);
    };
    set(&system, "8");
    set(&other, "9");
    let edited = fs::read(&other).expect("readable");
    let file = system.to_str().expect("UTF-8");
    let document = diskmend(["runs", file, "--json"]).ends(0).json();
    let runs = document["runs"].as_array().expect("a list");
    assert_eq!(runs.len(), 1, "{document}");
    assert_eq!(runs[0]["hives"][0], "SYSTEM");
    let run = runs[0]["run"].as_str().expect("a name");
    diskmend(["runs", file, run]).ends(0);
    diskmend(["undo", file, "--yes"]).ends(0);
    assert!(fs::read(&system).expect("readable") == before);
    assert!(fs::read(&other).expect("readable") == edited);
    diskmend(["undo", file, "--yes"])
        .ends(1)
        .says("there is no run to undo that changed SYSTEM");

    // A boot store, and a run that changed another hive too.
    let disk = Disk::new(&EFI);
    let before = disk.bytes();
    disk.bcd("set", &["{bootmgr}", "timeout", "7", "--yes"])
        .ends(0);
    diskmend(["undo", disk.store(), "--yes"]).ends(0);
    assert!(disk.bytes() == before);
    let volume = Volume::new();
    diskmend(["repair", volume.root(), "tls", "--yes"]).ends(0);
    let file = volume.system();
    diskmend(["undo", file.to_str().expect("UTF-8"), "--yes"]).ends(0);
}
