//! Looking for the file that a driver, a network provider or a line of Session Manager names.

use std::cell::RefCell;
use std::collections::BTreeSet;

use diskmend_base::utf16;
use diskmend_disk::Kind;
use diskmend_hive::{Corruption, Hive, ValueType};

use super::lookup::{FileFault, Lookup};
use super::{Text, image_path, text};
use crate::facts::Facts;
use crate::value_data::ValueData;

/// The component store. Every file of Windows itself is there.
const COMPONENTS: [&str; 2] = ["Windows", "WinSxS"];
/// The greatest number of components. Windows has some ten thousand.
const MOST_COMPONENTS: usize = 1 << 17;
/// The greatest number of files of a component.
const MOST_FILES: usize = 1 << 14;
/// The greatest number of drivers in the component store. Windows has about a thousand.
const MOST_DRIVERS: usize = 1 << 16;
const REGISTRY_OF_USER: &str = "NTUSER.DAT";
/// The words before the program in a line of Session Manager.
const KEYWORDS: [&str; 3] = ["autocheck", "async", "debug"];

/// The folders in which Windows looks for a program that is named without one.
const SEARCHED: [&str; 5] = [
    r"Windows\System32",
    "Windows",
    r"Windows\System32\Wbem",
    r"Windows\System32\WindowsPowerShell\v1.0",
    r"Windows\System32\OpenSSH",
];

/// A file that a name in the registry leads to, and what is wrong with it.
type NamedFault = (String, FileFault);

/// Looks for files that the registry names, and for the drivers of Windows itself.
pub(crate) struct NamedFiles<'a> {
    lookup: RefCell<Lookup<'a>>,
    drive: char,
    /// True if the target is a whole Windows volume. On any other, nothing is missing.
    whole: bool,
}

impl<'a> NamedFiles<'a> {
    pub(in crate::facts) fn of(facts: &Facts<'a>) -> Self {
        Self {
            lookup: RefCell::new(Lookup::new(facts.site.root.as_ref())),
            drive: super::drive_letter(facts),
            whole: facts.service_files().is_ok_and(|files| files.whole),
        }
    }

    /// What is wrong with the file of a driver.
    pub(crate) fn driver(
        &self,
        hive: &Hive,
        services: &str,
        name: &str,
    ) -> Result<Option<NamedFault>, Corruption> {
        let path = self.path_of_driver(hive, services, name)?;
        Ok(path.and_then(|path| self.fault(&path)))
    }

    /// The name of the file that a driver has on this disk, whether it is there or not; `None` if
    /// its path may lead elsewhere.
    pub(crate) fn file_of_driver(
        &self,
        hive: &Hive,
        services: &str,
        name: &str,
    ) -> Result<Option<String>, Corruption> {
        let path = self.path_of_driver(hive, services, name)?;
        Ok(path.and_then(|mut path| path.pop()))
    }

    fn path_of_driver(
        &self,
        hive: &Hive,
        services: &str,
        name: &str,
    ) -> Result<Option<Vec<String>>, Corruption> {
        Ok(
            match text(hive, &format!(r"{services}\{name}"), "ImagePath")? {
                Text::Odd => None,
                Text::Absent => image_path::of_driver(None, name, self.drive),
                Text::Is(path) => image_path::of_driver(Some(&path), name, self.drive),
            },
        )
    }

    /// True if the disk surely has the registry of a user in this folder.
    pub(crate) fn has_profile(&self, folder: &str) -> bool {
        let path = image_path::of_library(folder, self.drive);
        path.is_some_and(|mut path| {
            path.push(REGISTRY_OF_USER.to_owned());
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            self.lookup.borrow_mut().is_file(&path)
        })
    }

    /// What is wrong with the library of a network provider.
    pub(crate) fn provider(
        &self,
        hive: &Hive,
        services: &str,
        name: &str,
    ) -> Result<Option<NamedFault>, Corruption> {
        let key = format!(r"{services}\{name}\NetworkProvider");
        let path = match text(hive, &key, "ProviderPath")? {
            Text::Absent | Text::Odd => None,
            Text::Is(path) => image_path::of_library(&path, self.drive),
        };
        Ok(path.and_then(|path| self.fault(&path)))
    }

