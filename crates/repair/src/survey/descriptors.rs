//! Reading the security descriptors that recipes are about. Nothing is written.

use diskmend_acl::TooLarge;
use diskmend_disk::{Change, Kind, NtPath, Object};

use super::Survey;
use crate::changes::descriptors::{Common, FolderFindings, Gathering, of_site};
use crate::error::{Error, Refusal, chain};
use crate::facts::Facts;
use crate::finding::{Goal, Judgement, MayBeFault, Notice, RowState};
use crate::place::Place;
use crate::progress::{Interrupted, Phase};
use crate::recipe::{Asking, Recipe};
use crate::rows::{About, FolderPath, JudgeDescriptors, Standing};
use crate::run::Draft;

/// A recipe's row, with its number among all rows.
struct Numbered<'a> {
    number: usize,
    recipe: &'a str,
    why: &'a str,
    path: &'a FolderPath,
    judge: &'a dyn JudgeDescriptors,
    standing: Standing,
    /// True if the conditions hold on which its fault depends.
    fault_counts: bool,
    note: Option<String>,
}

impl Numbered<'_> {
    /// True if the row sets anything.
    fn sets(&self) -> bool {
        self.standing == Standing::Counts && self.judge.sets()
    }

    fn judge(&self, before: &[u8]) -> Result<Judgement, TooLarge> {
        let mut judgement = self.judge.judge(before, self.standing)?;
        if judgement.is_fault() && !self.fault_counts {
            judgement.is_no_fault();
        }
        Ok(judgement)
    }
}

/// Compares the security descriptors of every folder that the recipes name with the recipes, and
/// drafts the changes for `goal`.
///
/// # Errors
/// If the caller interrupts, or if the changes can't be drafted.
pub(super) fn survey(
    survey: &mut Survey,
    facts: &Facts<'_>,
    asking: &Asking<'_, '_>,
    recipes: &[&Recipe],
    goal: Goal,
) -> Result<(), Error> {
    let rows = standing_rows(asking, recipes)?;
    for (index, first) in rows.iter().enumerate() {
        let path = first.path;
        if rows.iter().take(index).any(|row| row.path.is(path)) {
            continue;
        }
        let here: Vec<&Numbered<'_>> = rows.iter().filter(|row| row.path.is(path)).collect();
        match folder(facts, &here, goal, survey.draft.as_mut()) {
            Ok(report) => survey.folders.push(report),
            Err(error @ (Error::Interrupted(_) | Error::Draft { .. })) => return Err(error),
            Err(error) => match told_only(&error, goal) {
                Some(kind) => survey.notices.push(Notice {
                    kind,
                    text: format!("{}: its permissions were not looked at", chain(&error)),
                }),
                None => survey
                    .skipped
                    .push((Place::Folder(path.names().join("/")), error)),
            },
        }
    }
    Ok(())
}

/// The rows that count on this disk.
fn standing_rows<'r>(
    asking: &Asking<'_, '_>,
    recipes: &[&'r Recipe],
) -> Result<Vec<Numbered<'r>>, Interrupted> {
    let rows = asking.rows(recipes, About::descriptors);
    let rows = rows.into_iter().enumerate().map(|(number, row)| {
        let (path, judge) = row.judge;
        Ok(Numbered {
            number,
            recipe: &row.recipe.name,
            why: row.why,
            path,
            judge,
            standing: row.standing,
            fault_counts: asking.fault_counts(&row)?,
            note: asking.note(&row)?,
        })
    });
    rows.collect()
}

/// The kind of notice, if it is enough to report that permissions couldn't be read. It isn't enough
/// for a caller who wants to change them.
fn told_only(error: &Error, goal: Goal) -> Option<&'static str> {
    if goal == Goal::Desired {
        return None;
    }
    match error {
        Error::Refused(Refusal::NoDescriptors) => Some("no-descriptors"),
        Error::Refused(Refusal::NotElevated) => Some("not-elevated"),
        Error::NoFolder { .. } => Some("no-folder"),
        _ => None,
    }
}

