//! Disks in image files with the partitions of Windows, made with other tools.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::{run, skipped};
use crate::image_volume::{Loop, Volume};
use crate::ntfs_disk::{break_keys, fixture_store, windows};

/// The bytes in a MiB.
pub(crate) const MIB: u64 = 1 << 20;

/// The identifiers of the disk and of the Windows partition.
pub(crate) const DISK_GUID: &str = "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0";
pub(crate) const WINDOWS_GUID: &str = "B0B0B0B0-1111-2222-3333-444455556666";
pub(crate) const SIGNATURE: u32 = 0x1A2B_3C4D;

/// The bytes of a GUID as on disk.
pub(crate) fn guid(text: &str) -> [u8; 16] {
    let digits = text.replace('-', "");
    let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("a GUID");
    [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map(byte)
}

/// Makes every partition device of a boot store name this partition.
pub(crate) fn name_partition(store: &mut [u8], disk: [u8; 16], partition: [u8; 16]) {
    // A descriptor of a partition: any flags, 72 bytes long (docs/bcd.md).
    let is_partition = |at: &usize| {
        let of = |range: std::ops::Range<usize>| store.get(at + range.start..at + range.end);
        of(0..4) == Some(&[6, 0, 0, 0]) && of(8..16) == Some(&[0x48, 0, 0, 0, 0, 0, 0, 0])
    };
    let places: Vec<usize> = (0..store.len()).step_by(4).filter(is_partition).collect();
    assert!(!places.is_empty(), "no device is a partition");
    for at in places {
        store[at + 16..at + 32].copy_from_slice(&partition);
        store[at + 40..at + 56].copy_from_slice(&disk);
    }
}

/// How Windows starts from the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// EFI: GPT with an EFI system partition, a reserved partition, and the Windows partition.
    Gpt,
    /// BIOS: MBR with System Reserved as the active partition, and the Windows partition.
    Mbr,
}

/// The format of the image file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Container {
    Raw,
    VhdFixed,
    VhdDynamic,
    VhdxFixed,
    VhdxDynamic,
}

impl Container {
    /// qemu-img's name for the format, and its options.
    fn format(self) -> (&'static str, &'static str) {
        match self {
            Self::Raw => ("raw", ""),
            Self::VhdFixed => ("vpc", "subformat=fixed,force_size=on"),
            Self::VhdDynamic => ("vpc", "subformat=dynamic,force_size=on"),
            Self::VhdxFixed => ("vhdx", "subformat=fixed"),
            Self::VhdxDynamic => ("vhdx", "subformat=dynamic"),
        }
    }

    pub(crate) fn is_vhdx(self) -> bool {
        matches!(self, Self::VhdxFixed | Self::VhdxDynamic)
    }
}

/// The position of a partition in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) start: u64,
    pub(crate) len: u64,
}

impl Part {
    const fn mebibytes(start: u64, len: u64) -> Self {
        Self {
            start: start * MIB,
            len: len * MIB,
        }
    }
}

/// A disk in a file, in a temporary folder.
pub(crate) struct ImageDisk {
    dir: tempfile::TempDir,
    path: PathBuf,
    layout: Layout,
    container: Container,
    sector: u64,
    pub(crate) boot: Part,
    pub(crate) windows: Part,
}

impl ImageDisk {
    /// A raw disk with a dirty SYSTEM hive, unusable keys, and a boot store. If it can't be made,
    /// reports that and returns `None`.
    pub(crate) fn new(layout: Layout) -> Option<Self> {
        Self::with_sectors(layout, 512)
    }

    /// Such a disk with sectors of this many bytes.
    pub(crate) fn with_sectors(layout: Layout, sector: u64) -> Option<Self> {
        Self::complete(layout, sector, 96 * MIB)
    }

    /// Such a disk with a Windows partition of this many bytes.
    pub(crate) fn with_room(layout: Layout, windows_len: u64) -> Option<Self> {
        Self::complete(layout, 512, windows_len)
    }

    fn complete(layout: Layout, sector: u64, windows_len: u64) -> Option<Self> {
        let disk = Self::partitioned(layout, sector, windows_len)?;
        disk.format_windows(disk.windows)?;
        {
            let volume = disk.mount(disk.windows)?;
            windows(volume.path());
            break_keys(volume.path());
        }
        disk.make_boot_volume()?;
        Some(disk)
    }

