//! The journal of a run, as JSON.

pub(crate) mod valid;

use std::io;

use diskmend_hive::Change;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::descriptors::RecordsEntry;
use crate::digest::Digest;
use crate::documents::{
    AppliedDescriptors, ChangedKey, ChangedValue, RunKind, RunState, RunSummary, TargetIdentity,
};
use crate::json;
use crate::run::RunId;
use crate::run::bounded::{list, skipped};
use crate::run::changes_file::{ChangesEntry, MAX_CHANGES};
use crate::run::trust::{Mac, Trust};
use crate::value_data::ValueData;

/// The version of the journal's format.
pub(crate) const SCHEMA: u32 = 2;
/// The version without seals, which held the changes of hives itself.
const OLD_SCHEMA: u32 = 1;
/// Longest journal in bytes.
const MAX_LEN: usize = 4 << 20;
/// Longest journal of the old version that is read, in bytes.
pub(crate) const MAX_OLD_LEN: u64 = 32 << 20;

/// Of a run that nobody speaks for: most recipes, hives and characters of a text that are shown.
const SHOWN_RECIPES: usize = 16;
const SHOWN_HIVES: usize = 4;
const SHOWN_TEXT: usize = 256;

/// What a run does and did, and how to take it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// Version of this format.
    pub(crate) schema: u32,
    /// The program and its version.
    pub(crate) tool: String,
    /// The run's name.
    pub(crate) run: String,
    /// What it does.
    pub(crate) kind: RunKind,
    /// How far it got.
    pub(crate) state: RunState,
    /// When it began (RFC 3339, UTC).
    pub(crate) started: String,
    /// When its state last changed.
    pub(crate) updated: String,
    /// The target as named by the user.
    pub(crate) target: String,
    /// What tells its disk from others.
    #[serde(default)]
    pub(crate) identity: TargetIdentity,
    /// The recipes, bundles replaced by their parts.
    #[serde(deserialize_with = "list::<256, _, _>")]
    pub(crate) recipes: Vec<String>,
    /// The hives, in the order in which they are written.
    #[serde(deserialize_with = "list::<16, _, _>")]
    pub(crate) hives: Vec<HiveEntry>,
    /// The security descriptors, which are set after the hives are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) descriptors: Option<DescriptorsEntry>,
    /// On a disk that is not mounted: what the run changes of it as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) disk: Option<DiskEntry>,
    /// For the reversal of a run: that run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reverses: Option<String>,
    /// The run that reversed this one value by value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reversed_by: Option<String>,
    /// The way in which the run is taken back, once that has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) way: Option<Way>,
    /// What went wrong, and what else to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// A way to take a run back. An undo that was begun in one way goes on in that way, or in a later one
/// of these, which spares more of what came later; never in an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// Every changed sector of the disk gets its old bytes.
    Sectors,
    /// Every file gets its old bytes, and every object its old descriptor.
    Bytes,
    /// Every change of the registry is reversed by itself, and every object gets its old descriptor.
    Values,
}

/// One hive of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HiveEntry {
    /// Its name.
    pub(crate) hive: String,
    /// The root of its volume at the time of the run, where that is not the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub(crate) path: String,
    /// Whether it was dirty and recovered from its logs by this run.
    pub(crate) recovered: bool,
    /// Whether reversing `changes` gives back everything that the edit changed.
    pub(crate) reversible: bool,
    /// What changed in the registry's terms, in order; empty where that is too much to reverse, and
    /// until it is read. In journals of the old version only it is written here.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "skipped"
    )]
    pub(crate) changes: Vec<JournalChange>,
    /// The file that holds them; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) changes_file: Option<ChangesEntry>,
    /// Number of changes, noted or not.
    pub(crate) change_count: usize,
    /// The files that are written.
    #[serde(deserialize_with = "list::<8, _, _>")]
    pub(crate) files: Vec<FileEntry>,
    /// The writes in their order.
    #[serde(deserialize_with = "list::<{ 1 << 16 }, _, _>")]
    pub(crate) steps: Vec<Step>,
}

