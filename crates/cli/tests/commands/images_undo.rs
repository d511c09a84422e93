//! Undoing the repair of an unmounted disk, also after it was mounted and changed, and after a kill
//! at any time.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Stdio;
use std::time::Instant;

use crate::common::run;
use crate::image_disk::{ImageDisk, Layout};
use crate::ntfs_disk::{
    BROKEN_KEY, KEYS, OTHER_KEY, RDP_KEY, REPAIRED_KEY, content, key_path, others_find_no_error,
    sddl, secure,
};
use crate::program::{command, diskmend};

const RDP: &str = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
const HIVE: &str = "Windows/System32/config/SYSTEM";

/// The data of a `REG_DWORD` in the hive of a mounted volume.
fn dword(root: &str, name: &str) -> Option<u64> {
    let hive = format!("{root}/{HIVE}");
    let run = diskmend(["hive", "get", &hive, RDP, name, "--json"]);
    (run.code == 0)
        .then(|| run.json()["data"].as_u64())
        .flatten()
}

#[test]
fn later_changes_through_a_mount_are_kept() {
    let Some(disk) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let (before, old) = {
        let Some(volume) = disk.mount_with(disk.windows, "ro,permissions") else {
            return;
        };
        let old = dword(volume.root(), "UserAuthentication");
        (content(volume.path()), old)
    };
    diskmend(["repair", disk.path(), "rdp-internal-error", "--yes"]).ends(0);
    {
        let volume = disk.mount(disk.windows).expect("mounted before");
        assert_eq!(dword(volume.root(), "SecurityLayer"), Some(1));
        let hive = format!("{}/{HIVE}", volume.root());
        let set = ["hive", "set", &hive, RDP, "SecurityLayer", "REG_DWORD", "2"];
        diskmend([&set[..], &["--yes"]].concat()).ends(0);
        secure(
            &volume.path().join(key_path(OTHER_KEY)),
            "O:BAG:BAD:(A;;FA;;;BA)",
        );
        fs::write(volume.path().join("later"), "later").expect("writable");
    }
    let undo = diskmend(["undo", disk.path(), "--yes"]).ends(0);
    assert!(undo.stdout.contains("value by value"), "{}", undo.stdout);
    assert!(undo.stdout.contains("LEFT ALONE"), "{}", undo.stdout);
    others_find_no_error(disk.attach(disk.windows).expect("attached before").path());
    let volume = disk.mount(disk.windows).expect("mounted before");
    assert_eq!(dword(volume.root(), "SecurityLayer"), Some(2));
    assert_eq!(dword(volume.root(), "UserAuthentication"), old);
    let after = content(volume.path());
    assert_eq!(
        fs::read(volume.path().join("later")).expect("kept"),
        b"later"
    );
    assert_eq!(
        sddl(&volume.path().join(key_path(OTHER_KEY))),
        "O:BAG:BAD:(A;;FA;;;BA)"
    );
    for path in [KEYS, &key_path(RDP_KEY)] {
        let path = std::path::Path::new(path);
        assert_eq!(after.descriptors[path], before.descriptors[path]);
    }
}

#[test]
fn a_link_to_an_image_is_the_image() {
    let Some(disk) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let before = disk.snapshot();
    let elsewhere = disk.beside("elsewhere");
    fs::create_dir(&elsewhere).expect("writable");
    let link = format!("{elsewhere}/link.img");
    symlink("../disk.img", &link).expect("a link");
    diskmend(["repair", &link, "tls", "--yes"]).ends(0);
    let beside = fs::read_dir(&elsewhere).expect("a folder");
    assert_eq!(beside.count(), 1);
    let by = |path: &str| diskmend(["runs", path, "--json"]).ends(0).json()["runs"].clone();
    assert_eq!(by(disk.path()).as_array().map(Vec::len), Some(1));
    assert_eq!(by(disk.path()), by(&link));
    diskmend(["undo", disk.path(), "--yes"]).ends(0);
    disk.has_bytes_of(&before);
}

/// A later file uses the descriptor that the repair has added to the volume, and so its id. If undo
/// removed the id, the file would have no descriptor.
#[test]
fn a_descriptor_of_the_repair_that_a_later_file_has_stays() {
    let Some(disk) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    diskmend(["repair", disk.path(), "machine-keys", "--yes"]).ends(0);
    {
        let Some(volume) = disk.mount(disk.windows) else {
            return;
        };
        // A place that the repair has not changed.
        let later = volume.path().join("later");
        fs::write(&later, "later").expect("writable");
        secure(&later, REPAIRED_KEY);
    }
    diskmend(["undo", disk.path(), "--yes"]).ends(0);
    others_find_no_error(disk.attach(disk.windows).expect("attached before").path());
    let volume = disk.mount(disk.windows).expect("mounted before");
    assert_eq!(sddl(&volume.path().join("later")), REPAIRED_KEY);
    assert_eq!(sddl(&volume.path().join(key_path(RDP_KEY))), BROKEN_KEY);
}

