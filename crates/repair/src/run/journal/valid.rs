//! Checking a journal's content. Whoever can write to the disk can write a journal, so it may name
//! only files that a run of its kind writes, whoever has sealed it.

pub(crate) use super::files::renamed_len;
use super::{FileEntry, HiveEntry, Journal, MovedTo, Step};
use crate::names::same_file;
use crate::place::HiveName;
use crate::run::file_names::{RECORDS, REPORTS, SECTORS};
use crate::run::{RunId, changes_file, undo_data};
use crate::run_state::RunKind;

/// The greatest length of a hive's file in bytes: the largest hive, and what a commit keeps after
/// it.
pub(crate) const MAX_FILE: u64 = (2 << 30) + (1 << 20);
/// The greatest number of records in a file's undo data.
const MAX_RECORDS: usize = 1 << 20;
/// The greatest length of a text for display and of a note.
const MAX_TEXT: usize = 32 << 10;
/// The greatest length of a text that the program itself writes: its name, times, and the disk's
/// identity.
const MAX_OWN_TEXT: usize = 256;
/// The greatest length of a name of the Windows on the disk: 256 characters.
const MAX_WINDOWS: usize = 4 * 256;
/// The greatest length of a recipe's name.
const MAX_NAME: usize = 255;
/// The greatest length of a recipe's name with the values of its parameters, in bytes.
const MAX_RECIPE: usize = 1024;
/// The greatest number of names in a path, and of UTF-16 units in each.
const MAX_DEPTH: usize = 64;
const MAX_UNITS: usize = 255;

/// The paths of boot stores below the root of their volume.
const STORES: [&[&str]; 2] = [&["Boot", "BCD"], &["EFI", "Microsoft", "Boot", "BCD"]];
/// The greatest number of agents of a Windows.
const MAX_AGENTS: usize = 64;
/// The folder with the hives of Windows.
const CONFIG: [&str; 3] = ["Windows", "System32", "config"];
/// The endings of a hive's log names.
const LOGS: [&str; 3] = [".LOG", ".LOG1", ".LOG2"];

impl Journal {
    /// Refuses everything that no run of this kind writes.
    ///
    /// # Errors
    /// What is wrong, for a person.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let texts = [
            ("tool", Some(&self.tool), MAX_OWN_TEXT),
            ("started", Some(&self.started), MAX_OWN_TEXT),
            ("updated", Some(&self.updated), MAX_OWN_TEXT),
            ("target", Some(&self.target), MAX_TEXT),
            ("note", self.note.as_ref(), MAX_TEXT),
            ("identity", self.identity.volume.as_ref(), MAX_OWN_TEXT),
            ("identity", self.identity.disk.as_ref(), MAX_OWN_TEXT),
        ];
        for (what, text, longest) in texts {
            if text.is_some_and(|text| text.len() > longest) {
                return Err(format!("{what}: longer than {longest} bytes"));
            }
        }
        let (longest, agents) = self.windows.extent();
        if longest > MAX_WINDOWS || agents > MAX_AGENTS {
            return Err(format!(
                "windows: a text longer than {MAX_WINDOWS} bytes, or more than {MAX_AGENTS} agents"
            ));
        }
        for recipe in &self.recipes {
            if recipe.len() > MAX_RECIPE || recipe.is_empty() || recipe.contains(char::is_control) {
                return Err(format!("\"{recipe}\" is not a recipe name"));
            }
        }
        for run in [
            Some(&self.run),
            self.reverses.as_ref(),
            self.reversed_by.as_ref(),
        ] {
            if run.is_some_and(|run| RunId::parse(run).is_none()) {
                return Err("it names something that is not a run".to_owned());
            }
        }
        let mut undo: Vec<&str> = Vec::new();
        for (number, hive) in (1usize..).zip(&self.hives) {
            hive.validate(self.kind, self.disk.is_some(), number)?;
            let mut before = self.hives.iter().take(number - 1);
            if before.any(|other| other.is_same_as(hive)) {
                return Err(format!("\"{}\": a hive that is named twice", hive.path));
            }
            for file in &hive.files {
                if undo.contains(&file.undo.as_str()) {
                    return Err(format!("{}: undo data of two files", file.undo));
                }
                undo.push(&file.undo);
            }
        }
        self.validate_files()?;
        self.validate_descriptors()?;
        match &self.disk {
            Some(disk) if disk.record != SECTORS => {
                Err(format!("\"{}\" is not the record of a run", disk.record))
            }
            _ => Ok(()),
        }
    }

    fn validate_files(&self) -> Result<(), String> {
        let Some(entry) = &self.files else {
            return Ok(());
        };
        if self.kind != RunKind::Repair {
            return Err("files that are moved in a run that moves none".to_owned());
        }
        for (index, file) in entry.moves.iter().enumerate() {
            let path = &file.path;
            let names = components(path)?;
            let sound = match (&file.to, names.last()) {
                (MovedTo::Kept(name), _) => *name == MovedTo::kept_name(index + 1),
                (MovedTo::Renamed(name), Some(old)) => {
                    let run = RunId::parse(&self.run);
                    let expected = run.map(|run| MovedTo::new_name(old, &run));
                    expected.as_ref() == Some(name) && is_plain(name)
                }
                (MovedTo::Renamed(_), None) => false,
            };
            if !sound {
                return Err(format!("\"{path}\" is moved to where no run moves a file"));
            }
            let is_folder = file.folder.is_some();
            if is_folder && !matches!(file.to, MovedTo::Renamed(_)) {
                return Err(format!("\"{path}\": a folder that is moved elsewhere"));
            }
            if file.created && (self.disk.is_some() || file.new.is_none() || is_folder) {
                return Err(format!("\"{path}\" is made as no run makes a file"));
            }
            if let Some(new) = &file.new {
                components(&new.from)?;
                if !matches!(file.to, MovedTo::Kept(_)) || new.content.length > MAX_FILE {
                    return Err(format!("\"{path}\" is replaced as no run replaces a file"));
                }
            }
            let mut before = entry.moves.iter().take(index);
            if before.any(|other| same_file(&other.path, path)) {
                return Err(format!("\"{path}\": moved twice"));
            }
        }
        Ok(())
    }

    fn validate_descriptors(&self) -> Result<(), String> {
        let Some(entry) = &self.descriptors else {
            return Ok(());
        };
        if !matches!(self.kind, RunKind::Repair | RunKind::AclEdit) {
            return Err("security descriptors in a run of another kind".to_owned());
        }
        if entry.records.file != RECORDS {
            let file = &entry.records.file;
            return Err(format!(
                "\"{file}\" is not the file of security descriptors"
            ));
        }
        let other = |name: &&String| !REPORTS.contains(&name.as_str());
        match entry.reports.iter().find(other) {
            Some(name) => Err(format!("\"{name}\" is not a report of a run")),
            None => Ok(()),
        }
    }
}

