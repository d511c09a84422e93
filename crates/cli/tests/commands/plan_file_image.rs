//! A saved plan for an unmounted disk, with hives, boot store and permissions.

use std::fs;

use serde_json::Value;

use crate::image_disk::{ImageDisk, Layout};
use crate::ntfs_disk::{BROKEN_KEY, DEFAULT_KEY, KEYS, RDP_KEY, key_path, secure};
use crate::program::{Run, diskmend};

const STORE: &str = "EFI/Microsoft/Boot/BCD";

fn carry_out(target: &str, plan: &str) -> Run {
    diskmend(["repair", target, "--plan", plan, "--yes", "--json"])
}

#[track_caller]
fn refused(disk: &ImageDisk, plan: &str, reason: &str) {
    let before = disk.snapshot();
    carry_out(disk.path(), plan).ends(5).says(reason);
    disk.is_untouched_since(&before);
}

#[test]
fn the_plan_of_an_unmounted_disk_covers_hives_boot_store_and_permissions() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let plan = disk.beside("plan.json");
    let before = disk.snapshot();
    let args = ["plan", disk.path(), "rdp-internal-error", "--ems-port", "2"];
    let shown = diskmend([&args[..], &["--out", &plan, "--json"]].concat()).ends(3);
    disk.is_untouched_since(&before);
    let text = fs::read_to_string(&plan).expect("a plan");
    let saved: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(saved["target"]["partition"], 3);
    assert_eq!(saved["serial"]["port"], 2);
    assert_eq!(saved["plan"]["acls"], shown.json()["acls"]);
    let files = saved["files"].as_array().expect("a list");
    let paths: Vec<_> = files.iter().map(|file| &file["path"]).collect();
    assert!(paths.iter().any(|path| *path == STORE), "{paths:?}");

    // The permissions of one key.
    let set = |sddl: &str| {
        let volume = disk.mount(disk.windows).expect("mounted before");
        secure(&volume.path().join(key_path(RDP_KEY)), sddl);
    };
    set(DEFAULT_KEY);
    refused(
        &disk,
        &plan,
        "permissions that the recipes are about have changed",
    );
    set(BROKEN_KEY);

    // A value in the boot store that no recipe is about.
    let store = disk.read_esp(STORE).expect("a store");
    let copy = disk.beside("BCD");
    fs::write(&copy, &store).expect("writable");
    diskmend([
        "bcd",
        "set",
        &copy,
        "{bootmgr}",
        "description",
        "Other",
        "--yes",
    ])
    .ends(0);
    disk.write_esp(STORE, &fs::read(&copy).expect("a store"));
    refused(&disk, &plan, &format!("{STORE} has changed"));
    disk.write_esp(STORE, &store);

    // The same content is the same plan.
    let before = disk.snapshot();
    let done = carry_out(disk.path(), &plan).ends(0).json();
    assert_eq!(done["changes"], saved["plan"]["changes"]);
    assert_eq!(
        done["descriptors"]["changed"],
        saved["permissions"]["to_change"]
    );
    refused(&disk, &plan, "the plan is stale");
    diskmend(["undo", disk.path(), "--yes"]).ends(0);
    disk.has_bytes_of(&before);
}

/// A copy has the numbers and the content of its original; another disk has neither.
#[test]
fn a_copy_of_the_disk_is_the_same_target_and_another_disk_is_not() {
    let (Some(disk), Some(other)) = (ImageDisk::new(Layout::Gpt), ImageDisk::new(Layout::Mbr))
    else {
        return;
    };
    let plan = disk.beside("plan.json");
    diskmend(["plan", disk.path(), "machine-keys", "--out", &plan]).ends(3);
    refused(
        &other,
        &plan,
        "its disk or volume has another serial number",
    );
    let copy = disk.raw().expect("a copy");
    carry_out(copy.path(), &plan).ends(0);
    // A new object in the folder, of which the recipe says nothing before it is there.
    {
        let volume = disk.mount(disk.windows).expect("mounted before");
        fs::write(volume.path().join(KEYS).join("new"), "").expect("writable");
    }
    refused(
        &disk,
        &plan,
        "permissions that the recipes are about have changed",
    );
}
