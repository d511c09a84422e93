//! The journal of a run, as JSON.

mod deleted_key;
mod encoding;
mod entries;
mod files;
pub(crate) mod valid;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::{TargetIdentity, WindowsNames};
use crate::run::RunId;
use crate::run::bounded::list;
use crate::run_state::{RunKind, RunState};

pub(crate) use deleted_key::ChangedDescriptor;
pub(crate) use encoding::MAX_OLD_LEN;
pub(crate) use entries::{
    Content, DescriptorsEntry, DiskEntry, FileEntry, HiveEntry, JournalChange, Step, on_volume,
};

pub(crate) use files::{FileMove, FilesEntry, KEPT, MovedTo, NewFile, longest_new_name};

pub(crate) use crate::run_state::SCHEMA;

/// What a run does and has done, and how to undo it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// Version of this format.
    pub(crate) schema: u32,
    /// The program and its version.
    pub(crate) tool: String,
    /// The run's name.
    pub(crate) run: String,
    /// The kind of run.
    pub(crate) kind: RunKind,
    /// How far it got.
    pub(crate) state: RunState,
    /// When it began (RFC 3339, UTC).
    pub(crate) started: String,
    /// When its state last changed.
    pub(crate) updated: String,
    /// The target as named by the user.
    pub(crate) target: String,
    /// The features that distinguish its disk from others.
    #[serde(default)]
    pub(crate) identity: TargetIdentity,
    /// The Windows on it; unknown in runs of earlier versions.
    #[serde(default, skip_serializing_if = "WindowsNames::is_empty")]
    pub(crate) windows: WindowsNames,
    /// The recipes, with bundles replaced by their parts.
    #[serde(deserialize_with = "list::<256, _, _>")]
    pub(crate) recipes: Vec<String>,
    /// The hives, in the order of writing.
    #[serde(deserialize_with = "list::<16, _, _>")]
    pub(crate) hives: Vec<HiveEntry>,
    /// The files that are moved, after the hives are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) files: Option<FilesEntry>,
    /// The security descriptors, which are set after everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) descriptors: Option<DescriptorsEntry>,
    /// On a disk that isn't mounted: the record of all changed sectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) disk: Option<DiskEntry>,
    /// For a run that reverses another one: that run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reverses: Option<String>,
    /// The run that reversed this one value by value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reversed_by: Option<String>,
    /// The way of undoing the run, after that has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) way: Option<Way>,
    /// What went wrong, and other things to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// A way to undo a run. An undo that was started in one way continues in that way or in a later one
/// of this list, which preserves more of the later changes. It never continues in an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// Every changed sector of the disk gets its old bytes back.
    Sectors,
    /// Every file gets its old bytes back, and every object its old descriptor.
    Bytes,
    /// Every change of the registry is reversed by itself, and every object gets its old descriptor
    /// back.
    Values,
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
            windows: WindowsNames::default(),
            recipes,
            hives: Vec::new(),
            files: None,
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

    /// Notes that the run is being undone, and the way.
    pub(crate) fn begin_undo(&mut self, way: Way) {
        self.way = Some(way);
        self.set_state(RunState::Undoing);
    }

    /// True if the run may be undone in this way: no undo of it was begun in a later way.
    pub(crate) fn allows(&self, way: Way) -> bool {
        self.way.is_none_or(|begun| begun <= way)
    }

    /// The partition that the run was about, on a disk that isn't mounted.
    pub(crate) fn partition(&self) -> Option<u32> {
        self.disk.as_ref().map(|disk| disk.partition)
    }

    /// True if the run was killed after its hives were done, when only files were left to be moved
    /// and security descriptors to be set, and a repair with these recipes would do that, too.
    pub(crate) fn can_be_completed(&self, recipes: &[String]) -> bool {
        // On a disk that isn't mounted, the structures of the volume may be half changed.
        let is_half_moved = self.files.is_some() && self.disk.is_some();
        self.state == RunState::Applying
            && self.kind == RunKind::Repair
            && !is_half_moved
            && (self.files.as_ref().is_some_and(|entry| entry.begun)
                || self.descriptors.as_ref().is_some_and(|entry| entry.begun))
            && self.recipes.iter().all(|recipe| recipes.contains(recipe))
    }
}

fn now() -> String {
    let now = Timestamp::now();
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::finding::{ChangedKey, ChangedValue};
    use crate::run::trust::Trust;
    use crate::value_data::ValueData;

    /// Once a list of very many forged runs kept everything that the journals can contain.
    #[test]
    fn little_of_an_untrusted_run_is_shown() {
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
        let reason = crate::trust::Doubt::NoSeal;
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

        // The old schema stores its changes in the journal and keeps them there.
        journal.schema = 1;
        journal.hives[0].changes = changes.clone();
        let old = journal.encode().expect("encode");
        assert_eq!(Journal::decode_old_changes(&old), Ok(vec![changes]));
        journal.hives[0].changes.clear();
        assert_eq!(decode(&old).expect("decode"), journal);
    }

    /// A list of tiny elements once took sixteen times its length in memory.
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
