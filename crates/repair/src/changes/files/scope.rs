//! The files that a run may be about. Whoever can write to the disk can write a journal, so a journal
//! must not reach further than a repair does, and a repair not further than its recipes.

use super::folder;
use super::may_move::allowed;
use crate::error::Error;
use crate::file_check::is_log_of;
use crate::finding::FileChangeKind;
use crate::names::same_file;
use crate::recipe::{Catalogue, Origin};
use crate::rows::{FileCheck, IfFileMissing};
use crate::run::journal::valid::components;
use crate::run::{FileMove, FilesEntry, Journal, MovedTo, RunFolder};

/// Refuses a journal that names a file that such a run doesn't move. Nothing is written.
///
/// # Errors
/// [`Error::DamagedRun`].
pub(crate) fn check(run: &RunFolder, journal: &Journal) -> Result<(), Error> {
    within(journal).map_err(|what| run.damaged_journal(&what))
}

fn within(journal: &Journal) -> Result<(), String> {
    let Some(entry) = &journal.files else {
        return Ok(());
    };
    let catalogue = Catalogue::built_in().map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    let mut all_known = true;
    for label in &journal.recipes {
        // The values of parameters follow the name.
        let name = label.split(' ').next();
        match name.and_then(|name| catalogue.get(name)) {
            Some(recipe) if recipe.origin == Origin::BuiltIn => {
                let about = recipe.rows.iter().filter_map(|row| row.about().files());
                rows.extend(about);
            }
            _ => all_known = false,
        }
    }
    for file in &entry.moves {
        let path = &file.path;
        let change = change_of(entry, file);
        // No row makes a hive.
        let is_made = file.created.then(|| allowed(path, FileChangeKind::Create));
        is_made
            .transpose()
            .map_err(|what| format!("it makes \"{path}\": {what}"))?;
        let is_allowed = match file.folder {
            None => allowed(path, change),
            Some(_) => folder::allowed(path),
        };
        is_allowed.map_err(|what| format!("it moves \"{path}\": {what}"))?;
        if all_known && !rows.iter().any(|row| is_about(*row, file, change)) {
            return Err(format!("it moves \"{path}\", which no such run moves"));
        }
    }
    Ok(())
}

/// What is done with a file. The logs of a hive that is replaced belong to that change.
fn change_of(entry: &FilesEntry, file: &FileMove) -> FileChangeKind {
    let is_log = || {
        let hives = entry.moves.iter().filter(|other| other.new.is_some());
        let mut hives = hives.filter_map(|hive| hive.path.rsplit_once('/'));
        let own = file.path.rsplit_once('/');
        own.is_some_and(|(folder, log)| {
            hives.any(|(other, hive)| same_file(folder, other) && is_log_of(log, hive))
        })
    };
    match file.to {
        MovedTo::Kept(_) if file.new.is_some() || is_log() => FileChangeKind::Copy,
        MovedTo::Kept(_) => FileChangeKind::Remove,
        MovedTo::Renamed(_) => FileChangeKind::Rename,
    }
}