/// The security descriptors that a run sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DescriptorsEntry {
    /// Where old and new ones are.
    pub(crate) records: RecordsEntry,
    /// Whether the hives are done, so that only descriptors can be half set.
    pub(crate) begun: bool,
    /// Objects that could not be changed.
    #[serde(default)]
    pub(crate) failed: u64,
    /// Reports in the run's folder.
    #[serde(deserialize_with = "list::<16, _, _>")]
    pub(crate) reports: Vec<String>,
}

/// The sectors that a run changes on a disk that is not mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DiskEntry {
    /// The number of the target's partition on it.
    pub(crate) partition: u32,
    /// The file in the run's folder that holds their old and new bytes.
    pub(crate) record: String,
    /// What that file is after the run; absent until the run is done.
    pub(crate) content: Option<Content>,
    /// Its MAC after the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mac: Option<Mac>,
}

/// A change in the registry's terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub(crate) enum JournalChange {
    /// A key came into being.
    KeyCreated(ChangedKey),
    /// A key went, after all that was in it.
    KeyDeleted(ChangedKey),
    /// A value came, went or changed.
    Value(ChangedValue),
}

impl From<&Change> for JournalChange {
    fn from(change: &Change) -> Self {
        match change.clone() {
            Change::KeyCreated { key } => Self::KeyCreated(ChangedKey { key }),
            Change::KeyDeleted { key } => Self::KeyDeleted(ChangedKey { key }),
            Change::Value {
                key,
                name: value,
                old,
                new,
            } => Self::Value(ChangedValue {
                key,
                value,
                old: old.map(ValueData::from),
                new: new.map(ValueData::from),
            }),
        }
    }
}

/// A file that a run writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileEntry {
    /// Its path below the target's root, with `/`.
    pub(crate) path: String,
    /// The file in the run's folder that holds its old bytes.
    pub(crate) undo: String,
    /// The MAC of that file; absent in a run that nobody has sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mac: Option<Mac>,
    /// What it was; absent where it did not exist.
    pub(crate) old: Option<Content>,
    /// What it is after the run; absent until the run is done.
    pub(crate) new: Option<Content>,
}

/// The content of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// Length in bytes.
    pub(crate) length: u64,
    /// Digest of all bytes.
    pub(crate) xxh3: Digest,
}

/// One step of a commit; `file` counts the hive's files from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    /// The file is created.
    Create {
        /// The file.
        file: usize,
    },
    /// The file gets another length.
    Length {
        /// The file.
        file: usize,
        /// Its length before, in bytes.
        before: u64,
    },
    /// The file is written, in the extents of the next records of its undo data.
    Write {
        /// The file.
        file: usize,
        /// How many records.
        records: usize,
    },
    /// All that was written before is made durable.
    Flush,
}

impl HiveEntry {
    fn without_changes(&self) -> Self {
        Self {
            hive: self.hive.clone(),
            volume: self.volume.clone(),
            path: self.path.clone(),
            recovered: self.recovered,
            reversible: self.reversible,
            changes: Vec::new(),
            changes_file: self.changes_file.clone(),
            change_count: self.change_count,
            files: self.files.clone(),
            steps: self.steps.clone(),
        }
    }

    /// Its path for a person: whole where its volume is not the target.
    pub(crate) fn shown_path(&self) -> String {
        on_volume(self.volume.as_deref(), &self.path)
    }
}

