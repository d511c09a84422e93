//! Runs of earlier versions: a folder with a file for the journal and one for each part of the undo
//! data.

use diskmend_disk::testing::{Fault, FaultyDisk, Loss};

use super::support::{
    FaultyHive, is_unfinished, reading, repair_unchecked, same_hives, site, tally, undo, volume,
};
use crate::documents::{Method, RunState, Trust};
use crate::error::Error;
use crate::run::run_file::{Kind, journal_of, parts_of};
use crate::runs::runs_site;
use crate::value_data::ValueData;

const LOSSES: [Loss; 4] = [
    Loss::Nothing,
    Loss::Unflushed,
    Loss::Some(0x9e37_79b9_7f4a_7c15),
    Loss::Some(0xbf58_476d_1ce4_e5b9),
];
const RUNS: &str = "diskmend/runs/";
const MINE: (&str, &str, u32) = (r"ControlSet001\Mine", "A", 1);

/// The disk with every run in the format of the previous version: the bytes of each part and the
/// seal are the same.
pub(super) fn as_earlier(disk: &FaultyDisk) -> FaultyDisk {
    let earlier = FaultyDisk::new();
    for (path, bytes) in disk.files() {
        if !path.starts_with(RUNS) || path.contains(".files/") {
            earlier.put(&path.replace(".files/", "/"), bytes);
            continue;
        }
        earlier.put(&format!("{path}/journal.json"), journal_of(&bytes));
        for (kind, number, body) in parts_of(&bytes) {
            let name = match kind {
                Kind::Undo => format!("undo-{number}.bin"),
                Kind::Changes => format!("changes-{number}.jsonl"),
                Kind::Journal => continue,
            };
            earlier.put(&format!("{path}/{name}"), body);
        }
    }
    earlier
}

fn state(disk: &FaultyDisk) -> (Option<RunState>, Trust) {
    let runs = runs_site(&site(disk)).expect("runs").runs;
    let run = runs.into_iter().next().expect("a run");
    (run.state, run.trust)
}

#[test]
fn a_run_of_an_earlier_version_is_trusted_and_undone() {
    let pristine = volume("dirty-hvle-both");
    let disk = pristine.fork();
    let run = repair_unchecked(&disk).expect("repair").run.expect("a run");
    let disk = as_earlier(&disk);
    assert_eq!(state(&disk), (Some(RunState::Done), Trust::Own));
    undo(&disk, None).expect("undo");
    same_hives(&disk, &pristine, "undone");
    assert_eq!(state(&disk), (Some(RunState::Undone), Trust::Own));
    // The old journal file now is not JSON, so an earlier version refuses it and can't overlook the
    // undo.
    let journal = disk.files().remove(&format!("{RUNS}{run}/journal.json"));
    assert!(journal.expect("there").starts_with(b"DMENDRN"));
    assert!(matches!(undo(&disk, None), Err(Error::NothingToUndo)));
}

#[test]
fn a_run_of_an_earlier_version_is_reversed_by_values() {
    let disk = volume("system-001-002");
    let old = tally(&disk);
    let first = repair_unchecked(&disk).expect("repair").run;
    disk.set_all(&[MINE]);
    let disk = as_earlier(&disk);
    let report = undo(&disk, first.as_deref()).expect("undo");
    assert_eq!(report.method, Method::Values);
    assert_eq!(tally(&disk), old);
    assert_eq!(reading(&disk, MINE.0, MINE.1), Some(ValueData::dword(1)));
}

#[test]
fn an_undo_of_a_run_of_an_earlier_version_killed_anywhere_can_be_repeated() {
    let pristine = volume("dirty-hvle-both");
    let repaired = pristine.fork();
    repair_unchecked(&repaired).expect("repair");
    let repaired = as_earlier(&repaired);
    let counted = repaired.fork();
    undo(&counted, None).expect("undo");
    for at in 0..counted.operations() {
        for loss in LOSSES {
            let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
            let disk = repaired.fork();
            disk.fail_at(at, Fault::Kill);
            undo(&disk, None).expect_err(&what);
            disk.restart(loss);
            match undo(&disk, None) {
                Ok(_) | Err(Error::NothingToUndo) => {}
                Err(error) => panic!("{what}: {error}"),
            }
            same_hives(&disk, &pristine, &what);
            assert!(!is_unfinished(&disk), "{what}");
            assert_eq!(state(&disk), (Some(RunState::Undone), Trust::Own), "{what}");
        }
    }
}

/// One run was killed while it wrote, and of the other a later journal was lost.
#[test]
fn an_interrupted_run_of_an_earlier_version_waits_to_be_settled() {
    let pristine = volume("system-001-002");
    let counted = pristine.fork();
    repair_unchecked(&counted).expect("repair");
    let commit = super::support::begun(&counted.log()) + 4;
    let disk = pristine.fork();
    disk.fail_at(commit, Fault::Kill);
    repair_unchecked(&disk).expect_err("killed");
    disk.restart(Loss::Nothing);
    let disk = as_earlier(&disk);
    assert_eq!(state(&disk), (Some(RunState::Applying), Trust::Own));
    let lost = disk.fork();
    let journal = lost.files().into_keys();
    let journal = journal
        .into_iter()
        .find(|path| path.ends_with("journal.json"));
    let journal = journal.expect("a journal");
    lost.put(
        &format!("{journal}.durable"),
        lost.files()[&journal].clone(),
    );
    lost.put(&journal, vec![0; 100]);
    assert_eq!(state(&lost), (Some(RunState::Broken), Trust::Own));
    for disk in [disk, lost] {
        assert!(is_unfinished(&disk));
        undo(&disk, None).expect("undo");
        same_hives(&disk, &pristine, "undone");
        assert!(!is_unfinished(&disk));
        let durable = disk.files().into_keys();
        assert!(!durable.into_iter().any(|path| path.ends_with(".durable")));
    }
}
