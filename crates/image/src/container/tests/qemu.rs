//! Disks that qemu-img makes, and qemu-img's check of what diskmend writes to them.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::container::vhdx::samples::{BAT_AT, Change, UNIT, log_entry, put_entry, vhdx};
use crate::testing::file::FileMedium;
use crate::testing::programs::{run, succeed};

const SIZE: usize = 21 * UNIT + 512 * 3;

/// A disk with data in some places only, so that some blocks are not in the file.
fn sample() -> Vec<u8> {
    let mut data = vec![0; SIZE];
    for (at, len) in [
        (0, 5000),
        (4 * UNIT - 700, 1400),
        (9 * UNIT, 2 * UNIT),
        (SIZE - 512, 512),
    ] {
        for (index, byte) in data[at..at + len].iter_mut().enumerate() {
            *byte = (index % 253) as u8 + 1;
        }
    }
    data
}

/// Writes of every kind: within a block, across two blocks, and to blocks that are not in the file.
fn changes() -> Vec<(usize, Vec<u8>)> {
    vec![
        (100, vec![0xa1; 3000]),
        (2 * UNIT - 300, vec![0xa2; 900]),
        (7 * UNIT, vec![0; 512]),
        (14 * UNIT + 5, vec![0xa3; UNIT + UNIT / 2]),
        (10 * UNIT, vec![0; 4096]),
        (SIZE - 600, vec![0xa4; 600]),
    ]
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a name in Unicode")
}

fn open(path: &Path) -> Container {
    Container::open(Arc::new(FileMedium::open(path))).expect("opens")
}

fn content(disk: &Container) -> Vec<u8> {
    let mut all = vec![0xee; disk.len() as usize];
    disk.read_exact_at(&mut all, 0).expect("reads");
    all
}

/// Has qemu-img make an image, reads it, writes to it, and has qemu-img check it.
fn round_trip(format: &str, options: &str, expected_format: Format) {
    let folder = tempfile::tempdir().expect("a folder");
    let raw: PathBuf = folder.path().join("disk.raw");
    let image = folder.path().join("disk.image");
    let mut data = sample();
    fs::write(&raw, &data).expect("written");
    let made = succeed(
        "qemu-img",
        &[
            "convert",
            "-f",
            "raw",
            "-O",
            format,
            "-o",
            options,
            text(&raw),
            text(&image),
        ],
    );
    if made.is_none() {
        return;
    }
    let before = fs::read(&image).expect("read");
    let disk = open(&image);
    assert_eq!(disk.format(), expected_format);
    assert_eq!(disk.len(), SIZE as u64);
    assert!(disk.notices().is_empty(), "{:?}", disk.notices());
    assert!(content(&disk) == data, "{format} {options}: read");
    assert!(fs::read(&image).expect("read") == before, "reading wrote");
    for (offset, bytes) in changes() {
        disk.write_all_at(&bytes, offset as u64).expect("writes");
        data[offset..offset + bytes.len()].copy_from_slice(&bytes);
    }
    disk.sync().expect("syncs");
    assert!(content(&disk) == data, "{format} {options}: written");
    assert!(
        content(&open(&image)) == data,
        "{format} {options}: opened again"
    );
    fs::write(&raw, &data).expect("written");
    succeed(
        "qemu-img",
        &[
            "compare",
            "-f",
            "raw",
            "-F",
            format,
            text(&raw),
            text(&image),
        ],
    );
    if format == "vhdx" {
        succeed("qemu-img", &["check", "-f", format, text(&image)]);
    }
    // diskmend reads what qemu writes afterwards.
    let write = "write -P 0x5a 18M 3M";
    succeed("qemu-io", &["-f", format, "-c", write, text(&image)]);
    data[18 * UNIT..21 * UNIT].fill(0x5a);
    assert!(
        content(&open(&image)) == data,
        "{format} {options}: qemu wrote"
    );
}

#[test]
fn a_fixed_vhd_agrees_with_qemu() {
    round_trip("vpc", "subformat=fixed,force_size=on", Format::VhdFixed);
}

#[test]
fn a_dynamic_vhd_agrees_with_qemu() {
    round_trip("vpc", "subformat=dynamic,force_size=on", Format::VhdDynamic);
}

