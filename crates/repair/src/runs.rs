//! `runs`: lists the runs on a target, and finds one by its name.

use diskmend_disk::folder_and_name;

use crate::documents::{RunList, RunsElsewhere, SCHEMA};
use crate::engine::Engine;
use crate::error::{Error, chain};
use crate::run::{FoundRun, STATE_FOLDER, STATE_SUFFIX, StateFolder};
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
        let mut list = runs_site(&self.site)?;
        // The other folder is only looked at, so that its problems are not the target's.
        list.elsewhere = self.elsewhere().unwrap_or_else(|error| {
            tracing::warn!(
                "other runs of the volume can't be listed: {}",
                chain(&error)
            );
            None
        });
        Ok(list)
    }

    /// The runs that were made on the mounted volume of an image, or on the image of a mounted
    /// volume. A folder for undo data that the user has named is the only one.
    fn elsewhere(&self) -> Result<Option<RunsElsewhere>, Error> {
        if self.options.state_dir.is_some() {
            return Ok(None);
        }
        let (image, state, judge) = if self.target.disk().is_some() {
            let own = self.target.try_clone();
            let own = own.map_err(Error::io(&self.site.display, "open the folder"))?;
            let state = StateFolder::new(own.into_root(), STATE_FOLDER)?;
            (None, state, self.site.judge.clone().of_partition(None))
        } else {
            let Some(image) = self.target.image_file() else {
                return Ok(None);
            };
            let mut dir = image.clone().into_os_string();
            dir.push(STATE_SUFFIX);
            let shown = image.display().to_string();
            let opened = |source| Error::Target {
                path: shown.clone(),
                source,
            };
            let (parent, name) = folder_and_name(dir.as_ref()).map_err(opened)?;
            let state = StateFolder::new(parent, &name)?;
            (Some(shown), state, self.site.judge.clone())
        };
        let mut runs = Vec::new();
        for run in state.runs()? {
            let summary = summary(&run?, &judge);
            // Other partitions of the image have other volumes.
            if summary.identity.volume == judge.identity.volume {
                runs.push(summary);
            }
        }
        Ok((!runs.is_empty()).then_some(RunsElsewhere { image, runs }))
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
        elsewhere: None,
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
