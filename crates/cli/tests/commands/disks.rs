//! `diskmend disks`, and choosing one of the partitions that it shows.

use std::fs;

use serde_json::Value;

use crate::image_disk::{ImageDisk, Layout, MIB, Part};
use crate::ntfs_disk::windows;
use crate::program::diskmend;

#[test]
fn each_partition_is_shown_with_what_it_holds() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let before = disk.snapshot();
    let document = diskmend(["disks", disk.path(), "--json"]).ends(0).json();
    let part = |number: usize| &document["partitions"][number - 1];
    let fields = |keys: [&str; 5], number| keys.map(|key| part(number)[key].clone());
    let keys = ["number", "start", "bytes", "content", "windows"];
    let wanted = |number: u64, part: Part, content: &str, windows: bool| {
        let numbers = [number, part.start, part.len].map(Value::from);
        let [number, start, bytes] = numbers;
        [number, start, bytes, content.into(), windows.into()]
    };
    assert_eq!(document["scheme"], "GPT");
    assert_eq!(document["format"], "raw");
    assert_eq!(document["sector_bytes"], 512);
    assert_eq!(document["bytes"], disk.len());
    assert_eq!(fields(keys, 1), wanted(1, disk.boot, "FAT32", false));
    assert_eq!(part(2)["content"], "empty");
    assert_eq!(fields(keys, 3), wanted(3, disk.windows, "NTFS", true));
    assert_eq!(part(1)["type"], "EFI system");

    let shown = diskmend(["disks", disk.path()]).ends(0).stdout;
    for words in [
        "partition table GPT",
        "Microsoft reserved",
        "96.0 MiB",
        "yes",
    ] {
        assert!(shown.contains(words), "{words}:\n{shown}");
    }
    // One of the two tables is enough; a warning says that the other is damaged.
    disk.is_untouched_since(&before);
    disk.write_at(&[0; 512], disk.len() - 512);
    let warned = diskmend(["disks", disk.path()]).ends(0).says("backup");
    assert!(warned.stdout.contains("NTFS"), "{}", warned.stdout);
    let inspected = diskmend(["inspect", disk.path(), "tls", "--json"]).json();
    let notice = &inspected["notices"][0];
    assert_eq!(notice["kind"], "disk");
    let text = notice["text"].as_str().unwrap_or_default();
    assert!(text.contains("backup"), "{text}");
    diskmend(["disks", &disk.beside("missing")])
        .ends(1)
        .says("not found");
    diskmend(["disks", &disk.beside("")]).ends(1);
    diskmend(["disks"]).ends(2);
}

/// A volume that can't be read was shown like one without a Windows.
#[test]
fn a_partition_that_can_t_be_searched_is_not_shown_as_one_without_windows() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let boot = disk.read_at(512, disk.windows.start);
    let number = |at: usize| u64::from_le_bytes(boot[at..at + 8].try_into().expect("8 bytes"));
    let cluster_len = 512 * u64::from(boot[13]);
    // The record of the root folder is the sixth of $MFT.
    let root = disk.windows.start + number(48) * cluster_len + 5 * 1024;
    disk.write_at(&[0xEE; 1024], root);
    let document = diskmend(["disks", disk.path(), "--json"]).ends(0).json();
    let windows = &document["partitions"][2];
    assert_eq!(windows["content"], "NTFS");
    assert_eq!(windows["windows"], Value::Null);
    let problem = windows["problem"].as_str().expect("a reason");
    assert!(problem.starts_with("partition 3: "), "{problem}");
    assert_eq!(document["partitions"][0]["windows"], false);
    assert_eq!(document["partitions"][1]["windows"], false);
    let shown = diskmend(["disks", disk.path()]).ends(0).says(problem);
    assert!(shown.stdout.contains("unknown"), "{}", shown.stdout);
}

/// A disk with a Windows on each of its two partitions.
pub(crate) fn two_windows() -> Option<(ImageDisk, Part)> {
    let disk = ImageDisk::new(Layout::Mbr)?;
    disk.format_windows(disk.boot)?;
    let volume = disk.mount(disk.boot)?;
    windows(volume.path());
    drop(volume);
    let first = disk.boot;
    Some((disk, first))
}

