//! `runs`: lists the runs on a target.

use crate::documents::{RunList, SCHEMA};
use crate::engine::Engine;
use crate::error::{Error, chain};
use crate::run::FoundRun;
use crate::run_summary::RunSummary;
use crate::site::Site;
use crate::trust::Judge;
use crate::unfinished::state_folder_open;

impl Engine {
    /// Lists the runs of the target, oldest first. Nothing is written.
    ///
    /// # Errors
    /// If the folder for undo data can't be read; see [`Error`].
    pub fn runs(&self) -> Result<RunList, Error> {
        self.site.state.require_place()?;
        runs_site(&self.site)
    }
}

pub(crate) fn runs_site(site: &Site) -> Result<RunList, Error> {
    let summaries = site
        .state
        .runs()?
        .map(|run| Ok(summary(&run?, &site.judge)));
    Ok(RunList {
        schema: SCHEMA,
        target: site.display.clone(),
        runs: summaries.collect::<Result<_, Error>>()?,
        notices: state_folder_open(site)?.into_iter().collect(),
    })
}

fn summary(run: &FoundRun, judge: &Judge) -> RunSummary {
    let note = match run.read(judge) {
        Ok(Some(read)) => return read.journal.summary(read.trust),
        Ok(None) => "ended before it changed anything".to_owned(),
        Err(error) => chain(&error),
    };
    RunSummary::unreadable(run.id.to_string(), note)
}
