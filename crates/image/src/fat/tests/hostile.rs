//! Hostile volumes: no panic, no endless reading, and no write outside the volume.

use super::*;
use crate::fat::FatError;

/// A small generator of pseudo-random numbers (xorshift).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// Calls every function. Only panics and hangs matter.
fn exercise(bytes: Vec<u8>) {
    let device = Recorder::with_reads(bytes, 300_000);
    let Ok(volume) = Volume::open(device.clone()) else {
        return;
    };
    for folder in ["", "EFI", "EFI/Microsoft/Boot"] {
        for entry in volume.list(&path(folder)).unwrap_or_default() {
            let mut at = path(folder);
            at.push(entry.name);
            if let Ok(file) = volume.open_file(&at) {
                let len = file.len().unwrap_or(0).min(1 << 16) as usize;
                let _ = file.read_exact_at(&mut vec![0; len], 0);
            }
        }
    }
    if let Ok(file) = volume.open_file(&path(BCD)) {
        let _ = file.write_all_at(&[1; 3000], 39_000);
        let _ = file.set_len(100);
    }
    let _ = volume.create_file(&path("EFI/Microsoft/Boot/a new name"));
    let _ = volume.create_file(&path("another new name"));
    let _ = volume.remove_file(&path(LOG));
}

#[test]
fn random_changes_of_a_volume_never_panic_or_hang() {
    let mut random = Random(0x1234_5678_9ABC_DEF1);
    for (kind, len) in &KINDS[..2] {
        let good = sample(*kind, *len);
        let geometry = open(&Recorder::new(good.clone())).inner.geometry.clone();
        // The structure: boot sector, FATs, root folder and the first clusters.
        let fat = geometry.fat.start as usize;
        let data = geometry.copy.unwrap().end() as usize;
        let regions = [(11, 60), (fat, 200), (data, 512), (data + 16_384, 4096)];
        for _ in 0..150 {
            let mut bytes = good.clone();
            for _ in 0..=random.below(4) {
                let (start, len) = regions[random.below(regions.len())];
                let value = match random.below(3) {
                    0 => 0,
                    1 => 0xFF,
                    _ => random.below(256) as u8,
                };
                bytes[start + random.below(len)] = value;
            }
            // The copy of the FAT gets the same changes, so that they are not refused at once.
            let len = geometry.fat.len as usize;
            bytes.copy_within(fat..fat + len, fat + len);
            exercise(bytes);
        }
    }
}

#[test]
fn every_byte_of_the_boot_sector_may_be_anything() {
    let good = sample(KINDS[0].0, KINDS[0].1);
    let big = sample(KINDS[2].0, KINDS[2].1);
    for good in [&good[..1 << 16], &big[..1 << 16]] {
        for at in 0..90 {
            for value in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut bytes = good.to_vec();
                bytes[at] = value;
                let parsed = crate::fat::kind_of(&bytes);
                let opened = Volume::open(Recorder::with_reads(bytes, 1));
                assert!(opened.is_err() || parsed.is_some());
            }
        }
    }
}

#[test]
fn a_volume_longer_than_its_partition_is_refused() {
    let mut bytes = sample(KINDS[0].0, KINDS[0].1);
    bytes.truncate((1 << 20) - 512);
    let error = Volume::open(Recorder::new(bytes)).expect_err("short");
    assert!(matches!(error, FatError::Outside { .. }), "{error}");
}

/// Sets the entry of a cluster in both copies of the FAT of a FAT16 volume.
fn link(bytes: &mut [u8], cluster: usize, to: u16) {
    let len = usize::from(u16::from_le_bytes([bytes[22], bytes[23]])) * 512;
    let fat = usize::from(u16::from_le_bytes([bytes[14], bytes[15]])) * 512;
    for start in [fat, fat + len] {
        bytes[start + cluster * 2..][..2].copy_from_slice(&to.to_le_bytes());
    }
}

/// The first cluster in the entry with this short name.
fn first_cluster(bytes: &[u8], name: &[u8; 11]) -> usize {
    let at = bytes
        .windows(11)
        .position(|found| found == name)
        .expect("an entry");
    usize::from(u16::from_le_bytes([bytes[at + 26], bytes[at + 27]]))
}

