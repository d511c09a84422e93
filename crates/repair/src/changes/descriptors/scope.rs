//! The objects that the security descriptors of a run may be about. Whoever can write to the disk
//! can write records, so records must not reach further than the run says, and a repair not further
//! than its recipes.

use std::collections::HashSet;

use diskmend_base::upcase::CaseTable;
use diskmend_base::utf16;
use diskmend_disk::NtPath;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;
use crate::names::same_file;
use crate::recipe::{Catalogue, Origin};
use crate::rows::FolderPath;
use crate::run::journal::valid::components;
use crate::run::{Journal, RunFolder};
use crate::run_state::RunKind;

/// NTFS's own files in the root.
const SYSTEM_FILES: [&str; 11] = [
    "$MFT", "$MFTMirr", "$LogFile", "$Volume", "$AttrDef", "$Bitmap", "$Boot", "$BadClus",
    "$Secure", "$UpCase", "$Extend",
];
/// The folder with the hives of Windows. No recipe opens it to anybody.
const CONFIG: [&str; 3] = ["Windows", "System32", "config"];

/// The places that a run's objects may be in.
struct Scope<'a> {
    kind: RunKind,
    /// The folders that the run says its objects are below; `None` if the journal doesn't say so.
    below: Option<Vec<Vec<&'a str>>>,
    /// The folders of its recipes; `None` if one of these is the user's own.
    recipes: Option<Vec<FolderPath>>,
}

/// Refuses records that name an object that such a run doesn't change. Nothing is written.
///
/// # Errors
/// [`Error::DamagedRun`], or an error of reading the records.
pub(crate) fn check(run: &RunFolder, journal: &Journal) -> Result<(), Error> {
    let Some(entry) = &journal.descriptors else {
        return Ok(());
    };
    let scope = Scope::of(journal).map_err(|what| run.damaged_journal(&what))?;
    let mut odd = None;
    let (mut seen, mut twice) = (HashSet::new(), None);
    let is_sealed = run.record_key(&entry.records.file).is_some();
    run.for_each_frame(&entry.records, |frame| {
        let mut paths = frame.iter().map(|change| &change.path);
        if odd.is_none() {
            odd = paths.find(|path| !scope.holds(path)).cloned();
        }
        // A person must be shown everything that happens to an object.
        if !is_sealed && twice.is_none() {
            let mut paths = frame.iter().map(|change| &change.path);
            twice = paths.find(|path| !seen.insert(folded(path))).cloned();
        }
    })?;
    if let Some(path) = twice {
        let what = format!("it names {path} twice");
        return Err(run.damaged(&entry.records.file, &what));
    }
    match odd {
        None => Ok(()),
        Some(path) => {
            let what = format!("it names {path}, which no such run changes");
            Err(run.damaged(&entry.records.file, &what))
        }
    }
}

/// A digest of a path; case is ignored.
fn folded(path: &NtPath) -> u64 {
    let units = path.units().iter();
    let upper = units.map(|unit| CaseTable::FILES.upcase(*unit));
    xxh3_64(&utf16::bytes(upper))
}

impl<'a> Scope<'a> {
    fn of(journal: &'a Journal) -> Result<Self, String> {
        let below = journal.descriptors.iter().map(|entry| &entry.records.below);
        let mut folders = Vec::new();
        for folder in below.flatten() {
            folders.push(match folder.as_str() {
                "" => Vec::new(),
                folder => components(folder)?,
            });
        }
        Ok(Self {
            kind: journal.kind,
            below: (!journal.is_old()).then_some(folders),
            recipes: folders_of(&journal.recipes)?,
        })
    }

    fn holds(&self, path: &NtPath) -> bool {
        let text = String::from_utf16_lossy(path.units());
        let names: Vec<&str> = if path.is_root() {
            Vec::new()
        } else {
            text.split('/').collect()
        };
        if names.iter().any(|name| matches!(*name, "" | "." | "..")) {
            return false;
        }
        let is_system_file =
            |name: &&str| SYSTEM_FILES.iter().any(|system| same_file(system, name));
        if names.first().is_some_and(is_system_file) {
            return false;
        }
        let told = |below: &Vec<Vec<&str>>| below.iter().any(|folder| is_below(&names, folder));
        if !self.below.as_ref().is_none_or(told) {
            return false;
        }
        match self.kind {
            RunKind::AclEdit => true,
            RunKind::Repair => {
                let named = |folders: &Vec<FolderPath>| {
                    folders
                        .iter()
                        .any(|folder| is_below(&names, &folder.names()))
                };
                let in_config = is_below(&names, &CONFIG);
                // If neither the journal nor a recipe names a folder, nothing is known.
                let known = self.below.is_some() || self.recipes.is_some();
                let is_way = CONFIG.iter().zip(&names).all(|(a, b)| same_file(a, b))
                    && names.len() <= CONFIG.len();
                known && !in_config && !is_way && self.recipes.as_ref().is_none_or(named)
            }
            RunKind::HiveEdit | RunKind::Undo => false,
        }
    }
}

