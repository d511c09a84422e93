//! `diskmend hive delete`: deletes a value, or a key with everything below it.

use super::PrefixArg;
use super::edit::{self, EditArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_path;
use crate::output::console::Console;
use crate::output::report;

/// Delete a value, or a key with all its values and subkeys
///
/// If the value or key does not exist, there is nothing to do (exit code 0).
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
    /// The value; without it, the whole key is deleted. '(Default)', '@' or '' is the default value
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
        None => format!("Delete key {shown} with everything below it?"),
    };
    edit::run(&args.edit, console, &question, &[&path], |editor| {
        match &args.value {
            Some(name) => editor.delete_value(&path, key_path::value_name(name))?,
            None => editor.delete_key(&path)?,
        };
        Ok(())
    })
}
