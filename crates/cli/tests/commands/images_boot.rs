//! Target and boot volume are both mounted, or both on one disk that is not: a run of anything else
//! could not be taken back as a whole.

use std::fs;
use std::path::Path;

use crate::image_disk::{ImageDisk, Layout};
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
            &["no mounted volume", "hint: mount the boot volume too"],
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
