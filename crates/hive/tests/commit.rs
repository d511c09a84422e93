//! Whole commits of real hives: they are recovered, edited, written to files, and opened again.

#![cfg(test)]

#[expect(dead_code, reason = "other tests use more of it")]
mod support;

use std::io;
use std::path::Path;

use diskmend_hive::check::check;
use diskmend_hive::commit::{
    CommitPlan, FormatReason, HiveFileKind, HiveFiles, Options, execute, plan,
};
use diskmend_hive::{
    Committable, Editor, Filetime, Hive, LogFormat, LogKind, Logs, Opened, Storage, ValueType, open,
};
use support::{corpus, count};

/// 2026-11-20 in 100 ns since 1601.
const NOW: Filetime = Filetime(0x01dd_0000_0000_0000);

/// A hive's files in memory.
#[derive(Clone, Default)]
struct Files([Option<Vec<u8>>; 4]);

impl Files {
    fn read(folder: &Path, name: &str) -> Self {
        Self(HiveFileKind::ALL.map(|kind| {
            let path = folder.join(format!("{name}{}", kind.suffix()));
            path.exists().then(|| std::fs::read(path).expect("reads"))
        }))
    }

    fn slot(&mut self, kind: HiveFileKind) -> &mut Option<Vec<u8>> {
        let at = HiveFileKind::ALL.iter().position(|each| *each == kind);
        &mut self.0[at.expect("listed")]
    }

    fn primary(&self) -> Vec<u8> {
        self.0[0].clone().expect("there")
    }

    fn logs(&self) -> Logs {
        let [_, log, log1, log2] = &self.0;
        Logs::read(
            self.primary().len() as u64,
            log.as_ref().map(|file| file as &dyn Storage),
            log1.as_ref().map(|file| file as &dyn Storage),
            log2.as_ref().map(|file| file as &dyn Storage),
        )
        .expect("logs can be read")
    }

    fn load(&self) -> Hive {
        match open(Box::new(self.primary())).expect("a hive") {
            Opened::Clean(hive) => hive,
            Opened::Dirty(hive) => hive.recover(&self.logs()).expect("recovers").0,
        }
    }

    fn is_clean(&self) -> bool {
        matches!(open(Box::new(self.primary())), Ok(Opened::Clean(_)))
    }
}

impl HiveFiles for Files {
    fn file(&mut self, kind: HiveFileKind) -> Option<&mut dyn Storage> {
        self.slot(kind).as_mut().map(|file| file as _)
    }

    fn create(&mut self, kind: HiveFileKind) -> io::Result<()> {
        *self.slot(kind) = Some(Vec::new());
        Ok(())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn options() -> Options {
    Options {
        now: NOW,
        format: None,
        with_log: true,
    }
}

fn pages(plan: &CommitPlan<'_>) -> u64 {
    plan.bytes_to_write() / 4096
}

/// A hive without edits.
fn as_it_is(hive: Hive) -> Committable {
    let edited = Editor::new(hive, NOW).finish().expect("nothing failed");
    let (hive, _) = edited.verify().expect("sound");
    hive.into()
}

/// Recovery without edits must leave the hive as Windows 10 left it on disk.
#[test]
fn a_recovered_hive_is_committed_as_windows_10_left_it() {
    let Some(corpus) = corpus("a_recovered_hive_is_committed_as_windows_10_left_it") else {
        return;
    };
    let folder = corpus.join("hives/yarp/NewDirtyHive1");
    let before = Files::read(&folder, "NewDirtyHive");
    let hive = as_it_is(before.load());
    let logs = before.logs();
    let plan = plan(&hive, &logs, &options()).expect("a plan");
    assert!(plan.recovers() && plan.log().is_none());
    assert_eq!(plan.sequence(), 6);
    assert_eq!(pages(&plan), 5);
    // After a crash, the hive would be recovered from the logs.
    for log in LogKind::ALL {
        assert_eq!(plan.change(HiveFileKind::Log(log)), None);
    }
    let mut files = before.clone();
    execute(&plan, &mut files).expect("executes");
    let expected = std::fs::read(folder.join("RecoveredHive_Windows10")).expect("reads");
    assert!(files.primary()[4096..] == expected[4096..]);
    assert!(files.is_clean());
}

/// Recovers and edits a hive, and opens it again.
#[test]
fn real_hives_are_recovered_edited_and_committed() {
    let Some(corpus) = corpus("real_hives_are_recovered_edited_and_committed") else {
        return;
    };
    let new1 = FormatReason::ExistingLog(LogKind::Log1);
    let hives = [
        ("regipy", "SYSTEM_B", LogFormat::New, new1),
        ("regipy", "UsrClass.dat", LogFormat::New, new1),
        (
            "regipy",
            "SYSTEM",
            LogFormat::New,
            FormatReason::MinorVersion(5),
        ),
        ("yarp/OldDirtyHive", "OldDirtyHive", LogFormat::Old, new1),
        ("yarp/NewDirtyHive1", "NewDirtyHive", LogFormat::New, new1),
        (
            "yarp",
            "EmptyHive",
            LogFormat::Old,
            FormatReason::MinorVersion(3),
        ),
        (
            "winevt-kb",
            "SYSTEM",
            LogFormat::New,
            FormatReason::MinorVersion(5),
        ),
    ];
    for (folder, name, format, reason) in hives {
        let before = Files::read(&corpus.join("hives").join(folder), name);
        let recovered = before.load();
        let counts = count(&recovered);
        let problems = check(&recovered).problems.len();
        let was_dirty = !before.is_clean();

        let mut editor = Editor::new(recovered, NOW);
        editor.create_key("diskmend test").expect("edits");
        // This makes the bins grow.
        let data = vec![7; 40_000];
        editor
            .set_value("diskmend test", "value", ValueType(3), &data)
            .expect("edits");
        let edited = editor.finish().expect("finishes").skip_verification();
        let edited: Committable = edited.expect("all is there").0.into();
        let logs = before.logs();
        let plan = plan(&edited, &logs, &options()).expect("a plan");
        let choice = plan.log().expect("an edit");
        assert_eq!((choice.format, choice.reason), (format, reason), "{name}");
        assert_eq!(plan.recovers(), was_dirty, "{name}");
        println!(
            "{name}: {} bytes, log {} ({})",
            plan.bytes_to_write(),
            choice.log,
            choice.format
        );

        let mut files = before.clone();
        execute(&plan, &mut files).expect("executes");
        assert!(files.is_clean(), "{name}");
        assert!(files.primary().len() >= before.primary().len(), "{name}");
        let hive = files.load();
        assert!(
            hive.image().bins()[28..] == edited.image().bins()[28..],
            "{name}"
        );
        assert_eq!(count(&hive), (counts.0 + 1, counts.1 + 1), "{name}");
        assert_eq!(check(&hive).problems.len(), problems, "{name}");
        let base = hive.base_block();
        assert_eq!(base.primary_sequence.get(), plan.sequence(), "{name}");
        assert_eq!(base.last_written.get(), plan.last_written().0, "{name}");
    }
}
