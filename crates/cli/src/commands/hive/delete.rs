//! `diskmend hive delete`: a value, or a key with all below it.

use super::PrefixArg;
use super::edit::{self, EditArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_path;
use crate::output::console::Console;
use crate::output::report;

/// Delete a value, or a key with all its values and subkeys
///
/// What does not exist needs no deleting: that is nothing to do, and exit code 0.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend hive delete SYSTEM 'ControlSet001\\Services\\BadDriver'
  diskmend hive delete SYSTEM 'ControlSet001\\Control\\Session Manager' BootExecute --yes")]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditArgs,
    /// The key
    key: String,
    /// The value; the whole key is deleted where none is named. '(Default)', '@' or '' is the
    /// default value
    #[arg(allow_hyphen_values = true)]
    value: Option<String>,
    #[command(flatten)]
    prefix: PrefixArg,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let path = key_path::below_root(&args.key, args.prefix.prefix.as_deref());
    let shown = key_path::shown(&path);
    let question = match &args.value {
        Some(name) => {
            let name = report::value_name(key_path::value_name(name));
            format!("Delete value {name} of key {shown}?")
        }
        None => format!("Delete key {shown} with all below it?"),
    };
    edit::run(&args.edit, console, &question, &[&path], |editor| {
        match &args.value {
            Some(name) => editor.delete_value(&path, key_path::value_name(name))?,
            None => editor.delete_key(&path)?,
        };
        Ok(())
    })
}
