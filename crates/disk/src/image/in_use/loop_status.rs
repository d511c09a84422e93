//! Queries a loop device for the file behind it.

use std::fs::File;
use std::io;

use rustix::ioctl::{Getter, Opcode, ioctl};

/// `LOOP_GET_STATUS64` (linux/loop.h).
const GET_STATUS: Opcode = 0x4C05;

/// `struct loop_info64` (linux/loop.h).
#[derive(Clone, Copy)]
#[repr(C)]
struct LoopInfo {
    /// The device number of the file system that contains the file.
    device: u64,
    /// The file's inode number.
    inode: u64,
    /// Device number of the file itself, if that is a block device.
    rdevice: u64,
    /// Offset, limit, number, encryption, flags, names, key: ignored.
    rest: [u64; 26],
}

const _: () = assert!(size_of::<LoopInfo>() == 232);

/// The file behind a loop device. Device numbers are as the kernel writes them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backing {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) rdevice: u64,
}

/// Queries an open loop device. Nothing about the device changes.
pub(super) fn backing(device: &File) -> io::Result<Backing> {
    // SAFETY: the opcode asks a loop device for one `loop_info64`. `LoopInfo` has its size and
    // layout, and all contents of it are valid. Other devices do not know this opcode, so the
    // caller has made sure that it is a loop device.
    let info = unsafe { ioctl(device, Getter::<GET_STATUS, LoopInfo>::new()) }?;
    Ok(Backing {
        device: info.device,
        inode: info.inode,
        rdevice: info.rdevice,
    })
}
