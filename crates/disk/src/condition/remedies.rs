//! What can be done about the conditions of a volume, as lines that a person can copy.

use std::path::{Path, PathBuf};

use diskmend_base::shell;
use diskmend_image::container::Format;

use super::Here;
use crate::image::Disk;

/// For everything that only Windows settles.
pub(super) const ATTACH: &str = "attach the disk to a computer with Windows, which settles this when \
                                 it mounts the volume; then detach it there";

const NO_NTFSFIX: &str = "do not run ntfsfix on it: ntfsfix throws the changes in the journal away \
                          and marks the volume dirty";

/// The place of a volume, as commands of this machine name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A block device that contains only the volume.
    Device(PathBuf),
    /// A part of a file or block device, in bytes.
    Part { file: PathBuf, start: u64, len: u64 },
    /// A partition of a virtual disk whose bytes are not in order in its file.
    Virtual {
        disk: VirtualDisk,
        partition: u32,
        start: u64,
        len: u64,
    },
}

/// A virtual disk in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VirtualDisk {
    file: PathBuf,
    /// The format's name for QEMU.
    format: &'static str,
}

impl Place {
    /// The place of a partition's volume.
    pub(crate) fn on(disk: &Disk, number: u32) -> Self {
        let file = disk.path().to_path_buf();
        let partitions = &disk.table().partitions;
        let partition = partitions.iter().find(|one| one.number == number);
        let (start, len) = partition.map_or((0, disk.len()), |one| (one.start, one.len));
        match disk.format() {
            Format::Raw if disk.is_block_device() => match device_of(&file, number, start) {
                Some(device) => Self::Device(device),
                None => Self::Part { file, start, len },
            },
            Format::VhdDynamic => {
                Self::in_virtual(VirtualDisk::new(file, "vpc"), number, start, len)
            }
            Format::Vhdx => Self::in_virtual(VirtualDisk::new(file, "vhdx"), number, start, len),
            _ => Self::Part { file, start, len },
        }
    }

    fn in_virtual(disk: VirtualDisk, partition: u32, start: u64, len: u64) -> Self {
        Self::Virtual {
            disk,
            partition,
            start,
            len,
        }
    }
}

impl VirtualDisk {
    fn new(file: PathBuf, format: &'static str) -> Self {
        Self { file, format }
    }

    /// A line in which `line` gets the block device to which qemu-nbd attaches the disk.
    fn by_nbd(&self, line: impl FnOnce(&str) -> String) -> String {
        let (file, format, line) = (word(&self.file), self.format, line("/dev/nbd0"));
        format!(
            "modprobe nbd max_part=16 && qemu-nbd -f {format} -c /dev/nbd0 {file} && {line}; \
             qemu-nbd -d /dev/nbd0"
        )
    }

    /// A line in which `line` gets the file as which qemu-storage-daemon shows the disk.
    fn by_fuse(&self, line: impl FnOnce(&str) -> String) -> String {
        // In an option of QEMU, a comma is doubled.
        let file = self.file.display().to_string().replace(',', ",,");
        let file = format!("driver=file,node-name=f,filename={file}");
        let (file, format, line) = (shell::word(&file), self.format, line("\"$R\""));
        format!(
            "R=$(mktemp) && P=$(mktemp) && qemu-storage-daemon --daemonize --pidfile \"$P\" \
             --blockdev {file} --blockdev driver={format},node-name=d,file=f --export \
             type=fuse,id=e,node-name=d,mountpoint=\"$R\",writable=on && {line}; kill $(cat \"$P\")"
        )
    }
}

/// The device of a partition; `None` if there is none by that name.
fn device_of(disk: &Path, number: u32, start: u64) -> Option<PathBuf> {
    if start == 0 {
        return Some(disk.to_path_buf());
    }
    let name = disk.to_str()?;
    let separator = if name.ends_with(|last: char| last.is_ascii_digit()) {
        "p"
    } else {
        ""
    };
    let device = PathBuf::from(format!("{name}{separator}{number}"));
    device.exists().then_some(device)
}

fn word(path: &Path) -> String {
    shell::word(&path.display().to_string()).into_owned()
}

