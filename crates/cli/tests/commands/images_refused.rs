//! Disks that are refused, each with a message that says what can be done.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use crate::common::{Mount, run};
use crate::image_disk::{Container, ImageDisk, Layout, MIB};
use crate::images_states::{restart_page, set_log};
use crate::program::{Run, diskmend};

fn repair(disk: &ImageDisk) -> Run {
    diskmend(["repair", disk.path(), "tls", "machine-keys", "--yes"])
}

/// Checks that a repair is refused with this exit code and these words, and that nothing was
/// written.
#[track_caller]
fn is_refused(disk: &ImageDisk, code: i32, words: &[&str]) {
    let before = disk.snapshot();
    let run = repair(disk).ends(code);
    for words in words {
        assert!(run.stderr.contains(words), "{words}:\n{}", run.stderr);
    }
    disk.is_untouched_since(&before);
    let state = format!("{}.diskmend", disk.path());
    assert!(!std::path::Path::new(&state).exists(), "{}", run.stderr);
}

#[test]
fn volumes_that_can_not_be_read_are_named() {
    let Some(base) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    for (name, words) in [
        (&b"-FVE-FS-"[..], &["BitLocker", "hint: unlock it"][..]),
        (b"ReFS\0\0\0\0", &["ReFS", "mount it on Windows"]),
    ] {
        let disk = base.raw().expect("copied before");
        disk.write_at(name, disk.windows.start + 3);
        is_refused(&disk, 5, words);
        // A partition that is named gets its own message.
        let number = disk.number();
        let run = diskmend(["repair", disk.path(), "tls", "--yes", "--volume", number]).ends(5);
        for words in words {
            assert!(run.stderr.contains(words), "{words}:\n{}", run.stderr);
        }
    }
    // On these partitions there can't be a Windows.
    for name in [&b"EXFAT   "[..], &[0; 1 << 20]] {
        let disk = base.raw().expect("copied before");
        disk.write_at(name, disk.windows.start + 3);
        is_refused(&disk, 1, &["no Windows was found", "'diskmend disks'"]);
    }
}

#[test]
fn dynamic_disks_and_storage_spaces_are_named() {
    for (label, kind, words) in [
        (
            "gpt",
            "AF9B60A0-1431-4F62-BC68-3311714A69AD",
            "dynamic disk",
        ),
        (
            "gpt",
            "E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D",
            "Storage Spaces",
        ),
        ("dos", "42", "dynamic disk"),
    ] {
        let Some(disk) = ImageDisk::new(Layout::Mbr) else {
            return;
        };
        let (start, len) = (disk.windows.start / 512, disk.windows.len / 512);
        disk.write_at(&[0; 512], 0);
        let script = format!("label: {label}\nstart={start}, size={len}, type={kind}\n");
        if disk.run_sfdisk(&script).is_none() {
            return;
        }
        is_refused(&disk, 5, &[words]);
    }
}

/// Updates the checksum of a footer or header of a VHD: the complement of the sum of its bytes.
fn sign(disk: &ImageDisk, at: u64, len: usize, sum_at: usize) {
    let mut bytes = disk.read_at(len, at);
    bytes[sum_at..sum_at + 4].fill(0);
    let sum = bytes.iter().fold(0u32, |sum, byte| sum + u32::from(*byte));
    disk.write_at(&(!sum).to_be_bytes(), at + sum_at as u64);
}

#[test]
fn differencing_disks_are_refused_by_the_name_of_their_parent() {
    let Some(base) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let Some(vhd) = base.convert(Container::VhdDynamic) else {
        return;
    };
    for footer in [0, vhd.len() - 512] {
        vhd.write_at(&4u32.to_be_bytes(), footer + 60);
        sign(&vhd, footer, 512, 64);
    }
    let name: Vec<u8> = "parent.vhd"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    vhd.write_at(&name, 512 + 64);
    sign(&vhd, 512, 1024, 36);
    is_refused(&vhd, 5, &["differencing VHD", "parent.vhd", "merge it"]);

    let vhdx = base
        .convert(Container::VhdxDynamic)
        .expect("converted before");
    let region = (1..16).map(|number| number * MIB).find(|at| {
        let start = vhdx.read_at(8, *at);
        start == b"metadata"
    });
    let region = region.expect("a metadata region");
    let table = vhdx.read_at(4096, region);
    let id = [
        0x37, 0x67, 0xA1, 0xCA, 0x36, 0xFA, 0x43, 0x4D, 0xB3, 0xB6, 0x33, 0xF0, 0xAA, 0x44, 0xE7,
        0x6B,
    ];
    let entry = table.windows(16).position(|part| part == id);
    let entry = entry.expect("the file parameters") + 16;
    let offset = table[entry..entry + 4].try_into().expect("4 bytes");
    let flags = region + u64::from(u32::from_le_bytes(offset)) + 4;
    vhdx.write_at(&[2], flags);
    is_refused(&vhdx, 5, &["VHDX", "parent"]);
}

