//! `diskmend hive` and `diskmend bcd` with a file on an unmounted disk.

use std::fs;
use std::path::Path;

use crate::image::make_junction;
use crate::image_disk::{Container, ImageDisk, Layout};
use crate::program::diskmend;

const SYSTEM: &str = "Windows/System32/config/SYSTEM";
const STORE: &str = "EFI/Microsoft/Boot/BCD";
const KEY: &str = r"ControlSet001\Services\New";

fn set(disk: &ImageDisk, path: &str, data: &str, more: &[&str]) -> crate::program::Run {
    let file = format!("{}:{path}", disk.path());
    diskmend([&["hive", "set", &file, KEY, "Start", "dword", data], more].concat())
}

fn state_folder(disk: &ImageDisk) -> std::path::PathBuf {
    let mut folder = Path::new(disk.path()).as_os_str().to_owned();
    folder.push(".diskmend");
    folder.into()
}

#[test]
fn a_hive_on_an_image_is_read_edited_and_undone() {
    let Some(base) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    for container in [
        Container::Raw,
        Container::VhdFixed,
        Container::VhdDynamic,
        Container::VhdxDynamic,
    ] {
        let Some(disk) = base.convert(container) else {
            return;
        };
        let before = disk.snapshot();
        let file = format!(r"{}:windows\system32\CONFIG\system", disk.path());
        let run = diskmend(["hive", "get", &file, "Select", "Current"]).ends(0);
        assert!(run.stdout.contains("Current"), "{}", run.stdout);
        diskmend(["hive", "check", &file]).ends(3);
        set(&disk, SYSTEM, "5", &[]).ends(2).says("hint: add --yes");
        disk.is_untouched_since(&before);
        assert!(!state_folder(&disk).exists());

        set(&disk, SYSTEM, "5", &["--yes"])
            .ends(0)
            .says(&format!("hint: to undo: diskmend undo {}", disk.path()));
        let found = diskmend(["hive", "get", &file, KEY, "Start"]).ends(0);
        assert!(found.stdout.contains("0x5"), "{}", found.stdout);
        // What another driver reads from the disk is the edited hive too.
        let raw = disk.raw().expect("converted before");
        let Some(volume) = raw.mount(raw.windows) else {
            return;
        };
        let mounted = volume.path().join(SYSTEM);
        let mounted = mounted.to_str().expect("UTF-8");
        diskmend(["hive", "check", mounted]).ends(0);
        let same = diskmend(["hive", "get", mounted, KEY, "Start"]).ends(0);
        assert_eq!(same.stdout, found.stdout);
        drop(volume);
        set(&disk, SYSTEM, "5", &[]).ends(0);
        // Runs belong to the disk.
        for command in ["runs", "undo"] {
            diskmend([command, &format!("{}:{SYSTEM}", disk.path())])
                .ends(1)
                .says(&format!("here TARGET is the disk: {}", disk.path()));
        }

        let undone = diskmend(["undo", disk.path(), "--yes"]).ends(0);
        assert!(undone.stdout.contains("byte for byte"), "{}", undone.stdout);
        disk.has_bytes_of(&before);
    }
}

#[test]
fn a_store_on_an_image_is_found_edited_and_undone() {
    for (layout, container, path) in [
        (Layout::Gpt, Container::Raw, STORE),
        (Layout::Mbr, Container::VhdDynamic, "Boot/BCD"),
    ] {
        let Some(disk) = ImageDisk::new(layout).and_then(|disk| disk.convert(container)) else {
            return;
        };
        let before = disk.snapshot();
        let named = format!("{}:{path}", disk.path());
        let shown = diskmend(["bcd", "show", disk.path(), "{bootmgr}"]).ends(0);
        for args in [
            vec!["bcd", "show", &named, "{bootmgr}"],
            vec!["bcd", "show", disk.path(), "{bootmgr}", "--volume", "1"],
            vec!["bcd", "show", path, "{bootmgr}", "--target", disk.path()],
        ] {
            assert_eq!(diskmend(args).ends(0).stdout, shown.stdout);
        }
        diskmend(["bcd", "show", disk.path(), "--volume", disk.number()])
            .ends(1)
            .says("there is no boot store on partition");
        let change = ["bcd", "set", disk.path(), "{bootmgr}", "timeout", "77"];
        diskmend(change).ends(2).says("hint: add --yes");
        disk.is_untouched_since(&before);
        let done = diskmend([&change[..], &["--yes"]].concat()).ends(0);
        let undo = done
            .stderr
            .lines()
            .find_map(|line| line.split_once("diskmend undo "));
        let (_, undo) = undo.expect("a hint");
        let changed = diskmend(["bcd", "show", disk.path(), "{bootmgr}"]).ends(0);
        assert!(changed.stdout.contains("77"), "{}", changed.stdout);
        if layout == Layout::Gpt {
            let folder = tempfile::tempdir().expect("a folder");
            let copy = folder.path().join("BCD");
            fs::write(&copy, disk.read_esp(STORE).expect("a store")).expect("writable");
            let copy = copy.to_str().expect("UTF-8");
            let read = diskmend(["bcd", "show", copy, "{bootmgr}"]).ends(0);
            assert_eq!(read.stdout, changed.stdout);
        }
        // The command of the hint, word for word.
        let words = undo.split_whitespace().chain(["--yes"]);
        let undone = diskmend(["undo"].into_iter().chain(words)).ends(0);
        assert!(undone.stdout.contains("byte for byte"), "{}", undone.stdout);
        disk.has_bytes_of(&before);
    }
}