fn folder(
    facts: &Facts<'_>,
    rows: &[&Numbered<'_>],
    goal: Goal,
    mut draft: Option<&mut Draft>,
) -> Result<FolderFindings, Error> {
    let Some(first) = rows.first() else {
        return Ok(FolderFindings::default());
    };
    let wanted = first.path;
    let gone = || Error::NoFolder {
        path: wanted.names().join("/"),
    };
    let secured = of_site(facts.site)?;
    let (start, kind) = secured.find(&wanted.names())?.ok_or_else(gone)?;
    if kind != Kind::Folder {
        return Err(gone());
    }
    if let Some(draft) = draft.as_deref_mut() {
        draft.enter(&start);
    }
    let shown = start.to_string();
    facts.phase(Phase::Comparing, &shown)?;
    let mut gathering = Gathering::new(&start);
    for batch in secured.walk(&start) {
        for object in batch {
            if let Some(error) = not_the_folder(&object, &start) {
                return Err(error);
            }
            look(
                &mut gathering,
                object,
                &start,
                rows,
                goal,
                draft.as_deref_mut(),
            )?;
        }
        facts.count(gathering.folder.objects)?;
    }
    Ok(gathering.folder)
}

/// The error of the folder itself, if it can't be read. Then nothing in it can.
fn not_the_folder(object: &Object, start: &NtPath) -> Option<Error> {
    match &object.descriptor {
        Err(error) if object.path == *start && error.is_by_nature() => {
            Some(Error::Refused(Refusal::NotTheFolder {
                path: start.to_string(),
                reason: chain(error),
            }))
        }
        _ => None,
    }
}

fn look(
    gathering: &mut Gathering,
    object: Object,
    start: &NtPath,
    rows: &[&Numbered<'_>],
    goal: Goal,
    draft: Option<&mut Draft>,
) -> Result<(), Error> {
    let before = match object.descriptor {
        Ok(before) => before,
        Err(error) => {
            // An object that can't be read is a failure only if a row is about it. An object of
            // unknown kind may be a file.
            let kind = object.kind.unwrap_or(Kind::File);
            let wanted =
                |row: &&&Numbered<'_>| row.sets() && row.judge.is_about(&object.path, kind, start);
            let notes = if !error.is_by_nature() && rows.iter().any(|row| wanted(&row)) {
                &mut gathering.folder.failed
            } else {
                &mut gathering.folder.left_alone
            };
            notes.add(&object.path, chain(&error));
            return Ok(());
        }
    };
    gathering.folder.objects += 1;
    // A draft refuses what is neither a file nor a folder.
    let kind = object.kind.unwrap_or(Kind::Other);
    let mut after = None;
    let mut matched = false;
    for (index, row) in rows.iter().enumerate() {
        let mut decided = rows
            .iter()
            .take(index)
            .filter(|other| other.recipe == row.recipe);
        let about = |row: &Numbered<'_>| row.judge.is_about(&object.path, kind, start);
        if !about(row) || decided.any(|other| about(other)) {
            continue;
        }
        matched = true;
        let judged = gathering.judgement(row.number, &before, || row.judge(&before));
        let judgement = match judged {
            Ok(judgement) => judgement,
            Err(error) => {
                gathering.folder.failed.add(&object.path, error.to_string());
                continue;
            }
        };
        let common = Common {
            recipe: row.recipe,
            why: row.why,
            note: row.note.as_deref(),
            repaired_by: row.judge.repaired_by(),
        };
        gathering.add(&object.path, row.number, &before, &judgement, &common);
        let wanted = goal == Goal::Desired || judgement.state == RowState::Fault;
        if wanted && after.is_none() {
            after.clone_from(&judgement.after);
        }
    }
    if !matched {
        gathering.folder.ok += 1;
    }
    if after.is_some() {
        gathering.folder.to_change += 1;
    }
    let Some(draft) = draft else {
        return Ok(());
    };
    draft.saw(&object.path, kind, &before, after.as_deref());
    match after {
        None => Ok(()),
        Some(after) => draft.push(&Change {
            path: object.path,
            kind,
            before,
            after,
        }),
    }
}
