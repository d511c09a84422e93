//! Checks that fuzzing starts from sound images: unsound ones would always be refused.

use std::sync::Arc;

use diskmend_image::container::Container;
use diskmend_image::device::Device;

use super::input::Base;
use super::sparse::Sparse;
use super::{fat, ntfs, partition, vhd, vhdx};

fn media(bases: &[Base]) -> impl Iterator<Item = Arc<Sparse>> {
    let medium = |base: &Base| Arc::new(Sparse::new(&base.bytes, base.len));
    bases.iter().map(medium)
}

#[test]
fn containers_are_opened_and_written() {
    for (bases, count) in [(vhd::bases(), 2), (vhdx::bases(), 3)] {
        assert_eq!(bases.len(), count);
        for medium in media(bases) {
            let disk = Container::open(medium).unwrap();
            for at in (0..disk.len() - 512).step_by(1 << 15) {
                disk.write_all_at(&[7; 512], at).unwrap();
            }
        }
    }
}

#[test]
fn tables_are_read_with_all_their_partitions() {
    let found = media(partition::bases()).map(|disk| {
        let table = diskmend_image::partition::read(&*disk, None).unwrap();
        let faults = table.partitions.iter().filter(|one| one.fault.is_some());
        assert_eq!(faults.count(), 0);
        assert_eq!(table.warnings, [""; 0]);
        (table.sector_size, table.partitions.len())
    });
    let found: Vec<_> = found.collect();
    assert_eq!(found, [(512, 3), (4096, 3), (512, 4), (512, 1)]);
}

#[test]
fn fat_volumes_may_be_written() {
    let volumes = media(fat::bases()).map(|medium| {
        let volume = diskmend_image::fat::Volume::open(medium).unwrap();
        volume.check_writable().unwrap();
        volume.create_file(&["new".to_owned()]).unwrap();
        volume.kind().to_string()
    });
    let volumes: Vec<_> = volumes.collect();
    assert_eq!(volumes, ["FAT12", "FAT16", "FAT32"]);
}

#[test]
fn ntfs_volumes_may_be_written() {
    assert_eq!(ntfs::bases().len(), 2);
    for medium in media(ntfs::bases()) {
        let volume = diskmend_image::ntfs::Volume::open(medium).unwrap();
        volume.fit_for_writing().unwrap();
    }
}

#[test]
fn ntfs_volumes_are_changed_as_they_say_before() {
    let mut state = 0x2545_F491_u32;
    for _ in 0..20 {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as u8
        };
        // One of two volumes, sometimes damaged in few places, and then a script.
        let mut data = vec![next() % 2, 0];
        for _ in 0..(next() % 5).saturating_sub(2) {
            let len = 1 + next() % 4;
            data.push(len);
            data.extend((0..3 + len).map(|_| next()));
        }
        data.push(0);
        data.extend((0..120).map(|_| next()));
        crate::ntfs_write(&data);
    }
}
