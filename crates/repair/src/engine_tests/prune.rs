//! Removing runs that are no longer needed.

use diskmend_disk::testing::{Fault, FaultyDisk, Loss};

use super::support::{
    FaultyHive, begun, hives, repair, repair_unchecked, same_hives, site, undo, volume,
};
use crate::documents::{Doubt, PruneList, PruneReason, PruneReport, RunKind, RunState, Trust};
use crate::error::{Class, Error};
use crate::prune::{prunable_site, prune_site};
use crate::run::{DiskEntry, Journal, run_file};
use crate::runs::runs_site;
use crate::site::Site;

const LOSSES: [Loss; 3] = [
    Loss::Nothing,
    Loss::Unflushed,
    Loss::Some(0x9e37_79b9_7f4a_7c15),
];

/// True if a file is the run file with this path, or belongs to it.
fn belongs(name: &str, run: &str) -> bool {
    let rest = name.strip_prefix(run);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
}

fn list(disk: &FaultyDisk, keep: usize) -> PruneList {
    prunable_site(&site(disk), keep).expect("listed")
}

fn prune(disk: &FaultyDisk) -> Result<PruneReport, Error> {
    let site = site(disk);
    prune_site(&site, &prunable_site(&site, 0)?)
}

fn states(disk: &FaultyDisk) -> Vec<(String, Option<RunState>)> {
    let runs = runs_site(&site(disk)).expect("runs").runs;
    runs.into_iter().map(|run| (run.run, run.state)).collect()
}

/// A disk with five runs: one was undone, one is done, one was rolled back, one has not begun, and
/// one was killed.
fn disk() -> FaultyDisk {
    let disk = volume("system-001-002");
    repair_unchecked(&disk).expect("repair");
    undo(&disk, None).expect("undo");
    disk.set_all(&[(r"ControlSet001\Mine", "A", 1)]);
    let counted = disk.fork();
    repair_unchecked(&counted).expect("repair");
    let commit = begun(&counted.log()) + 1;
    disk.fail_at(commit, Fault::Once);
    repair_unchecked(&disk).expect_err("rolled back");
    disk.put("diskmend/runs/20200101T000000Z/undo-1.bin", vec![1; 100]);
    disk.fail_at(commit, Fault::Kill);
    repair_unchecked(&disk).expect_err("killed");
    disk.restart(Loss::Nothing);
    disk.fork()
}

#[test]
fn only_runs_that_nobody_needs_are_removed() {
    let disk = disk();
    let before = hives(&disk);
    let list = list(&disk, 0);
    let why: Vec<_> = list.runs.iter().map(|run| run.why).collect();
    let expected = [
        PruneReason::NeverBegan,
        PruneReason::Undone,
        PruneReason::RolledBack,
    ];
    assert_eq!(why, expected);
    assert_eq!((list.runs[0].files, list.runs[0].bytes), (1, 100));
    let files = disk.files();
    let of = |run: &str| {
        let path = format!("diskmend/runs/{run}");
        let files = files.iter().filter(|(name, _)| belongs(name, &path));
        files.map(|(_, bytes)| bytes.len() as u64).sum::<u64>()
    };
    for run in &list.runs {
        assert_eq!(run.bytes, of(&run.run), "{}", run.run);
    }
    let all = list.runs.iter().map(|run| run.bytes).sum::<u64>();
    assert_eq!(list.bytes(), all);
    let report = prune(&disk).expect("prune");
    assert_eq!(report.removed, list.runs);
    assert_eq!(report.failed, []);
    let left: Vec<_> = states(&disk).into_iter().map(|(_, state)| state).collect();
    let expected = [Some(RunState::Done), Some(RunState::Applying)];
    assert_eq!(left, expected);
    assert_eq!(hives(&disk), before);
    undo(&disk, None).expect("the killed run");
    undo(&disk, None).expect("the run that is done");
    same_hives(&disk, &volume("system-001-002"), "undone");
}

#[test]
fn the_newest_are_kept() {
    let disk = disk();
    let all = list(&disk, 0).runs;
    let kept = list(&disk, 2);
    assert_eq!(kept.runs, all[..1]);
    assert_eq!(kept.kept, 2);
    let none = list(&disk, 9);
    assert_eq!((none.runs.len(), none.kept), (0, 3));
}