#[test]
fn a_dynamic_vhdx_agrees_with_qemu() {
    for size in ["1M", "2M", "8M", "32M", "256M"] {
        let options = format!("subformat=dynamic,block_size={size}");
        round_trip("vhdx", &options, Format::Vhdx);
    }
}

#[test]
fn a_fixed_vhdx_agrees_with_qemu() {
    for size in ["1M", "8M"] {
        let options = format!("subformat=fixed,block_size={size}");
        round_trip("vhdx", &options, Format::Vhdx);
    }
}

#[test]
fn qemu_replays_a_log_as_we_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("disk.vhdx");
    let mut bytes = vhdx(3 * UNIT, &[(1, 6, 0x55), (2, 6, 0x66)]);
    let mut table = vec![0; 4096];
    table[..8].copy_from_slice(&(5_u64 << 20 | 6).to_le_bytes());
    table[8..16].copy_from_slice(&(4_u64 << 20 | 6).to_le_bytes());
    let file_len = bytes.len();
    let at = UNIT - 4096;
    let zero = log_entry(3, at, file_len, &[Change::Zero(BAT_AT as u64, 8192)]);
    let data = log_entry(4, at, file_len, &[Change::Data(BAT_AT as u64, table)]);
    put_entry(&mut bytes, at, &zero);
    put_entry(&mut bytes, (at + zero.len()) % UNIT, &data);
    fs::write(&image, &bytes).expect("written");
    let disk = open(&image);
    assert_eq!(replayed(&disk).expect("replayed").entries, 2);
    let ours = content(&disk);
    let Some(checked) = run(
        "qemu-img",
        &["check", "-f", "vhdx", "-r", "all", text(&image)],
    ) else {
        return;
    };
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        checked.status.success()
            && said.contains("The following inconsistencies were found and repaired"),
        "{said}"
    );
    assert_eq!(replayed(&open(&image)), None, "qemu did not replay it");
    let raw = folder.path().join("disk.raw");
    succeed(
        "qemu-img",
        &[
            "convert",
            "-f",
            "vhdx",
            "-O",
            "raw",
            text(&image),
            text(&raw),
        ],
    );
    assert!(fs::read(&raw).expect("read") == ours);
    // In the other direction, diskmend updates the file, and nothing is left for qemu to replay.
    fs::write(&image, &bytes).expect("written");
    let disk = open(&image);
    disk.write_all_at(&[7; 5], 2 * UNIT as u64).expect("writes");
    let mut expected = ours;
    expected[2 * UNIT..][..5].fill(7);
    fs::write(&raw, &expected).expect("written");
    succeed("qemu-img", &["check", "-f", "vhdx", text(&image)]);
    succeed(
        "qemu-img",
        &[
            "compare",
            "-f",
            "raw",
            "-F",
            "vhdx",
            text(&raw),
            text(&image),
        ],
    );
}

#[test]
fn a_sparse_disk_of_many_terabytes_is_read_and_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("disk.vhdx");
    let made = succeed(
        "qemu-img",
        &[
            "create",
            "-f",
            "vhdx",
            "-o",
            "subformat=dynamic,block_size=32M",
            text(&image),
            "63T",
        ],
    );
    if made.is_none() {
        return;
    }
    let disk = open(&image);
    assert_eq!(disk.len(), 63 << 40);
    for offset in [(63 << 40) - 512, (62 << 40) + 7, 5] {
        let mut found = [9; 3];
        disk.read_exact_at(&mut found, offset).expect("reads");
        assert_eq!(found, [0; 3]);
        disk.write_all_at(&[1, 2, 3], offset).expect("writes");
        open(&image)
            .read_exact_at(&mut found, offset)
            .expect("reads");
        assert_eq!(found, [1, 2, 3]);
    }
    succeed("qemu-img", &["check", "-f", "vhdx", text(&image)]);
    let read = format!("read -P 2 {} 1", (62_u64 << 40) + 8);
    let said = succeed("qemu-io", &["-f", "vhdx", "-c", &read, text(&image)]);
    assert!(said.is_some_and(|said| !said.contains("failed")));
}

#[test]
fn a_qcow2_image_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("disk.qcow2");
    if succeed("qemu-img", &["create", "-f", "qcow2", text(&image), "1M"]).is_none() {
        return;
    }
    let error = Container::open(Arc::new(FileMedium::open(&image))).expect_err("refused");
    assert!(matches!(
        error,
        ContainerError::Foreign {
            format: "a qcow2 image"
        }
    ));
}
