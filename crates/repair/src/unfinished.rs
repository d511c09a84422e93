//! Runs that wait to be settled.

use crate::error::{Error, chain};
use crate::finding::Notice;
use crate::run_summary::RunSummary;
use crate::site::Site;

/// A notice if somebody else may have written to the folder for undo data.
pub(crate) fn state_folder_open(site: &Site) -> Result<Option<Notice>, Error> {
    Ok(site.state.doubt()?.map(|doubt| Notice {
        kind: "state-folder-open",
        text: format!("{}; what is in it may be forged", Error::from(doubt)),
    }))
}

/// The runs that must be settled, and notices about journals that can't be read.
pub(crate) fn unfinished(site: &Site) -> Result<(Vec<RunSummary>, Vec<Notice>), Error> {
    let mut waiting = Vec::new();
    let mut notices = Vec::new();
    notices.extend(state_folder_open(site)?);
    for run in site.state.runs()? {
        let run = run?;
        match run.read(&site.judge) {
            Ok(Some(read)) if read.journal.state.is_unfinished() => {
                waiting.push(read.journal.summary(read.trust));
            }
            Ok(_) => {}
            Err(error) => notices.push(Notice {
                kind: "damaged-run",
                text: chain(&error),
            }),
        }
    }
    Ok((waiting, notices))
}