    /// A disk with only a partition table.
    fn partitioned(layout: Layout, sector: u64, windows_len: u64) -> Option<Self> {
        // FAT32 has at least 65525 clusters, and a cluster at least a sector.
        let boot = match sector {
            512 => Part::mebibytes(1, 40),
            _ => Part::mebibytes(1, 280),
        };
        let windows = Part {
            start: boot.start + boot.len + 7 * MIB,
            len: windows_len,
        };
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("disk.img");
        let file = fs::File::create(&path).expect("a writable folder");
        file.set_len(windows.start + windows.len + MIB)
            .expect("a sparse file");
        let disk = Self {
            dir,
            path,
            layout,
            container: Container::Raw,
            sector,
            boot,
            windows,
        };
        disk.write_table()?;
        Some(disk)
    }

    fn write_table(&self) -> Option<()> {
        let line = |part: Part, more: &str| {
            let (start, len) = (part.start / self.sector, part.len / self.sector);
            format!("start={start}, size={len}, {more}\n")
        };
        let reserved = Part {
            start: self.boot.start + self.boot.len,
            len: MIB,
        };
        let script = match self.layout {
            Layout::Gpt => [
                format!("label: gpt\nlabel-id: {DISK_GUID}\n"),
                line(self.boot, "type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B"),
                line(reserved, "type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE"),
                line(
                    self.windows,
                    &format!("type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, uuid={WINDOWS_GUID}"),
                ),
            ]
            .concat(),
            Layout::Mbr => [
                format!("label: dos\nlabel-id: {SIGNATURE:#x}\n"),
                line(self.boot, "type=7, bootable"),
                line(self.windows, "type=7"),
            ]
            .concat(),
        };
        self.run_sfdisk(&script)
    }

    /// Writes a partition table from a script for sfdisk.
    pub(crate) fn run_sfdisk(&self, script: &str) -> Option<()> {
        let whole = self.attach_whole()?;
        let mut sfdisk = Command::new("sfdisk");
        let sfdisk = sfdisk.args(["-q", "--no-reread", "--no-tell-kernel", whole.path()]);
        let made = feed(sfdisk, script.as_bytes());
        made.map_err(|error| skipped("sfdisk (Debian package fdisk)", &error))
            .ok()
    }

    pub(crate) fn format_windows(&self, part: Part) -> Option<()> {
        self.format_windows_with(part, &[])
    }

    /// Formats a partition with NTFS, with these options of mkntfs.
    pub(crate) fn format_windows_with(&self, part: Part, options: &[&str]) -> Option<()> {
        let device = self.attach(part)?;
        let sector = self.sector.to_string();
        let mkntfs = ["-F", "-Q", "-q", "-s", &sector];
        let made = run("mkntfs", &[&mkntfs, options, &[device.path()]].concat()).map(|_| ());
        made.map_err(|error| skipped("mkntfs", &error)).ok()
    }

    fn make_boot_volume(&self) -> Option<()> {
        if self.layout == Layout::Mbr {
            self.format_windows(self.boot)?;
            let volume = self.mount(self.boot)?;
            let boot = volume.path().join("Boot");
            fs::create_dir(&boot).expect("writable");
            fs::write(boot.join("BCD"), self.naming_windows(store(self.layout))).expect("writable");
            fs::write(boot.join("BCD.LOG1"), [0; 4096]).expect("writable");
            return Some(());
        }
        {
            let device = self.attach(self.boot)?;
            let sector = self.sector.to_string();
            let mkfs = ["-F", "32", "-s", "1", "-S", &sector, device.path()];
            let made = run("mkfs.fat", &mkfs);
            made.map_err(|error| skipped("mkfs.fat (Debian package dosfstools)", &error))
                .ok()?;
        }
        let image = self.mtools_image();
        let folders = ["::/EFI", "::/EFI/Microsoft", "::/EFI/Microsoft/Boot"];
        let made = run("mmd", &[&["-i", &image], &folders[..]].concat());
        made.map_err(|error| skipped("mmd (Debian package mtools)", &error))
            .ok()?;
        self.write_esp(
            "EFI/Microsoft/Boot/BCD",
            &self.naming_windows(store(self.layout)),
        );
        Some(())
    }