fn is_about(row: &dyn crate::rows::JudgeFiles, file: &FileMove, change: FileChangeKind) -> bool {
    let Ok(names) = components(&file.path) else {
        return false;
    };
    let Some((name, folder)) = names.split_last() else {
        return false;
    };
    if row.is_folder() != file.folder.is_some() {
        return false;
    }
    if row.change() != change || !row.folder().is_names(folder) {
        return false;
    }
    match (row.copy(), &file.new) {
        (None, None) => row.name().matches(name),
        (Some(copy), Some(new)) => {
            let from: Vec<&str> = new.from.split('/').collect();
            let may_make = copy.if_missing == IfFileMissing::Create || !file.created;
            row.name().matches(name) && copy.path.is_names(&from) && may_make
        }
        (Some(copy), None) => {
            copy.check == FileCheck::Hive && is_log_of(name, &row.name().to_string())
        }
        (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Content;
    use crate::identity::TargetIdentity;
    use crate::run::{DiskEntry, FilesEntry, NewFile, RunId};
    use crate::run_state::RunKind;

    const RUN: &str = "20261123T124100Z";

    fn journal(recipe: &str, path: &str, to: MovedTo) -> Journal {
        let id = RunId::parse(RUN).expect("valid");
        let target = ("F:", TargetIdentity::default());
        let recipes = vec![recipe.to_owned()];
        let mut journal = Journal::begin(&id, RunKind::Repair, target, recipes);
        journal.files = Some(FilesEntry {
            begun: true,
            moves: vec![FileMove {
                path: path.to_owned(),
                to,
                content: Content::of_file(&b"x".to_vec()).expect("in memory"),
                mac: None,
                new: None,
                folder: None,
                created: false,
            }],
            left: 0,
        });
        journal
    }

    fn kept(number: usize) -> MovedTo {
        MovedTo::Kept(MovedTo::kept_name(number))
    }

    fn renamed(name: &str) -> MovedTo {
        MovedTo::Renamed(format!("{name}.diskmend-{RUN}"))
    }

    const CHANNEL: &str = "Windows/System32/drivers/CrowdStrike/C-00000291-1.sys";

    #[test]
    fn a_repair_moves_what_its_recipes_name_and_nothing_else() {
        let is = |recipe, path, to| within(&journal(recipe, path, to)).is_ok();
        assert!(is("crowdstrike-291", CHANNEL, kept(1)));
        let upper = CHANNEL.to_uppercase();
        assert!(is("crowdstrike-291", &upper, kept(1)));
        assert!(!is("crowdstrike-291", CHANNEL, renamed("C-00000291-1.sys")));
        assert!(!is("txr-logs", CHANNEL, kept(1)));
        assert!(!is(
            "crowdstrike-291",
            "Windows/System32/ntoskrnl.exe",
            kept(1)
        ));
        // The user's own recipe may name other files, but never these.
        assert!(is("my-own", "Windows/a.sys", kept(1)));
        for path in [
            "Windows/System32/config/SYSTEM",
            "diskmend/runs/20261123T124100Z",
            "$Secure",
        ] {
            assert!(!is("my-own", path, kept(1)), "{path}");
        }
    }

    /// A journal of a run that replaces a file, and then removes another one.
    fn replacing(recipe: &str, [path, from, log]: [&str; 3]) -> Journal {
        let mut journal = journal(recipe, path, kept(1));
        let entry = journal.files.as_mut().expect("files");
        let mut other = entry.moves[0].clone();
        (other.path, other.to) = (log.to_owned(), kept(2));
        entry.moves[0].new = Some(NewFile {
            from: from.to_owned(),
            content: entry.moves[0].content,
            mac: None,
        });
        entry.moves.push(other);
        journal
    }

    #[test]
    fn a_hive_and_its_logs_only_go_for_another_hive() {
        let (hive, log) = (
            "Windows/System32/config/SAM",
            "Windows/System32/config/SAM.LOG1",
        );
        let copy = "Windows/System32/config/RegBack/SAM";
        let is = |recipe, names| within(&replacing(recipe, names)).is_ok();
        assert!(is("my-own", [hive, copy, log]));
        let other = "Windows/System32/config/SYSTEM.LOG1";
        assert!(!is("my-own", [hive, copy, other]));
        assert!(!is(
            "my-own",
            [hive, copy, "Windows/System32/config/SYSTEM"]
        ));
        assert!(!is("my-own", ["$MFT", copy, "Windows/a"]));
        assert!(!is("crowdstrike-291", [hive, copy, log]));
        assert!(!is("txr-logs", [CHANNEL, copy, CHANNEL]));
        let sound = replacing("my-own", [hive, copy, log]);
        assert_eq!(sound.validate(), Ok(()));
        for from in ["../SAM", "/etc/shadow", "a\\b"] {
            let forged = replacing("my-own", [hive, from, log]);
            assert!(forged.validate().is_err(), "{from}");
        }
        let mut renamed = sound;
        let entry = renamed.files.as_mut().expect("files");
        entry.moves[0].to = self::renamed("SAM");
        assert!(renamed.validate().is_err());
    }

    #[test]
    fn a_file_is_made_only_from_the_copy_that_a_recipe_names() {
        let (loader, copy) = (
            "Windows/System32/winload.exe",
            "Windows/System32/Boot/winload.exe",
        );
        let of = |recipe, path: &str, from: &str| {
            let mut journal = replacing(recipe, [path, from, path]);
            let entry = journal.files.as_mut().expect("files");
            entry.moves.truncate(1);
            entry.moves[0].created = true;
            journal
        };
        let is = |recipe, path: &str, from: &str| {
            let journal = of(recipe, path, from);
            journal.validate().is_ok() && within(&journal).is_ok()
        };
        assert!(is("boot-loader-files", loader, copy));
        assert!(!is("boot-loader-files", loader, "Windows/evil.exe"));
        assert!(!is("boot-loader-files", "Windows/System32/a.exe", copy));
        let hive = "Windows/System32/config/SAM";
        let backup = "Windows/System32/config/RegBack/SAM";
        assert!(!is("regback-restore", hive, backup));
        assert!(!is("my-own", hive, backup));
        assert!(is("my-own", "Windows/a.exe", copy));
        let mut alone = of("my-own", "Windows/a.exe", copy);
        alone.files.as_mut().expect("files").moves[0].new = None;
        assert!(alone.validate().is_err());
        let mut on_disk = of("my-own", "Windows/a.exe", copy);
        on_disk.disk = Some(DiskEntry {
            partition: 1,
            record: "sectors.bin".to_owned(),
            content: None,
            mac: None,
        });
        assert!(on_disk.validate().is_err());
    }

    #[test]
    fn only_a_folder_that_a_recipe_names_is_renamed() {
        let of = |recipe, path: &str, to, folder| {
            let mut journal = journal(recipe, path, to);
            journal.files.as_mut().expect("files").moves[0].folder = folder;
            journal
        };
        let is = |recipe, path: &str, folder| {
            let name = path.rsplit('/').next().expect("a name");
            let journal = of(recipe, path, renamed(name), folder);
            journal.validate().is_ok() && within(&journal).is_ok()
        };
        let policy = "Windows/System32/GroupPolicy";
        assert!(is("gp-local-reset", policy, Some(1)));
        assert!(!is("gp-local-reset", policy, None));
        assert!(!is("gp-local-reset", "Windows/System32/drivers", Some(1)));
        assert!(is("my-own", "Windows/Own", Some(1)));
        for path in [
            "Windows",
            "windows/SYSTEM32",
            "Windows/System32/config",
            "diskmend",
            "$Extend",
        ] {
            assert!(!is("my-own", path, Some(1)), "{path}");
        }
        let kept = of("my-own", "Windows/Own", kept(1), Some(1));
        assert!(kept.validate().is_err());
    }

    #[test]
    fn a_journal_that_leads_elsewhere_is_refused() {
        let is = |journal: &Journal| journal.validate().is_ok();
        let own = |path: &str, to| journal("my-own", path, to);
        assert!(is(&own("Windows/a.sys", kept(1))));
        assert!(is(&own("Windows/a.sys", renamed("a.sys"))));
        for (path, to) in [
            ("../a.sys", kept(1)),
            ("Windows/a.sys", kept(2)),
            ("Windows/a.sys", MovedTo::Kept("../../SAM".to_owned())),
            ("Windows/a.sys", MovedTo::Kept("descriptors.bin".to_owned())),
            ("Windows/a.sys", renamed("b.sys")),
            ("Windows/a.sys", MovedTo::Renamed("b.sys".to_owned())),
            (
                "Windows/a.sys",
                MovedTo::Renamed("a.sys.diskmend-20261123T124101Z".to_owned()),
            ),
        ] {
            let forged = own(path, to);
            assert!(!is(&forged), "{:?}", forged.files);
        }
        let mut twice = own("Windows/a.sys", kept(1));
        if let Some(entry) = &mut twice.files {
            let mut again = entry.moves[0].clone();
            again.path = "windows/A.SYS".to_owned();
            again.to = kept(2);
            entry.moves.push(again);
        }
        assert!(!is(&twice));
        let mut edit = own("Windows/a.sys", kept(1));
        edit.kind = RunKind::HiveEdit;
        assert!(!is(&edit));
        for (to, sound) in [
            (kept(1), true),
            (renamed("a.sys"), true),
            (kept(2), false),
            (renamed("b.sys"), false),
        ] {
            let is_renamed = matches!(to, MovedTo::Renamed(_));
            let mut on_disk = own("Windows/a.sys", to);
            on_disk.disk = Some(DiskEntry {
                partition: 1,
                record: "sectors.bin".to_owned(),
                content: None,
                mac: None,
            });
            for folder in [Some(1), None] {
                if let Some(entry) = &mut on_disk.files {
                    entry.moves[0].folder = folder;
                }
                let sound = sound && (is_renamed || folder.is_none());
                assert_eq!(is(&on_disk), sound);
            }
            // The structures of the volume may be half changed: it is undone, not completed.
            let recipes = ["my-own".to_owned()];
            assert!(!on_disk.can_be_completed(&recipes));
            on_disk.disk = None;
            assert!(on_disk.can_be_completed(&recipes));
        }
    }
}
