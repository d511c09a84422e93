//! Target and boot volume are both mounted, or both on one disk that is not: a run of anything else
//! could not be taken back as a whole.

use std::fs;
use std::path::Path;

use crate::common::run;
use crate::image_disk::{DISK_GUID, ImageDisk, Layout, MIB, Part, WINDOWS_GUID};
use crate::ntfs_disk::windows;
use crate::program::diskmend;

const EFI_BOOT: &str = "EFI/Microsoft/Boot";
const HINT: &str = "hint: leave --boot-volume and --store out";

/// Asserts that every command that takes these options refuses them and writes nothing.
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
        // It has no such option.
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
    // With a Windows on it, and with a boot volume alone.
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

/// FAT32 with fewer clusters than a FAT32 has: fsck.fat warns of it, Windows and firmware read it. The
/// `fatfs` crate refuses it; that was noticed once SYSTEM was written, and all was rolled back.
#[test]
fn a_store_that_can_not_get_a_log_is_written_without_one() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    // Where the boot sector and its copy have the number of sectors.
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

/// What is wrong with the volume of the store is said of that volume, with a hint that fits.
#[test]
fn a_boot_volume_that_can_not_be_read_or_written_is_named() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    for (offset, byte, words) in [
        // A version of FAT32 that nobody knows; the volume had been passed over in silence.
        (42, 1, "not searched: partition 1 (unknown)"),
        // Marked as not closed.
        (65, 1, "partition 1: the FAT volume is marked as not closed"),
        // The FATs are no copies of each other.
        (
            40,
            0x81,
            "partition 1: a FAT volume whose allocation tables",
        ),
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
        // Which loader is meant is asked only if none was found.
        for run in [plan, repair, with] {
            let asks = run.stderr.contains("--loader GUID");
            assert_eq!(asks, words.contains("unknown"), "{}", run.stderr);
        }
        disk.is_untouched_since(&before);
        disk.write_at(&old, disk.boot.start + offset);
    }
}

/// After a disk was copied or its identifiers were changed, the loader names a partition that is not
/// there: the store had been said to start this Windows.
#[test]
fn a_loader_that_names_no_partition_of_the_disk_is_told() {
    for layout in [Layout::Gpt, Layout::Mbr] {
        let Some(disk) = ImageDisk::new(layout) else {
            return;
        };
        disk.name_windows();
        let sound = diskmend(["inspect", disk.path(), "serial-console"]).ends(3);
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
fn of_two_windows_the_one_that_the_loader_names_has_the_store() {
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

    // Mounted, the kernel tells which partition it is.
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

    // One that names neither may be meant for either.
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
