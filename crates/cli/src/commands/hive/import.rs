//! `diskmend hive import`: merges a registry text file.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use diskmend_hive::Editor;
use diskmend_hive::reg_file::{MAX_FILE_LEN, Operation, RegFile};
use diskmend_hive::{EditError, ValueType};

use super::PrefixArg;
use super::edit::{self, EditArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;

/// Merge a .reg file into a hive
///
/// diskmend reads files of regedit and reg (UTF-16LE or UTF-8, version 5 and REGEDIT4) and of
/// hivexregedit. It makes all changes or none: a line that it can't read or carry out is an error.
/// '[-KEY]' deletes a key, '"NAME"=-' deletes a value.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend hive import SYSTEM fix.reg --prefix 'HKEY_LOCAL_MACHINE\\SYSTEM'
  diskmend hive import NTUSER.DAT user.reg --prefix HKEY_CURRENT_USER --yes")]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditArgs,
    /// The .reg file
    #[arg(value_name = "REGFILE")]
    reg_file: PathBuf,
    #[command(flatten)]
    prefix: PrefixArg,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let shown = args.reg_file.display();
    let failed = |error: &dyn std::error::Error| {
        Failure::of(Exit::Failure, error).context(format_args!("{shown}"))
    };
    let bytes = read(&args.reg_file).map_err(|error| failed(&error))?;
    let parsed = RegFile::parse(&bytes).map_err(|error| failed(&error))?;
    // Every path starts with the empty prefix.
    let prefix = args.prefix.prefix.as_deref().unwrap_or("");
    let file = parsed.strip_prefix(prefix).map_err(|error| {
        failed(&error).hint(match prefix {
            "" => "say where the hive belongs: --prefix 'HKEY_LOCAL_MACHINE\\SYSTEM'",
            _ => {
                "say where the hive belongs: --prefix removes the first part of the file's paths, \
                 up to the key that is the hive's root"
            }
        })
    })?;
    let paths: Vec<&str> = file.operations.iter().map(Operation::path).collect();
    let question = format!("Carry out the {} lines of {shown}?", paths.len());
    let mut line = 0;
    let result = edit::run(&args.edit, console, &question, &paths, |editor| {
        for operation in &file.operations {
            line = operation.line();
            apply(editor, operation)?;
        }
        line = 0;
        Ok(())
    });
    result.map_err(|failure| match line {
        0 => failure,
        line => failure.context(format_args!("{shown}: line {line}")),
    })
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than the limit, so that a longer file is recognized.
    let limit = MAX_FILE_LEN as u64 + 1;
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn apply(editor: &mut Editor, operation: &Operation) -> Result<(), EditError> {
    match operation {
        Operation::CreateKey { path, .. } => editor.create_key(path),
        Operation::DeleteKey { path, .. } => editor.delete_key(path),
        Operation::SetValue {
            path,
            name,
            value_type,
            data,
            ..
        } => editor.set_value(path, name, ValueType(*value_type), data),
        Operation::DeleteValue { path, name, .. } => editor.delete_value(path, name),
    }
    .map(drop)
}