/// Against a journal with changes to make.
pub(super) fn of_log(place: &Place, dirty: bool, here: Here) -> Vec<String> {
    if cfg!(windows) {
        return vec![ATTACH.to_owned()];
    }
    let mut remedies = Vec::new();
    if here.ntfs3 {
        let line = with_volume(place, here, |volume, options| {
            let force = if dirty { Some("force") } else { None };
            let options: Vec<&str> = options.into_iter().chain(force).collect();
            let options = match options.as_slice() {
                [] => String::new(),
                options => format!(" -o {}", options.join(",")),
            };
            format!("mount -t ntfs3{options} {volume} /mnt && umount /mnt")
        });
        remedies.push(format!("let the kernel make these changes: {line}"));
    }
    let line = with_loop(place, here, |volume| format!("ntfsrecover -k {volume}"));
    remedies.push(if here.ntfsrecover {
        format!("let ntfsrecover make these changes: {line}")
    } else {
        format!("install ntfsrecover (part of ntfs-3g) and let it make these changes: {line}")
    });
    remedies.push(
        "attach the disk to a computer with Windows, which makes these changes when it mounts the \
         volume; then detach it there"
            .to_owned(),
    );
    remedies.push(NO_NTFSFIX.to_owned());
    remedies
}

/// Against a hibernated Windows.
pub(super) fn of_hibernation(place: &Place, here: Here) -> Vec<String> {
    let mut remedies =
        vec!["start that Windows and shut it down fully: shutdown /s /f /t 0".to_owned()];
    if !cfg!(windows) {
        let line = with_volume(place, here, |volume, options| {
            let options: Vec<&str> = options.into_iter().chain(["remove_hiberfile"]).collect();
            let options = options.join(",");
            format!("mount -t ntfs-3g -o {options} {volume} /mnt && umount /mnt")
        });
        remedies.push(format!(
            "if it can't start, discard its saved session, which loses what was not saved: {line}"
        ));
    }
    remedies
}

/// Against a volume that is marked dirty.
pub(super) fn of_dirt() -> Vec<String> {
    vec![
        "attach the disk to a computer with Windows and check the volume there: chkdsk /f X:"
            .to_owned(),
    ]
}

/// A line in which `line` gets a volume, and the options to mount it.
fn with_volume(
    place: &Place,
    here: Here,
    line: impl FnOnce(&str, Option<&str>) -> String,
) -> String {
    match place {
        Place::Device(device) => line(&word(device), None),
        Place::Part { file, start, len } => line(
            &word(file),
            Some(&format!("loop,offset={start},sizelimit={len}")),
        ),
        Place::Virtual {
            disk, partition, ..
        } if here.prefers_nbd() => {
            disk.by_nbd(|device| line(&format!("{device}p{partition}"), None))
        }
        Place::Virtual {
            disk, start, len, ..
        } => disk.by_fuse(|raw| line(raw, Some(&format!("loop,offset={start},sizelimit={len}")))),
    }
}

/// A line in which `line` gets a block device with the volume.
fn with_loop(place: &Place, here: Here, line: impl FnOnce(&str) -> String) -> String {
    let looped = |file: &str, start: &u64, len: &u64, line: &str| {
        format!(
            "L=$(losetup -f --show -o {start} --sizelimit {len} {file}) && {line}; losetup -d \"$L\""
        )
    };
    match place {
        Place::Device(device) => line(&word(device)),
        Place::Part { file, start, len } => looped(&word(file), start, len, &line("\"$L\"")),
        Place::Virtual {
            disk, partition, ..
        } if here.prefers_nbd() => disk.by_nbd(|device| line(&format!("{device}p{partition}"))),
        Place::Virtual {
            disk, start, len, ..
        } => disk.by_fuse(|raw| looped(raw, start, len, &line("\"$L\""))),
    }
}

/// A partition of a VHDX.
#[cfg(all(test, target_os = "linux"))]
pub(super) fn virtual_disk(file: &str, partition: u32) -> Place {
    let disk = VirtualDisk::new(file.into(), "vhdx");
    Place::in_virtual(disk, partition, 1 << 20, 1 << 30)
}