#[test]
fn other_containers_and_cut_files_are_refused() {
    let Some(base) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let qcow = base.beside("disk.qcow2");
    if run(
        "qemu-img",
        &["convert", "-f", "raw", "-O", "qcow2", base.path(), &qcow],
    )
    .is_ok()
    {
        diskmend(["repair", &qcow, "tls", "--yes"])
            .ends(5)
            .says("qcow2")
            .says("qemu-img convert");
    }
    for container in [
        Container::VhdFixed,
        Container::VhdDynamic,
        Container::VhdxDynamic,
    ] {
        let Some(disk) = base.convert(container) else {
            return;
        };
        // A missing footer alone could be accepted; here more is missing.
        for keep in [disk.len() / 2, 3 * MIB / 2, 600] {
            let file = fs::OpenOptions::new().write(true).open(disk.path());
            file.expect("writable").set_len(keep).expect("cut");
            let before = disk.snapshot();
            let run = repair(&disk);
            println!("{container:?} cut to {keep}: {} {}", run.code, run.stderr);
            assert!(matches!(run.code, 1 | 5), "{}", run.stderr);
            disk.is_untouched_since(&before);
        }
    }
    let raw = base.raw().expect("copied before");
    let file = fs::OpenOptions::new().write(true).open(raw.path());
    file.expect("writable")
        .set_len(raw.windows.start + 20 * MIB)
        .expect("cut");
    is_refused(&raw, 1, &["cut short"]);
}

/// If the target was named as a disk, no hint says to mount it.
#[test]
fn hints_about_a_disk_are_for_a_disk() {
    let Some(base) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let no_store = base.raw().expect("copied before");
    no_store.write_at(&vec![0; MIB as usize], no_store.boot.start);
    let run = diskmend(["repair", no_store.path(), "boot-menu", "--yes"]).ends(5);
    let run = run.says("diskmend searched all volumes of the disk that it can read");
    assert!(!run.stderr.contains("mount "), "{}", run.stderr);
    let show = ["acl", "show", "EFI", "--target", base.path()];
    let run = diskmend([&show[..], &["--volume", "1"]].concat()).ends(5);
    let run = run.says("'diskmend disks' shows which volumes are NTFS");
    assert!(!run.stderr.contains("mounted"), "{}", run.stderr);
}

#[test]
fn a_windows_that_was_not_shut_down_is_refused() {
    let Some(base) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let hibernated = base.raw().expect("copied before");
    {
        let Some(volume) = hibernated.mount(hibernated.windows) else {
            return;
        };
        let mut session = vec![0; 8192];
        session[..4].copy_from_slice(b"hibr");
        fs::write(volume.path().join("hiberfil.sys"), session).expect("writable");
    }
    is_refused(&hibernated, 5, &["hibernated", "hint: start that Windows"]);
    diskmend(["inspect", hibernated.path(), "tls"]).ends(3);

    let unclean = base.raw().expect("copied before");
    set_log(&unclean, &restart_page((1, 1))).expect("ntfscp");
    is_refused(
        &unclean,
        5,
        &[
            "$LogFile, version 1.1",
            "hint: attach the disk to a computer with Windows",
            "do not run ntfsfix",
        ],
    );
    diskmend(["inspect", unclean.path(), "tls"]).ends(3);
}

