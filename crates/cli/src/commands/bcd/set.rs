//! `diskmend bcd set`: sets one element.

use diskmend_bcd::{Change, ObjectType, parse_value};

use super::edit::{self, EditArgs};
use super::reading::{self, Source};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_arg::shown;
use crate::output::console::Console;

/// Set an element of an object, as 'bcdedit /set' does
///
/// The form of VALUE depends on the type of the element, which its id determines:
///   boolean        yes or no (on, off, true, false, 1, 0)
///   integer        a number, decimal or with 0x, or bcdedit's name for it (IgnoreAllFailures)
///   string         text, stored unchanged
///   object         a GUID, or a name such as {default}
///   object list    several objects, separated by blanks or commas
///   integer list   numbers, separated by blanks or commas
///   device         boot, 'gpt disk {..} partition {..}', 'mbr disk 0x.. offset 0x..',
///                  'locate=custom:22000002', or 'hex:' and the bytes
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  diskmend bcd set /mnt/f '{bootmgr}' displaybootmenu yes
  diskmend bcd set /mnt/f '{bootmgr}' timeout 5 --yes
  diskmend bcd set disk.vhdx:EFI/Microsoft/Boot/BCD '{bootmgr}' timeout 5
  diskmend bcd set BCD '{default}' recoveryenabled no --yes
  diskmend bcd set BCD '{default}' 0x250000e0 IgnoreAllFailures --yes"
)]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditArgs,
    /// The object: a GUID, or a name such as {bootmgr} or {default}
    object: String,
    /// The element: bcdedit's name, or an id such as 0x26000020
    element: String,
    /// The value
    #[arg(allow_hyphen_values = true)]
    value: String,
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
    let object = reading::object(&store, guid)?;
    // If the object has no type, its application elements have no names.
    let object_type = object.object_type().unwrap_or(ObjectType(0));
    let element = reading::element(&args.element, object_type)?;
    let value = parse_value(&store, element, object_type, &args.value)
        .map_err(|error| Failure::of(Exit::Usage, &error))?;
    let change = Change::SetElement {
        object: guid,
        element,
        value,
    };
    // What can't be done is reported before the question.
    change
        .edits(&store)
        .map_err(|error| edit::refusal(&error))?;
    let section = reading::section(&store, guid);
    let named = section.as_ref().map(reading::named);
    let named = named.unwrap_or_else(|| guid.to_string());
    let mut rows = section.into_iter().flat_map(|section| section.rows);
    let now = match rows.find(|row| row.id == element) {
        Some(row) => format!(" (now {})", row.lines.join(", ")),
        None => String::new(),
    };
    let question = format!("Set {} of {named} to {}{now}?", args.element, args.value);
    Ok((change, question))
}
