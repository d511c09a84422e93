//! `diskmend bcd copy`: copies an object.

use diskmend_bcd::{Change, ElementId, ElementValue, Guid, Store, StoreError, well_known};
use diskmend_repair::Stop;
use diskmend_repair::boot_store::{self, NewErrors};
use diskmend_repair::documents::RepairReport;
use serde::Serialize;

use super::edit::{self, EditArgs};
use super::reading::{self, Source};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_arg::shown;
use crate::output::console::Console;

/// Copy an object under a new GUID, as 'bcdedit /copy' does
///
/// If the object is in the boot menu, its copy becomes the last entry.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend bcd copy /mnt/f '{default}' --description 'Windows Server (safe mode)'
  diskmend bcd copy BCD '{default}' --description Debug --yes --json")]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditArgs,
    /// The object to copy: a GUID, or a name such as {default}
    object: String,
    /// The text for the copy in the boot menu
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    description: String,
}

#[derive(Serialize)]
struct Copied<'a> {
    #[serde(flatten)]
    report: &'a RepairReport,
    object: String,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    args.edit.begin(console)?;
    let source = Source::open(&args.edit.store)?;
    let about = |failure: Failure| failure.about(&shown(&source.file));
    let store = source.store()?;
    let from = reading::guid(&store, &args.object).map_err(about)?;
    reading::object(&store, from).map_err(about)?;
    let to = Guid::random();
    let change = Change::CopyObject {
        from,
        to,
        description: Some(args.description.clone()),
    };
    // What can't be done is reported before the question.
    change
        .edits(&store)
        .map_err(|error| about(edit::refusal(&error)))?;
    let named = reading::section(&store, from)
        .as_ref()
        .map_or_else(|| from.to_string(), reading::named);
    let question = format!("Copy {named} as \"{}\"?", args.description);
    // A disk is opened anew for writing.
    let file = source.file.clone();
    drop(source);
    let done = edit::run(
        &args.edit,
        console,
        &file,
        NewErrors::Tell,
        &question,
        |editor| {
            change.apply(editor).map_err(edit::stop)?;
            let store = boot_store::store_in(editor);
            let menu = store.and_then(|store| menu_with(&store, from, to));
            let menu = menu.map_err(|error| Stop::Refused(reading::unreadable(&error)))?;
            if let Some(menu) = menu {
                menu.apply(editor).map_err(edit::stop)?;
            }
            Ok(())
        },
    )?;
    let Some(done) = done else {
        return Ok(Exit::Pending);
    };
    edit::page(console, &done);
    console.show(Exit::Done, |console| {
        if console.json() {
            console.engine_document(&Copied {
                report: &done.report,
                object: to.to_string(),
            })
        } else {
            writeln!(console.out(), "copied to {to}\n")?;
            edit::print(console, &done)
        }
    })
}

/// The boot menu with the copy in it, if it contains the original.
fn menu_with(store: &Store<'_>, from: Guid, to: Guid) -> Result<Option<Change>, StoreError> {
    let Some(boot_manager) = store.object(well_known::BOOTMGR)? else {
        return Ok(None);
    };
    match boot_manager.value(ElementId::DISPLAY_ORDER)? {
        Some(ElementValue::ObjectList(mut menu)) if menu.contains(&from) => {
            menu.push(to);
            Ok(Some(Change::SetElement {
                object: well_known::BOOTMGR,
                element: ElementId::DISPLAY_ORDER,
                value: ElementValue::ObjectList(menu),
            }))
        }
        _ => Ok(None),
    }
}
