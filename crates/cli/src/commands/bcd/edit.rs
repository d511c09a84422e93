//! The common parts of the commands that change a boot store.

use std::io;

use diskmend_bcd::check::Problem;
use diskmend_bcd::{Change, ChangeError};
use diskmend_hive::Editor;
use diskmend_repair::boot_store::{self, NewErrors};
use diskmend_repair::documents::RepairReport;
use diskmend_repair::hive_file::HivePath;
use diskmend_repair::{Error, NotEdited, Refusal, Stop};

use super::difference::{self, ObjectDifference};
use super::reading::{self, Source};
use super::store_arg::StoreArg;
use crate::commands::{plan, repair};
use crate::consent::Consent;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_arg::shown;
use crate::hive_session;
use crate::html;
use crate::output::console::{self, Console};
use crate::output::report;
use crate::progress::Steps;
use crate::report_file::ReportArgs;
use crate::target_arg::StateArgs;

/// The maximum number of new problems that are listed one by one.
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
    #[command(flatten)]
    report: ReportArgs,
}

impl EditArgs {
    /// Fails if the page could not be written.
    pub(super) fn begin(&self, console: &mut Console) -> Result<(), Failure> {
        self.store.begin(&self.report, console)
    }
}

/// An edit that was made.
pub(super) struct Done {
    pub(super) report: RepairReport,
    difference: Vec<ObjectDifference>,
    /// The options with which `undo` finds its run.
    option: String,
}

/// Asks `question`, and edits the store's file; `None` if the user does not agree. Whatever else is
/// wrong is said before the question.
pub(super) fn run(
    args: &EditArgs,
    console: &mut Console,
    file: &HivePath,
    new_errors: NewErrors,
    question: &str,
    mut edit: impl FnMut(&mut Editor) -> Result<(), Stop<Failure>>,
) -> Result<Option<Done>, Failure> {
    console.page(|| html::request(question));
    let options = args.state.options();
    if args.consent.asks() {
        let tried = {
            let mut steps = Steps::start();
            let watch = &mut steps.watch();
            boot_store::try_edit_file(file, new_errors, &options, watch, &mut edit)
        };
        if let Some(report) = tried.map_err(|error| failure(error, file, args))? {
            return Ok(Some(Done {
                report,
                difference: Vec::new(),
                option: hive_session::option(file, &args.state),
            }));
        }
        args.consent.can_be_had()?;
        if !args.consent.given(question)? {
            return Ok(None);
        }
    }
    let result = Steps::while_writing(|watch| {
        boot_store::edit_file(file, new_errors, &options, watch, edit)
    });
    let (report, made) = result.map_err(|error| failure(error, file, args))?;
    tell(&made.problems);
    let difference = match (&made.before, &made.after) {
        (Some(before), Some(after)) => difference::between(before, after),
        _ => Vec::new(),
    };
    Ok(Some(Done {
        report,
        difference,
        option: hive_session::option(file, &args.state),
    }))
}

fn failure(error: NotEdited<Failure>, file: &HivePath, args: &EditArgs) -> Failure {
    let forced = matches!(
        error,
        NotEdited::Engine(Error::Refused(Refusal::StoreUnsound { .. }))
    );
    let failure = hive_session::failure(error, file, &args.state).about(&shown(file));
    if forced {
        failure.hint("--force does it nevertheless")
    } else {
        failure
    }
}

/// Asks, makes one change, and shows the result.
pub(super) fn change(
    args: &EditArgs,
    console: &mut Console,
    source: Source,
    change: &Change,
    question: &str,
) -> Result<Exit, Failure> {
    // A disk is opened anew for writing.
    let file = source.file.clone();
    drop(source);
    let done = run(args, console, &file, NewErrors::Tell, question, |editor| {
        change.apply(editor).map_err(stop)?;
        Ok(())
    })?;
    match done {
        Some(done) => show(console, &done),
        None => Ok(Exit::Pending),
    }
}

/// Shows an edit as the result of a command.
pub(super) fn show(console: &mut Console, done: &Done) -> Result<Exit, Failure> {
    page(console, done);
    console.show(Exit::Done, |console| {
        if console.json() {
            console.engine_document(&done.report)
        } else {
            print(console, done)
        }
    })
}

/// Sets the page of an edit.
pub(super) fn page(console: &mut Console, done: &Done) {
    let report = &done.report;
    let run = report.run.as_deref();
    let undo = run.map(|run| report::undo_command(&report.target, run, &done.option));
    console.page(|| {
        maud::html! {
            (html::boot_objects(&done.difference))
            (html::applied(report, undo.as_deref()))
        }
    });
}

/// Shows an edit as text.
pub(super) fn print(console: &mut Console, done: &Done) -> io::Result<()> {
    let width = console.width();
    let out = console.out();
    if done.difference.is_empty() {
        plan::changes(out, &done.report.changes, width)?
    } else {
        difference::print(out, &done.difference, width)?
    }
    if !done.report.changes.is_empty() {
        writeln!(out)?;
    }
    repair::print_end(console, &done.report, &done.option)
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

/// A change that was refused while it was made.
pub(super) fn stop(error: ChangeError) -> Stop<Failure> {
    match error {
        ChangeError::Edit(error) => Stop::Edit(error),
        error => Stop::Refused(refusal(&error)),
    }
}

/// A change that the store rejects.
pub(super) fn refusal(error: &ChangeError) -> Failure {
    match error {
        ChangeError::Store(error) => reading::unreadable(error),
        _ => Failure::of(Exit::Failure, error),
    }
}
