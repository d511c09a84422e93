//! Files that a plan moves.

use crate::error::{Error, Refusal};
use crate::finding::{Finding, Goal, JudgedFile};
use crate::names::same_file;
use crate::place::Place;

/// The planned moves of files.
pub(crate) struct FilesChange {
    pub(crate) files: Vec<Finding<JudgedFile>>,
}

impl FilesChange {
    /// Takes the files that a repair moves, and the reasons why others aren't moved. If several
    /// recipes are about the same file, it is moved once.
    pub(crate) fn plan(
        all: &[Finding<JudgedFile>],
        goal: Goal,
    ) -> (Option<Self>, Vec<(Place, Error)>) {
        let (mut files, mut refused): (Vec<Finding<JudgedFile>>, Vec<_>) = (Vec::new(), Vec::new());
        for finding in all {
            let JudgedFile {
                path, seen, state, ..
            } = &finding.judged;
            let Some(seen) = seen else { continue };
            let is_known = files
                .iter()
                .any(|known| same_file(&known.judged.path, path));
            if finding.only_looks || !state.is_changed_for(goal) || is_known {
                continue;
            }
            match &seen.problem {
                None => files.push(finding.clone()),
                Some(reason) => {
                    let (path, reason) = (path.clone(), reason.clone());
                    let place = Place::File(path.clone());
                    refused.push((place, Refusal::FileStays { path, reason }.into()));
                }
            }
        }
        let change = (!files.is_empty()).then_some(Self { files });
        (change, refused)
    }
}
