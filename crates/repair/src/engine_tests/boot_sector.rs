//! What a BIOS finds wrong with the active partition and its boot sector. The disk has a table and
//! boot sectors only; Windows is beside it.

use std::path::Path;

use diskmend_disk::Disk;
use diskmend_disk::testing::FaultyDisk;

use super::boot_fixture::{BIOS, EFI, efi};
use super::diagnosis::diagnose_at;
use super::diagnosis::disk::{Break, disk};
use super::support::site;
use crate::documents::DiagnoseReport;
use crate::site::Site;

const SECTOR: usize = 512;
/// The first sectors of two partitions, and their length.
const STARTS: [u32; 2] = [2048, 4096];
const SECTORS: u32 = 1024;
/// NTFS, and the EFI system partition.
const NTFS: u8 = 7;
const ESP: u8 = 0xef;

/// A disk with an MBR, and two volumes of NTFS. The first is active.
struct Made(Vec<u8>);

impl Made {
    fn new() -> Self {
        let mut disk = vec![0; 8192 * SECTOR];
        disk[510..512].copy_from_slice(&[0x55, 0xAA]);
        let mut made = Self(disk);
        for (index, start) in STARTS.into_iter().enumerate() {
            let entry = &mut made.0[446 + 16 * index..][..16];
            entry[4] = NTFS;
            entry[8..12].copy_from_slice(&start.to_le_bytes());
            entry[12..16].copy_from_slice(&SECTORS.to_le_bytes());
            let sector = made.sector(index);
            sector[3..11].copy_from_slice(b"NTFS    ");
            sector[0x1c..0x20].copy_from_slice(&start.to_le_bytes());
            sector[0x28..0x30].copy_from_slice(&u64::from(SECTORS - 1).to_le_bytes());
            sector[0x54..0x70].copy_from_slice(b"\xfaBOOTMGR is missing (a test)");
            sector[510..512].copy_from_slice(&[0x55, 0xAA]);
            let copy = sector.to_vec();
            let last = (start + SECTORS - 1) as usize * SECTOR;
            made.0[last..last + SECTOR].copy_from_slice(&copy);
        }
        made.active(0, true)
    }

    fn sector(&mut self, index: usize) -> &mut [u8] {
        &mut self.0[STARTS[index] as usize * SECTOR..][..SECTOR]
    }

    fn active(mut self, index: usize, active: bool) -> Self {
        self.0[446 + 16 * index] = if active { 0x80 } else { 0 };
        self
    }

    fn kind(mut self, index: usize, kind: u8) -> Self {
        self.0[446 + 16 * index + 4] = kind;
        self
    }

    /// The boot sector of the first partition with other bytes.
    fn with(mut self, at: usize, bytes: &[u8]) -> Self {
        self.sector(0)[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// The boot sector of the first partition with this program.
    fn program(self, program: &[u8]) -> Self {
        self.with(0x54, &[0; 0x1c]).with(0x54, program)
    }

    /// The Windows of `target` on this disk.
    fn site(self, target: &FaultyDisk) -> Site {
        let file = FaultyDisk::new();
        file.put("disk.img", self.0);
        let medium = file.medium("disk.img").expect("a medium");
        let disk = Disk::of_medium(Path::new("disk.img"), medium).expect("a disk");
        let mut site = site(target);
        site.disk = Some(disk);
        site.partition = Some(2);
        site
    }
}

/// A disk for each rule about the boot sector.
pub(super) fn cases() -> Vec<(&'static str, Site)> {
    [
        ("boot-sector-place", Made::new().with(0x1c, &[63, 0, 0, 0])),
        ("boot-sector-program", Made::new().program(b"")),
        ("boot-sector-lost", Made::new().with(0, &[0; SECTOR])),
        ("no-active-partition", Made::new().active(0, false)),
    ]
    .map(|(name, made)| (name, made.site(&disk(&[]))))
    .into()
}

fn causes(found: &DiagnoseReport) -> Vec<&str> {
    found
        .causes
        .iter()
        .map(|cause| cause.name.as_str())
        .collect()
}

fn found(made: Made) -> DiagnoseReport {
    diagnose_at(&made.site(&disk(&[])))
}

#[test]
fn what_a_bios_starts_is_judged() {
    assert_eq!(causes(&found(Made::new())), [""; 0]);
    for (name, site) in cases() {
        assert_eq!(causes(&diagnose_at(&site)), [name]);
    }
    for (program, score) in [
        (&b"\xfaNTLDR is missing"[..], 60),
        (b"\xfaGRUB", 60),
        (b"", 84),
    ] {
        let found = found(Made::new().program(program));
        assert_eq!(causes(&found), ["boot-sector-program"]);
        assert_eq!(found.causes[0].score, score);
    }
    let both = found(Made::new().active(1, true));
    assert_eq!(causes(&both), ["no-active-partition"]);
    assert_eq!(
        both.causes[0].evidence[0].seen[0].found,
        "partitions 1, 2 are active"
    );
    let moved = found(Made::new().with(0x1c, &[63, 0, 0, 0]));
    let seen = &moved.causes[0].evidence[0].seen[0];
    assert_eq!(seen.place, "partition 1 (active)");
    assert_eq!(
        seen.found,
        "its boot sector says that it begins at sector 63, but it begins at sector 2048"
    );
}

/// Only a BIOS reads the boot sector, and only that of the active partition.
#[test]
fn what_no_bios_reads_is_no_fault() {
    let broken = || Made::new().program(b"").with(0x1c, &[63, 0, 0, 0]);
    let for_efi = disk(&[
        Break::NoFile(BIOS.to_owned()),
        Break::NoFile("bootmgr".to_owned()),
        Break::NoFile("Boot/memtest.exe".to_owned()),
        Break::File(EFI.to_owned(), efi().bytes()),
        Break::File("EFI/Boot/bootx64.efi".to_owned(), b"MZ".to_vec()),
    ]);
    let efi = |made: Made| diagnose_at(&made.site(&for_efi));
    assert_eq!(causes(&efi(broken())), [""; 0]);
    assert_eq!(causes(&efi(Made::new().active(0, false))), [""; 0]);
    // The active partition is an EFI system partition.
    assert_eq!(causes(&found(broken().kind(0, ESP))), [""; 0]);
    // The boot sector of another partition.
    let mut other = Made::new();
    other.sector(1).fill(0);
    assert_eq!(causes(&found(other)), [""; 0]);
    // Neither a boot sector nor a copy: another system, or FAT.
    let mut none = Made::new().with(0, &[0; SECTOR]);
    let last = (STARTS[0] + SECTORS - 1) as usize * SECTOR;
    none.0[last..last + SECTOR].fill(0);
    assert_eq!(causes(&found(none)), [""; 0]);
}

/// Through a mount nothing is known, and it is said only of a disk that a BIOS starts.
#[test]
fn a_mount_does_not_tell_and_says_so() {
    let mounted = diagnose_at(&site(&disk(&[])));
    assert_eq!(causes(&mounted), [""; 0]);
    let said = mounted.unread.join("\n");
    assert!(said.contains("which partition is active"), "{said}");
}