    /// Installs a boot store with a loader that names the Windows partition. The stores of the
    /// corpus name partitions of other disks.
    pub(crate) fn name_windows(&self) {
        if self.layout == Layout::Gpt {
            let store = self.naming_windows(fixture_store("bcd-efi"));
            self.write_esp("EFI/Microsoft/Boot/BCD", &store);
            return;
        }
        let volume = self.mount(self.boot).expect("mounted before");
        let store = self.naming_windows(fixture_store("bcd-bios"));
        fs::write(volume.path().join("Boot/BCD"), store).expect("writable");
    }

    /// A boot store in which every partition is the Windows partition.
    fn naming_windows(&self, mut store: Vec<u8>) -> Vec<u8> {
        let (disk, partition) = match self.layout {
            Layout::Gpt => (guid(DISK_GUID), guid(WINDOWS_GUID)),
            Layout::Mbr => {
                let (mut disk, mut partition) = ([0; 16], [0; 16]);
                disk[..4].copy_from_slice(&SIGNATURE.to_le_bytes());
                partition[..8].copy_from_slice(&self.windows.start.to_le_bytes());
                (disk, partition)
            }
        };
        name_partition(&mut store, disk, partition);
        store
    }

    /// The EFI system partition, as an argument of mtools.
    fn mtools_image(&self) -> String {
        format!("{}@@{}", self.path(), self.boot.start)
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    pub(crate) fn container(&self) -> Container {
        self.container
    }

    /// The path of the image file, as an argument.
    pub(crate) fn path(&self) -> &str {
        self.path.to_str().expect("UTF-8")
    }

    /// The path of a file in the folder of the disk, as an argument.
    pub(crate) fn beside(&self, name: &str) -> String {
        let path = self.dir.path().join(name);
        path.into_os_string().into_string().expect("UTF-8")
    }

    /// The number of the Windows partition.
    pub(crate) fn number(&self) -> &'static str {
        match self.layout {
            Layout::Gpt => "3",
            Layout::Mbr => "2",
        }
    }