/// Either the whole run is left, or nothing.
#[test]
fn a_removal_that_is_killed_leaves_no_half_of_a_run() {
    let disk = disk();
    let before = states(&disk);
    let files = disk.files();
    let counted = disk.fork();
    prune(&counted).expect("prune");
    let after = states(&counted);
    for at in 0..counted.operations() {
        for loss in LOSSES {
            let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
            let killed = disk.fork();
            killed.fail_at(at, Fault::Kill);
            let report = prune(&killed).expect(&what);
            assert!(!report.failed.is_empty(), "{what}");
            killed.restart(loss);
            for (run, state) in states(&killed) {
                assert!(before.contains(&(run.clone(), state)), "{what}: {run}");
                let path = format!("diskmend/runs/{run}");
                for (path, bytes) in files.iter().filter(|(name, _)| belongs(name, &path)) {
                    assert!(killed.files().get(path) == Some(bytes), "{what}: {path}");
                }
            }
            let report = prune(&killed).expect(&what);
            assert_eq!(report.failed, [], "{what}");
            assert_eq!(states(&killed), after, "{what}");
            let left = killed.files().into_keys();
            let left: Vec<_> = left.filter(|path| path.contains(".removed")).collect();
            assert_eq!(left, [""; 0], "{what}");
            assert!(list(&killed, 0).runs.is_empty(), "{what}");
        }
    }
}

#[test]
fn a_run_that_was_changed_since_it_was_listed_stays() {
    let disk = disk();
    let site = site(&disk);
    let mut list = list(&disk, 0);
    list.runs.truncate(1);
    list.runs[0].why = PruneReason::Undone;
    let report = prune_site(&site, &list).expect("prune");
    assert_eq!(report.removed, []);
    assert_eq!(report.failed.len(), 1);
}

/// Two installations of Windows on one disk, or two disks, can share a folder for undo data.
#[test]
fn a_run_that_another_volume_needs_stays() {
    let disk = volume("system-001-002");
    let of = |serial: &str, partition| {
        let mut site = site(&disk);
        site.judge.identity.volume = Some(serial.to_owned());
        site.judge.partition = partition;
        site.partition = partition;
        site
    };
    let made = of("0000000000000001", Some(2));
    let run = made.state.new_run(jiff::Timestamp::now(), &made.judge);
    let run = run.expect("a run");
    let target = ("memory", made.judge.identity.clone());
    let mut journal = Journal::begin(&run.id, RunKind::Repair, target, Vec::new());
    journal.disk = Some(DiskEntry {
        partition: 2,
        record: "sectors.bin".to_owned(),
        content: None,
        mac: None,
    });
    journal.state = RunState::Done;
    run.write_journal(&journal).expect("memory");
    let trust = |site: &Site| runs_site(site).expect("runs").runs[0].trust.clone();
    let reason = Doubt::OtherDisk;
    let cases = [
        ("0000000000000001", Some(2), Trust::Own),
        // Another partition of the same disk.
        ("0000000000000002", Some(3), Trust::Own),
        // The same partition of another disk.
        (
            "0000000000000002",
            Some(2),
            Trust::Unauthenticated { reason },
        ),
        ("0000000000000002", None, Trust::Unauthenticated { reason }),
    ];
    for (serial, partition, expected) in cases {
        let site = of(serial, partition);
        assert_eq!(trust(&site), expected, "{serial} {partition:?}");
        let list = prunable_site(&site, 0).expect("listed");
        assert!(
            list.runs.is_empty(),
            "{serial} {partition:?}: {:?}",
            list.runs
        );
    }
    // A run without a seal is not removed from another partition either; runs of 0.1.0 have no
    // seal.
    let bytes = journal.encode().expect("valid");
    let path = format!("diskmend/runs/{}", run.id);
    disk.put(&path, run_file::with_journal(&disk.files()[&path], &bytes));
    for (partition, expected) in [(3, None), (2, Some(PruneReason::NotTrusted))] {
        let list = prunable_site(&of("0000000000000001", Some(partition)), 0).expect("listed");
        let why = list.runs.first().map(|run| run.why);
        assert_eq!(why, expected, "{partition}");
    }
}

/// The same journal in a thousand folders once took a gigabyte and a minute.
#[test]
fn only_so_much_is_read_of_all_journals_together() {
    let disk = volume("system-001-002");
    for number in 0..17 {
        let path = format!("diskmend/runs/20200101T0000{number:02}Z/journal.json");
        disk.put(&path, vec![b'x'; 4 << 20]);
    }
    let error = repair(&disk).expect_err("forged runs");
    assert_eq!(error.class(), Class::Refused, "{error}");
    let runs = runs_site(&site(&disk)).expect("runs").runs;
    assert_eq!(runs.len(), 17);
    let unread = |note: &str| note.contains("was not read");
    let notes = runs.iter().filter_map(|run| run.note.as_deref());
    assert_eq!(notes.filter(|note| unread(note)).count(), 1);
    // Runs that were not read may be needed, so they stay until they are read.
    assert_eq!(prune(&disk).expect("prune").removed.len(), 16);
    assert_eq!(prune(&disk).expect("prune").removed.len(), 1);
    repair(&disk).expect("repair");
}
