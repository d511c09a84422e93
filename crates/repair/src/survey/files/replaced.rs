//! Looking for a file that is replaced if it is damaged.

use diskmend_disk::{Access, Kind, LookupError};

use super::{Budget, missing, modified, none};
use crate::changes::files::{MAX_COPIED, can_change, may_move};
use crate::digest::Content;
use crate::error::{Error, chain};
use crate::facts::Facts;
use crate::file_check::{self, Damaged};
use crate::finding::{FileChangeKind, JudgedFile, RowState, SeenFile};
use crate::rows::{CopyFrom, FileCheck, IfFileMissing, JudgeFiles};

/// Looks at the file of a row, and at the logs beside it if it is a hive that is replaced.
///
/// # Errors
/// If the file can't be read, or if the caller interrupts.
pub(super) fn look(
    facts: &Facts<'_>,
    (row, copy): (&dyn JudgeFiles, &CopyFrom),
    budget: &mut Budget,
) -> Result<Vec<JudgedFile>, Error> {
    let name = row.name().to_string();
    let folder = row.folder().names();
    let names: Vec<&str> = folder.iter().copied().chain([name.as_str()]).collect();
    let found = match facts.site.root.as_ref().find(&names) {
        Ok(Some(found)) => found,
        Ok(None) if copy.if_missing == IfFileMissing::Create => {
            return Ok(vec![missing::look(facts, (row, copy), budget)?]);
        }
        Ok(None) | Err(LookupError::NotAFolder { .. }) => {
            return Ok(vec![none(&folder.join("/"), row)]);
        }
        Err(error) => return Err(error.into()),
    };
    let mut seen = SeenFile::of_len(found.metadata.len);
    let judged = |seen: SeenFile, state| JudgedFile {
        path: found.path.clone(),
        change: row.change(),
        state,
        seen: Some(seen),
    };
    if found.kind() != Kind::File {
        seen.problem = Some(format!("it is {}", found.kind()));
        return Ok(vec![judged(seen, RowState::Reported)]);
    }
    let io = || Error::io(&found.path, "look at the file");
    let file = found.open(Access::Read).map_err(io())?;
    seen.modified = modified(file.as_ref());
    seen.damage = file_check::damage(copy.check, &found)?;
    let state = row.judge(&seen).unwrap_or(RowState::Ok);
    if seen.damage.is_none() {
        return Ok(vec![judged(seen, state)]);
    }
    budget.take_file(row)?;
    let damaged = Damaged {
        folder: found.dir.as_ref(),
        name: &found.name,
        file: Some(&found),
    };
    let source = file_check::source(facts, copy, damaged)?;
    let change = (found.path.as_str(), FileChangeKind::Copy);
    seen.problem = may_move(facts.site, found.dir.as_ref(), file.as_ref(), change).err();
    if seen.problem.is_none() && facts.site.disk.is_none() {
        let kept = found.dir.can_remove(&found.name);
        seen.problem = kept.err().map(|error| error.to_string());
    }
    let replacing = source.as_ref().map_or(0, |source| source.content.length);
    seen.source = Some(source);
    let mut judged_all = Vec::new();
    if seen.problem.is_none() {
        let bytes = found.metadata.len.saturating_add(replacing);
        match budget.copied.checked_sub(bytes) {
            None => {
                seen.problem = Some(format!(
                    "the files that one run replaces have at most {} MiB",
                    MAX_COPIED >> 20
                ));
            }
            Some(left) => {
                budget.copied = left;
                seen.content = Some(Content::of_file(file.as_ref()).map_err(io())?);
            }
        }
    }
    drop(file);
    if seen.problem.is_none() {
        let place = (found.dir.as_ref(), found.name.as_str());
        seen.problem = can_change(facts.site, place, (FileChangeKind::Copy, replacing)).err();
    }
    let is_replaced = seen.problem.is_none() && matches!(seen.source, Some(Ok(_)));
    if is_replaced && copy.check == FileCheck::Hive {
        for log in file_check::logs_of(&found.name) {
            let path = crate::hive_on_disk::sibling(&found.path, &log);
            match see_log(facts, (&found, &log), row, budget) {
                Ok(None) => {}
                Ok(Some(seen_log)) => judged_all.push(JudgedFile {
                    path,
                    change: FileChangeKind::Remove,
                    state,
                    seen: Some(seen_log),
                }),
                Err(reason) => {
                    seen.problem = Some(format!("its log {log} can't be moved away: {reason}"));
                }
            }
        }
        if seen.problem.is_some() {
            judged_all.clear();
        }
    }
    judged_all.push(judged(seen, state));
    Ok(judged_all)
}

/// Looks at a log of a hive. It goes with the hive: Windows would replay it into the new one.
///
/// # Errors
/// The reason why it can't be moved away, for display.
fn see_log(
    facts: &Facts<'_>,
    (hive, log): (&diskmend_disk::Found, &str),
    row: &dyn JudgeFiles,
    budget: &mut Budget,
) -> Result<Option<SeenFile>, String> {
    let said = |error: Error| chain(&error);
    let found = hive.dir.find(&[log]).map_err(|error| said(error.into()))?;
    let Some(found) = found else { return Ok(None) };
    if found.kind() != Kind::File {
        return Err(format!("it is {}", found.kind()));
    }
    let io = |error: std::io::Error| error.to_string();
    let file = found.open(Access::Read).map_err(io)?;
    let path = crate::hive_on_disk::sibling(&hive.path, log);
    let change = (path.as_str(), FileChangeKind::Copy);
    may_move(facts.site, found.dir.as_ref(), file.as_ref(), change)?;
    budget
        .take_file(row)
        .map_err(|refusal| said(refusal.into()))?;
    let left = budget.copied.checked_sub(found.metadata.len);
    budget.copied = left.ok_or("it is too long")?;
    let seen = SeenFile {
        modified: modified(file.as_ref()),
        content: Some(Content::of_file(file.as_ref()).map_err(io)?),
        ..SeenFile::of_len(found.metadata.len)
    };
    drop(file);
    let place = (found.dir.as_ref(), found.name.as_str());
    can_change(facts.site, place, (FileChangeKind::Remove, 0))?;
    Ok(Some(seen))
}
