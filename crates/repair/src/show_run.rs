//! `runs TARGET RUN`: shows what a run changed, from its undo data. Nothing is written.

use crate::changes::descriptors::DescriptorWords;
use crate::documents::{FileChangeKind, RunDetails, RunFile, RunHive, RunPermission, SCHEMA};
use crate::engine::Engine;
use crate::error::{Error, chain};
use crate::run::{FileMove, HiveEntry, MovedTo};
use crate::run_names::RunNames;
use crate::site::Site;

/// The greatest numbers of changes of a hive and of permissions that are shown.
const MOST_CHANGES: usize = 10_000;
const MOST_PERMISSIONS: usize = 10_000;

impl Engine {
    /// Shows what the run with this name changed, whoever has sealed it. Nothing is written.
    ///
    /// # Errors
    /// If there is no such run, or if its journal can't be read; see [`Error`].
    pub fn show_run(&mut self, run: &str) -> Result<RunDetails, Error> {
        self.site.state.require_place()?;
        // Reading the changes of a run is harmless: they are only shown.
        let vouched = std::mem::replace(&mut self.site.judge.vouched, true);
        let shown = show_site(&self.site, run);
        self.site.judge.vouched = vouched;
        shown
    }
}

pub(crate) fn show_site(site: &Site, run: &str) -> Result<RunDetails, Error> {
    let found = site.state.run(run)?;
    let read = found.read(&site.judge)?.ok_or_else(|| Error::NoRun {
        run: run.to_owned(),
        // It is listed, although it ended before it changed anything.
        known: RunNames::default(),
    })?;
    let summary = read.journal.summary(read.trust.clone());
    let (folder, mut journal) = found.admit(read, &site.judge)?;
    let mut details = RunDetails {
        schema: SCHEMA,
        target: site.display.clone(),
        run: summary,
        hives: Vec::new(),
        files: Vec::new(),
        permissions: Vec::new(),
        more_permissions: 0,
        problems: Vec::new(),
    };
    if let Err(error) = folder.read_changes(&mut journal) {
        details.problems.push(chain(&error));
    }
    details.hives = journal.hives.iter().map(hive).collect();
    let moves = journal.files.iter().flat_map(|entry| &entry.moves);
    details.files = moves.map(file).collect();
    let Some(entry) = &journal.descriptors else {
        return Ok(details);
    };
    let RunDetails {
        permissions,
        more_permissions,
        ..
    } = &mut details;
    let each = folder.for_each_frame(&entry.records, |changes| {
        for change in changes {
            if permissions.len() == MOST_PERMISSIONS {
                *more_permissions += 1;
                continue;
            }
            permissions.push(RunPermission {
                path: change.path.to_string(),
                old: DescriptorWords::of(&change.before).line(),
                new: DescriptorWords::of(&change.after).line(),
            });
        }
    });
    if let Err(error) = each {
        details.problems.push(chain(&error));
    }
    Ok(details)
}

fn file(moved: &FileMove) -> RunFile {
    let (action, name) = match &moved.to {
        MovedTo::Kept(_) if moved.created => (FileChangeKind::Create, &moved.path),
        MovedTo::Kept(name) if moved.new.is_some() => (FileChangeKind::Copy, name),
        MovedTo::Kept(name) => (FileChangeKind::Remove, name),
        MovedTo::Renamed(name) => (FileChangeKind::Rename, name),
    };
    let content = match &moved.new {
        Some(new) if moved.created => new.content,
        _ => moved.content,
    };
    RunFile {
        path: moved.path.clone(),
        action,
        name: name.clone(),
        length: moved.folder.unwrap_or(content.length),
        from: moved.new.as_ref().map(|new| new.from.clone()),
    }
}

fn hive(entry: &HiveEntry) -> RunHive {
    let changes = entry.changes.iter().take(MOST_CHANGES);
    RunHive {
        path: entry.shown_path(),
        recovered: entry.recovered,
        change_count: entry.change_count,
        changes: changes.map(Into::into).collect(),
    }
}
