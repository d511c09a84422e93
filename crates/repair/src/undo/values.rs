//! Undoing a run value by value, because something else has changed its files since.

use diskmend_disk::TargetLock;

use super::{half_way, report};
use crate::changes::hive::Reversal;
use crate::changes::{self, NewRun, Ready, descriptors, files, hive};
use crate::documents::{Method, UndoReport};
use crate::error::Error;
use crate::finding::Notice;
use crate::progress::{Phase, Watch};
use crate::run::{Journal, RunFolder, Way};
use crate::run_state::RunKind;
use crate::site::{Options, Site};

/// Reverses a run's changes one by one, as a run of its own, and restores the old descriptor of
/// every object. `lock` is the lock of the target.
pub(super) fn undo(
    site: &Site,
    folder: &RunFolder,
    mut journal: Journal,
    lock: TargetLock,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<UndoReport, Error> {
    hive::same_volume(site, &journal)?;
    hive::all_reversible(&journal)?;
    folder.read_changes(&mut journal)?;
    // The unfinished run may be an earlier reversal that was killed.
    site.no_unfinished_run(Some(&journal.run))?;
    watch.phase(Phase::Restoring, &site.display)?;
    let secured = descriptors::of_run(site, folder, &journal)?;
    let mut report = report(site, &journal, Method::Values);
    changes::check_scope(folder, &journal)?;
    if secured.is_none() && journal.files.is_none() {
        drop(lock);
        return hives(site, folder, journal, report, options, watch);
    }
    // Everything that is refused is refused before the first write. Setting descriptors and moving
    // files changes the volume with the hives, so the hives are opened again after it.
    hive::reversed(site, &journal, options, watch).map(drop)?;
    journal.begin_undo(Way::Values);
    folder.write_journal(&journal)?;
    let half_way_of_all = half_way(&journal);
    let undone = site.recording(folder, || {
        if let Some(secured) = &secured {
            let undone = descriptors::undo(secured.as_ref(), folder, &journal, watch)?;
            report.descriptors = Some(undone);
        }
        report.moved = files::undo(site, folder, &journal, watch);
        Ok(())
    });
    undone.map_err(half_way(&journal))?;
    drop(secured);
    drop(lock);
    hives(site, folder, journal, report, options, watch).map_err(half_way_of_all)
}

/// Reverses the changes of the hives. Nothing is noted in the journal before, because the reversal
/// is a run with its own journal.
fn hives(
    site: &Site,
    folder: &RunFolder,
    mut journal: Journal,
    mut report: UndoReport,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<UndoReport, Error> {
    report.notices.push(Notice {
        kind: "changed-since",
        text: "something else has changed the hive since this run, so each change of the run was \
               reversed separately, and later changes were kept"
            .to_owned(),
    });
    let (prepared, changes) = hive::reversed(site, &journal, options, watch)?;
    report.changes = changes;
    report.notices.extend(hive::stays(&journal));
    if report
        .changes
        .iter()
        .any(|change| change.reversal == Reversal::LeftAlone)
    {
        report.notices.push(Notice {
            kind: "left-alone",
            text: "some values have been changed again since; these were not restored".to_owned(),
        });
    }
    // A half-written run must not prevent its own reversal.
    journal.way = Some(Way::Values);
    files::settle(&mut journal, report.moved.as_ref());
    descriptors::settle(
        &mut journal,
        report.descriptors.as_ref(),
        report.moved.as_ref(),
    );
    if !prepared.is_empty() {
        let new = NewRun {
            kind: RunKind::Undo,
            recipes: journal.recipes.clone(),
            reverses: Some(journal.run.clone()),
            windows: journal.windows.clone(),
        };
        let committed = Ready::of_hives(prepared).commit(site, new, watch)?;
        journal.reversed_by.clone_from(&committed.run);
        report.recorded_as = committed.run;
    }
    folder.write_journal(&journal)?;
    Ok(report)
}
