//! dosfstools and mtools check volumes that were written here, and volumes that they made are read.

use std::path::Path;
use std::process::{Command, Output};

use super::*;

/// True if the program is installed; otherwise prints that the test is skipped.
pub(super) fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--help").output().is_ok();
    if !found {
        eprintln!("SKIPPED: {program} is not installed");
        assert!(
            std::env::var_os("DISKMEND_NO_SKIP").is_none(),
            "{program} is missing"
        );
    }
    found
}

pub(super) fn run(program: &str, args: &[&str], image: &Path) -> Output {
    let output = Command::new(program)
        .args(args.iter().map(|arg| match *arg {
            "IMAGE" => image.as_os_str(),
            arg => arg.as_ref(),
        }))
        .env("MTOOLS_SKIP_CHECK", "1")
        .output()
        .expect("started");
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
    output
}

fn on_disk(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), bytes).expect("written");
    file
}

/// Checks that fsck.fat finds nothing.
pub(super) fn check_clean(bytes: &[u8]) {
    if has("fsck.fat") {
        run("fsck.fat", &["-n", "IMAGE"], on_disk(bytes).path());
    }
}

#[test]
fn fsck_finds_nothing_on_the_samples() {
    for (kind, len) in KINDS {
        check_clean(&sample(kind, len));
    }
}

#[test]
fn volumes_of_mkfs_are_read_and_written_and_mtools_reads_them_back() {
    if !(has("mkfs.fat") && has("mcopy") && has("fsck.fat")) {
        return;
    }
    for (bits, len, options) in [
        ("12", 2 << 20, &[][..]),
        ("16", 40 << 20, &["-n", "RESERVED"]),
        ("32", 100 << 20, &["-s", "1"]),
        ("32", 300 << 20, &["-S", "4096", "-s", "1"]),
    ] {
        let image = tempfile::NamedTempFile::new().expect("a file");
        image.as_file().set_len(len).expect("set");
        run(
            "mkfs.fat",
            &[&["-F", bits], options, &["IMAGE"]].concat(),
            image.path(),
        );
        let source = on_disk(&store());
        let source = source.path().to_str().expect("a path");
        for folder in ["::EFI", "::EFI/Microsoft", "::EFI/Microsoft/Boot"] {
            run("mmd", &["-i", "IMAGE", folder], image.path());
        }
        run(
            "mcopy",
            &["-i", "IMAGE", source, "::EFI/Microsoft/Boot/BCD"],
            image.path(),
        );
        let device = Recorder::new(std::fs::read(image.path()).expect("read"));
        let volume = open(&device);
        let label = volume.label().expect("a root folder");
        let wanted = options.contains(&"RESERVED").then_some("RESERVED");
        assert_eq!(label.as_deref(), wanted);
        assert_eq!(read_all(&volume, BCD), store());
        let file = volume.open_file(&path(BCD)).expect("a file");
        file.write_all_at(&[9; 30_000], 20_000).expect("written");
        let name = "EFI/Microsoft/Boot/BCD with a long name.LOG";
        let new = volume.create_file(&path(name)).expect("made");
        new.write_all_at(&store(), 100).expect("written");
        new.set_len(30_001).expect("set");
        let removed = volume.create_file(&path("EFI/removed")).expect("made");
        removed.write_all_at(&store(), 0).expect("written");
        volume.remove_file(&path("EFI/removed")).expect("removed");
        std::fs::write(image.path(), device.bytes()).expect("written");
        run("fsck.fat", &["-n", "IMAGE"], image.path());
        for name in [BCD, name] {
            let read = run(
                "mcopy",
                &["-i", "IMAGE", &format!("::{name}"), "-"],
                image.path(),
            );
            assert!(
                read.stdout == read_all(&volume, name),
                "{name} of FAT{bits}"
            );
        }
    }
}

/// Linux treats a volume as FAT32 although it has too few clusters. Such a volume is read and
/// overwritten.
#[test]
fn a_fat32_volume_of_few_clusters_is_read_and_overwritten() {
    if !has("mkfs.fat") {
        return;
    }
    let image = tempfile::NamedTempFile::new().expect("a file");
    image.as_file().set_len(16 << 20).expect("set");
    run("mkfs.fat", &["-F", "32", "IMAGE"], image.path());
    let mut before = std::fs::read(image.path()).expect("read");
    let geometry = open(&Recorder::new(before.clone())).inner.geometry.clone();
    // A file of one cluster, the third. It is made here, because neither mtools nor `fatfs` writes
    // to such a volume.
    let place = |cluster| geometry.place(geometry.cluster(cluster).unwrap()).start as usize;
    for fat in [geometry.fat, geometry.copy.unwrap()] {
        before[fat.start as usize + 12..][..4].copy_from_slice(&0x0FFF_FFFF_u32.to_le_bytes());
    }
    let mut entry = [0; 32];
    entry[..11].copy_from_slice(b"BCD        ");
    (entry[26], entry[28]) = (3, 100);
    before[place(2)..][..32].copy_from_slice(&entry);
    before[place(3)..][..100].fill(b'x');
    let device = Recorder::new(before.clone());
    let file = open(&device).open_file(&path("bcd")).expect("a file");
    let error = file.set_len(50_000).expect_err("not lengthened");
    assert!(device.bytes() == before, "{error}");
    file.write_all_at(b"in place", 3).expect("written");
    assert_eq!(read_all(&open(&device), "bcd")[..12], *b"xxxin placex");
}
