//! What `diagnose` says about the volumes of an unmounted disk.

use std::process::Command;

use serde_json::{Value, json};

use crate::image_disk::{ImageDisk, Layout};
use crate::program::diskmend;

fn diagnose(disk: &ImageDisk) -> Value {
    diskmend(["diagnose", disk.path(), "--json"]).ends(3).json()
}

fn causes(document: &Value) -> Vec<&str> {
    let causes = document["causes"].as_array().expect("a list");
    let names = causes.iter().map(|cause| cause["name"].as_str());
    names.map(|name| name.expect("a name")).collect()
}

/// The space of a mounted volume, as the system tells it: free and in all.
fn space(folder: &std::path::Path) -> (u64, u64) {
    let output = Command::new("stat")
        .args(["-f", "-c", "%f %b %S"])
        .arg(folder)
        .output()
        .expect("stat");
    let text = String::from_utf8(output.stdout).expect("text");
    let numbers: Vec<u64> = text
        .split_whitespace()
        .map(|word| word.parse().expect("a number"))
        .collect();
    (numbers[0] * numbers[2], numbers[1] * numbers[2])
}

#[test]
fn the_space_and_the_state_of_the_volume_are_told() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let (free, bytes) = {
        let volume = disk.mount(disk.windows).expect("mounted before");
        let through_mount = diskmend(["diagnose", volume.root(), "--json"]).ends(3);
        let through_mount = &through_mount.json()["identity"]["volume"];
        let (free, bytes) = space(volume.path());
        assert_eq!(through_mount["free"], json!(free));
        assert_eq!(through_mount["bytes"], json!(bytes));
        assert_eq!(through_mount.get("dirty"), None);
        (free, bytes)
    };
    let document = diagnose(&disk);
    let volume = &document["identity"]["volume"];
    assert_eq!(volume["free"], json!(free), "{volume}");
    // The last cluster is not of the volume for every reader.
    let told = volume["bytes"].as_u64().expect("a number");
    assert!(told.abs_diff(bytes) <= 4096, "{told} {bytes}");
    assert_eq!(volume["dirty"], false);
    assert_eq!(volume["journal_closed"], true);
    assert_eq!(
        document["identity"]["bitlocker"],
        json!({ "volume": "off" })
    );
    let run = diskmend(["inspect", disk.path()]).ends(3);
    assert!(run.stdout.contains("\n  volume "), "{}", run.stdout);
    assert!(
        run.stdout.contains(" free, BitLocker off\n"),
        "{}",
        run.stdout
    );

    {
        let device = disk.attach(disk.windows).expect("attached before");
        let marked = Command::new("ntfsfix").arg(device.path()).output();
        assert!(marked.expect("ntfsfix").status.success());
    }
    let document = diagnose(&disk);
    assert_eq!(document["identity"]["volume"]["dirty"], true);
    assert!(
        !causes(&document)
            .iter()
            .any(|name| name.starts_with("volume-"))
    );
    let run = diskmend(["inspect", disk.path()]).ends(3);
    assert!(run.stdout.contains(", marked as dirty"), "{}", run.stdout);
}

#[test]
fn an_encrypted_volume_is_named_and_said_first() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let other = disk.raw().expect("copied before");
    other.write_at(b"-FVE-FS-", other.boot.start + 3);
    let document = diagnose(&other);
    let bitlocker = &document["identity"]["bitlocker"];
    assert_eq!(
        *bitlocker,
        json!({ "volume": "off", "locked": ["partition 1"] })
    );
    // A store may be on it.
    assert!(!causes(&document).contains(&"boot-store-missing"));

    disk.write_at(b"-FVE-FS-", disk.windows.start + 3);
    for command in ["diagnose", "inspect"] {
        let run = diskmend([command, disk.path()]).ends(5);
        let first = run.stderr.lines().next().unwrap_or_default();
        assert!(first.contains("encrypted with BitLocker"), "{}", run.stderr);
        assert!(run.stderr.contains("manage-bde -unlock"), "{}", run.stderr);
    }
}

#[test]
fn a_store_that_is_gone_from_the_system_partition_is_the_cause() {
    for layout in [Layout::Gpt, Layout::Mbr] {
        let Some(disk) = ImageDisk::new(layout) else {
            return;
        };
        disk.name_windows();
        if layout == Layout::Mbr {
            // The boot sector as Windows setup writes it: mkntfs makes none that starts anything.
            let sectors = u32::try_from(disk.boot.start / 512).expect("a small disk");
            disk.write_at(&sectors.to_le_bytes(), disk.boot.start + 0x1c);
            disk.write_at(b"BOOTMGR", disk.boot.start + 0x60);
        }
        let boot = |document: &Value| -> Vec<String> {
            let boot = causes(document).into_iter();
            let boot = boot.filter(|name| name.starts_with("boot-"));
            boot.map(str::to_owned).collect()
        };
        assert_eq!(boot(&diagnose(&disk)), [""; 0], "{layout:?}");
        disk.remove_store();
        let document = diagnose(&disk);
        assert_eq!(boot(&document), ["boot-store-missing"], "{layout:?}");
        let causes = document["causes"].as_array().expect("a list");
        let cause = causes
            .iter()
            .find(|cause| cause["name"] == "boot-store-missing");
        let place = &cause.expect("a cause")["evidence"][0]["seen"][0]["place"];
        let wanted = match layout {
            Layout::Gpt => "partition 1 (EFI system)",
            Layout::Mbr => "partition 1 (NTFS or exFAT, active)",
        };
        assert_eq!(place, wanted);
    }
}
