//! Target and boot volume must both be mounted or both be on one unmounted disk. Otherwise a run
//! could not be undone as a whole.

use std::fs;
use std::path::Path;

use crate::common::run;
use crate::image_disk::{DISK_GUID, ImageDisk, Layout, MIB, Part, WINDOWS_GUID};
use crate::ntfs_disk::windows;
use crate::program::diskmend;

const EFI_BOOT: &str = "EFI/Microsoft/Boot";
const HINT: &str = "hint: leave --boot-volume and --store out";

/// Checks that every command with these options refuses them and writes nothing.
#[track_caller]
fn all_refuse(target: &str, options: &[&str], words: &[&str]) {
    let recipes: &[&str] = &["serial-console", "tls"];
    let yes: &[&str] = &["--yes"];
    for (command, more) in [
        ("inspect", [recipes, &[]]),
        ("plan", [recipes, &[]]),
        ("repair", [recipes, yes]),
        ("undo", [yes, &[]]),
    ] {
        // `undo` has no such option.
        if command == "undo" && options[0] == "--store" {
            continue;
        }
        let run = diskmend([&[command, target], options, more[0], more[1]].concat()).ends(5);
        for words in words {
            assert!(run.stderr.contains(words), "{command}: {}", run.stderr);
        }
    }
}

#[test]
fn a_boot_volume_elsewhere_is_refused_for_an_image() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let esp = disk.beside("esp");
    let boot = Path::new(&esp).join(EFI_BOOT);
    fs::create_dir_all(&boot).expect("writable");
    let store = disk.read_esp(&format!("{EFI_BOOT}/BCD")).expect("a store");
    fs::write(boot.join("BCD"), &store).expect("writable");
    let file = format!("{esp}/{EFI_BOOT}/BCD");
    let other = disk.beside("other.img");
    fs::copy(disk.path(), &other).expect("copied");

    let before = disk.snapshot();
    for options in [
        ["--boot-volume", &esp],
        ["--store", &file],
        ["--boot-volume", &other],
    ] {
        all_refuse(disk.path(), &options, &["must be on that disk", HINT]);
    }
    disk.is_untouched_since(&before);
    assert_eq!(fs::read(boot.join("BCD")).expect("a store"), store);
    assert!(!Path::new(&disk.beside("disk.img.diskmend")).exists());
}

#[test]
fn an_image_is_refused_as_the_boot_volume_of_a_mount() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let Some(windows) = disk.mount(disk.windows) else {
        return;
    };
    // One image has a Windows, and one has only a boot volume.
    let esp = disk.beside("esp.img");
    let part = disk.read_at(disk.boot.len as usize, disk.boot.start);
    fs::write(&esp, part).expect("writable");
    for image in [disk.path(), &esp] {
        all_refuse(
            windows.root(),
            &["--boot-volume", image],
            &["not a mounted volume", "hint: mount the boot volume too"],
        );
    }
    assert!(!windows.path().join("diskmend").exists());
}

/// FAT32 with fewer clusters than the type allows: fsck.fat warns, but Windows and firmware read
/// it. The `fatfs` crate refuses it, which was once noticed only after SYSTEM was written, so that
/// everything was rolled back.
#[test]
fn a_store_that_can_not_get_a_log_is_written_without_one() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    // The offset of the number of sectors in the boot sector and in its copy.
    for sector in [0, 6 * 512] {
        disk.write_at(&42_000_u32.to_le_bytes(), disk.boot.start + sector + 32);
    }
    let before = disk.snapshot();
    diskmend(["repair", disk.path(), "rdp-internal-error", "--yes"]).ends(0);
    assert_eq!(disk.read_esp(&format!("{EFI_BOOT}/BCD.LOG1")), None);
    diskmend(["inspect", disk.path(), "rdp-internal-error"]).ends(0);
    diskmend(["undo", disk.path(), "--yes"]).ends(0);
    disk.has_bytes_of(&before);
}

/// A fault of the volume with the store is reported for that volume, with a hint that fits.
#[test]
fn a_boot_volume_that_can_not_be_read_or_written_is_named() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    for (offset, byte, words) in [
        // An unknown version of FAT32; such a volume was once skipped silently.
        (42, 1, "not searched: partition 1 (unknown)"),
        // The volume is marked as not closed.
        (65, 1, "partition 1: the FAT volume is marked as not closed"),
        // The FATs differ.
        (40, 0x81, "partition 1: a FAT volume with allocation tables"),
    ] {
        let old = disk.read_at(1, disk.boot.start + offset);
        disk.write_at(&[byte], disk.boot.start + offset);
        let before = disk.snapshot();
        let plan = diskmend(["plan", disk.path(), "serial-console"]).ends(5);
        assert!(plan.stderr.contains(words), "{}", plan.stderr);
        let repair = diskmend(["repair", disk.path(), "serial-console", "--yes"]).ends(5);
        assert!(repair.stderr.contains(words), "{}", repair.stderr);
        let with = diskmend(["plan", disk.path(), "tls", "serial-console"]).ends(3);
        assert!(with.stderr.contains(words), "{}", with.stderr);
        // The question which loader is meant comes only if no loader fits.
        for run in [plan, repair, with] {
            let asks = run.stderr.contains("--loader GUID");
            assert_eq!(asks, words.contains("unknown"), "{}", run.stderr);
        }
        disk.is_untouched_since(&before);
        disk.write_at(&old, disk.boot.start + offset);
    }
}

