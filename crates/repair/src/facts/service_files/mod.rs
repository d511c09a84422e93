//! Files that services, drivers and class filters of the current control set name, and that are
//! missing or empty on the disk.

mod filters;
mod image_path;
mod lookup;
mod named;

use diskmend_base::utf16;
use diskmend_disk::Dir;
use diskmend_hive::{Corruption, Hive, ValueType};
use serde::Serialize;

use super::{Facts, Failure, ServiceStart};
use crate::error::{Error, chain};
use crate::place::HiveName;
use crate::reading;

pub(crate) use filters::all_names as names_of_filters;
pub use filters::{FilterFault, OrphanFilter};
pub use lookup::FileFault;
use lookup::Lookup;
pub(crate) use named::NamedFiles;
pub(super) use named::component_drivers;

/// The greatest number of services whose files are looked up. Windows has some hundreds.
const MOST_SERVICES: usize = 4096;
/// The greatest length of a path's value, in bytes.
const MOST_BYTES: usize = 4096;
/// If more driver files than this are missing, and more than half, then the target is no whole
/// Windows volume, but some of its files.
const MOST_MISSING: usize = 16;
/// A program without which no service of Windows starts. A volume without it is not whole.
const SERVICES: [&str; 3] = ["Windows", "System32", "services.exe"];

/// What services and class filters name but the disk does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceFiles {
    /// The files of services and drivers that start with Windows.
    pub missing: Vec<MissingFile>,
    /// The filters without which no device of their class starts.
    pub filters: Vec<OrphanFilter>,
    /// The reasons why some files were not judged, for display.
    pub unknown: Vec<String>,
    /// True if the target is a whole Windows volume, so that a file that isn't found is missing.
    pub whole: bool,
}

/// A file that is missing or empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingFile {
    /// The name of the service or driver.
    pub service: String,
    /// Its key in SYSTEM.
    pub key: String,
    /// The path of the file from the root of the volume, with `/`.
    pub path: String,
    /// What is wrong with the file.
    pub fault: FileFault,
    /// When the service starts.
    pub start: ServiceStart,
    /// True for a driver.
    pub driver: bool,
    /// The number in `ErrorControl`: from 2 on, Windows does not start without the driver.
    pub error_control: Option<u32>,
}

impl MissingFile {
    /// True if Windows does not start without the file: a boot driver, or a system driver with
    /// such an `ErrorControl`.
    #[must_use]
    pub fn stops_the_start(&self) -> bool {
        let critical = self.error_control.is_some_and(|control| control >= 2);
        self.driver
            && match self.start {
                ServiceStart::Boot => true,
                ServiceStart::System => critical,
                _ => false,
            }
    }
}

/// A service as far as its files are concerned.
struct Named {
    name: String,
    key: String,
    start: ServiceStart,
    service_type: u32,
    error_control: Option<u32>,
    image_path: Text,
}

/// The text of a value.
enum Text {
    Absent,
    /// It is not text, or too long.
    Odd,
    Is(String),
}

/// Reads which files are missing.
pub(super) fn read(facts: &Facts<'_>) -> Result<ServiceFiles, String> {
    let sets = facts.control_sets()?;
    let set = sets.starting_set()?;
    let system = facts.hive(HiveName::System).map_err(Failure::reason)?;
    let root = facts.site.root.as_ref();
    let drive = drive_letter(facts);
    let services = format!(r"{}\Services", set.name);
    let found = of_hive(&system.hive, &set.name, &services, root, drive);
    found.map_err(|source| chain(&Error::corrupt(system.path())(source)))
}

