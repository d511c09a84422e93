//! Opens, reads and writes containers. What was written must be read back, even after the file is
//! opened anew.

#![expect(
    clippy::panic,
    reason = "a fuzz target tells what is wrong by panicking"
)]

use std::io;

use diskmend_image::container::Container;
use diskmend_image::device::Device;

use super::input::{Base, Input};
use super::sparse::Sparse;
use super::{vhd as vhd_files, vhdx as vhdx_files};

/// The maximum number of steps of an input.
const MAX_STEPS: usize = 24;
/// The maximum number of bytes that are read at once.
const MAX_READ: u64 = 1 << 16;

/// Opens a VHD, reads it and writes to it.
///
/// # Panics
/// If something else is read than was written.
pub fn vhd(data: &[u8]) {
    work(data, vhd_files::bases(), vhd_files::seal);
}

/// Opens a VHDX, reads it and writes to it.
///
/// # Panics
/// If something else is read than was written.
pub fn vhdx(data: &[u8]) {
    work(data, vhdx_files::bases(), vhdx_files::seal);
}

fn work(data: &[u8], bases: &'static [Base], seal: impl FnOnce(&Sparse)) {
    let Some(mut input) = Input::parse(data, bases) else {
        return;
    };
    let medium = input.medium(seal);
    let disk = match Container::open(medium.clone()) {
        Ok(disk) => disk,
        Err(error) => {
            std::hint::black_box(error.to_string());
            return;
        }
    };
    let notices = disk.notices().iter().map(ToString::to_string);
    std::hint::black_box(notices.collect::<Vec<_>>());
    let mut written = None;
    for _ in 0..MAX_STEPS {
        if input.script.is_at_end() {
            break;
        }
        let step = input.script.byte();
        let offset = input.script.below(disk.len());
        match step % 8 {
            0..3 => {
                let len = MAX_READ.min(disk.len() - offset);
                std::hint::black_box(read(&disk, offset, len as usize).is_ok());
            }
            3 => {
                std::hint::black_box(disk.sync().is_ok());
            }
            _ => {
                let data = input.script.content();
                if disk.write_all_at(&data, offset).is_ok() {
                    let found = read(&disk, offset, data.len());
                    assert!(found.is_ok_and(|found| found == data), "read back");
                    written = Some((offset, data));
                } else {
                    written = None;
                }
            }
        }
    }
    let len = disk.len();
    if disk.sync().is_ok()
        && let Some((offset, data)) = written
    {
        drop(disk);
        match Container::open(medium) {
            Err(error) => panic!("opened anew: {error}"),
            Ok(disk) => {
                assert_eq!(disk.len(), len, "opened anew");
                let found = read(&disk, offset, data.len());
                assert!(found.is_ok_and(|found| found == data), "opened anew");
            }
        }
    }
}

fn read(disk: &Container, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    disk.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}
