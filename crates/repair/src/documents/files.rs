//! Documents about files that are moved out of the way or replaced.

use jiff::Timestamp;
use serde::Serialize;

use crate::changes;
use crate::finding::{FileChangeKind, Finding, JudgedFile, RowState, SeenFile};

/// A file that a recipe wants to be gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileRow {
    /// The recipe.
    pub recipe: String,
    /// Its path below the target's root, with `/`. If there is no such file, its last name is the
    /// recipe's pattern.
    pub path: String,
    /// What a repair does with it.
    pub action: FileChangeKind,
    /// Its length in bytes; absent if there is no such file.
    pub length: Option<u64>,
    /// When it was last changed (RFC 3339, UTC); absent if that is not known.
    pub modified: Option<String>,
    /// The reason why it can't be moved; absent if it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What is wrong with it; absent if it is sound, or if the recipe does not replace it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
    /// The file whose content is to take its place, with `/`; absent if it is not replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The result of comparing.
    pub state: RowState,
    /// One sentence for a person.
    pub why: String,
    /// What a person should know, if the recipe says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A file that is moved out of the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// The recipe that asks for it.
    pub recipe: String,
    /// Its path below the target's root, with `/`.
    pub path: String,
    /// What is done with it.
    pub action: FileChangeKind,
    /// Its length in bytes.
    pub length: u64,
    /// When it was last changed (RFC 3339, UTC); absent if that is not known.
    pub modified: Option<String>,
    /// The XXH3-128 of its content.
    pub xxh3: Option<String>,
    /// What is wrong with it; absent if it is not replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
    /// The file whose content takes its place, with `/`; absent if it is not replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The XXH3-128 of that file's content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_xxh3: Option<String>,
    /// True if the file is evidence of a fault.
    pub fault: bool,
    /// One sentence for a person.
    pub why: String,
    /// What a person should know, if the recipe says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Why a file can't be moved, or why no other one can take its place.
fn problem(seen: &SeenFile) -> Option<String> {
    let bad = match &seen.source {
        Some(Err(bad)) => Some(format!(
            "{}: expected {}, found {}",
            bad.path, bad.expected, bad.found
        )),
        Some(Ok(_)) | None => None,
    };
    seen.problem.clone().or(bad)
}

fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl From<&Finding<JudgedFile>> for FileRow {
    fn from(finding: &Finding<JudgedFile>) -> Self {
        let judged = &finding.judged;
        let seen = judged.seen.as_ref();
        Self {
            recipe: finding.recipe.clone(),
            path: judged.path.clone(),
            action: judged.change,
            length: seen.map(|seen| seen.len),
            modified: seen.and_then(|seen| seen.modified).map(shown),
            problem: seen.and_then(problem),
            damage: seen.and_then(|seen| seen.damage.clone()),
            from: judged.source().map(|source| source.path.clone()),
            state: judged.state,
            why: finding.why.clone(),
            note: finding.note.clone(),
        }
    }
}

impl FileChange {
    /// The files that a change moves.
    pub(crate) fn of(change: &changes::Change) -> Vec<Self> {
        let changes::Change::Files(change) = change else {
            return Vec::new();
        };
        let files = change.files.iter().filter_map(|finding| {
            let judged = &finding.judged;
            let seen = judged.seen.as_ref()?;
            Some(Self {
                recipe: finding.recipe.clone(),
                path: judged.path.clone(),
                action: judged.change,
                length: seen.len,
                modified: seen.modified.map(shown),
                xxh3: seen.content.map(|content| content.xxh3.to_string()),
                damage: seen.damage.clone(),
                from: judged.source().map(|source| source.path.clone()),
                from_xxh3: judged
                    .source()
                    .map(|source| source.content.xxh3.to_string()),
                fault: judged.state == RowState::Fault,
                why: finding.why.clone(),
                note: finding.note.clone(),
            })
        });
        files.collect()
    }
}