impl HiveEntry {
    fn is_same_as(&self, other: &Self) -> bool {
        self.volume == other.volume && same_file(&self.path, &other.path)
    }

    fn validate(&self, kind: RunKind, on_disk: bool, number: usize) -> Result<(), String> {
        let shown = &self.path;
        if self.hive.len() > MAX_NAME || self.volume.as_ref().is_some_and(|v| v.len() > MAX_TEXT) {
            return Err(format!("\"{shown}\": a name that is too long"));
        }
        let names = components(shown)?;
        if !is_hive_of(kind, self.volume.is_some(), on_disk, &names) {
            return Err(format!(
                "\"{shown}\" is not a hive that a run of this kind writes"
            ));
        }
        if let Some(changes) = &self.changes_file
            && changes.file != changes_file::name(number)
        {
            let file = &changes.file;
            return Err(format!(
                "\"{file}\" is not the file of changes of hive {number}"
            ));
        }
        for (index, file) in self.files.iter().enumerate() {
            let mut before = self.files.iter().take(index);
            if before.any(|other| same_file(&other.path, &file.path)) {
                return Err(format!("\"{}\": named twice", file.path));
            }
            file.validate(&names)?;
        }
        self.steps.iter().try_for_each(|step| self.is_step(step))
    }

    fn is_step(&self, step: &Step) -> Result<(), String> {
        let (file, sound) = match step {
            Step::Flush => return Ok(()),
            Step::Create { file } => (file, true),
            Step::Length { file, before } => (file, *before <= MAX_FILE),
            Step::Write { file, records } => (file, *records <= MAX_RECORDS),
        };
        match self.files.get(*file) {
            Some(_) if sound => Ok(()),
            Some(_) => Err(format!("{}: a step that no run makes", self.path)),
            None => Err("a step names no file".to_owned()),
        }
    }
}

impl FileEntry {
    /// Checks that it is the hive or one of its logs.
    fn validate(&self, hive: &[&str]) -> Result<(), String> {
        let names = components(&self.path)?;
        let (Some((name, folder)), Some((hive_name, hive_folder))) =
            (names.split_last(), hive.split_last())
        else {
            return Err("a file without a name".to_owned());
        };
        let is_log = |suffix: &&str| same_file(name, &format!("{hive_name}{suffix}"));
        let known = same_file(name, hive_name) || LOGS.iter().any(is_log);
        if !known || !same_path(folder, hive_folder) {
            let (file, hive) = (&self.path, hive.join("/"));
            return Err(format!("\"{file}\" is neither {hive} nor one of its logs"));
        }
        if undo_data::number(&self.undo).is_none() {
            return Err(format!("\"{}\" is not a file of undo data", self.undo));
        }
        let too_long = |content: &super::Content| content.length > MAX_FILE;
        if self.old.as_ref().is_some_and(too_long) || self.new.as_ref().is_some_and(too_long) {
            return Err(format!("\"{}\": longer than a hive can be", self.path));
        }
        Ok(())
    }
}

