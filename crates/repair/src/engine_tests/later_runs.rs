//! Undoing a run after a later one. Whatever prevents the undo, and however often it is started
//! again, the changes of the later run stay.

use diskmend_disk::testing::{Fault, FaultyDisk, Loss};

use super::descriptors::{SOUND, bytes, disk, key, repair, sddl};
use super::support::{FaultyHive, is_unfinished, one_in, reading, site, tally, undo};
use crate::documents::{Change, Method, RunState};
use crate::error::Error;
use crate::runs::runs_site;
use crate::value_data::ValueData;

const LOSSES: [Loss; 4] = [
    Loss::Nothing,
    Loss::Unflushed,
    Loss::Some(0x9e37_79b9_7f4a_7c15),
    Loss::Some(0xbf58_476d_1ce4_e5b9),
];

/// The number that the later run sets. The first run has set this value too, so the later run
/// changes only pages that the first has written.
const LATER: u32 = 7;

/// A disk with two runs; the first has also set descriptors.
struct Case {
    pristine: FaultyDisk,
    twice: FaultyDisk,
    first: String,
    /// The value that both runs have set.
    value: (String, String),
}

impl Case {
    fn new() -> Self {
        let pristine = disk();
        let twice = pristine.fork();
        let report = repair(&twice).expect("repair");
        let number = |change: &&Change| {
            let new = change.value.new.as_ref();
            new.is_some_and(|data| data.bytes.len() == 4)
        };
        let kept = report.changes.iter().rfind(number).expect("a number");
        let value = (kept.value.key.clone(), kept.value.value.clone());
        twice.set_all(&[(&value.0, &value.1, LATER)]);
        Self {
            pristine,
            first: report.run.expect("a run"),
            twice: twice.fork(),
            value,
        }
    }

    /// Checks that the first run is undone and that the changes of the second run are there.
    #[track_caller]
    fn is_undone(&self, disk: &FaultyDisk, what: &str) {
        let kept = reading(disk, &self.value.0, &self.value.1);
        assert_eq!(kept, Some(ValueData::dword(LATER)), "{what}: the later run");
        let descriptors = disk.descriptors() == self.pristine.descriptors();
        assert!(descriptors, "{what}: descriptors");
        let runs = runs_site(&site(disk)).expect("runs").runs;
        let first = runs.iter().find(|run| run.run == self.first);
        let state = first.expect("listed").state;
        assert_eq!(state, Some(RunState::Undone), "{what}");
        // One of the values belongs to the later run.
        let (right, wrong) = tally(&self.pristine);
        let (now_right, now_wrong) = tally(disk);
        assert_eq!(now_right + now_wrong, right + wrong, "{what}");
        assert!(
            now_wrong.abs_diff(wrong) <= 1,
            "{what}: {now_wrong}, {wrong}"
        );
        assert!(!is_unfinished(disk), "{what}");
    }

    /// Undoes the first run as the documentation says, whatever has happened to an earlier undo.
    #[track_caller]
    fn undo_again(&self, disk: &FaultyDisk, what: &str) {
        for _ in 0..3 {
            match undo(disk, Some(&self.first)) {
                Ok(report) => assert!(!report.is_partial(), "{what}"),
                Err(Error::NotUndoable { .. }) => return,
                // The reversal by values is a run of its own, and it was killed.
                Err(Error::Refused(_)) => {
                    let other = undo(disk, None).unwrap_or_else(|error| panic!("{what}: {error}"));
                    assert_ne!(other.run, self.first, "{what}");
                }
                Err(error) => panic!("{what}: {error}"),
            }
        }
        panic!("{what}: no end");
    }
}

#[test]
fn an_undo_that_was_killed_keeps_the_later_run() {
    let case = Case::new();
    let counted = case.twice.fork();
    let report = undo(&counted, Some(&case.first)).expect("undo");
    assert_eq!(report.method, Method::Values);
    case.is_undone(&counted, "not killed");
    let mut states = 0;
    for number in one_in(5, counted.operations() * LOSSES.len()) {
        let (at, loss) = (number / LOSSES.len(), LOSSES[number % LOSSES.len()]);
        let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
        let killed = case.twice.fork();
        killed.fail_at(at, Fault::Kill);
        if undo(&killed, Some(&case.first)).is_ok() {
            continue;
        }
        killed.restart(loss);
        case.undo_again(&killed, &what);
        case.is_undone(&killed, &what);
        states += 1;
    }
    println!("{states} crashes tried");
    assert!(states > 20, "{states}");
}

/// The undo is repeated, as documented, because one descriptor could not be restored.
#[test]
fn an_undo_with_one_failure_keeps_the_later_run() {
    let case = Case::new();
    let counted = case.twice.fork();
    undo(&counted, Some(&case.first)).expect("undo");
    let log = counted.log();
    let at = log.iter().position(|what| what.ends_with(&key(1)));
    let disk = case.twice.fork();
    disk.fail_at(at.expect("it is set"), Fault::Once);
    let report = undo(&disk, Some(&case.first)).expect("the others");
    assert!(report.is_partial());
    let report = undo(&disk, Some(&case.first)).expect("undo");
    assert_eq!(report.method, Method::Values);
    case.is_undone(&disk, "the second time");
}

