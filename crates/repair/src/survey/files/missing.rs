//! Looking at the place of a file that is made if it doesn't exist.

use diskmend_disk::Kind;

use super::{Budget, none};
use crate::changes::files::{MAX_COPIED, may_create};
use crate::digest::{Content, Digest};
use crate::error::Error;
use crate::facts::Facts;
use crate::file_check::{self, Damaged};
use crate::finding::{FileChangeKind, JudgedFile, RowState, SeenFile};
use crate::rows::{CopyFrom, JudgeFiles};

/// What is wrong with a file that isn't there.
const MISSING: &str = "there is no such file";

/// Looks at the place of a row's file, which doesn't exist.
///
/// # Errors
/// If the disk can't be read, or if the caller interrupts.
pub(super) fn look(
    facts: &Facts<'_>,
    (row, copy): (&dyn JudgeFiles, &CopyFrom),
    budget: &mut Budget,
) -> Result<JudgedFile, Error> {
    let root = facts.site.root.as_ref();
    let names = row.folder().names();
    let found = root.find(&names)?;
    let Some(found) = found.filter(|found| found.kind() == Kind::Folder) else {
        return Ok(none(&names.join("/"), row));
    };
    let name = row.name().to_string();
    let path = format!("{}/{name}", found.path);
    let folder = found
        .open_dir()
        .map_err(Error::io(&path, "open its folder"))?;
    let place = Damaged {
        folder: folder.as_ref(),
        name: &name,
        file: None,
    };
    let mut seen = SeenFile {
        damage: Some(MISSING.to_owned()),
        content: Some(Content {
            length: 0,
            xxh3: Digest::of(&[]),
        }),
        ..SeenFile::of_len(0)
    };
    let mut state = row.judge(&seen).unwrap_or(RowState::Ok);
    let from = copy.path.names();
    let like = root.find(&from)?.filter(|like| like.kind() == Kind::File);
    match like {
        // Not every Windows has this file.
        None => {
            seen.problem = Some(format!("{} doesn't exist either", from.join("/")));
            state = RowState::Reported;
        }
        Some(like) => {
            budget.take_file(row)?;
            let source = file_check::source(facts, copy, place)?;
            let like = (like.dir.as_ref(), like.name.as_str());
            seen.problem = may_create(facts.site, (folder.as_ref(), &path), like).err();
            if let Ok(source) = &source {
                match budget.copied.checked_sub(source.content.length) {
                    Some(left) => budget.copied = left,
                    None => {
                        seen.problem = Some(format!(
                            "the files that one run replaces have at most {} MiB",
                            MAX_COPIED >> 20
                        ));
                    }
                }
            }
            seen.source = Some(source);
        }
    }
    Ok(JudgedFile {
        path,
        seen: Some(seen),
        change: FileChangeKind::Create,
        state,
    })
}
