//! `diskmend hive set`: sets one value.

use diskmend_hive::ValueType;

use super::PrefixArg;
use super::edit::{self, EditArgs};
use crate::data_arg;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_path;
use crate::output::console::Console;
use crate::output::report;
use crate::output::value::{self, SEPARATOR};

/// Set a value, and create its key if it is missing, as 'reg add' does
///
/// The form of DATA depends on TYPE:
///   REG_SZ, REG_EXPAND_SZ     text, stored unchanged: %SystemRoot% is not expanded
///   REG_MULTI_SZ              strings separated by \0 (or by --separator)
///   REG_DWORD, REG_QWORD, REG_DWORD_BIG_ENDIAN
///                             a number, decimal or with 0x
///   REG_BINARY, REG_NONE and all others
///                             two hexadecimal digits for each byte; you may separate them by
///                             blanks or commas
///
/// TYPE may also be written without REG_ and in lower case, such as dword, or be a number, such as
/// 0x1234.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  diskmend hive set SYSTEM 'ControlSet001\\Services\\TermService' Start REG_DWORD 3
  diskmend hive set SYSTEM 'ControlSet001\\Control\\CrashControl' DumpFile REG_EXPAND_SZ \\
      '%SystemRoot%\\MEMORY.DMP' --yes
  diskmend hive set disk.vhdx:Users/me/NTUSER.DAT Environment TEMP REG_SZ 'C:\\Temp'
  diskmend hive set SOFTWARE 'Classes\\.x' '(Default)' REG_SZ xfile --yes"
)]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditArgs,
    /// The key
    key: String,
    /// The value's name; '(Default)', '@' or '' is the default value
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// Type of the data, as in REG_DWORD
    #[arg(value_name = "TYPE", value_parser = value_type)]
    value_type: ValueType,
    /// The data
    #[arg(allow_hyphen_values = true)]
    data: String,
    /// What separates the strings of a REG_MULTI_SZ
    #[arg(long, value_name = "TEXT", default_value = SEPARATOR)]
    separator: String,
    #[command(flatten)]
    prefix: PrefixArg,
}

fn value_type(text: &str) -> Result<ValueType, String> {
    ValueType::parse(text).ok_or_else(|| {
        "expected a type such as REG_SZ, REG_DWORD or REG_BINARY, or a number".to_owned()
    })
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    if args.separator.is_empty() {
        return Err(Failure::new(Exit::Usage, "--separator must not be empty"));
    }
    let data = data_arg::parse(args.value_type, &args.data, &args.separator).map_err(|wrong| {
        let message = format!(
            "\"{}\" is not a valid {}: {wrong}",
            args.data, args.value_type
        );
        Failure::new(Exit::Usage, message)
    })?;
    let path = key_path::below_root(&args.key, args.prefix.prefix.as_deref());
    let name = key_path::value_name(&args.value);
    let question = format!(
        "Set value {} of key {} to {} {}?",
        report::value_name(name),
        key_path::shown(&path),
        args.value_type,
        value::line(args.value_type, &data)
    );
    edit::run(&args.edit, console, &question, &[&path], |editor| {
        editor.create_key(&path)?;
        editor.set_value(&path, name, args.value_type, &data)?;
        Ok(())
    })
}