    /// The same disk in another file and another format.
    pub(crate) fn convert(&self, container: Container) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        // The name of the file does not reveal the format.
        let path = dir.path().join("disk");
        let to = path.to_str().expect("UTF-8");
        let made = match (self.container, container) {
            (Container::Raw, Container::Raw) => {
                run("cp", &["--sparse=always", self.path(), to]).map(|_| ())
            }
            (from, container) => {
                let (format, options) = container.format();
                let options = match options {
                    "" => vec![],
                    options => vec!["-o", options],
                };
                let convert = ["convert", "-f", from.format().0, "-O", format];
                run(
                    "qemu-img",
                    &[&convert, &options[..], &[self.path(), to]].concat(),
                )
                .map(|_| ())
            }
        };
        made.map_err(|error| skipped("qemu-img (Debian package qemu-utils)", &error))
            .ok()?;
        Some(Self {
            dir,
            path,
            container,
            ..*self
        })
    }

    /// A raw copy.
    pub(crate) fn raw(&self) -> Option<Self> {
        self.convert(Container::Raw)
    }

    /// A loop device for all of the disk.
    pub(crate) fn attach_whole(&self) -> Option<Loop> {
        Loop::new(&self.path, None, self.sector)
    }

    /// A loop device for a partition.
    pub(crate) fn attach(&self, part: Part) -> Option<Loop> {
        assert!(
            matches!(self.container, Container::Raw | Container::VhdFixed),
            "its partitions do not lie in the file as they are"
        );
        Loop::new(&self.path, Some(part), self.sector)
    }

    /// Mounts an NTFS volume.
    pub(crate) fn mount(&self, part: Part) -> Option<Volume> {
        self.mount_with(part, "permissions")
    }

    /// Mounts an NTFS volume with these options.
    pub(crate) fn mount_with(&self, part: Part, options: &str) -> Option<Volume> {
        Volume::new(self.attach(part)?, options)
    }

    /// Reads a file from the EFI system partition.
    pub(crate) fn read_esp(&self, path: &str) -> Option<Vec<u8>> {
        let output = Command::new("mcopy")
            .args(["-i", &self.mtools_image(), &format!("::/{path}"), "-"])
            .output()
            .expect("mcopy");
        output.status.success().then_some(output.stdout)
    }

    /// Writes a file to the EFI system partition.
    pub(crate) fn write_esp(&self, path: &str, bytes: &[u8]) {
        let mut mcopy = Command::new("mcopy");
        let mcopy = mcopy.args(["-o", "-i", &self.mtools_image(), "-", &format!("::/{path}")]);
        feed(mcopy, bytes).expect("copied");
    }

    /// Removes the boot store.
    pub(crate) fn remove_store(&self) {
        if self.layout == Layout::Mbr {
            let volume = self.mount(self.boot).expect("mounted before");
            fs::remove_file(volume.path().join("Boot/BCD")).expect("writable");
            return;
        }
        let store = "::/EFI/Microsoft/Boot/BCD";
        run("mdel", &["-i", &self.mtools_image(), store]).expect("removed");
    }

    /// Writes bytes to the image file.
    pub(crate) fn write_at(&self, bytes: &[u8], offset: u64) {
        let file = fs::OpenOptions::new().write(true).open(&self.path);
        let file = file.expect("writable");
        file.write_all_at(bytes, offset).expect("writable");
    }

    /// Reads bytes of the image file.
    pub(crate) fn read_at(&self, len: usize, offset: u64) -> Vec<u8> {
        let mut bytes = vec![0; len];
        let file = fs::File::open(&self.path).expect("readable");
        file.read_exact_at(&mut bytes, offset).expect("readable");
        bytes
    }

    pub(crate) fn len(&self) -> u64 {
        fs::metadata(&self.path).expect("readable").len()
    }

    /// The present state of the image file.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let copy = tempfile::NamedTempFile::new_in(self.dir.path()).expect("writable");
        let copy = copy.into_temp_path();
        let to = copy.to_str().expect("UTF-8");
        run("cp", &["--sparse=always", self.path(), to]).expect("copied");
        Snapshot {
            copy,
            modified: modified(&self.path),
        }
    }

    /// Checks that the file has the bytes and the length of a snapshot.
    #[track_caller]
    pub(crate) fn has_bytes_of(&self, snapshot: &Snapshot) {
        let copy = snapshot.copy.to_str().expect("UTF-8");
        run("cmp", &[self.path(), copy]).unwrap_or_else(|_| {
            let differences = Command::new("cmp").args(["-l", self.path(), copy]).output();
            let text = differences.expect("cmp").stdout;
            let text = String::from_utf8_lossy(&text);
            let some: Vec<&str> = text.lines().take(20).collect();
            panic!("the image has changed: {some:?}");
        });
    }

    /// Checks that the file was not written since.
    #[track_caller]
    pub(crate) fn is_untouched_since(&self, snapshot: &Snapshot) {
        self.has_bytes_of(snapshot);
        assert_eq!(modified(&self.path), snapshot.modified, "it was written");
    }
}

/// The state of an image file at some time.
pub(crate) struct Snapshot {
    copy: tempfile::TempPath,
    modified: (i64, i64),
}

fn modified(path: &Path) -> (i64, i64) {
    let metadata = fs::metadata(path).expect("readable");
    (metadata.mtime(), metadata.mtime_nsec())
}

/// The boot store: a real one if there is a corpus, otherwise that of a fixture.
fn store(layout: Layout) -> Vec<u8> {
    let (real, fixture) = match layout {
        Layout::Gpt => ("bcd/windeploy-linux/BCD-efi", "bcd-efi"),
        Layout::Mbr => ("bcd/windeploy-linux/BCD", "bcd-bios"),
    };
    match std::env::var_os("DISKMEND_CORPUS") {
        Some(corpus) => fs::read(Path::new(&corpus).join(real)).expect("the corpus"),
        None => fixture_store(fixture),
    }
}

/// Runs a program with this standard input.
fn feed(command: &mut Command, input: &[u8]) -> Result<(), String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let pipe = child.stdin.take();
    let written = pipe.map(|mut pipe| pipe.write_all(input));
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        written.unwrap_or(Ok(())).map_err(|error| error.to_string())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
