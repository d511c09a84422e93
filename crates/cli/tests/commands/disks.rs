//! `diskmend disks`, and choosing one of the partitions that it shows.

use std::fs;
use std::process::Command;

use diskmend_hive::{Editor, ValueType};
use serde_json::Value;

use crate::common::{run, skipped};
use crate::fixture::{hive_file, utf16};
use crate::image_disk::{ImageDisk, Layout, MIB, Part};
use crate::image_volume::Loop;
use crate::ntfs_disk::windows;
use crate::program::{Run, diskmend};

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
            .says("hint: choose one with --volume N")
            .says("hint: --volume 1: computer WEB-01")
            .says("hint: --volume 2: computer WEB-01");
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

/// Gives the Windows on a partition a product, a computer's name and a label.
fn name_windows(disk: &ImageDisk, part: Part, product: &str, computer: &str) -> Option<()> {
    {
        let volume = disk.mount(part)?;
        let config = volume.path().join("Windows/System32/config");
        for log in ["SYSTEM.LOG1", "SYSTEM.LOG2"] {
            let _ = fs::remove_file(config.join(log));
        }
        let put = |editor: &mut Editor, key: &str, name: &str, text: &str| {
            editor.create_key(key).expect("valid");
            let data = utf16(&format!("{text}\0"));
            let set = editor.set_value(key, name, ValueType::SZ, &data);
            set.expect("valid");
        };
        hive_file(&config.join("SYSTEM"), |editor| {
            editor.create_key("Select").expect("valid");
            let set = editor.set_value("Select", "Current", ValueType::DWORD, &[1, 0, 0, 0]);
            set.expect("valid");
            let key = r"ControlSet001\Control\ComputerName\ComputerName";
            put(editor, key, "ComputerName", computer);
        });
        hive_file(&config.join("SOFTWARE"), |editor| {
            let key = r"Microsoft\Windows NT\CurrentVersion";
            put(editor, key, "ProductName", product);
            put(editor, key, "CurrentBuildNumber", "17763");
        });
    }
    let device = disk.attach(part)?;
    run("ntfslabel", &["-f", device.path(), computer]).expect("a label");
    Some(())
}

/// The list once said only that there is a Windows on both partitions.
#[test]
fn several_windows_are_told_apart_by_label_product_and_computer() {
    let Some((disk, first)) = two_windows() else {
        return;
    };
    let second = "Windows Server 2019 \u{1b}[2J";
    let named = name_windows(&disk, first, "Windows 10 Pro", "OLD-PC");
    let named = named.and_then(|()| name_windows(&disk, disk.windows, second, "WEB01"));
    if named.is_none() {
        return;
    }
    let before = disk.snapshot();
    let document = diskmend(["disks", disk.path(), "--json"]).ends(0).json();
    for (number, label, product) in [(0, "OLD-PC", "Windows 10 Pro"), (1, "WEB01", second)] {
        let partition = &document["partitions"][number];
        assert_eq!(partition["label"], label);
        assert_eq!(partition["identity"]["computer_name"], label);
        assert_eq!(partition["identity"]["product_name"], product);
        assert_eq!(partition["identity"]["build"], 17763);
    }
    let shown = diskmend(["disks", disk.path()]).ends(0).stdout;
    for words in [
        "Windows 10 Pro (17763)",
        "WEB01",
        "OLD-PC",
        "<U+001B>[2J",
        "\npartition 1: Windows 10 Pro  build 17763\n  computer OLD-PC",
        " free, BitLocker off\n",
    ] {
        assert!(shown.contains(words), "{words}:\n{shown}");
    }
    diskmend(["inspect", disk.path()])
        .ends(2)
        .says("hint: --volume 1: Windows 10 Pro, build 17763, computer OLD-PC")
        .says("hint: --volume 2: Windows Server 2019 <U+001B>[2J, build 17763, computer WEB01");
    disk.is_untouched_since(&before);
}

#[test]
fn the_partition_with_the_boot_store_is_marked_and_its_label_shown() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let esp = format!("{}@@{}", disk.path(), disk.boot.start);
    run("mlabel", &["-i", &esp, "::SYSTEM"]).expect("a label");
    let document = diskmend(["disks", disk.path(), "--json"]).ends(0).json();
    let partition = &document["partitions"][0];
    assert_eq!(partition["boot_stores"][0], "EFI/Microsoft/Boot/BCD");
    assert_eq!(partition["label"], "SYSTEM");
    assert_eq!(
        document["partitions"][2]["boot_stores"],
        serde_json::json!([])
    );
    let shown = diskmend(["disks", disk.path()]).ends(0).stdout;
    assert!(shown.contains("FAT32, boot store"), "{shown}");
}

#[test]
fn the_attached_disks_are_listed_and_a_disk_that_may_not_be_read_is_named() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let Some(device) = disk.attach_whole() else {
        return;
    };
    let Some(listed) = only_attached(&device, &["--json"], "") else {
        return;
    };
    let document = listed.ends(0).json();
    assert_eq!(document["disks"].as_array().map(Vec::len), Some(1));
    let listed = &document["disks"][0];
    assert_eq!(listed["disk"], device.path());
    assert_eq!(listed["model"], disk.path());
    assert_eq!(listed["content"]["partitions"][2]["windows"], true);
    let shown = only_attached(&device, &[], "").expect("as before").ends(0);
    assert!(shown.stdout.contains(device.path()), "{}", shown.stdout);
    let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    let forbidden = only_attached(&device, &[], nobody).expect("as before");
    let forbidden = forbidden.ends(1).says("may not read").says("as root");
    assert!(
        forbidden.stdout.contains(device.path()),
        "{}",
        forbidden.stdout
    );
}

/// Lists the disks of a machine that has only this device. Other tests detach theirs meanwhile,
/// which must not be delayed.
fn only_attached(device: &Loop, args: &[&str], by: &str) -> Option<Run> {
    let name = device.path().strip_prefix("/dev/").expect("a device");
    let script = format!(
        "mount -t tmpfs none /sys/block && ln -s /sys/devices/virtual/block/{name} /sys/block && \
         exec {by} \"$0\" disks \"$@\""
    );
    let output = Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-c",
            &script,
            env!("CARGO_BIN_EXE_diskmend"),
        ])
        .args(args)
        .output();
    match output {
        Ok(output) if !matches!(output.status.code(), None | Some(32 | 126 | 127)) => {
            Some(Run::of(output))
        }
        other => {
            skipped("unshare", &format!("{other:?}"));
            None
        }
    }
}