/// If a disk was copied or its identifiers were changed, the loader names a missing partition. Once
/// a message said that such a store starts this Windows.
#[test]
fn a_loader_that_names_no_partition_of_the_disk_is_told() {
    for layout in [Layout::Gpt, Layout::Mbr] {
        let Some(disk) = ImageDisk::new(layout) else {
            return;
        };
        disk.name_windows();
        let sound = diskmend(["inspect", disk.path(), "serial-console"]).ends(0);
        assert!(
            sound.stdout.contains("starts this Windows"),
            "{}",
            sound.stdout
        );
        let place = format!("osdevice partition {}", disk.number());
        assert!(sound.stdout.contains(&place), "{}", sound.stdout);
        assert!(
            !sound.stderr.contains("partition of this disk"),
            "{}",
            sound.stderr
        );
        let changed = match layout {
            Layout::Gpt => "11112222-3333-4444-5555-666677778888",
            Layout::Mbr => "0x99887766",
        };
        run("sfdisk", &["-q", "--disk-id", disk.path(), changed]).expect("used before");
        for command in ["inspect", "plan"] {
            let run = diskmend([command, disk.path(), "serial-console"]).ends(3);
            assert!(
                !run.stdout.contains("starts this Windows"),
                "{}",
                run.stdout
            );
            let words = "its osdevice is on no partition of this disk";
            assert!(run.stderr.contains(words), "{}", run.stderr);
            let almost = format!("partition {} if this were the disk", disk.number());
            assert!(run.stderr.contains(&almost), "{}", run.stderr);
        }
    }
}

/// A disk with a Windows on partition 3, which the loader names, and another one on partition 4.
fn two_windows() -> Option<(ImageDisk, Part)> {
    let disk = ImageDisk::new(Layout::Gpt)?;
    disk.name_windows();
    let second = Part {
        start: disk.windows.start + disk.windows.len,
        len: 48 * MIB,
    };
    let file = fs::OpenOptions::new().write(true).open(disk.path());
    let grown = file.and_then(|file| file.set_len(second.start + second.len + MIB));
    grown.expect("room");
    let line = |part: Part, uuid: &str| {
        let (start, len) = (part.start / 512, part.len / 512);
        format!("start={start}, size={len}, {uuid}type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n")
    };
    let reserved = Part {
        start: disk.boot.start + disk.boot.len,
        len: MIB,
    };
    let script = [
        format!("label: gpt\nlabel-id: {DISK_GUID}\n"),
        line(disk.boot, ""),
        line(reserved, ""),
        line(disk.windows, &format!("uuid={WINDOWS_GUID}, ")),
        line(second, ""),
    ];
    disk.run_sfdisk(&script.concat())?;
    disk.format_windows(second)?;
    windows(disk.mount(second)?.path());
    Some((disk, second))
}

#[test]
fn the_store_belongs_to_the_windows_that_its_loader_names() {
    let Some((disk, second)) = two_windows() else {
        return;
    };
    let plan = |target: &str, more: &[&str]| diskmend([&["plan", target], more].concat());
    let console = ["serial-console", "--volume"];
    let named = plan(disk.path(), &[console[0], console[1], "3"]).ends(3);
    assert!(
        named.stdout.contains("osdevice partition 3"),
        "{}",
        named.stdout
    );
    let other = plan(disk.path(), &[console[0], console[1], "4"]).ends(5);
    let words = "its osdevice is partition 3 of this disk";
    assert!(other.stderr.contains(words), "{}", other.stderr);

    // For a mounted volume, the kernel shows the partition.
    let esp = disk.beside("esp");
    let boot = Path::new(&esp).join(EFI_BOOT);
    fs::create_dir_all(&boot).expect("writable");
    let store = disk.read_esp(&format!("{EFI_BOOT}/BCD")).expect("a store");
    fs::write(boot.join("BCD"), &store).expect("writable");
    let boot_volume = [console[0], "--boot-volume", &esp];
    let first = disk.mount(disk.windows).expect("mounted before");
    let named = plan(first.root(), &boot_volume).ends(3);
    assert!(
        named.stdout.contains("osdevice partition 3"),
        "{}",
        named.stdout
    );
    drop(first);
    let second = disk.mount(second).expect("mounted before");
    let other = plan(second.root(), &boot_volume).ends(5);
    assert!(other.stderr.contains(words), "{}", other.stderr);
    drop(second);

    // A loader that names neither partition may belong to either Windows.
    run(
        "sfdisk",
        &["-q", "--part-uuid", disk.path(), "3", DISK_GUID],
    )
    .expect("used before");
    for number in ["3", "4"] {
        let refused = plan(disk.path(), &[console[0], console[1], number]).ends(5);
        assert!(
            refused.stderr.contains("another Windows"),
            "{}",
            refused.stderr
        );
    }
}