#[test]
fn a_folder_whose_chain_is_a_loop_is_refused() {
    let mut bytes = sample(KINDS[1].0, KINDS[1].1);
    let cluster = first_cluster(&bytes, b"EFI        ");
    link(&mut bytes, cluster, cluster as u16);
    let volume = open(&Recorder::with_reads(bytes, 10_000));
    let error = volume.list(&path("EFI")).expect_err("a loop");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_file_whose_chain_is_a_loop_is_neither_read_nor_written() {
    let good = sample(KINDS[1].0, KINDS[1].1);
    let cluster = first_cluster(&good, b"BCD        ");
    for to in [cluster as u16, 1, 0, 0xFFF6, 0xFFF7, 0xFFFF] {
        let mut bytes = good.clone();
        link(&mut bytes, cluster, to);
        let device = Recorder::with_reads(bytes.clone(), 10_000);
        let volume = open(&device);
        let error = volume.open_file(&path(BCD)).expect_err("damaged");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{to:x}");
        volume.remove_file(&path(BCD)).expect_err("damaged");
        assert!(device.bytes() == bytes);
    }
}

#[test]
fn a_volume_on_which_files_share_clusters_is_read_but_not_written() {
    let good = sample(KINDS[1].0, KINDS[1].1);
    // A file gets the clusters of another, and a folder contains itself.
    for (name, of) in [
        (b"README  TXT", b"BCD        "),
        (b"MICROS~1   ", b"EFI        "),
    ] {
        let shared = first_cluster(&good, of) as u16;
        let mut bytes = good.clone();
        let at = bytes
            .windows(11)
            .position(|found| found == name)
            .expect("an entry");
        bytes[at + 26..at + 28].copy_from_slice(&shared.to_le_bytes());
        let device = Recorder::new(bytes.clone());
        let volume = open(&device);
        let error = volume.check_writable().expect_err("shared");
        assert!(matches!(error, FatError::Damaged { .. }), "{error}");
        if let Ok(file) = volume.open_file(&path("ReadMe.txt")) {
            assert_eq!(read_all(&volume, "ReadMe.txt").len(), 5);
            file.write_all_at(b"x", 0).expect_err("shared");
        }
        volume.create_file(&path("new")).expect_err("shared");
        assert!(device.bytes() == bytes);
    }
}

#[test]
fn a_chain_longer_than_its_file_is_read_but_not_changed() {
    let mut bytes = sample(KINDS[1].0, KINDS[1].1);
    let at = bytes
        .windows(11)
        .position(|name| name == b"BCD        ")
        .expect("an entry");
    bytes[at + 28..at + 32].copy_from_slice(&100_u32.to_le_bytes());
    let device = Recorder::new(bytes.clone());
    let volume = open(&device);
    assert_eq!(read_all(&volume, BCD), store()[..100]);
    let file = volume.open_file(&path(BCD)).expect("a file");
    file.set_len(50).expect_err("longer");
    file.set_len(5000).expect_err("longer");
    volume.remove_file(&path(BCD)).expect_err("longer");
    assert!(device.bytes() == bytes);
}

#[test]
fn a_file_longer_than_the_volume_is_refused_before_its_chain_is_followed() {
    let mut bytes = sample(KINDS[1].0, KINDS[1].1);
    let at = bytes
        .windows(11)
        .position(|name| name == b"BCD        ")
        .expect("an entry");
    bytes[at + 28..at + 32].copy_from_slice(&u32::MAX.to_le_bytes());
    let volume = open(&Recorder::new(bytes));
    for error in [
        volume.open_file(&path(BCD)).expect_err("too long"),
        volume.remove_file(&path(BCD)).expect_err("too long"),
    ] {
        let expected = format!("length of a file at offset {}", at + 28);
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}

#[test]
fn errors_name_the_place_of_the_field_or_of_the_entry() {
    let good = sample(KINDS[1].0, KINDS[1].1);
    let fat = usize::from(u16::from_le_bytes([good[14], good[15]])) * 512;
    let cluster = first_cluster(&good, b"BCD        ");
    let entry = fat + cluster * 2;
    let message = |at: usize, value: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        let volume = match Volume::open(Recorder::new(bytes)) {
            Ok(volume) => volume,
            Err(error) => return error.to_string(),
        };
        let error = volume.open_file(&path(BCD)).expect_err("damaged");
        error.to_string()
    };
    for (at, value, expected) in [
        (11, &[0, 3][..], "offset 11: expected a power of two"),
        (13, &[3], "offset 13: expected a power of two"),
        (19, &[20, 0], "offset 19: expected enough for a cluster"),
        (22, &[1, 0], "offset 22: expected an entry for each"),
        (
            entry,
            &[0, 0],
            &format!("offset {entry}: expected its next"),
        ),
        (
            entry,
            &[1, 0],
            &format!("offset {entry}: expected a cluster"),
        ),
    ] {
        let found = message(at, value);
        assert!(found.contains(expected), "{found}, not {expected}");
    }
}

/// A FAT32 volume of 64 GiB with FATs of 512 MiB; except for its first sector, it is zero.
#[derive(Debug)]
struct Huge([u8; 512]);

impl Device for Huge {
    fn len(&self) -> u64 {
        64 << 30
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        buf.fill(0);
        if offset == 0 {
            let len = buf.len().min(512);
            buf[..len].copy_from_slice(&self.0[..len]);
        }
        Ok(())
    }

    fn write_all_at(&self, _data: &[u8], _offset: u64) -> io::Result<()> {
        panic!("nothing is written");
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_fat_too_long_for_what_changes_it_is_refused() {
    let small = sample(KINDS[2].0, KINDS[2].1);
    let mut boot: [u8; 512] = small[..512].try_into().expect("512 bytes");
    boot[19..21].fill(0);
    boot[32..36].copy_from_slice(&(1_u32 << 27).wrapping_sub(1).to_le_bytes());
    boot[36..40].copy_from_slice(&(1_u32 << 20).to_le_bytes());
    let volume = Volume::open(Arc::new(Huge(boot))).expect("a volume");
    let error = volume.create_file(&path("new")).expect_err("too long");
    assert!(error.to_string().contains("512 MiB"), "{error}");
}
