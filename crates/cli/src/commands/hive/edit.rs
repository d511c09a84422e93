//! The common parts of the commands that change a hive file.

use std::collections::HashSet;

use diskmend_hive::Editor;
use diskmend_hive::{EditError, components};
use diskmend_repair::documents::RepairReport;
use diskmend_repair::hive_file::HivePath;
use diskmend_repair::{Readable, Stop, ValueData};

use super::reading;
use crate::commands::repair;
use crate::consent::Consent;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_arg::HiveArgs;
use crate::hive_session::{self, Check};
use crate::html;
use crate::key_path;
use crate::output::console::{self, Console};
use crate::report_file::ReportArgs;
use crate::target_arg::StateArgs;

/// The hive file to change.
#[derive(Debug, clap::Args)]
pub(crate) struct FileArgs {
    #[command(flatten)]
    pub(crate) hive: HiveArgs,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    report: ReportArgs,
}

/// The hive file to edit.
#[derive(Debug, clap::Args)]
pub(crate) struct EditArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Skip the full check of the hive and the second reader. This is faster on a large hive, but
    /// does not notice damage in other parts of the hive. diskmend still checks what the edit
    /// itself reads, and what it has written
    #[arg(long)]
    no_check: bool,
}

/// Asks `question`, and edits the hive file if the user agrees. `paths` are the keys that the edit
/// changes. Whatever else is wrong is said before the question.
pub(super) fn run(
    args: &EditArgs,
    console: &mut Console,
    question: &str,
    paths: &[&str],
    mut edit: impl FnMut(&mut Editor) -> Result<(), EditError>,
) -> Result<Exit, Failure> {
    let check = if args.no_check {
        Check::None
    } else {
        Check::Full
    };
    let FileArgs {
        hive,
        consent,
        state,
        report,
    } = &args.file;
    report.about_file(&hive.path()?, console)?;
    let file = resolved(hive)?;
    console.page(|| html::request(question));
    let mut make = |editor: &mut Editor| match misplaced(editor, paths) {
        Some(refusal) => Err(Stop::Refused(refusal)),
        None => Ok(edit(editor)?),
    };
    if consent.asks() {
        if let Some(report) = hive_session::try_edit(&file, state, check, &mut make)? {
            return show(console, &args.file, &file, &report);
        }
        consent.can_be_had()?;
        if !consent.given(question)? {
            return Ok(Exit::Pending);
        }
    }
    let (report, ()) = hive_session::edit(&file, state, check, make)?;
    show(console, &args.file, &file, &report)
}

/// Recovers the hive file if it is dirty.
pub(super) fn recover(args: &FileArgs, console: &mut Console) -> Result<Exit, Failure> {
    args.report.about_file(&args.hive.path()?, console)?;
    let file = resolved(&args.hive)?;
    if args.consent.asks() {
        let tried = hive_session::try_edit(&file, &args.state, Check::Full, |_| Ok(()))?;
        if let Some(report) = tried {
            return show(console, args, &file, &report);
        }
        args.consent.can_be_had()?;
        let opened = reading::open(&file)?;
        if let Some(state) = &opened.status.dirty {
            let pages = opened.status.recovery.map_or(0, |recovery| recovery.pages);
            console::note(format_args!(
                "{state}; its logs contain {pages} newer pages"
            ));
        }
        drop(opened.hive);
        if !args.consent.given("Recover the hive from them?")? {
            return Ok(Exit::Pending);
        }
    }
    let (report, ()) = hive_session::edit(&file, &args.state, Check::Full, |_| Ok(()))?;
    show(console, args, &file, &report)
}

/// The place of the hive, with the partition if it is on an unmounted disk.
fn resolved(hive: &HiveArgs) -> Result<HivePath, Failure> {
    let path = hive.path()?;
    let resolved = path.clone().resolved();
    resolved.map_err(|error| reading::failure(&error, &path))
}

fn show(
    console: &mut Console,
    args: &FileArgs,
    file: &HivePath,
    report: &RepairReport,
) -> Result<Exit, Failure> {
    let option = hive_session::option(file, &args.state);
    repair::page(console, report, &option);
    console.show(Exit::Done, |console| {
        if console.json() {
            console.engine_document(report)
        } else {
            repair::print(console, report, &option)
        }
    })
}

/// Refuses paths that would create a key that is useless in a hive file: a root key of the
/// registry, or `CurrentControlSet`, which in a running Windows is a link to a control set.
fn misplaced(editor: &Editor, paths: &[&str]) -> Option<Failure> {
    let exists = |path: &str| matches!(editor.key(path), Ok(Some(_)));
    let firsts: HashSet<&str> = paths
        .iter()
        .filter_map(|path| components(path).next())
        .collect();
    let first = firsts
        .into_iter()
        .find(|first| key_path::hint(first).is_some() && !exists(first))?;
    let message = format!("a hive has no key {first} at its root; nothing was changed");
    let mut hint = key_path::hint(first)?;
    if exists("Select")
        && let Ok(Some(current)) = editor.value("Select", "Current")
        && let Some(Readable::Number(number)) = ValueData::from(current).readable()
    {
        hint = format!("{hint}; this hive's current set is ControlSet{number:03}");
    }
    Some(Failure::new(Exit::Refused, message).hint(hint))
}
