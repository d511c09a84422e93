//! The common parts of the commands that change a hive file.

use std::collections::HashSet;
use std::path::PathBuf;

use diskmend_hive::Editor;
use diskmend_hive::{EditError, components};
use diskmend_repair::documents::RepairReport;
use diskmend_repair::{Readable, Stop, ValueData};

use super::reading;
use crate::commands::repair;
use crate::consent::Consent;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_session::{self, Check};
use crate::html;
use crate::key_path;
use crate::output::console::{self, Console};
use crate::report_file::ReportArgs;
use crate::target_arg::StateArgs;

/// The hive file to change.
#[derive(Debug, clap::Args)]
pub(crate) struct FileArgs {
    /// The hive file
    pub(crate) file: PathBuf,
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
/// changes.
pub(super) fn run(
    args: &EditArgs,
    console: &mut Console,
    question: &str,
    paths: &[&str],
    edit: impl FnOnce(&mut Editor) -> Result<(), EditError>,
) -> Result<Exit, Failure> {
    args.file.report.about_hive(&args.file.file, console)?;
    args.file.consent.can_be_had()?;
    if !args.file.consent.given(question)? {
        return Ok(Exit::Pending);
    }
    let check = if args.no_check {
        Check::None
    } else {
        Check::Full
    };
    console.page(|| html::request(question));
    let FileArgs { file, state, .. } = &args.file;
    let (report, ()) = hive_session::edit(file, state, check, |editor| {
        match misplaced(editor, paths) {
            Some(refusal) => Err(Stop::Refused(refusal)),
            None => Ok(edit(editor)?),
        }
    })?;
    show(console, &args.file, &report)
}

/// Recovers the hive file if it is dirty.
pub(super) fn recover(args: &FileArgs, console: &mut Console) -> Result<Exit, Failure> {
    args.report.about_hive(&args.file, console)?;
    args.consent.can_be_had()?;
    if args.consent.asks() {
        let opened = reading::open(&args.file)?;
        if let Some(state) = &opened.status.dirty {
            let pages = opened.status.recovery.map_or(0, |recovery| recovery.pages);
            console::note(format_args!(
                "{state}; its logs contain {pages} newer pages"
            ));
            if !args.consent.given("Recover the hive from them?")? {
                return Ok(Exit::Pending);
            }
        }
    }
    let (report, ()) = hive_session::edit(&args.file, &args.state, Check::Full, |_| Ok(()))?;
    show(console, args, &report)
}

fn show(console: &mut Console, args: &FileArgs, report: &RepairReport) -> Result<Exit, Failure> {
    repair::page(console, report, &args.state.option());
    console.show(Exit::Done, |console| {
        if console.json() {
            console.engine_document(report)
        } else {
            repair::print(console, report, &args.state.option())
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
