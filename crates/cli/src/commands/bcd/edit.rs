//! What the commands that change a boot store have in common.

use std::io;
use std::path::Path;

use diskmend_bcd::check::{self, Level, Problem};
use diskmend_bcd::text::TextError;
use diskmend_bcd::{Change, ChangeError, Listing, Store, StoreError};
use diskmend_hive::{Corruption, EditError};
use diskmend_repair::Recorder;
use diskmend_repair::documents::RepairReport;

use super::difference::{self, ObjectDifference};
use super::reading::{self, Source};
use super::store_arg::StoreArg;
use crate::commands::{plan, repair};
use crate::consent::Consent;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_session::{self, Check};
use crate::output::console::{self, Console};
use crate::target_arg::StateArgs;

/// Most new problems that are told one by one.
const MOST_PROBLEMS: usize = 10;

/// The boot store to edit.
#[derive(Debug, clap::Args)]
pub(crate) struct EditArgs {
    #[command(flatten)]
    pub(crate) store: StoreArg,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    state: StateArgs,
}

/// Why an edit goes no further; nothing of it is written.
pub(super) enum Stop {
    /// The hive can't be edited.
    Edit(EditError),
    /// The edit is not what the store can have.
    Refused(Failure),
}

/// What becomes of an edit that leaves errors in a store that had none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NewErrors {
    Refuse,
    Tell,
}

/// An edit that was made.
pub(super) struct Done {
    pub(super) report: RepairReport,
    difference: Vec<ObjectDifference>,
}

/// The store as it is at one moment.
struct Moment {
    /// Absent where it can't be listed.
    listing: Option<Listing>,
    problems: Vec<Problem>,
}

/// Edits the store's file.
pub(super) fn run(
    args: &EditArgs,
    file: &Path,
    new_errors: NewErrors,
    edit: impl FnOnce(&mut Recorder) -> Result<(), Stop>,
) -> Result<Done, Failure> {
    let mut moments = None;
    let result = hive_session::edit(file, &args.state, Check::Full, |recorder| {
        let before = moment(recorder)?;
        edit(recorder)?;
        let after = moment(recorder)?;
        let problems = new_problems(&before, &after);
        if new_errors == NewErrors::Refuse {
            refuse_errors(&problems)?;
        }
        moments = Some((before, after, problems));
        Ok(())
    });
    let report = result.map_err(|failure| failure.about(file))?;
    let mut difference = Vec::new();
    if let Some((before, after, problems)) = moments {
        tell(&problems);
        if let (Some(before), Some(after)) = (&before.listing, &after.listing) {
            difference = difference::between(before, after);
        }
    }
    Ok(Done { report, difference })
}

/// Asks, makes one change and shows what came of it.
pub(super) fn change(
    args: &EditArgs,
    console: &mut Console,
    source: &Source,
    change: &Change,
    question: &str,
) -> Result<Exit, Failure> {
    if !args.consent.given(question)? {
        return Ok(Exit::Pending);
    }
    let done = run(args, &source.file, NewErrors::Tell, |recorder| {
        change.apply(recorder)?;
        Ok(())
    })?;
    show(args, console, &done)
}

/// Shows an edit as the result of a command.
pub(super) fn show(args: &EditArgs, console: &mut Console, done: &Done) -> Result<Exit, Failure> {
    console.show(Exit::Done, |console| match console.json() {
        true => console.engine_document(&done.report),
        false => print(args, console, done),
    })
}

/// Shows an edit to a person.
pub(super) fn print(args: &EditArgs, console: &mut Console, done: &Done) -> io::Result<()> {
    let width = console.width();
    let out = console.out();
    match done.difference.is_empty() {
        // What makes no difference to bcdedit is shown as the registry has it.
        true => plan::changes(out, &done.report.changes, width)?,
        false => difference::print(out, &done.difference, width)?,
    }
    if !done.report.changes.is_empty() {
        writeln!(out)?;
    }
    repair::print_end(console, &done.report, &args.state.option())
}

fn new_problems(before: &Moment, after: &Moment) -> Vec<Problem> {
    let is_new = |problem: &&Problem| !before.problems.contains(problem);
    after.problems.iter().filter(is_new).cloned().collect()
}

fn refuse_errors(problems: &[Problem]) -> Result<(), Stop> {
    let mut errors = problems
        .iter()
        .filter(|problem| problem.level == Level::Error);
    let Some(first) = errors.next() else {
        return Ok(());
    };
    let message = match errors.count() {
        0 => format!("the store would not be sound: {first}"),
        more => format!("the store would not be sound: {first}, and {more} more errors"),
    };
    let failure = Failure::new(Exit::Refused, message);
    Err(Stop::Refused(failure.hint("--force does it nevertheless")))
}

fn tell(problems: &[Problem]) {
    for problem in problems.iter().take(MOST_PROBLEMS) {
        console::warn(problem);
    }
    if let Some(more @ 1..) = problems.len().checked_sub(MOST_PROBLEMS) {
        console::warn(format_args!(
            "and {more} more problems, which 'diskmend bcd check' lists"
        ));
    }
}

/// The store as it is now.
pub(super) fn store(recorder: &Recorder) -> Result<Store<'_>, StoreError> {
    Store::new(recorder.key("")?.ok_or(StoreError::NoObjects)?)
}

fn moment(recorder: &Recorder) -> Result<Moment, Corruption> {
    let listing = store(recorder).and_then(|store| Listing::new(&store, false));
    Ok(Moment {
        listing: listing.ok(),
        problems: match recorder.key("")? {
            Some(root) => check::check(root).problems,
            None => Vec::new(),
        },
    })
}

impl From<Stop> for diskmend_repair::Stop<Failure> {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Edit(error) => Self::Edit(error),
            Stop::Refused(failure) => Self::Refused(failure),
        }
    }
}

impl From<ChangeError> for Stop {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Edit(error) => Self::Edit(error),
            error => Self::Refused(refusal(&error)),
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Refused(reading::unreadable(&error))
    }
}

impl From<TextError> for Stop {
    fn from(error: TextError) -> Self {
        match error {
            TextError::Edit(error) => Self::Edit(error),
            TextError::Corrupt(error) => Self::Edit(error.into()),
            error => Self::Refused(Failure::of(Exit::Failure, &error)),
        }
    }
}

/// A change that the store can't have.
pub(super) fn refusal(error: &ChangeError) -> Failure {
    match error {
        ChangeError::Store(error) => reading::unreadable(error),
        _ => Failure::of(Exit::Failure, error),
    }
}
