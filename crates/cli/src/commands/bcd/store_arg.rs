//! The boot store as typed, and its file.

use std::path::{Path, PathBuf};

use diskmend_disk::{Disk, DiskError, Kind, LookupError, OpenError, Target};
use diskmend_repair::boot_store;
use diskmend_repair::hive_file::HivePath;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints;
use crate::hive_arg::ImageArgs;
use crate::hive_target::is_hive_file;
use crate::image_path::is_disk;
use crate::output::console::Console;
use crate::output::shell;
use crate::report_file::ReportArgs;
use crate::volume_root::volume_root;

/// The places of boot stores on a volume: for BIOS, and for EFI firmware.
const PLACES: [&[&str]; 2] = [&["Boot", "BCD"], &["EFI", "Microsoft", "Boot", "BCD"]];

const ELSEWHERE: &str = "on BIOS machines the store is \\Boot\\BCD of the system partition or of \
                         the Windows volume, on EFI machines \\EFI\\Microsoft\\Boot\\BCD of the \
                         EFI system partition: mount that volume, and name its folder or the \
                         store itself";
const ON_DISK: &str = "'diskmend disks' shows what the disk contains; a store in another place is \
                       named as IMAGE:PATH";

/// The boot store.
#[derive(Debug, clap::Args)]
pub(crate) struct StoreArg {
    /// The boot store: its file, the mount point of its volume, or the unmounted disk that contains
    /// it; if that disk has several, IMAGE:PATH
    store: PathBuf,
    #[command(flatten)]
    image: ImageArgs,
}

impl StoreArg {
    /// Fails if the page of a command about this store could not be written.
    pub(crate) fn begin(&self, report: &ReportArgs, console: &mut Console) -> Result<(), Failure> {
        match self.file() {
            Ok(file @ HivePath::OnDisk { .. }) => report.about_file(&file, console),
            _ => report.about_any(&self.store, console),
        }
    }

    /// The file of the store.
    pub(crate) fn file(&self) -> Result<HivePath, Failure> {
        let root = volume_root(&self.store);
        if self.image.target().is_some() {
            return self.image.path(&self.store);
        }
        if root.is_dir() {
            self.image.no_volume(&self.store)?;
            return on_volume(&root);
        }
        if is_disk(&root) && !is_hive_file(&root) {
            match Disk::open_to_look(&root) {
                Ok(disk) => return self.on_disk(&disk),
                // It is no disk: opening the path says that it is no hive either.
                Err(DiskError::Partitions(_)) => {}
                Err(error) => {
                    return Err(hints::target_failure(&OpenError::of_disk(&root, error)));
                }
            }
        }
        // Opening the path reports what else it is.
        self.image.path(&self.store)
    }

    /// The only store on the volumes of an unmounted disk.
    fn on_disk(&self, disk: &Disk) -> Result<HivePath, Failure> {
        let shown = disk.path().display().to_string();
        let mut found = Vec::new();
        let wanted = |number| self.image.partition().is_none_or(|wanted| wanted == number);
        let partitions = disk.table().partitions.iter().map(|one| one.number);
        for number in partitions.filter(|number| wanted(*number)) {
            // What can't be read holds no store that could be shown.
            let Ok(root) = disk.root(number) else {
                continue;
            };
            let stores = boot_store::stores_on(root.as_ref())
                .map_err(|error| Failure::of(Exit::Failure, &error).context(&shown))?;
            found.extend(stores.into_iter().map(|path| (number, path)));
        }
        match found.as_slice() {
            [] => {
                let message = match self.image.partition() {
                    Some(number) => {
                        format!("{shown}: there is no boot store on partition {number}")
                    }
                    None => format!("{shown}: there is no boot store on a volume of the disk"),
                };
                Err(Failure::new(Exit::Failure, message).hint(ON_DISK))
            }
            [(number, path)] => Ok(HivePath::OnDisk {
                disk: disk.path().to_path_buf(),
                partition: Some(*number),
                path: path.split('/').map(str::to_owned).collect(),
            }),
            _ => {
                let message = format_args!("{shown}: there are several boot stores");
                let failure = Failure::new(Exit::Refused, message);
                Err(found.iter().fold(failure, |failure, (number, path)| {
                    let place = format!("{shown}:{path}");
                    let place = shell::word(&place);
                    failure.hint(format!("name the right one: {place} --volume {number}"))
                }))
            }
        }
    }
}

/// The only store on a mounted volume.
fn on_volume(root: &Path) -> Result<HivePath, Failure> {
    let shown = root.display();
    let target = Target::open(root).map_err(|error| hints::target_failure(&error))?;
    let mut files = Vec::new();
    for place in PLACES {
        match target.root().find(place) {
            Ok(Some(found)) if found.kind() == Kind::File => {
                files.push(
                    found
                        .path
                        .split('/')
                        .fold(root.to_path_buf(), |path, name| path.join(name)),
                );
            }
            Ok(_) | Err(LookupError::NotAFolder { .. }) => {}
            Err(error) => return Err(Failure::of(Exit::Failure, &error).context(shown)),
        }
    }
    match files.len() {
        0 => {
            let message = format_args!("{shown}: there is no boot store on this volume");
            Err(Failure::new(Exit::Failure, message).hint(ELSEWHERE))
        }
        1 => Ok(HivePath::File(files.swap_remove(0))),
        _ => {
            let message = format_args!("{shown}: there are several boot stores");
            let failure = Failure::new(Exit::Refused, message);
            Err(files.iter().fold(failure, |failure, file| {
                failure.hint(format!("name the right one: {}", file.display()))
            }))
        }
    }
}