/// The letter that the Windows has for its own volume.
fn drive_letter(facts: &Facts<'_>) -> char {
    const KEY: &str = r"Microsoft\Windows NT\CurrentVersion";
    let told = || {
        let software = facts.hive(HiveName::Software).ok()?;
        let Ok(Text::Is(root)) = text(&software.hive, KEY, "SystemRoot") else {
            return None;
        };
        let letter = root.chars().next()?;
        (letter.is_ascii_alphabetic() && root.get(1..3) == Some(r":\")).then_some(letter)
    };
    // Windows Setup has always named it so.
    told().unwrap_or('C')
}

fn of_hive(
    hive: &Hive,
    set: &str,
    services: &str,
    root: &dyn Dir,
    drive: char,
) -> Result<ServiceFiles, Corruption> {
    let mut found = ServiceFiles::default();
    let mut lookup = Lookup::new(root);
    let named = named(hive, services, &mut found.unknown)?;
    if lookup.has_drivers() {
        add_drivers(&mut found, &mut lookup, &named, drive);
        if lookup.is_file(&SERVICES) {
            add_services(&mut found, &mut lookup, hive, &named, drive)?;
        } else {
            let text = "the programs of services were not looked for: Windows/System32/services.exe is missing";
            found.unknown.push(text.to_owned());
        }
    } else {
        let text = "the files of drivers were not looked for: the disk has no folder Windows/System32/drivers with files";
        found.unknown.push(text.to_owned());
    }
    found.whole = found.unknown.is_empty();
    let of_volume = (found.whole, drive);
    found.filters = filters::read(
        hive,
        set,
        services,
        &mut lookup,
        of_volume,
        &mut found.unknown,
    )?;
    found.unknown.extend(lookup.problems);
    Ok(found)
}

/// The services and drivers that start with Windows and about whose absence Windows cares.
fn named(hive: &Hive, services: &str, unknown: &mut Vec<String>) -> Result<Vec<Named>, Corruption> {
    let mut named = Vec::new();
    let Some(below) = hive.key(services)? else {
        return Ok(named);
    };
    for service in below.subkeys()? {
        let name = service?.name().in_path().to_string();
        let key = format!(r"{services}\{name}");
        let start = reading::dword(hive, &key, "Start")?.and_then(ServiceStart::of);
        let wanted = [
            ServiceStart::Boot,
            ServiceStart::System,
            ServiceStart::Automatic,
        ];
        let Some(start) = start.filter(|start| wanted.contains(start)) else {
            continue;
        };
        let error_control = reading::dword(hive, &key, "ErrorControl")?;
        let service_type = reading::dword(hive, &key, "Type")?;
        // 0 ignores the error: on healthy disks such drivers have no file.
        let Some(service_type) = service_type.filter(|_| error_control != Some(0)) else {
            continue;
        };
        if named.len() == MOST_SERVICES {
            unknown.push(format!("only the first {MOST_SERVICES} services were read"));
            break;
        }
        named.push(Named {
            image_path: text(hive, &key, "ImagePath")?,
            name,
            key,
            start,
            service_type,
            error_control,
        });
    }
    Ok(named)
}

impl Named {
    const fn is_driver(&self) -> bool {
        const DRIVERS: [u32; 2] = [1, 2];
        const RECOGNIZER: u32 = 8;
        let [kernel, file_system] = DRIVERS;
        self.service_type == kernel
            || self.service_type == file_system
            || self.service_type == RECOGNIZER
    }

    const fn is_service(&self) -> bool {
        const OWN_OR_SHARED: u32 = 0x30;
        self.service_type & OWN_OR_SHARED != 0
    }

    fn missing(&self, path: &[String], fault: FileFault) -> MissingFile {
        MissingFile {
            service: self.name.clone(),
            key: self.key.clone(),
            path: path.join("/"),
            fault,
            start: self.start,
            driver: self.is_driver(),
            error_control: self.error_control,
        }
    }
}

fn add_drivers(found: &mut ServiceFiles, lookup: &mut Lookup<'_>, named: &[Named], drive: char) {
    let mut looked_for = 0_usize;
    for driver in named.iter().filter(|named| named.is_driver()) {
        let path = match &driver.image_path {
            Text::Odd => continue,
            Text::Absent => image_path::of_driver(None, &driver.name, drive),
            Text::Is(path) => image_path::of_driver(Some(path), &driver.name, drive),
        };
        let Some(path) = path else { continue };
        looked_for += 1;
        if let Some(fault) = lookup.fault(&path) {
            found.missing.push(driver.missing(&path, fault));
        }
    }
    let missing = found.missing.len();
    if missing > MOST_MISSING && missing > looked_for / 2 {
        found.unknown.push(format!(
            "{missing} of {looked_for} driver files are not on the disk: it holds only a part of a Windows \
             volume, so missing files were not judged"
        ));
        found.missing.clear();
    }
}

fn add_services(
    found: &mut ServiceFiles,
    lookup: &mut Lookup<'_>,
    hive: &Hive,
    named: &[Named],
    drive: char,
) -> Result<(), Corruption> {
    for service in named.iter().filter(|named| named.is_service()) {
        let Text::Is(command) = &service.image_path else {
            continue;
        };
        let programs = image_path::of_command_line(command, drive);
        let faults: Vec<_> = programs.iter().map(|path| lookup.fault(path)).collect();
        // It is missing if no reading of the command line leads to a file.
        if let (Some(first), Some(Some(fault))) = (programs.first(), faults.first())
            && faults.iter().all(Option::is_some)
        {
            found.missing.push(service.missing(first, *fault));
            continue;
        }
        let key = format!(r"{}\Parameters", service.key);
        if let Text::Is(library) = text(hive, &key, "ServiceDll")?
            && let Some(path) = image_path::of_library(&library, drive)
            && let Some(fault) = lookup.fault(&path)
        {
            found.missing.push(service.missing(&path, fault));
        }
    }
    Ok(())
}

/// The text of a `REG_SZ` or `REG_EXPAND_SZ` up to its first NUL.
fn text(hive: &Hive, key: &str, name: &str) -> Result<Text, Corruption> {
    let Some(data) = reading::short_value(hive, key, name, MOST_BYTES)? else {
        // A value that is too long is there too.
        let is_there = match hive.key(key)? {
            Some(key) => key.value(name)?.is_some(),
            None => false,
        };
        return Ok(if is_there { Text::Odd } else { Text::Absent });
    };
    let is_text = matches!(data.value_type, ValueType::SZ | ValueType::EXPAND_SZ);
    let text = utf16::decode_to_nul(&data.bytes).filter(|_| is_text);
    Ok(text.map_or(Text::Odd, Text::Is))
}

/// Reads untrusted text as the path of a driver, of a service and of a library.
#[cfg(feature = "fuzzing")]
pub(super) fn fuzz(text: &str) {
    let drivers = [
        image_path::of_driver(Some(text), "name", 'C'),
        image_path::of_driver(None, text, 'C'),
        image_path::of_library(text, 'C'),
    ];
    let programs = image_path::of_command_line(text, 'C');
    for name in drivers.into_iter().flatten().chain(programs).flatten() {
        let leads_elsewhere = name.is_empty() || name == "." || name == "..";
        assert!(
            !leads_elsewhere && !name.contains(['/', '\\', ':', '\0']),
            "{text:?}"
        );
    }
}
