//! Replacing the content of a file.

use std::fs;

use super::image::Image;
use super::removing::NOW;
use super::*;

/// Replaces the content in the way of the layers above: asks first, then sets length, content and
/// times.
fn replace(file: &File, content: &[u8]) {
    let len = content.len() as u64;
    file.check_in_place().expect("in place");
    file.check_write(len, &[(0, len)]).expect("room");
    file.set_len(len).expect("room");
    file.write(content, 0).expect("room");
    file.touch(NOW).expect("there");
    file.sync().expect("durable");
}

#[test]
fn content_is_replaced_by_shorter_and_longer_one_and_streams_stay() {
    for arguments in [&["-c", "512"][..], &["-c", "4096"], &["-s", "4096"]] {
        let Some(image) = Image::make(6, arguments) else {
            return;
        };
        let filled = image.mounted("defaults", |mounted| {
            let path = mounted.join("file");
            fs::write(&path, pattern(300, 1)).expect("written");
            let flags = rustix::fs::XattrFlags::empty();
            rustix::fs::setxattr(&path, "user.stream", &pattern(5000, 9), flags).expect("set");
            rustix::fs::setxattr(&path, "system.ntfs_attrib", &[0; 4], flags).expect("set");
        });
        if filled.is_none() {
            return;
        }
        let (volume, device) = image.open();
        let file = open(&volume, "file");
        for (seed, len) in [
            (2, 100),
            (3, 300),
            (4, 70_000),
            (5, 70_000),
            (6, 100_001),
            (7, 10),
        ] {
            let content = pattern(len, seed);
            replace(&file, &content);
            assert!(read(&file) == content);
            image.store_and_check(&device);
            let same = image.mounted("defaults", |mounted| {
                let path = mounted.join("file");
                assert!(fs::read(&path).expect("read") == content, "{len}");
                let mut stream = [0; 5001];
                let got = rustix::fs::getxattr(&path, "user.stream", &mut stream).expect("there");
                assert!(stream[..got] == pattern(5000, 9));
                let mut times = [0; 32];
                rustix::fs::getxattr(&path, "system.ntfs_times", &mut times).expect("there");
                let time = |at: usize| u64::from_le_bytes(times[at..at + 8].try_into().expect("8"));
                // What is created, written, read, changed.
                assert_ne!(time(0), NOW);
                assert_eq!((time(8), time(24)), (NOW, NOW));
                let mut attributes = [0; 4];
                rustix::fs::getxattr(&path, "system.ntfs_attrib", &mut attributes).expect("there");
                assert_eq!(attributes[0] & 0x20, 0x20, "to be backed up");
            });
            assert!(same.is_some());
        }
    }
}
