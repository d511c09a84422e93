//! Choosing the boot store that starts the target's Windows. Nothing is guessed.

use diskmend_bcd::loader::LoaderError;

use super::{Candidate, Chosen, Failure, Found, StoreStatus};
use crate::error::{Error, Refusal, chain};

/// Chooses the only store that starts the wanted Windows, if all others certainly don't.
/// `on_named_volume` is true for a volume that the caller has named as target or boot volume, false
/// for one that was found.
pub(super) fn choose(mut candidates: Vec<Candidate>, on_named_volume: bool) -> Found {
    for candidate in &mut candidates {
        candidate.status.problem = problem(&candidate.status, &candidate.outcome);
    }
    let fits = |candidate: &Candidate| candidate.outcome.is_ok();
    let is_other = |candidate: &Candidate| {
        let none_fits = |error: &Error| match error {
            Error::Refused(Refusal::LoaderUnclear { source, .. }) => {
                matches!(source, LoaderError::NoneFits { .. })
            }
            Error::Refused(Refusal::WrongLoader { .. }) => true,
            _ => false,
        };
        candidate.outcome.as_ref().is_err_and(none_fits)
    };
    let others = candidates.iter().filter(|one| is_other(one)).count();
    let at = match candidates.len() {
        1 if on_named_volume || candidates.iter().all(tells_where) => Some(0),
        all if others + 1 == all => candidates.iter().position(fits),
        _ => None,
    };
    if let Some(candidate) = at.and_then(|at| candidates.get_mut(at)) {
        candidate.status.chosen = candidate.outcome.is_ok();
    }
    let stores: Vec<StoreStatus> = candidates.iter().map(|one| one.status.clone()).collect();
    let files_read = candidates.iter().flat_map(|one| one.files_read.clone());
    let files_read = files_read.collect();
    let looked = candidates.iter_mut().filter_map(|one| one.looked.take());
    let looked = looked.collect();
    let chosen = match at {
        Some(at) => candidates.swap_remove(at).outcome,
        None => Err(Refusal::StoreUnclear {
            stores: stores.clone(),
        }
        .into()),
    };
    let chosen = chosen.map_err(Failure::of);
    Found {
        stores,
        chosen,
        looked,
        files_read,
    }
}

/// True if the outcome alone shows which store it is about. An error about a file names its path on
/// its volume, which isn't enough if nobody has named the volume.
fn tells_where(candidate: &Candidate) -> bool {
    match &candidate.outcome {
        Ok(_) => true,
        Err(Error::Refused(refusal)) => matches!(
            refusal,
            Refusal::LoaderUnclear { .. }
                | Refusal::SeveralWindows { .. }
                | Refusal::WrongLoader { .. }
                | Refusal::AnotherWindows { .. }
        ),
        Err(_) => false,
    }
}

/// The reason why a store isn't chosen, without its path.
fn problem(status: &StoreStatus, outcome: &Result<Chosen, Error>) -> Option<String> {
    let text = match outcome.as_ref().err()? {
        Error::Refused(Refusal::LoaderUnclear { source, .. }) => source.to_string(),
        Error::Target { source, .. } => chain(source),
        error => chain(error),
    };
    let paths = [status.shown_path(), status.path.clone()];
    let without = |path: &String| text.strip_prefix(path)?.strip_prefix(": ");
    let short = paths.iter().find_map(without);
    Some(short.unwrap_or(&text).to_owned())
}
