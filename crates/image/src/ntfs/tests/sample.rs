//! The volume from the tests of the `ntfs` crate, as a sample of another origin.

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
    volume.fit_for_writing().expect("fit");
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
    assert_eq!(read(&open(&volume, "FILE-with-12345")), b"12345");
    let thousand = open(&volume, "1000-bytes-file");
    assert_eq!(thousand.len(), 1000);
    assert!(read(&open(&volume, "sparse-file")).ends_with(b"11111"));
    for entry in volume.list(volume.root()).expect("listed") {
        assert_ne!(entry.id, volume.root(), "a walk would not end");
        volume.metadata(entry.id).expect("sound");
    }
    assert!(device.bytes() == before);
}