    /// What is wrong with the program of a line of Session Manager, such as `autocheck autochk *`.
    pub(crate) fn program(&self, line: &str) -> Option<NamedFault> {
        let is_keyword = |word: &&str| KEYWORDS.iter().any(|one| one.eq_ignore_ascii_case(word));
        let program = line
            .split_ascii_whitespace()
            .find(|word| !is_keyword(word))?;
        if program.contains(['\\', '/', ':', '%', '"']) {
            let path = image_path::of_program(program, self.drive)?;
            return self.fault(&path);
        }
        let name = if program.contains('.') {
            program.to_owned()
        } else {
            format!("{program}.exe")
        };
        let at = |folder: &str| image_path::names(&format!(r"{folder}\{name}"));
        let first = self.fault(&at(r"Windows\System32")?)?;
        // It is looked for there, too.
        self.fault(&at("Windows")?).map(|_| first)
    }

    /// True if the first program that a value such as Winlogon's `Shell` names is surely not on the
    /// disk. The value is text; a comma ends the program, and so may a space.
    pub(crate) fn is_program_missing(&self, data: &ValueData) -> bool {
        let is_text = matches!(data.value_type, ValueType::SZ | ValueType::EXPAND_SZ);
        if !is_text || data.bytes.len() > super::MOST_BYTES {
            return false;
        }
        let Some(text) = utf16::decode_to_nul(&data.bytes) else {
            return false;
        };
        let command = text.split(',').next().unwrap_or(&text).trim();
        let is_path = |program: &str| program.contains(['\\', '/', ':', '%']);
        let bare = match command.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => command.split(' ').next(),
        };
        let Some(bare) = bare.filter(|bare| !bare.is_empty()) else {
            return false;
        };
        let is_missing = |path: &Vec<String>| self.fault(path).is_some();
        if is_path(bare) || is_path(command.split(['"', ' ']).next().unwrap_or(command)) {
            let readings = image_path::of_command_line(command, self.drive);
            return !readings.is_empty() && readings.iter().all(is_missing);
        }
        let places = SEARCHED.map(|folder| {
            let end = if bare.contains('.') { "" } else { ".exe" };
            image_path::names(&format!(r"{folder}\{bare}{end}"))
        });
        // A name that isn't plain leads who knows where.
        places
            .iter()
            .all(|path| path.as_ref().is_some_and(is_missing))
    }

    /// True if the data are a path to this folder or to one above it, with wildcards or without, or
    /// if it isn't known where they lead.
    pub(crate) fn may_cover(&self, data: &ValueData, folder: &[&str]) -> bool {
        let is_text = matches!(data.value_type, ValueType::SZ | ValueType::EXPAND_SZ);
        let text = utf16::decode_to_nul(&data.bytes).filter(|_| is_text);
        text.is_some_and(|text| image_path::may_cover(&text, self.drive, folder))
    }

    fn fault(&self, path: &[String]) -> Option<NamedFault> {
        if !self.whole {
            return None;
        }
        let fault = self.lookup.borrow_mut().fault(path)?;
        Some((path.join("/"), fault))
    }
}

/// The names of the drivers in the component store, in lower case.
///
/// # Errors
/// The reason why they are unknown, for display.
pub(in crate::facts) fn component_drivers(facts: &Facts<'_>) -> Result<BTreeSet<String>, String> {
    let io = |source| format!("Windows/WinSxS: {source}");
    let found = facts.site.root.find(&COMPONENTS);
    let found = found.map_err(|error| diskmend_base::chain(&error))?;
    let mut drivers = BTreeSet::new();
    let Some(found) = found.filter(|found| found.kind() == Kind::Folder) else {
        return Ok(drivers);
    };
    let store = found.open_dir().map_err(io)?;
    for component in store.names(MOST_COMPONENTS).map_err(io)? {
        facts.go_on().map_err(|_| "interrupted".to_owned())?;
        if store.kind(&component).map_err(io)? != Some(Kind::Folder) {
            continue;
        }
        let component = store.open_dir(&component).map_err(io)?;
        // The folder with the lists of components has tens of thousands of names, and no drivers.
        let Ok(names) = component.names(MOST_FILES) else {
            continue;
        };
        for name in names {
            let name = name.to_lowercase();
            if name.ends_with(".sys") {
                drivers.insert(name);
            }
        }
        if drivers.len() > MOST_DRIVERS {
            return Err(format!("Windows/WinSxS: more than {MOST_DRIVERS} drivers"));
        }
    }
    Ok(drivers)
}
