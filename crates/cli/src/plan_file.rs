//! Saved plans: the file of `plan --out` and `repair --plan`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use diskmend_repair::documents::Trust;
use diskmend_repair::{Error, MAX_PLAN_LEN, Plan, PlanFileError, Refusal, SavedPlan};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints;
use crate::new_file;
use crate::output::{console, shell};
use crate::progress::Steps;
use crate::target_arg::TargetArgs;

/// Saves a plan under a new name.
pub(crate) fn save(path: &Path, plan: &Plan<'_>, target: &TargetArgs) -> Result<(), Failure> {
    let mut steps = Steps::start();
    let bytes = plan.to_file(&mut steps.watch());
    let bytes = bytes.map_err(|error| failure(&error, path, target))?;
    new_file::write_whole(path, &bytes)
}

/// Says how to carry out a plan that was saved.
pub(crate) fn tell_saved(path: &Path, target: &TargetArgs) {
    let name = target.target.display().to_string();
    let (name, file) = (shell::word(&name), path.display().to_string());
    let (file, option) = (shell::word(&file), target.option());
    console::note(format_args!("the plan is saved in {file}"));
    console::hint(format_args!(
        "to carry out exactly this plan: diskmend repair {name} --plan {file}{option}"
    ));
}

/// Reads a saved plan, and says who has made it if that was not this machine, or was another
/// version of diskmend.
pub(crate) fn read(path: &Path, target: &TargetArgs) -> Result<SavedPlan, Failure> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        Failure::of(Exit::Failure, &error).context(format_args!("{shown}: cannot read the plan"))
    };
    // A FIFO would keep the command waiting.
    if !path.metadata().map_err(unreadable)?.is_file() {
        let message = format_args!("{shown}: a plan is a regular file").to_string();
        return Err(Failure::new(Exit::Failure, message));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_PLAN_LEN + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    let saved = SavedPlan::read(&bytes, &target.keys());
    let saved = saved.map_err(|error| failure(&error, path, target))?;
    if let Trust::Known { key } = saved.trust() {
        console::note(format_args!(
            "the machine with the key {key} made this plan on {}",
            saved.created()
        ));
    }
    if saved.program() != env!("CARGO_PKG_VERSION") {
        console::note(format_args!(
            "diskmend {} made this plan; it is carried out only if this version plans the same",
            saved.program()
        ));
    }
    Ok(saved)
}

/// The failure of a command with a saved plan.
pub(crate) fn failure(error: &Error, path: &Path, target: &TargetArgs) -> Failure {
    let failure = target.failure(error);
    match error {
        Error::PlanFile(error) => {
            let failure = failure.context(path.display());
            match error {
                PlanFileError::Foreign { key } => failure.hint(format!(
                    "if you know the machine with the key {key}: run 'diskmend key export' there, \
                     and name the exported file with --key FILE"
                )),
                PlanFileError::OtherRecipe { .. } => failure.hint(hints::PLAN_AGAIN),
                PlanFileError::TooLong { .. } => failure,
                _ => failure.hint(
                    "use the file as 'diskmend plan --out' has written it; a plan can't be edited, \
                     but it can be made again",
                ),
            }
        }
        Error::Refused(Refusal::OtherTarget { .. } | Refusal::StalePlan { .. }) => {
            failure.context(path.display())
        }
        _ => failure,
    }
}