/// True if a run of that kind writes a hive with that path. The runs of an unmounted disk are all in
/// one folder, so a path there may lead to any hive of the volume, but to no file of NTFS itself.
fn is_hive_of(kind: RunKind, elsewhere: bool, on_disk: bool, path: &[&str]) -> bool {
    let is_store = STORES.iter().any(|store| same_path(path, store));
    let in_config = match path.split_last() {
        Some((name, folder)) if same_path(folder, &CONFIG) => Some(*name),
        _ => None,
    };
    // This is a store that was named by its file, or a hive that belongs to no volume.
    let is_alone = path.len() == 1;
    match kind {
        RunKind::Repair => {
            // Copies of hives often have this name.
            let is_hive = |name: &str, known: &HiveName| {
                let known = known.file_name();
                same_file(name, known) || same_file(name, &format!("{known}.hiv"))
            };
            let repaired = |name: &str| HiveName::ALL.iter().any(|known| is_hive(name, known));
            is_store || (elsewhere && is_alone) || (!elsewhere && in_config.is_some_and(repaired))
        }
        RunKind::HiveEdit | RunKind::Undo => {
            let is_file = on_disk && path.first().is_some_and(|first| !first.starts_with('$'));
            is_store || is_alone || (!elsewhere && (in_config.is_some() || is_file))
        }
        RunKind::AclEdit => false,
    }
}

fn same_path(one: &[&str], other: &[&str]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same_file(a, b))
}

/// The names of a path below the root of a volume.
///
/// # Errors
/// If the path could lead anywhere else.
pub(crate) fn components(path: &str) -> Result<Vec<&str>, String> {
    let names: Vec<&str> = path.split('/').take(MAX_DEPTH + 1).collect();
    let bad = names.len() > MAX_DEPTH || names.iter().any(|name| !is_plain(name));
    if bad {
        Err(format!(
            "\"{path}\" is not a path below the root of a volume"
        ))
    } else {
        Ok(names)
    }
}

/// True if every system takes it as a plain file name, which leads to no other folder, no other
/// stream of a file, and no device.
fn is_plain(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    let reserved = |c: char| c.is_control() || "\\:*?\"<>|".contains(c);
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let stem = stem.trim_end();
    let numbered = ["COM", "LPT"].iter().any(|port| {
        let head = stem.get(..port.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(port)) && stem.chars().count() == 4
    });
    let device = numbered || DEVICES.iter().any(|name| stem.eq_ignore_ascii_case(name));
    !name.is_empty()
        && !name.contains(reserved)
        && !name.ends_with(['.', ' '])
        && !device
        && name.encode_utf16().count() <= MAX_UNITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_lead_elsewhere_are_refused() {
        for good in [
            "SYSTEM",
            "Windows/System32/config/SYSTEM",
            "Boot/BCD",
            "a.b c",
        ] {
            assert!(components(good).is_ok(), "{good}");
        }
        let deep = vec!["a"; 65].join("/");
        let long = "a".repeat(256);
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../a",
            "a/../b",
            "./a",
            "a//b",
            "a/",
            "C:/a",
            "a:b",
            "a\\b",
            "\\\\?\\x",
            "NUL",
            "nul.txt",
            "com1",
            "COM1.log",
            "lpt9",
            "a\0",
            "a\n",
            "a.",
            "a ",
            "a/...",
            "SYSTEM::$DATA",
            &deep,
            &long,
        ] {
            assert!(components(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_kind_of_run_writes_its_own_hives_only() {
        let is = |kind, elsewhere, path: &str| {
            is_hive_of(kind, elsewhere, false, &components(path).expect(path))
        };
        let on_disk = |kind, elsewhere, path: &str| {
            is_hive_of(kind, elsewhere, true, &components(path).expect(path))
        };
        for path in [
            "windows/SYSTEM32/config/system",
            "Windows/System32/config/SECURITY",
            "boot/bcd",
            "EFI/Microsoft/Boot/BCD",
        ] {
            assert!(is(RunKind::Repair, false, path), "{path}");
        }
        for path in [
            "Windows/System32/config/DRIVERS",
            "SYSTEM",
            "Windows/SYSTEM",
            "x/Boot/BCD",
        ] {
            assert!(!is(RunKind::Repair, false, path), "{path}");
        }
        assert!(is(RunKind::Repair, true, "my-store"));
        assert!(!is(RunKind::Repair, true, "Windows/System32/config/SYSTEM"));
        assert!(is(RunKind::HiveEdit, false, "Windows/System32/config/SAM"));
        assert!(is(RunKind::HiveEdit, false, "NTUSER.DAT"));
        assert!(!is(RunKind::HiveEdit, false, "Users/me/NTUSER.DAT"));
        assert!(!is(RunKind::AclEdit, false, "Boot/BCD"));
        assert!(on_disk(RunKind::HiveEdit, false, "Users/me/NTUSER.DAT"));
        assert!(!on_disk(RunKind::HiveEdit, false, "$Extend/$Reparse"));
        assert!(!on_disk(RunKind::HiveEdit, true, "Users/me/NTUSER.DAT"));
        assert!(!on_disk(RunKind::Repair, false, "Users/me/NTUSER.DAT"));
    }
}