/// A disk with so many keys that a repair can be killed while it changes them.
fn with_keys(number: u32) -> Option<ImageDisk> {
    let disk = ImageDisk::new(Layout::Mbr)?;
    {
        let volume = disk.mount(disk.windows)?;
        for number in 0..number {
            let name = format!("{number:032x}_7d2fb2f2-6f3a-4a52-9d0d-0d2c6e3c5a11");
            let path = volume.path().join(key_path(&name));
            fs::write(&path, "key").expect("writable");
            secure(&path, BROKEN_KEY);
        }
    }
    Some(disk)
}

/// Runs a command and kills it after this time. Returns true if it was still running.
fn killed(arguments: &[&str], after: std::time::Duration) -> bool {
    let child = command(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.expect("the program starts");
    std::thread::sleep(after);
    // It may already have ended.
    let _ = child.kill();
    child.wait().expect("it ends").code().is_none()
}

#[test]
fn a_kill_at_any_time_is_undone_to_the_same_image_or_completed() {
    const STEPS: u32 = 8;
    let Some(disk) = with_keys(3000) else { return };
    let repair = ["repair", disk.path(), "rdp-internal-error", "--yes"];
    let undo = ["undo", disk.path(), "--yes"];
    let before = disk.snapshot();
    let start = Instant::now();
    diskmend(repair).ends(0);
    let repairing = start.elapsed();
    let repaired = disk.mount_with(disk.windows, "ro,permissions");
    let repaired = content(repaired.expect("mounted before").path()).descriptors;
    let start = Instant::now();
    diskmend(undo).ends(0);
    let undoing = start.elapsed();
    disk.has_bytes_of(&before);

    let (mut kills, mut half, mut completed, mut refused) = (0, 0, 0, 0);
    for step in 1..=STEPS {
        kills += u32::from(killed(&repair, repairing * step / STEPS));
        if step % 2 == 0 {
            let again = diskmend(repair);
            match again.code {
                0 => {
                    completed += 1;
                    let volume = disk.mount_with(disk.windows, "ro,permissions");
                    let volume = volume.expect("mounted before");
                    let found = content(volume.path()).descriptors;
                    assert!(found == repaired, "step {step}");
                }
                5 => {
                    refused += 1;
                    again.says("hint: diskmend undo");
                }
                _ => panic!("step {step}: {}", again.stderr),
            }
        }
        // The undo is killed too, and repeated.
        half += u32::from(killed(&undo, undoing * step / STEPS));
        while diskmend(undo).code == 0 {}
        disk.has_bytes_of(&before);
    }
    println!(
        "{kills} repairs and {half} reversals killed, {completed} completed, {refused} refused"
    );
    assert!(kills > 0 && completed > 0);
}

/// The run has created a log beside the boot store. If undo restored the old bytes of the folder,
/// its list would end at the place of the log's name, and later files would be lost.
#[test]
fn a_later_file_beside_a_log_of_the_repair_stays() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    diskmend(["repair", disk.path(), "serial-console", "--yes"]).ends(0);
    let log = "EFI/Microsoft/Boot/BCD.LOG1";
    assert!(disk.read_esp(log).is_some(), "the run has made a log");
    let later = "EFI/Microsoft/Boot/later";
    disk.write_esp(later, b"later");
    diskmend(["undo", disk.path(), "--yes"]).ends(0);
    assert_eq!(disk.read_esp(later).as_deref(), Some(&b"later"[..]));
    let device = disk.attach(disk.boot).expect("attached before");
    run("fsck.fat", &["-n", device.path()]).expect("fsck.fat finds no error");
}