fn is_below(path: &[&str], folder: &[&str]) -> bool {
    let head = path.get(..folder.len());
    head.is_some_and(|head| head.iter().zip(folder).all(|(a, b)| same_file(a, b)))
}

/// The folders with permissions that the recipes of these names set, if all of them are built in.
///
/// # Errors
/// If the recipes that are built in can't be read. They must not count as the user's own.
fn folders_of(recipes: &[String]) -> Result<Option<Vec<FolderPath>>, String> {
    let mut catalogue = Catalogue::built_in().map_err(|error| error.to_string())?;
    let mut folders = Vec::new();
    for label in recipes {
        let Ok(name) = catalogue.set_by_label(label) else {
            return Ok(None);
        };
        match catalogue.get(name) {
            Some(recipe) if recipe.origin == Origin::BuiltIn => {
                let named = recipe.rows.iter().filter_map(|row| row.about().folder());
                folders.extend(named.cloned());
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(folders))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope<'a>(kind: RunKind, below: Option<&[&'a str]>, recipes: &[&str]) -> Scope<'a> {
        let names: Vec<String> = recipes.iter().map(|name| (*name).to_owned()).collect();
        let split = |path: &&'a str| match *path {
            "" => Vec::new(),
            path => path.split('/').collect(),
        };
        Scope {
            kind,
            below: below.map(|below| below.iter().map(split).collect()),
            recipes: folders_of(&names).expect("valid"),
        }
    }

    fn holds(scope: &Scope<'_>, path: &str) -> bool {
        scope.holds(&NtPath::from(path))
    }

    const KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";
    const SAM: &str = "Windows/System32/config/SAM";

    #[test]
    fn a_repair_reaches_no_further_than_its_recipes() {
        for below in [
            Some(&["ProgramData/Microsoft/Crypto/RSA/MachineKeys", ""][..]),
            None,
        ] {
            let scope = scope(RunKind::Repair, below, &["machine-keys"]);
            assert!(holds(&scope, KEYS) && holds(&scope, &format!("{KEYS}/a")));
            assert!(holds(
                &scope,
                "programdata/MICROSOFT/crypto/rsa/machinekeys/a"
            ));
            for path in [SAM, "", "ProgramData", "Windows", "$Boot", "Users/me"] {
                assert!(!holds(&scope, path), "{path}");
            }
        }
        // None of these recipes sets permissions, whatever the journal says.
        let forged = scope(RunKind::Repair, Some(&[""]), &[]);
        assert!(!holds(&forged, KEYS) && !holds(&forged, SAM));
        let forged = scope(RunKind::Repair, None, &["tls"]);
        assert!(!holds(&forged, KEYS));
    }

    #[test]
    fn a_recipe_of_the_users_own_reaches_what_the_journal_says_but_for_the_hives() {
        let own = scope(RunKind::Repair, Some(&["Windows", "Data"]), &["my-own"]);
        assert!(holds(&own, "Data/a") && holds(&own, "Windows/Temp"));
        for path in [
            SAM,
            "Windows",
            "Windows/System32",
            "Windows/system32/CONFIG",
            "Users",
            "",
        ] {
            assert!(!holds(&own, path), "{path}");
        }
        assert!(!holds(&scope(RunKind::Repair, None, &["my-own"]), "Data/a"));
    }

    #[test]
    fn a_change_by_hand_stays_below_its_folder_and_off_the_files_of_ntfs() {
        let by_hand = scope(RunKind::AclEdit, Some(&["Users/me"]), &[]);
        assert!(holds(&by_hand, "Users/me") && holds(&by_hand, "users/ME/a/b"));
        assert!(!holds(&by_hand, "Users/mean") && !holds(&by_hand, SAM));
        let root = scope(RunKind::AclEdit, Some(&[""]), &[]);
        assert!(holds(&root, SAM) && holds(&root, ""));
        for path in ["$MFT", "$boot", "$Extend/$Quota", "a/../b", "a//b"] {
            assert!(!holds(&root, path), "{path}");
        }
        assert!(!holds(&scope(RunKind::Undo, Some(&[""]), &[]), "a"));
    }
}
