//! `runs`: lists the runs on a target, and finds one by its name.

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

    /// The name of the run that is meant by `text`: a name, or the beginning of the name of exactly
    /// one run. Whether a run is believed makes no difference.
    ///
    /// # Errors
    /// [`Error::NoRun`] or [`Error::SeveralRuns`]; and if the folder for undo data can't be read.
    pub fn run_named(&self, text: &str) -> Result<String, Error> {
        self.site.state.require_place()?;
        let id = self.site.state.find(text)?;
        Ok(id.to_string())
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
