//! `diskmend bcd delete`: deletes an element, or an object with all its elements.

use diskmend_bcd::well_known;
use diskmend_bcd::{Change, Guid, ObjectType, Store};

use super::edit::{self, EditArgs};
use super::reading::{self, Source};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_arg::shown;
use crate::output::console::Console;

/// Delete an element, or a whole object, as 'bcdedit /deletevalue' and '/delete' do
///
/// If an object is deleted, references to it are removed too: in a boot menu, a default entry, an
/// inherited setting. If the element or object does not exist, there is nothing to do (exit code
/// 0).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend bcd delete /mnt/f '{default}' safeboot
  diskmend bcd delete BCD '{49916baf-0e08-11db-9af4-000bdbd316a0}' --yes")]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditArgs,
    /// The object: a GUID, or a name such as {default}
    object: String,
    /// The element: bcdedit's name, or an id such as 0x25000080; without it, the whole object is
    /// deleted
    element: Option<String>,
    /// Also delete an object with a fixed name in Windows
    #[arg(long, conflicts_with = "element")]
    force: bool,
    /// Keep references to the object
    #[arg(long, conflicts_with = "element")]
    keep_references: bool,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    args.edit.begin(console)?;
    let source = Source::open(&args.edit.store)?;
    let (change, question) =
        change(args, &source).map_err(|failure| failure.about(&shown(&source.file)))?;
    edit::change(&args.edit, console, source, &change, &question)
}

/// The change, and what to ask about it.
fn change(args: &Args, source: &Source) -> Result<(Change, String), Failure> {
    let store = source.store()?;
    let guid = reading::guid(&store, &args.object)?;
    let named = reading::section(&store, guid)
        .as_ref()
        .map_or_else(|| guid.to_string(), reading::named);
    let Some(element) = &args.element else {
        refuse_well_known(args, guid)?;
        let references = !args.keep_references;
        let change = Change::DeleteObject {
            object: guid,
            references,
        };
        let question = if references {
            format!("Delete object {named}, and the references to it?")
        } else {
            format!("Delete object {named}?")
        };
        return Ok((change, question));
    };
    let change = Change::DeleteElement {
        object: guid,
        element: reading::element(element, object_type(&store, guid)?)?,
    };
    Ok((change, format!("Delete {element} of {named}?")))
}

fn refuse_well_known(args: &Args, guid: Guid) -> Result<(), Failure> {
    match well_known::by_guid(guid) {
        Some(known) if !args.force => {
            let alias = known.alias;
            let message = format_args!("{alias} is a fixed part of boot stores and is not deleted");
            let hint = "name an element to delete only that element; --force deletes the object \
                        nevertheless";
            Err(Failure::new(Exit::Refused, message).hint(hint))
        }
        _ => Ok(()),
    }
}

/// The type of the object, or if it does not exist, the type that it would have.
fn object_type(store: &Store<'_>, guid: Guid) -> Result<ObjectType, Failure> {
    let found = store
        .object(guid)
        .map_err(|error| reading::unreadable(&error))?;
    let known = well_known::by_guid(guid).map(|known| known.object_type);
    let read = found.and_then(|object| object.object_type().ok());
    Ok(read.or(known).unwrap_or(ObjectType(0)))
}