/// A mount that diskmend did not notice has written old pages over the changes of the repair. Undo
/// once always ended with 7, although the record has every old byte.
#[test]
fn the_old_bytes_of_a_disk_can_be_restored_over_what_was_written_since() {
    const PAGE: usize = 4096;
    let Some(disk) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let before = fs::read(disk.path()).expect("readable");
    diskmend(["repair", disk.path(), "rdp-internal-error", "--yes"]).ends(0);
    let mut image = fs::read(disk.path()).expect("readable");
    let pages = image.chunks(PAGE).zip(before.chunks(PAGE));
    let changed: Vec<usize> = pages
        .enumerate()
        .filter(|(_, (now, before))| now != before)
        .map(|(number, _)| number * PAGE)
        .collect();
    // Inside each page that was changed, and in places far away.
    for start in &changed {
        let page = *start..start + PAGE;
        let mut differs = page.filter(|at| image[*at] != before[*at]);
        let at = differs.next().expect("it was changed");
        let other = [0xEE, 0xDD, 0xCC].into_iter();
        let mut other = other.filter(|byte| *byte != image[at] && *byte != before[at]);
        image[at] = other.next().expect("one of three");
    }
    let last = image.len() - 512;
    image[last..].fill(0xEE);
    fs::write(disk.path(), &image).expect("writable");
    let undo = diskmend(["undo", disk.path(), "--yes"]);
    assert_ne!(undo.code, 0, "{}", undo.stdout);
    let report = diskmend(["undo", disk.path(), "--force-bytes", "--yes", "--json"])
        .ends(0)
        .says("(sector ")
        .json();
    let place = &report["differences"]["places"][0];
    assert_eq!(place["is_disk"], true);
    assert!(
        place["count"].as_u64().is_some_and(|count| count > 0),
        "{place}"
    );
    let now = fs::read(disk.path()).expect("readable");
    assert!(now[..last] == before[..last], "not the old bytes");
    // Bytes that the run has not changed stay as they are.
    assert!(now[last..].iter().all(|byte| *byte == 0xEE));
    diskmend(["undo", disk.path(), "--yes"]).ends(1);
}

/// A run on the mounted volume was unknown when the image was the target, and the other way round.
#[test]
fn the_runs_of_the_mount_are_listed_from_the_image_and_the_other_way_round() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    {
        let Some(volume) = disk.mount(disk.windows) else {
            return;
        };
        let root = volume.path().to_str().expect("UTF-8");
        diskmend(["repair", root, "tls", "--yes"]).ends(0);
    }
    let document = diskmend(["runs", disk.path(), "--json"]).ends(0).json();
    assert_eq!(document["runs"], serde_json::json!([]));
    let made = &document["elsewhere"]["runs"][0];
    assert_eq!(
        (&made["recipes"][0], &made["trust"]),
        (&"tls".into(), &"own".into())
    );
    let mounted = made["run"].as_str().expect("a name");
    let list = diskmend(["runs", disk.path()]).ends(0);
    assert!(list.stdout.contains(mounted), "{}", list.stdout);
    list.says("mount the volume, and then: diskmend undo FOLDER RUN");
    for more in [&[][..], &[mounted]] {
        diskmend([&["undo", disk.path(), "--yes"], more].concat())
            .ends(1)
            .says(&format!(
                "run {mounted} was made while the volume was mounted"
            ));
    }
    // Each folder numbers its own runs: in the same second, both runs would have the same name.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    diskmend(["repair", disk.path(), "nla", "--yes"]).ends(0);
    let volume = disk.mount(disk.windows).expect("mounted before");
    let root = volume.path().to_str().expect("UTF-8");
    let document = diskmend(["runs", root, "--json"]).ends(0).json();
    assert_eq!(document["runs"][0]["run"], mounted);
    let elsewhere = &document["elsewhere"];
    assert_eq!(elsewhere["image"], disk.path());
    let on_image = elsewhere["runs"][0]["run"].as_str().expect("a name");
    // The mount's own folder does not have it, so it is not the last run.
    let details = diskmend(["runs", root, on_image]).ends(0);
    assert!(details.stdout.contains("nla"), "{}", details.stdout);
    let rows = |target: &str, recipe: &str| diskmend(["plan", target, recipe]).code;
    assert_eq!(rows(root, "nla"), 0);
    diskmend(["undo", root, on_image])
        .ends(2)
        .says("hint: add --yes");
    let undone = diskmend(["undo", root, on_image, "--yes"])
        .ends(0)
        .says("made on the image of this volume");
    assert!(undone.stdout.contains("is undone"), "{}", undone.stdout);
    assert_eq!(rows(root, "nla"), 3);
    assert_eq!(rows(root, "tls"), 0);
    diskmend(["undo", root, on_image, "--yes"])
        .ends(1)
        .says("undone");
    drop(volume);
    // The image knows that its run is undone.
    let document = diskmend(["runs", disk.path(), "--json"]).ends(0).json();
    assert_eq!(document["runs"][0]["state"], "undone");
    assert_eq!(rows(disk.path(), "nla"), 3);
    let volume = disk.mount(disk.windows).expect("mounted before");
    let root = volume.path().to_str().expect("UTF-8");
    diskmend(["undo", root, "--yes"]).ends(0);
    assert_eq!(rows(root, "tls"), 3);
}