#[test]
fn files_that_are_no_disk_or_not_to_be_written_are_refused() {
    let Some(disk) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let file = |name: &str, bytes: &[u8]| {
        let path = disk.beside(name);
        fs::write(&path, bytes).expect("writable");
        path
    };
    let repair_of = |path: &str| diskmend(["repair", path, "tls", "--yes"]);
    repair_of(&disk.beside("missing")).ends(1).says("not found");
    repair_of(&file("empty", b"")).ends(5).says("0 bytes");
    repair_of(&file("short", b"text")).ends(5).says("4 bytes");
    repair_of(&file("text", &[b'x'; 8192]))
        .ends(1)
        .says("neither a partition table nor a known volume");
    let folder = disk.beside("folder");
    fs::create_dir(&folder).expect("writable");
    repair_of(&folder).ends(5).says("not a Windows volume");
    let fifo = disk.beside("fifo");
    run("mkfifo", &[&fifo]).expect("made");
    repair_of(&fifo).ends(1).says("not a folder");

    // Another run has locked it.
    let held = fs::File::open(disk.path()).expect("readable");
    held.try_lock().expect("nobody else has it");
    is_refused(&disk, 5, &["the disk is in use", "hint: "]);
    diskmend(["inspect", disk.path(), "tls"]).ends(3);
    drop(held);

    let state = format!("{}.diskmend", disk.path());
    symlink(&folder, &state).expect("a link");
    let before = disk.snapshot();
    repair(&disk)
        .ends(5)
        .says("is a link or not a folder")
        .says("--state-dir");
    disk.is_untouched_since(&before);
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 0);
    fs::remove_file(&state).expect("removable");

    if let Some(mount) = Mount::new(&["-o", "bind,ro", &disk.beside("")]) {
        let path = mount.path().join("disk.img");
        let run = repair_of(path.to_str().expect("UTF-8")).ends(5);
        assert!(
            run.stderr
                .contains("is on a file system that is mounted read-only")
                && run.stderr.contains("hint: mount that file system")
                && !run.stderr.contains("remount"),
            "{}",
            run.stderr
        );
    }
    disk.is_untouched_since(&before);

    // The file is read-only.
    let parent = std::path::Path::new(disk.path())
        .parent()
        .expect("a folder");
    fs::set_permissions(parent, fs::Permissions::from_mode(0o777)).expect("mine");
    fs::set_permissions(disk.path(), fs::Permissions::from_mode(0o444)).expect("mine");
    let program = crate::program::command(["repair", disk.path(), "tls", "--yes"]);
    let arguments: Vec<_> = program.get_args().collect();
    let output = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(program.get_program())
        .args(arguments)
        .output()
        .expect("setpriv");
    Run::of(output).ends(5).says("hint: ");
    disk.is_untouched_since(&before);
}

/// The repair refuses it before its question, and the plan reports it.
#[test]
fn an_attached_image_is_read_and_not_written() {
    let Some(disk) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let Some(device) = disk.attach(disk.windows) else {
        return;
    };
    let name = device.path().trim_start_matches("/dev/").to_owned();
    let attached = format!("attached to the loop device {name}");
    let plan = diskmend(["plan", disk.path(), "tls"]).ends(3);
    assert!(plan.stderr.contains(&attached), "{}", plan.stderr);
    let detach = format!("losetup -d /dev/{name}");
    is_refused(&disk, 5, &[&attached, "hint: unmount", &detach]);
    drop(device);
    let plan = diskmend(["plan", disk.path(), "tls"]).ends(3);
    assert!(!plan.stderr.contains("attached"), "{}", plan.stderr);
    repair(&disk).ends(0);
}

#[test]
fn a_log_that_is_another_hive_is_not_written() {
    let Some(disk) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let Some(volume) = disk.mount(disk.windows) else {
        return;
    };
    let config = volume.path().join("Windows/System32/config");
    let system = config.join("SYSTEM");
    fs::copy(&system, config.join("SOFTWARE")).expect("room");
    fs::hard_link(config.join("SOFTWARE"), config.join("SYSTEM.LOG2")).expect("a second name");
    drop(volume);
    for recipe in [&["tls"][..], &["tls", "machine-keys"]] {
        let run = diskmend(["plan", disk.path()].iter().chain(recipe)).ends(match recipe {
            ["tls"] => 5,
            _ => 3,
        });
        let told = [run.stdout, run.stderr].concat();
        assert!(told.contains("2 names (hard links)"), "{told}");
    }
    let before = disk.snapshot();
    diskmend(["repair", disk.path(), "tls", "--yes"]).ends(5);
    disk.is_untouched_since(&before);
}

#[test]
fn a_container_that_can_not_be_written_is_refused_by_the_plan() {
    let Some(base) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let Some(vhd) = base.convert(Container::VhdDynamic) else {
        return;
    };
    let table = vhd.read_at(8, 512 + 16).try_into().expect("8 bytes");
    let table = u64::from_be_bytes(table);
    let blocks = vhd.read_at(4, 512 + 28).try_into().expect("4 bytes");
    let entries = vhd.read_at(u32::from_be_bytes(blocks) as usize * 4, table);
    let find = |absent: bool| {
        let mut entries = entries.chunks(4);
        entries.position(|entry| (entry == [0xFF; 4]) == absent)
    };
    // A block that is not in the file gets the place of another block.
    let (Some(absent), Some(present)) = (find(true), find(false)) else {
        panic!("blocks of both kinds");
    };
    vhd.write_at(&entries[present * 4..][..4], table + absent as u64 * 4);
    let before = vhd.snapshot();
    let plan = diskmend(["plan", vhd.path(), "tls"]).ends(5);
    assert!(
        plan.stderr.contains("block allocation table"),
        "{}",
        plan.stderr
    );
    let disks = diskmend(["disks", vhd.path()]).ends(0);
    for words in ["block allocation table", "it can be read, but not changed"] {
        assert!(disks.stderr.contains(words), "{}", disks.stderr);
    }
    vhd.is_untouched_since(&before);
    is_refused(&vhd, 5, &["block allocation table"]);
}
