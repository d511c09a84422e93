//! The volume that the `ntfs` crate is tested with, made by Windows' own format.

use std::sync::Arc;

use super::*;
use crate::testing::Memory;

#[test]
fn the_sample_is_read() {
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS") else {
        eprintln!("SKIPPED: DISKMEND_CORPUS is not set");
        return;
    };
    let path = std::path::Path::new(&corpus).join("disks/testfs1");
    let device = Arc::new(Memory::new(std::fs::read(path).expect("readable")));
    let before = device.bytes();
    let volume = Volume::open(device.clone()).expect("sound");
    eprintln!("{:?}", volume.state());
    let many = id(&volume, "MANY_SUBDIRS");
    let listed = volume.list(many).expect("listed");
    assert_eq!(listed.len(), 512);
    for entry in &listed {
        assert_eq!(
            volume.find(many, &entry.name).expect("sound").as_ref(),
            Some(entry)
        );
    }
    assert_eq!(read(&open(&volume, "empty-file")), b"");
    for entry in volume.list(volume.root()).expect("listed") {
        let metadata = volume.metadata(entry.id).expect("sound");
        let name = String::from_utf16_lossy(&entry.name);
        eprintln!("{name}: {metadata:?}");
    }
    assert!(device.bytes() == before);
}