/// Every refusal comes without `--yes` too, before anybody is asked, and nothing is written.
#[test]
fn what_a_repair_refuses_an_edit_of_a_hive_refuses() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let timeout = ["bcd", "set", disk.path(), "{bootmgr}", "timeout", "77"];
    {
        let Some(_device) = disk.attach_whole() else {
            return;
        };
        for more in [&[][..], &["--yes"]] {
            set(&disk, SYSTEM, "5", more).ends(5).says("loop");
            diskmend([&timeout, more].concat()).ends(5).says("loop");
        }
    }
    let Some(volume) = disk.mount(disk.windows) else {
        return;
    };
    make_junction(&volume.path().join("Link"), r"\??\C:\Windows");
    fs::write(volume.path().join("hiberfil.sys"), "hibr").expect("writable");
    fs::write(volume.path().join("text"), "no hive").expect("writable");
    drop(volume);
    let before = disk.snapshot();
    for more in [&[][..], &["--yes"]] {
        set(&disk, SYSTEM, "5", more).ends(5).says("hibernated");
        // The hibernated Windows goes on with what it knows of the boot volume, too.
        diskmend([&timeout, more].concat())
            .ends(5)
            .says("hibernated");
    }
    diskmend(["hive", "ls", &format!("{}:{SYSTEM}", disk.path())]).ends(0);
    disk.is_untouched_since(&before);

    // The driver removes the file of the saved session.
    drop(disk.mount_with(disk.windows, "remove_hiberfile,permissions"));
    let before = disk.snapshot();
    for more in [&[][..], &["--yes"]] {
        set(&disk, "Link/System32/config/SYSTEM", "5", more)
            .ends(5)
            .says("not followed");
        set(&disk, "text", "5", more)
            .ends(1)
            .says("not a registry hive");
        set(&disk, "nothing/here", "5", more)
            .ends(1)
            .says("nothing/here");
        set(&disk, "../SYSTEM", "5", more).ends(2).says("'..'");
        set(&disk, "$MFT", "5", more).ends(5);
    }
    disk.is_untouched_since(&before);
    assert!(!state_folder(&disk).exists());
}

/// A hive in any place of the volume, and an undo after a later change: value by value.
#[test]
fn a_user_s_hive_on_an_image_is_undone_beside_later_changes() {
    let Some(disk) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let Some(volume) = disk.mount(disk.windows) else {
        return;
    };
    let home = volume.path().join("Users/me");
    fs::create_dir_all(&home).expect("writable");
    fs::copy(volume.path().join(SYSTEM), home.join("NTUSER.DAT")).expect("writable");
    crate::fixture::hive_file(&home.join("NTUSER.DAT"), crate::fixture::system);
    drop(volume);
    let path = "Users/me/NTUSER.DAT";
    let file = format!("{}:{path}", disk.path());
    set(&disk, path, "5", &["--yes"]).ends(0);
    let runs = diskmend(["runs", disk.path(), "--json"]).ends(0).json();
    let first = runs["runs"][0]["run"].as_str().expect("a run").to_owned();
    diskmend([
        "hive", "set", &file, "Setup", "Later", "dword", "1", "--yes",
    ])
    .ends(0);
    let undone = diskmend(["undo", disk.path(), &first, "--yes"]).ends(0);
    assert!(
        undone.stdout.contains("value by value"),
        "{}",
        undone.stdout
    );
    diskmend(["hive", "get", &file, KEY]).ends(1);
    diskmend(["hive", "get", &file, "Setup", "Later"]).ends(0);
}

#[test]
fn a_partition_is_named_only_for_an_unmounted_disk() {
    let volume = crate::fixture::Volume::new();
    let system = volume.system();
    let system = system.to_str().expect("UTF-8");
    diskmend(["hive", "ls", system, "--volume", "2"])
        .ends(2)
        .says("is not on an unmounted disk");
    diskmend(["bcd", "show", volume.root(), "--volume", "2"])
        .ends(2)
        .says("is not on an unmounted disk");
    diskmend(["hive", "ls", SYSTEM, "--target", volume.root()])
        .ends(2)
        .says("a folder, not an unmounted disk")
        .says(&format!("name the file itself: {system}"));
}
