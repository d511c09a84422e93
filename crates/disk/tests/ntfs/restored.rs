//! A disk that is changed again after its old content was restored.

use std::fs::{self, File};

use diskmend_disk::{Access, RecordFile, Target, guard};

use crate::common::{run, skipped};
use crate::image::NtfsImage;

/// The offset of zeros in a file; a dynamic VHD does not store them.
const HOLE: u64 = 5 << 20;

/// The container once remembered blocks that were added and then cut off again.
#[test]
fn blocks_that_were_given_back_are_added_anew() {
    let Some(image) = NtfsImage::new(24) else {
        return;
    };
    let Some(mount) = image.mount() else { return };
    fs::write(mount.path().join("zeros"), vec![0; 8 << 20]).unwrap();
    drop(mount);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.vhd");
    let options = "subformat=dynamic,force_size=on";
    let shown = path.to_str().unwrap();
    let convert = ["convert", "-O", "vpc", "-o", options, image.device(), shown];
    if let Err(error) = run("qemu-img", &convert) {
        skipped("qemu-img (Debian package qemu-utils)", &error);
        return;
    }
    let before = fs::read(&path).unwrap();
    let target = Target::open(&path).unwrap();
    let disk = target.disk().unwrap();
    guard::writable(&target).unwrap();
    for attempt in 1..=3 {
        let record = folder.path().join(format!("record{attempt}"));
        let open = File::options();
        let open = || {
            open.clone()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&record)
                .map(|file| RecordFile::new(Box::new(file), None))
        };
        disk.recorded().begin(open().unwrap()).unwrap();
        let zeros = disk.root(0).unwrap();
        let mut zeros = zeros.open("zeros", Access::ReadWrite).unwrap();
        zeros.write_all_at(&[attempt; 700], HOLE).unwrap();
        disk.recorded().end().unwrap();
        let grown = fs::metadata(&path).unwrap().len();
        assert!(grown > before.len() as u64, "a block was added");
        let mut read = [0; 700];
        zeros.read_exact_at(&mut read, HOLE).unwrap();
        assert_eq!(read, [attempt; 700]);
        disk.recorded().restore(&open().unwrap()).unwrap();
        assert!(fs::read(&path).unwrap() == before, "attempt {attempt}");
    }
}