/// A change after a killed undo by bytes must not be overwritten.
#[test]
fn an_undo_by_bytes_that_was_killed_keeps_later_changes() {
    let pristine = disk();
    let repaired = pristine.fork();
    let report = repair(&repaired).expect("repair");
    let first = report.run.expect("a run");
    let kept = report.changes.last().expect("a change").value.clone();
    let counted = repaired.fork();
    assert_eq!(undo(&counted, None).expect("undo").method, Method::Bytes);
    for at in one_in(3, counted.operations()) {
        let what = format!("{:?} ({at})", counted.log()[at]);
        let killed = repaired.fork();
        killed.fail_at(at, Fault::Kill);
        undo(&killed, None).expect_err(&what);
        killed.restart(Loss::Some(0x9e37_79b9_7f4a_7c15));
        // The runs are hidden, as if Windows had made the change.
        let rename = |from, to| killed.root().replace(from, to).expect("renamed");
        rename("diskmend", "elsewhere");
        killed.set_all(&[(&kept.key, &kept.value, LATER)]);
        killed.secure(&key(0), bytes(SOUND));
        rename("diskmend", "other");
        rename("elsewhere", "diskmend");
        match undo(&killed, Some(&first)) {
            Ok(_) | Err(Error::NotUndoable { .. }) => {}
            Err(error) => panic!("{what}: {error}"),
        }
        let found = reading(&killed, &kept.key, &kept.value);
        assert_eq!(found, Some(ValueData::dword(LATER)), "{what}");
        assert_eq!(sddl(&killed, &key(0)), SOUND, "{what}");
    }
}

/// The same tests on an unmounted disk, where the sectors are recorded.
#[cfg(target_os = "linux")]
mod on_an_image {
    use std::convert::Infallible;

    use diskmend_disk::Access;
    use diskmend_hive::ValueType;

    use super::super::image::{is_unfinished, options, repair, sampled, site, with_image};
    use super::super::image_fixture::{Boot, Container, image};
    use super::super::support::with_watch;
    use super::{LATER, LOSSES};
    use crate::documents::{Method, UndoReport};
    use crate::error::Error;
    use crate::hive_file::edit_site;
    use crate::hive_on_disk;
    use crate::recipe::HiveName;
    use crate::stop::Stop;
    use crate::undo::undo_site;
    use crate::value_data::ValueData;
    use diskmend_disk::testing::{Fault, FaultyDisk};
    use diskmend_hive::Editor;

    fn undo(disk: &FaultyDisk, run: Option<&str>) -> Result<UndoReport, Error> {
        let mut site = site(disk)?;
        with_watch(|watch| undo_site(&mut site, run, &options(), watch))
    }

    fn reading(disk: &FaultyDisk, key: &str, name: &str) -> Option<ValueData> {
        let site = site(disk).expect("a disk");
        let place = hive_on_disk::find(site.root.as_ref(), HiveName::System).expect("a hive");
        let opened = hive_on_disk::open(place, Access::Read).expect("open");
        crate::reading::value(&opened.hive, key, name).expect("sound")
    }

    #[test]
    fn an_undo_that_was_killed_keeps_the_later_run() {
        let Some(image) = image("dirty-hvle-both", Boot::Ntfs, Container::Raw) else {
            return;
        };
        let disk = with_image(image);
        let report = repair(&disk).expect("repair");
        let first = report.run.expect("a run");
        let changes = report.changes.iter();
        let mut numbers = changes.filter(|change| {
            let new = change.value.new.as_ref();
            change.hive == "SYSTEM" && new.is_some_and(|data| data.bytes.len() == 4)
        });
        let kept = numbers.next_back().expect("a number").value.clone();
        let site = site(&disk).expect("a disk");
        let place = hive_on_disk::find(site.root.as_ref(), HiveName::System).expect("a hive");
        let edited = with_watch(|watch| {
            let change = |editor: &mut Editor| -> Result<(), Stop<Infallible>> {
                let data = LATER.to_le_bytes();
                editor.set_value(&kept.key, &kept.value, ValueType::DWORD, &data)?;
                Ok(())
            };
            edit_site(&site, place, &options(), watch, change)
        });
        edited.expect("a second run");
        drop(site);
        let twice = disk.fork();
        let counted = twice.fork();
        let method = undo(&counted, Some(&first)).expect("undo").method;
        assert_eq!(method, Method::Values);
        let mut states = 0;
        for number in sampled(counted.operations() * LOSSES.len()) {
            let at = number / LOSSES.len();
            let loss = LOSSES[number % LOSSES.len()];
            let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
            let killed = twice.fork();
            killed.fail_at(at, Fault::Kill);
            if undo(&killed, Some(&first)).is_ok() {
                continue;
            }
            killed.restart(loss);
            loop {
                match undo(&killed, Some(&first)) {
                    Ok(_) => {}
                    Err(Error::NotUndoable { .. }) => break,
                    Err(Error::Refused(_)) => {
                        undo(&killed, None).unwrap_or_else(|error| panic!("{what}: {error}"));
                    }
                    Err(error) => panic!("{what}: {error}"),
                }
            }
            let found = reading(&killed, &kept.key, &kept.value);
            assert_eq!(found, Some(ValueData::dword(LATER)), "{what}");
            assert!(!is_unfinished(&killed), "{what}");
            states += 1;
        }
        println!("{states} crashes tried");
        assert!(states >= 5, "{states}");
    }
}
