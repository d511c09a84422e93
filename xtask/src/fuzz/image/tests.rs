//! That fuzzing begins with images which are sound: others would only ever be refused.

use std::sync::Arc;

use diskmend_image::container::Container;
use diskmend_image::device::Device;

use super::input::Base;
use super::sparse::Sparse;
use super::{Kind, input};
use crate::fuzz::Target;
use crate::random::Random;

fn media(kind: Kind) -> impl Iterator<Item = Arc<Sparse>> {
    let medium = |base: &Base| Arc::new(Sparse::new(&base.bytes, base.len));
    kind.bases().iter().map(medium)
}

#[test]
fn containers_are_opened_and_written() {
    for (kind, count) in [(Kind::Vhd, 2), (Kind::Vhdx, 3)] {
        assert_eq!(kind.bases().len(), count);
        for medium in media(kind) {
            let disk = Container::open(medium).unwrap();
            for at in (0..disk.len() - 512).step_by(1 << 15) {
                disk.write_all_at(&[7; 512], at).unwrap();
            }
        }
    }
}

#[test]
fn tables_are_read_with_all_their_partitions() {
    let found = media(Kind::Partition).map(|disk| {
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
    let volumes = media(Kind::Fat).map(|medium| {
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
    assert_eq!(Kind::Ntfs.bases().len(), 2);
    for medium in media(Kind::Ntfs) {
        let volume = diskmend_image::ntfs::Volume::open(medium).unwrap();
        volume.fit_for_writing().unwrap();
    }
}

#[test]
fn every_target_takes_some_inputs() {
    let mut random = Random::new(3);
    for &target in Target::ALL {
        let Some(kind) = Kind::of(target) else {
            continue;
        };
        for _ in 0..20 {
            target.run(&input(kind, &mut random));
        }
    }
}