/// A path below the root of a volume for a person: whole where the volume is not the target.
pub(crate) fn on_volume(volume: Option<&str>, path: &str) -> String {
    match volume {
        // In paths that begin so a slash does not part names, and this one may be copied.
        Some(volume) if volume.starts_with(r"\\?\") => {
            let (volume, path) = (volume.trim_end_matches('\\'), path.replace('/', r"\"));
            format!(r"{volume}\{path}")
        }
        Some(volume) => format!("{}/{path}", volume.trim_end_matches(['/', '\\'])),
        None => path.to_owned(),
    }
}

impl Journal {
    /// A run that is about to write.
    pub(crate) fn begin(
        run: &RunId,
        kind: RunKind,
        (target, identity): (&str, TargetIdentity),
        recipes: Vec<String>,
    ) -> Self {
        let now = now();
        Self {
            schema: SCHEMA,
            tool: format!("diskmend {}", env!("CARGO_PKG_VERSION")),
            run: run.to_string(),
            kind,
            state: RunState::Applying,
            started: now.clone(),
            updated: now,
            target: target.to_owned(),
            identity,
            recipes,
            hives: Vec::new(),
            descriptors: None,
            disk: None,
            reverses: None,
            reversed_by: None,
            way: None,
            note: None,
        }
    }

    /// Notes how far the run got.
    pub(crate) fn set_state(&mut self, state: RunState) {
        self.state = state;
        self.updated = now();
    }

    /// Notes that the run is being taken back, and in which way.
    pub(crate) fn begin_undo(&mut self, way: Way) {
        self.way = Some(way);
        self.set_state(RunState::Undoing);
    }

    /// Whether the run may be taken back in a way: no undo of it was begun in a later one.
    pub(crate) fn allows(&self, way: Way) -> bool {
        self.way.is_none_or(|begun| begun <= way)
    }

    /// The partition that the run was about, on a disk that is not mounted.
    pub(crate) fn partition(&self) -> Option<u32> {
        self.disk.as_ref().map(|disk| disk.partition)
    }

    /// Whether the run was killed when its hives were done and only security descriptors were left
    /// to be set, and a repair with these recipes would set them all the same.
    pub(crate) fn can_be_completed(&self, recipes: &[String]) -> bool {
        self.state == RunState::Applying
            && self.kind == RunKind::Repair
            && self.descriptors.as_ref().is_some_and(|entry| entry.begun)
            && self.recipes.iter().all(|recipe| recipes.contains(recipe))
    }

    /// Notes what became of the security descriptors.
    pub(crate) fn settle_descriptors(&mut self, applied: &AppliedDescriptors) {
        if let Some(entry) = &mut self.descriptors {
            entry.failed = applied.failed.count;
            entry.reports.clone_from(&applied.reports);
        }
        if applied.failed.count > 0 {
            self.note = Some(format!(
                "the permissions of {} objects could not be set",
                applied.failed.count
            ));
        }
    }

    /// The journal as JSON, without a seal.
    ///
    /// # Errors
    /// Where it would be too long to be read again, or says what no journal may say.
    pub(crate) fn encode(&self) -> io::Result<Vec<u8>> {
        let told = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
        self.validate().map_err(told)?;
        let mut text = Vec::new();
        match self.schema {
            OLD_SCHEMA => json::write_pretty(&mut text, self)?,
            _ => {
                let short = Self {
                    hives: self.hives.iter().map(HiveEntry::without_changes).collect(),
                    // What is large is left out before it is copied.
                    ..self.without_hives()
                };
                json::write_pretty(&mut text, &short)?;
            }
        }
        text.push(b'\n');
        match self.schema == OLD_SCHEMA || text.len() <= MAX_LEN {
            true => Ok(text),
            false => Err(io::ErrorKind::FileTooLarge.into()),
        }
    }

    fn without_hives(&self) -> Self {
        Self {
            schema: self.schema,
            tool: self.tool.clone(),
            run: self.run.clone(),
            kind: self.kind,
            state: self.state,
            started: self.started.clone(),
            updated: self.updated.clone(),
            target: self.target.clone(),
            identity: self.identity.clone(),
            recipes: self.recipes.clone(),
            hives: Vec::new(),
            way: self.way,
            descriptors: self.descriptors.clone(),
            disk: self.disk.clone(),
            reverses: self.reverses.clone(),
            reversed_by: self.reversed_by.clone(),
            note: self.note.clone(),
        }
    }

    /// Reads the journal of a run, but for the changes of its hives.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub(crate) fn decode(bytes: &[u8], run: &RunId) -> Result<Self, String> {
        Self::check_schema(bytes)?;
        let read: Result<Self, _> = serde_json::from_slice(bytes);
        let mut journal = read.map_err(|error| error.to_string())?;
        if !journal.is_old() && bytes.len() > MAX_LEN {
            return Err(format!("{} bytes long", bytes.len()));
        }
        journal.validate()?;
        // The folder's name is what is believed: the seal holds for that alone.
        journal.run = run.to_string();
        Ok(journal)
    }

    /// Whether it was written by a version that did not seal runs.
    pub(crate) const fn is_old(&self) -> bool {
        self.schema == OLD_SCHEMA
    }

    /// Reads the changes of the hives that a journal of the old version holds itself.
    ///
    /// # Errors
    /// What is wrong with them, for a person.
    pub(crate) fn decode_old_changes(bytes: &[u8]) -> Result<Vec<Vec<JournalChange>>, String> {
        #[derive(Deserialize)]
        struct Old {
            #[serde(deserialize_with = "list::<16, _, _>")]
            hives: Vec<Hive>,
        }
        #[derive(Deserialize)]
        struct Hive {
            #[serde(deserialize_with = "list::<MAX_CHANGES, _, _>")]
            changes: Vec<JournalChange>,
        }
        let old: Old = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        Ok(old.hives.into_iter().map(|hive| hive.changes).collect())
    }

    fn check_schema(bytes: &[u8]) -> Result<(), String> {
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
        }
        let version: Version = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if ![OLD_SCHEMA, SCHEMA].contains(&version.schema) {
            return Err(format!(
                "it has schema {}, this program reads {OLD_SCHEMA} and {SCHEMA}: use the version \
                 that wrote it",
                version.schema
            ));
        }
        Ok(())
    }

    /// Number of values and keys that the run has changed; of one that did not end, at most.
    fn changes(&self) -> usize {
        match self.state {
            RunState::RolledBack => 0,
            _ => self.hives.iter().map(|hive| hive.change_count).sum(),
        }
    }

    /// Number of objects whose descriptors the run has set; of one that did not end, at most.
    fn objects_set(&self) -> u64 {
        match (&self.descriptors, self.state) {
            (None, _) | (_, RunState::RolledBack) => 0,
            (Some(entry), _) if !entry.begun => 0,
            (Some(entry), _) => entry.records.objects.saturating_sub(entry.failed),
        }
    }

    /// The run in short; `trust` is who speaks for it.
    pub(crate) fn summary(&self, trust: Trust) -> RunSummary {
        let trusted = trust.is_given();
        // Of a run that nobody speaks for only so much is kept as a person looks at: there may be
        // very many of them.
        let (recipes, hives, longest) = match trusted {
            true => (usize::MAX, usize::MAX, usize::MAX),
            false => (SHOWN_RECIPES, SHOWN_HIVES, SHOWN_TEXT),
        };
        let shown = |text: &str| text.chars().take(longest).collect::<String>();
        RunSummary {
            run: self.run.clone(),
            kind: self.kind,
            state: Some(self.state),
            started: self.started.clone(),
            updated: self.updated.clone(),
            partition: self.partition(),
            recipes: self.recipes.iter().take(recipes).cloned().collect(),
            hives: self
                .hives
                .iter()
                .take(hives)
                .map(|hive| shown(&hive.shown_path()))
                .collect(),
            changes: self.changes(),
            descriptors: self.objects_set(),
            undoable: self.state.is_undoable(),
            unfinished: self.state.is_unfinished(),
            can_be_completed: trusted && self.can_be_completed(&self.recipes),
            identity: self.identity.clone(),
            trust,
            note: self.note.as_deref().map(shown),
        }
    }
}

