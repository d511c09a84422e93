//! Restores a run's old bytes, although something else has written to these places since.

use super::{by_bytes, locked, undo_guards, undoable, whole_disk};
use crate::changes::hive;
use crate::differences::Differences;
use crate::documents::UndoReport;
use crate::engine::Engine;
use crate::error::{Error, chain};
use crate::finding::Notice;
use crate::progress::{Phase, Watch};
use crate::run::{Journal, RunFolder};
use crate::site::Site;

impl Engine {
    /// The bytes that a run has changed and that are now neither what it found nor what it left.
    /// Nothing is written.
    ///
    /// # Errors
    /// See [`Error`] and its [`class`](Error::class).
    pub fn differences(
        &self,
        run: Option<&str>,
        watch: &mut Watch<'_>,
    ) -> Result<Differences, Error> {
        self.guard(undo_guards, watch)?;
        differences_site(&self.site, run)
    }

    /// Restores only a run's old bytes, whatever is in their places now. The caller has shown the
    /// [`differences`](Self::differences) and asked.
    ///
    /// # Errors
    /// See [`Error`] and its [`class`](Error::class).
    pub fn undo_by_force(
        &mut self,
        run: Option<&str>,
        watch: &mut Watch<'_>,
    ) -> Result<UndoReport, Error> {
        self.guard(undo_guards, watch)?;
        undo_site_by_force(&mut self.site, run, watch)
    }
}

pub(crate) fn differences_site(site: &Site, run: Option<&str>) -> Result<Differences, Error> {
    let (folder, journal) = undoable(site, run)?;
    let _lock = locked(site)?;
    compare(site, &folder, &journal)
}

pub(crate) fn undo_site_by_force(
    site: &mut Site,
    run: Option<&str>,
    watch: &mut Watch<'_>,
) -> Result<UndoReport, Error> {
    let (folder, journal) = undoable(site, run)?;
    let _lock = locked(site)?;
    watch.phase(Phase::Opening, &site.display)?;
    // The remains of an earlier attempt may be what prevents every other one.
    if let Err(error) = site.end_attempt(&folder) {
        tracing::warn!("{}", chain(&error));
        site.forget_attempt(&folder)?;
    }
    let site = &*site;
    let differences = compare(site, &folder, &journal)?;
    let mut report = if is_by_sectors(site, &journal)? {
        whole_disk(site, &folder, journal, watch)?
    } else {
        let recorded = journal.clone();
        let mut restorations = hive::open_all(site, &folder, &recorded)?;
        for restoration in &mut restorations {
            restoration.force()?;
        }
        by_bytes(site, &folder, journal, &mut restorations, watch)?
    };
    if !differences.places.is_empty() {
        report.notices.push(Notice {
            kind: "forced",
            text: "the old bytes of the run were restored over something else: check the disk \
                   before it is used"
                .to_owned(),
        });
    }
    report.differences = Some(differences);
    Ok(report)
}

/// True if all changes of the run are on a disk and their sectors are recorded.
fn is_by_sectors(site: &Site, journal: &Journal) -> Result<bool, Error> {
    Ok(site.disk.is_some() && journal.disk.is_some() && site.holds_all(journal)?)
}

fn compare(site: &Site, folder: &RunFolder, journal: &Journal) -> Result<Differences, Error> {
    let mut differences = Differences::of(&site.display, &journal.run);
    if is_by_sectors(site, journal)? {
        differences.add(site.changed_since(folder, journal)?);
        return Ok(differences);
    }
    for restoration in hive::open_all(site, folder, journal)? {
        for difference in restoration.differences()? {
            differences.add(difference);
        }
    }
    Ok(differences)
}
