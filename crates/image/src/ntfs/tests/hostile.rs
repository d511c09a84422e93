//! Damaged volumes cause errors or give results, but no panics or endless loops.

use std::fs;
use std::sync::Arc;

use super::image::Image;
use super::*;
use crate::device::Device;
use crate::testing::Memory;

/// Calls all functions that read and, if `writes`, all functions that write, as far as they
/// succeed.
fn use_all(device: Arc<Memory>, writes: bool) {
    let Ok(volume) = Volume::open(device) else {
        return;
    };
    let _ = volume.state();
    let _ = volume.free_bytes();
    let _ = volume.has_free(u64::MAX);
    let mut folders = vec![volume.root()];
    let mut members = Vec::new();
    let mut steps = 0;
    while let Some(folder) = folders.pop() {
        for entry in volume.list(folder).unwrap_or_default() {
            steps += 1;
            if steps > 400 {
                break;
            }
            members.push((folder, entry.clone()));
            let _ = volume.find(folder, &entry.name);
            let Ok(metadata) = volume.metadata(entry.id) else {
                continue;
            };
            if metadata.kind == crate::ntfs::Kind::Folder {
                folders.push(entry.id);
            }
            if let Ok(file) = volume.file(entry.id) {
                let mut start = vec![0; usize::try_from(file.len().min(40_000)).expect("small")];
                let _ = file.read(&mut start, 0);
                let grown = file.len().saturating_add(30_000);
                let _ = file.check_write(grown, &[(0, grown.min(1 << 20))]);
                if writes && file.len() < 1 << 20 {
                    let _ = file.write(&start, 0);
                    let _ = file.set_len(file.len().saturating_add(30_000));
                }
            }
        }
    }
    let members: Vec<_> = members
        .iter()
        .map(|(folder, entry)| entry.member(*folder))
        .collect();
    let _ = volume.metadata_of_all(&members);
}

/// A small volume with files of all kinds.
fn varied() -> Option<Memory> {
    let image = Image::make(3, &["-c", "1024"])?;
    image.mounted("compression,permissions", |folder| {
        fs::create_dir_all(folder.join("Windows/System32/config")).expect("folders");
        fs::write(
            folder.join("Windows/System32/config/SYSTEM"),
            pattern(30_000, 1),
        )
        .expect("ok");
        fs::write(folder.join("small"), b"data").expect("written");
        for number in 0..60 {
            let path = folder
                .join("Windows")
                .join(format!("a longer name of file {number}"));
            fs::write(path, b"x").expect("written");
        }
        super::sparse::make(
            &folder.join("sparse"),
            60_000,
            &[(20_000, 3000), (50_000, 1)],
        );
        super::reading::fragment(folder, "pieces", 300, 1024);
        fs::remove_dir_all(folder.join("neighbours")).expect("removed");
    })?;
    let (_, device) = image.open();
    Some(Memory::new(device.bytes()))
}

/// Offsets of all records and index blocks of a volume.
fn structures(bytes: &[u8]) -> Vec<usize> {
    (0..bytes.len())
        .step_by(512)
        .filter(|at| bytes[*at..].starts_with(b"FILE") || bytes[*at..].starts_with(b"INDX"))
        .collect()
}

/// Changes bytes of a structure in such a way that its update sequence stays valid.
fn spoil(bytes: &mut [u8], at: usize, seed: &mut u32, count: usize) {
    let mut next = || {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 17;
        *seed ^= *seed << 5;
        *seed as usize
    };
    for _ in 0..count {
        let within = next() % 400;
        let value = [0, 1, 2, 0x7F, 0x80, 0xFF, 0xFE, next() as u8][next() % 8];
        if let Some(byte) = bytes.get_mut(at + 8 + within) {
            *byte = value;
        }
    }
}

#[test]
fn damaged_records_and_indexes_give_errors_or_answers() {
    let Some(device) = varied() else {
        return;
    };
    let bytes = device.bytes();
    let places = structures(&bytes);
    assert!(places.len() > 50);
    let rounds = std::env::var("DISKMEND_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok());
    let mut seed = 0x1234_5678;
    for round in 0..rounds.unwrap_or(12) {
        let mut damaged = bytes.clone();
        for index in 0..3 {
            let at = places[(round * 31 + index * 17 + seed as usize) % places.len()];
            spoil(&mut damaged, at, &mut seed, 1 + round % 4);
        }
        use_all(Arc::new(Memory::new(damaged)), round % 2 == 0);
    }
}

#[test]
fn damage_anywhere_gives_errors_or_answers() {
    let Some(device) = varied() else {
        return;
    };
    let bytes = device.bytes();
    let mut seed = 0x0BAD_5EED_u32;
    for round in 0..6 {
        let mut damaged = bytes.clone();
        for _ in 0..2000 {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            let at = seed as usize % damaged.len();
            damaged[at] = (seed >> 24) as u8;
        }
        use_all(Arc::new(Memory::new(damaged)), round % 2 == 0);
    }
}

#[test]
fn a_truncated_volume_gives_errors() {
    let Some(device) = varied() else {
        return;
    };
    let bytes = device.bytes();
    for len in [0, 1, 511, 512, 4096, 5000, 20_000, 100_000, 1 << 20] {
        use_all(Arc::new(Memory::new(bytes[..len].to_vec())), true);
    }
}

#[test]
fn an_index_node_that_is_its_own_child_is_an_error() {
    let Some(image) = Image::make(12, &["-c", "4096"]) else {
        return;
    };
    let filled = image.mounted("defaults", |folder| {
        fs::create_dir(folder.join("many")).expect("a folder");
        for number in 0..4000 {
            let name = format!("many/a rather long name so that few fit a node {number}");
            fs::write(folder.join(name), b"").expect("written");
        }
    });
    if filled.is_none() {
        return;
    }
    let (volume, device) = image.open();
    let folder = id(&volume, "many");
    let bytes = device.bytes();
    let mut looped = 0;
    for at in structures(&bytes) {
        let block = &bytes[at..at + 4096];
        // Only inner nodes: their entries have children.
        if !block.starts_with(b"INDX") || block[36] & 1 == 0 {
            continue;
        }
        let mut node = block.to_vec();
        super::super::fixup::unprotect(&mut node, *b"INDX", 0).expect("sound");
        let own = node[16..24].to_vec();
        let first = 24 + usize::from(node[24]);
        let len = usize::from(u16::from_le_bytes([node[first + 8], node[first + 9]]));
        node[first + len - 8..first + len].copy_from_slice(&own);
        super::super::fixup::protect(&mut node, *b"INDX", 0).expect("sound");
        device.write_all_at(&node, at as u64).expect("inside");
        looped += 1;
    }
    assert!(looped > 0, "the index has no inner node");
    let error = volume.list(folder).expect_err("a loop");
    assert!(error.to_string().contains("again"), "{error}");
    let name: Vec<u16> = "!".encode_utf16().collect();
    let found = volume.find(folder, &name);
    assert!(found.is_err(), "{found:?}");
    let found = volume.find_all(folder, &name);
    assert!(found.is_err(), "{found:?}");
}