fn now() -> String {
    let now = Timestamp::now();
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value_data::ValueData;

    /// A list of very many forged runs kept all that each of their journals may hold.
    #[test]
    fn of_a_run_that_nobody_speaks_for_little_is_shown() {
        let id = RunId::first_of(jiff::Timestamp::UNIX_EPOCH);
        let target = ("F:", TargetIdentity::default());
        let recipes = vec!["tls".to_owned(); 200];
        let mut journal = Journal::begin(&id, RunKind::Repair, target, recipes);
        let hive = HiveEntry {
            hive: "SYSTEM".to_owned(),
            volume: None,
            path: "x".repeat(3000),
            recovered: false,
            reversible: false,
            changes: Vec::new(),
            changes_file: None,
            change_count: 0,
            files: Vec::new(),
            steps: Vec::new(),
        };
        journal.hives = vec![hive; 9];
        journal.note = Some("\u{e4}".repeat(3000));
        let len = |trust| {
            let summary = journal.summary(trust);
            let texts = summary.hives.iter().chain(&summary.note);
            let chars: usize = texts.map(|text| text.chars().count()).sum();
            (summary.recipes.len(), summary.hives.len(), chars)
        };
        let reason = crate::documents::Doubt::NoSeal;
        let shown = len(Trust::Unauthenticated { reason });
        assert_eq!(shown, (16, 4, 5 * 256));
        assert_eq!(len(Trust::Own), (200, 9, 10 * 3000));
    }

    #[test]
    fn a_path_for_a_person_can_be_copied() {
        let path = "EFI/Microsoft/Boot/BCD";
        let shown = |volume| on_volume(Some(volume), path);
        assert_eq!(shown("/mnt/esp"), "/mnt/esp/EFI/Microsoft/Boot/BCD");
        assert_eq!(shown("/"), "/EFI/Microsoft/Boot/BCD");
        assert_eq!(shown("S:\\"), "S:/EFI/Microsoft/Boot/BCD");
        assert_eq!(
            shown(r"\\?\Volume{1}\"),
            r"\\?\Volume{1}\EFI\Microsoft\Boot\BCD"
        );
        assert_eq!(on_volume(None, path), path);
    }

    #[test]
    fn a_journal_survives_and_another_schema_is_refused() {
        let id = RunId::parse("20261123T124100Z").expect("valid");
        let mut journal = Journal::begin(
            &id,
            RunKind::Repair,
            ("/mnt/f", TargetIdentity::default()),
            vec!["tls".to_owned()],
        );
        journal.hives.push(HiveEntry {
            hive: "SYSTEM".to_owned(),
            volume: None,
            path: "Windows/System32/config/SYSTEM".to_owned(),
            recovered: true,
            reversible: true,
            change_count: 2,
            changes_file: None,
            changes: vec![
                JournalChange::KeyCreated(ChangedKey {
                    key: "A".to_owned(),
                }),
                JournalChange::Value(ChangedValue {
                    key: "A".to_owned(),
                    value: "V".to_owned(),
                    old: None,
                    new: Some(ValueData::dword(1)),
                }),
            ],
            files: vec![FileEntry {
                path: "Windows/System32/config/SYSTEM".to_owned(),
                undo: "undo-1.bin".to_owned(),
                mac: None,
                old: Some(Content {
                    length: 3,
                    xxh3: Digest::of(b"old"),
                }),
                new: Some(Content {
                    length: 4,
                    xxh3: Digest::of(b"new!"),
                }),
            }],
            steps: vec![
                Step::Write {
                    file: 0,
                    records: 1,
                },
                Step::Flush,
            ],
        });
        let bytes = journal.encode().expect("encode");
        let decode = |bytes: &[u8]| Journal::decode(bytes, &id);
        let changes = std::mem::take(&mut journal.hives[0].changes);
        assert_eq!(decode(&bytes).expect("decode"), journal);
        let text = String::from_utf8(bytes).expect("UTF-8");
        let other = text.replacen("\"schema\": 2", "\"schema\": 3", 1);
        let error = decode(other.as_bytes()).expect_err("other schema");
        assert!(error.contains("schema 3"), "{error}");

        // The old version holds its changes itself, and keeps them.
        journal.schema = 1;
        journal.hives[0].changes = changes.clone();
        let old = journal.encode().expect("encode");
        assert_eq!(Journal::decode_old_changes(&old), Ok(vec![changes]));
        journal.hives[0].changes.clear();
        assert_eq!(decode(&old).expect("decode"), journal);
    }

    /// A list of tiny elements took sixteen times its length in memory.
    #[test]
    fn a_journal_of_small_strings_is_refused_before_it_takes_much() {
        let id = RunId::parse("20261123T124100Z").expect("valid");
        let target = ("/mnt/f", TargetIdentity::default());
        let journal = Journal::begin(&id, RunKind::Repair, target, vec!["tls".to_owned()]);
        let bytes = journal.encode().expect("encode");
        let text = String::from_utf8(bytes).expect("UTF-8");
        let many = vec!["\"\""; 1 << 20].join(",");
        let hostile = text.replacen("\"tls\"", &many, 1);
        assert_ne!(hostile, text);
        let error = Journal::decode(hostile.as_bytes(), &id).expect_err("too many");
        assert!(error.contains("more than 256"), "{error}");
    }
}
