//! `runs --prune`: removing runs that are no longer needed.

use diskmend_disk::TargetLock;

use crate::documents::{NotPruned, PrunableRun, PruneList, PruneReason, PruneReport, SCHEMA};
use crate::engine::Engine;
use crate::error::{Error, chain};
use crate::guards::guards;
use crate::run::{FoundRun, Tally};
use crate::run_state::{RunState, same_partition};
use crate::site::Site;
use crate::trust::{Doubt, Trust};

impl Engine {
    /// The runs of the target that can be removed, except for the newest `keep`: runs that were
    /// undone or rolled back, that never began, or that have no valid seal. Nothing is written.
    ///
    /// # Errors
    /// If the target is the disk of the running system, or if the folder for undo data can't be
    /// read; see [`Error`].
    pub fn prunable(&self, keep: usize) -> Result<PruneList, Error> {
        self.not_own_disk()?;
        self.site.state.require_place()?;
        prunable_site(&self.site, keep)
    }

    /// Removes runs that were listed, if they can still be removed.
    ///
    /// # Errors
    /// If nothing can be removed at all; see [`Error`].
    pub fn prune(&self, list: &PruneList) -> Result<PruneReport, Error> {
        self.site.state.require_place()?;
        // The folder for undo data of an unmounted disk is elsewhere.
        if self.target.disk().is_none() {
            guards(&self.target, false)?;
        }
        prune_site(&self.site, list)
    }
}

pub(crate) fn prunable_site(site: &Site, keep: usize) -> Result<PruneList, Error> {
    let mut runs = Vec::new();
    for run in site.state.runs()? {
        let run = run?;
        let name = run.id.to_string();
        let Some(why) = why(&run, site)? else {
            continue;
        };
        runs.push((name, why));
    }
    let kept = runs.len().min(keep);
    runs.truncate(runs.len() - kept);
    let halves = site.state.half_removed()?.into_iter();
    runs.extend(halves.map(|name| (name, PruneReason::HalfRemoved)));
    let listed = runs.into_iter().map(|(run, why)| {
        let tally = site.state.tally(&run, why == PruneReason::HalfRemoved);
        // A run that can't be counted is reported when it can't be removed.
        let tally = tally.unwrap_or_else(|error| {
            tracing::warn!(%run, "its files can't be counted: {}", chain(&error));
            Tally::default()
        });
        PrunableRun {
            run,
            why,
            files: tally.files,
            bytes: tally.bytes,
        }
    });
    Ok(PruneList {
        schema: SCHEMA,
        target: site.display.clone(),
        runs: listed.collect(),
        kept: kept as u64,
    })
}

/// The reason why a run is not needed; `None` if it may be needed.
fn why(run: &FoundRun, site: &Site) -> Result<Option<PruneReason>, Error> {
    let read = match run.read(&site.judge) {
        Ok(Some(read)) => read,
        Ok(None) => return Ok(Some(PruneReason::NeverBegan)),
        // A run that can't be read has no valid seal.
        Err(Error::DamagedRun { .. }) => return Ok(Some(PruneReason::NotTrusted)),
        // A run that the system can't read now may be needed, and does not hide other runs.
        Err(Error::Io { .. } | Error::Refused(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    // Another partition or another disk may still need the run.
    if !same_partition(read.journal.partition(), site.partition) {
        return Ok(None);
    }
    match read.trust {
        Trust::Unauthenticated {
            reason: Doubt::OtherDisk,
        } => return Ok(None),
        Trust::Unauthenticated { .. } => return Ok(Some(PruneReason::NotTrusted)),
        _ => {}
    }
    // The only copy of a file that could not be put back.
    let left = read
        .journal
        .files
        .as_ref()
        .is_some_and(|entry| entry.left > 0);
    if left && site.state.keeps_files(&run.id)? {
        return Ok(None);
    }
    Ok(match read.journal.state {
        RunState::Undone => Some(PruneReason::Undone),
        RunState::RolledBack => Some(PruneReason::RolledBack),
        _ => None,
    })
}

pub(crate) fn prune_site(site: &Site, list: &PruneList) -> Result<PruneReport, Error> {
    let mut report = PruneReport {
        schema: SCHEMA,
        target: site.display.clone(),
        removed: Vec::new(),
        failed: Vec::new(),
    };
    let Some(state) = site.state.open()? else {
        return Ok(report);
    };
    let _lock = TargetLock::acquire(state.as_ref())?;
    // Another process may have begun a run, or undone one, since they were listed.
    let now = prunable_site(site, 0)?.runs;
    for run in &list.runs {
        let same = |other: &&PrunableRun| other.run == run.run && other.why == run.why;
        let removed = match now.iter().find(same) {
            Some(_) => site
                .state
                .remove_run(&run.run, run.why == PruneReason::HalfRemoved)
                .map_err(|error| chain(&error)),
            None => Err("it has changed since it was listed".to_owned()),
        };
        match removed {
            Ok(()) => report.removed.push(run.clone()),
            Err(reason) => report.failed.push(NotPruned {
                run: run.run.clone(),
                reason,
            }),
        }
    }
    Ok(report)
}
