//! Files that a plan moves.

use crate::error::{Error, Refusal};
use crate::finding::{FileChangeKind, Finding, Goal, JudgedFile, SeenFile};
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
            let other = files.iter().find(|known| {
                let known = &known.judged.path;
                is_within(path, known) || is_within(known, path)
            });
            let refusal = why_not(path, seen).or_else(|| {
                Some(Refusal::FileStays {
                    path: path.clone(),
                    reason: format!("the same run changes {}", other?.judged.path),
                })
            });
            match refusal {
                None => files.push(finding.clone()),
                Some(refusal) => refused.push((Place::File(path.clone()), refusal.into())),
            }
        }
        let change = (!files.is_empty()).then_some(Self { files });
        (change, refused)
    }

    /// The bytes of the files that are removed or replaced.
    pub(crate) fn old_bytes(&self) -> u64 {
        let gone = |file: &&Finding<JudgedFile>| file.judged.change != FileChangeKind::Rename;
        let seen = self.files.iter().filter(gone);
        let lens = seen.filter_map(|file| Some(file.judged.seen.as_ref()?.len));
        lens.fold(0, u64::saturating_add)
    }

    /// The bytes of the files that are made.
    pub(crate) fn new_bytes(&self) -> u64 {
        let sources = self.files.iter().filter_map(|file| file.judged.source());
        let lens = sources.map(|source| source.content.length);
        lens.fold(0, u64::saturating_add)
    }
}

/// True if a path is below a folder.
fn is_within(path: &str, folder: &str) -> bool {
    let mut names = path.split('/');
    let mut above = folder.split('/');
    above.all(|above| names.next().is_some_and(|name| same_file(name, above)))
        && names.next().is_some()
}

/// The reason why a file that a repair would change isn't changed.
fn why_not(path: &str, seen: &SeenFile) -> Option<Refusal> {
    let path = path.to_owned();
    if let Some(reason) = seen.problem.clone() {
        return Some(Refusal::FileStays { path, reason });
    }
    match seen.source.clone() {
        Some(Err(bad)) => Some(Refusal::Replacement {
            path,
            from: bad.path,
            expected: bad.expected,
            found: bad.found,
        }),
        Some(Ok(_)) | None => None,
    }
}
