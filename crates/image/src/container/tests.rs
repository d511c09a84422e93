//! Raw disks, files that are refused by their signature, and disks that are exchanged with qemu.

use std::sync::Arc;

use super::*;
use crate::testing::Memory;

#[cfg(target_os = "linux")]
mod qemu;

fn open(image: Vec<u8>) -> Result<Container, ContainerError> {
    Container::open(Arc::new(Memory::new(image)))
}

/// The part of a VHDX's log that was replayed.
pub(super) fn replayed(disk: &Container) -> Option<Replay> {
    disk.notices().iter().find_map(|notice| match notice {
        Notice::LogReplayed(replay) => Some(*replay),
        _ => None,
    })
}

#[test]
fn a_file_without_a_signature_is_the_disk() {
    let memory = Arc::new(Memory::new(vec![5; 1000]));
    let disk = Container::open(memory.clone()).expect("opens");
    assert_eq!(disk.format(), Format::Raw);
    assert_eq!(disk.logical_sector_size(), None);
    assert_eq!(disk.len(), 1000);
    disk.write_all_at(&[6; 10], 990).expect("inside");
    disk.write_all_at(&[6; 10], 991).expect_err("outside");
    let mut found = [0; 11];
    disk.read_exact_at(&mut found, 989).expect("inside");
    assert_eq!(found, [5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6]);
    assert_eq!(memory.bytes().len(), 1000);
}

#[test]
fn a_file_of_less_than_a_sector_is_refused() {
    for len in [0, 1, 511] {
        let error = open(vec![0; len]).expect_err("too short");
        assert!(matches!(error, ContainerError::TooShort { .. }));
    }
}

#[test]
fn other_formats_are_refused_by_name() {
    let cases: &[(usize, &[u8], &str)] = &[
        (
            0,
            b"QFI\xfb",
            "this is a qcow2 image: convert it first, with `qemu-img convert -O raw IN OUT`",
        ),
        (0, b"KDMV", "this is a VMDK image"),
        (
            0,
            b"# Disk DescriptorFile",
            "this is the descriptor of a VMDK image",
        ),
        (64, b"\x7f\x10\xda\xbe", "this is a VDI image"),
        (
            0,
            b"\x1f\x8b\x08",
            "this is compressed with gzip: unpack it first, and convert its content with \
             `qemu-img convert -O raw IN OUT` if that is neither raw, VHD nor VHDX",
        ),
        (0, b"\xfd7zXZ\0", "this is compressed with xz"),
        (0, b"\x28\xb5\x2f\xfd", "this is compressed with zstd"),
        (0, b"BZh91AY&SY", "this is compressed with bzip2"),
        (0, b"PK\x03\x04", "this is a zip archive"),
        (4096 - 512, b"koly", "this is an Apple disk image"),
    ];
    for (at, signature, message) in cases {
        let mut image = vec![0; 4096];
        image[*at..at + signature.len()].copy_from_slice(signature);
        let refusal = open(image).expect_err("refused").to_string();
        assert!(refusal.starts_with(message), "{refusal}");
    }
}

#[test]
fn a_file_that_is_a_vhdx_and_a_fixed_vhd_is_refused() {
    let mut data = vec![0; 2048];
    data[..8].copy_from_slice(b"vhdxfile");
    let image = vhd::samples::fixed(&data);
    let refusal = open(image).expect_err("refused");
    assert!(matches!(refusal, ContainerError::Ambiguous));
    let line = "`qemu-img convert -f vpc -O raw IN OUT`";
    assert!(refusal.to_string().contains(line), "{refusal}");
    let image = vhdx::samples::vhdx(1 << 20, &[]);
    assert_eq!(open(image).expect("opens").format(), Format::Vhdx);
}
