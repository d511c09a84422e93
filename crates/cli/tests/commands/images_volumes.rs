//! Two installations of Windows on one disk: each has its own runs.

use std::fs;

use crate::disks::two_windows;
use crate::image_disk::{ImageDisk, Part};
use crate::program::{Run, diskmend};
use crate::sealing;

fn system(disk: &ImageDisk, part: Part) -> Option<Vec<u8>> {
    let volume = disk.mount_with(part, "ro,permissions")?;
    fs::read(volume.path().join("Windows/System32/config/SYSTEM")).ok()
}

fn on(disk: &ImageDisk, command: &str, partition: &str, more: &[&str]) -> Run {
    diskmend([&[command, disk.path(), "--volume", partition], more].concat())
}

fn names(disk: &ImageDisk) -> Vec<(String, u64)> {
    let document = on(disk, "runs", "1", &["--json"]).ends(0).json();
    let runs = document["runs"].as_array().expect("a list");
    runs.iter()
        .map(|run| {
            let name = run["run"].as_str().expect("a name").to_owned();
            (name, run["partition"].as_u64().expect("a number"))
        })
        .collect()
}

#[test]
fn a_run_of_another_partition_is_not_undone() {
    let Some((disk, first)) = two_windows() else {
        return;
    };
    let before = disk.snapshot();
    let old = system(&disk, first);
    on(&disk, "repair", "1", &["tls", "--yes"]).ends(0);
    assert!(system(&disk, first) != old);
    on(&disk, "repair", "2", &["tls", "--yes"]).ends(0);
    let both = disk.snapshot();
    for partition in ["1", "2"] {
        let again = on(&disk, "repair", partition, &["tls", "--yes"]).ends(0);
        assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    }
    disk.is_untouched_since(&both);
    let runs = names(&disk);
    assert_eq!((runs[0].1, runs[1].1), (1, 2));
    let document = on(&disk, "runs", "1", &["--json"]).ends(0).json();
    assert_eq!(document["runs"][0]["windows"]["bitlocker"], "off");
    let table = on(&disk, "runs", "1", &[]).ends(0).stdout;
    assert!(table.contains("partition 2: tls"), "{table}");

    let second = runs[1].0.as_str();
    on(&disk, "undo", "1", &[second, "--yes"])
        .ends(5)
        .says("a repair of partition 2")
        .says(&format!(
            "hint: diskmend undo {} {second} --volume 2",
            disk.path()
        ));
    disk.is_untouched_since(&both);

    // The newest run of this partition, although it is older than that of the other.
    let other = system(&disk, disk.windows);
    let undone = on(&disk, "undo", "1", &["--yes"]).ends(0);
    assert!(undone.stdout.contains(&runs[0].0), "{}", undone.stdout);
    assert!(system(&disk, first) == old);
    assert!(system(&disk, disk.windows) == other);
    on(&disk, "undo", "1", &["--yes"]).ends(1);
    on(&disk, "undo", "2", &[second, "--yes"]).ends(0);
    disk.has_bytes_of(&before);
}

/// A run is not completed on another partition either.
#[test]
fn an_unfinished_run_of_another_partition_prevents_a_repair_and_is_named() {
    let Some((disk, _)) = two_windows() else {
        return;
    };
    on(&disk, "repair", "2", &["machine-keys", "--yes"]).ends(0);
    let (run, _) = names(&disk).remove(0);
    let (done, killed) = ("\"state\": \"done\"", "\"state\": \"applying\"");
    let folder = disk.beside(&format!("disk.img.diskmend/runs/{run}"));
    sealing::replace(folder.as_ref(), done, killed);
    let before = disk.snapshot();
    let undo = format!("diskmend undo {} {run} --volume 2", disk.path());
    on(&disk, "repair", "1", &["machine-keys", "tls", "--yes"])
        .ends(5)
        .says(&undo);
    on(&disk, "inspect", "1", &["tls"]).says(&undo);
    on(&disk, "runs", "1", &[]).says(&undo);
    on(&disk, "undo", "1", &["--yes"]).ends(1);
    disk.is_untouched_since(&before);
    on(&disk, "undo", "2", &["--yes"]).ends(0);
}