#[test]
fn one_of_several_windows_must_be_named() {
    let Some((disk, first)) = two_windows() else {
        return;
    };
    let before = disk.snapshot();
    let document = diskmend(["disks", disk.path(), "--json"]).ends(0).json();
    assert_eq!(document["partitions"][0]["windows"], true);
    assert_eq!(document["partitions"][1]["windows"], true);
    for command in ["inspect", "plan", "repair", "undo", "runs"] {
        let mut arguments = vec![command, disk.path()];
        if matches!(command, "inspect" | "plan" | "repair") {
            arguments.push("tls");
        }
        if matches!(command, "repair" | "undo") {
            arguments.push("--yes");
        }
        diskmend(&arguments)
            .ends(2)
            .says("on partitions 1, 2")
            .says("hint: choose one with --volume N");
        arguments.extend(["--volume", "7"]);
        diskmend(&arguments)
            .ends(2)
            .says("there is no partition 7: the disk has 1, 2");
    }
    let saved = disk.beside("saved.acl");
    for acl in [
        &["show", "Windows"][..],
        &["save", "Windows", "-o", &saved],
        &["reset", "Windows", "--dry-run"],
        &["diff", ".", &saved],
        &["restore", ".", &saved, "--dry-run"],
    ] {
        let acl = [&["acl"], acl, &["--target", disk.path()]].concat();
        if acl[1] != "diff" && acl[1] != "restore" {
            diskmend(&acl).ends(2).says("with --volume N");
        }
        let run = diskmend([&acl[..], &["--volume", "1"]].concat());
        assert!(matches!(run.code, 0 | 3), "{acl:?}: {}", run.stderr);
    }
    disk.is_untouched_since(&before);

    let system = |part| {
        let volume = disk.mount_with(part, "ro,permissions")?;
        fs::read(volume.path().join("Windows/System32/config/SYSTEM")).ok()
    };
    let other = system(disk.windows);
    let old = system(first);
    diskmend(["repair", disk.path(), "tls", "--yes", "--volume", "1"])
        .ends(0)
        .says("--volume 1");
    assert_ne!(system(first), old);
    assert!(system(disk.windows) == other);
    diskmend(["undo", disk.path(), "--yes", "--volume", "1"]).ends(0);
    disk.has_bytes_of(&before);
    // A partition without a Windows can be named, but not repaired.
    let folder = disk.beside("");
    diskmend(["inspect", &folder, "tls", "--volume", "1"])
        .ends(2)
        .says("hint: leave --volume out");
}

#[test]
fn a_sparse_disk_of_4_tib_is_repaired_at_its_end() {
    const END: u64 = 4 << 40;
    let Some(mut disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let file = fs::OpenOptions::new().write(true).open(disk.path());
    file.expect("writable").set_len(END).expect("a sparse file");
    let part = Part {
        start: END - 64 * MIB,
        len: 32 * MIB,
    };
    disk.windows = part;
    let script = format!(
        "label: gpt\nstart={}, size={}, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n",
        part.start / 512,
        part.len / 512
    );
    if disk.run_sfdisk(&script).is_none() || disk.format_windows(part).is_none() {
        return;
    }
    let Some(volume) = disk.mount(part) else {
        return;
    };
    windows(volume.path());
    drop(volume);
    let shown = diskmend(["disks", disk.path()]).ends(0).stdout;
    assert!(shown.contains("4.0 TiB"), "{shown}");
    diskmend(["inspect", disk.path(), "tls"]).ends(3);
    let bytes = || disk.read_at(part.len as usize, part.start);
    let before = bytes();
    diskmend(["repair", disk.path(), "tls", "machine-keys", "--yes"]).ends(0);
    assert!(bytes() != before);
    diskmend(["undo", disk.path(), "--yes"]).ends(0);
    assert!(bytes() == before);
    assert_eq!(disk.len(), END);
}
