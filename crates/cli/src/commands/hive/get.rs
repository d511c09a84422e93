//! `diskmend hive get`: shows the values of a key, or one of them.

use std::io::Write as _;

use diskmend_hive::Key;
use serde::Serialize;

use super::PrefixArg;
use super::reading::{self, Source, ValueRow};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_arg::HiveArgs;
use crate::key_path;
use crate::output::console::{self, Console};
use crate::output::table::{Align, Cell, Table};
use crate::output::{style, value};

/// Show the values of a key, or one of them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend hive get SYSTEM Select
  diskmend hive get SYSTEM 'ControlSet001\\Control\\CrashControl' DumpFile
  diskmend hive get disk.vhdx:Windows/System32/config/SYSTEM Select
  diskmend hive get SOFTWARE 'Classes\\.reg' '(Default)'
  diskmend hive get SYSTEM 'MountedDevices' '\\DosDevices\\C:' --raw | xxd")]
pub(crate) struct Args {
    #[command(flatten)]
    hive: HiveArgs,
    /// The key
    key: String,
    /// The value: printed on one line, as 'reg query' does; '(Default)', '@' or '' is the default
    /// value
    #[arg(allow_hyphen_values = true)]
    value: Option<String>,
    /// Write only the value's bytes as stored
    #[arg(long, requires = "value", conflicts_with = "json")]
    raw: bool,
    #[command(flatten)]
    prefix: PrefixArg,
}

#[derive(Serialize)]
struct Values<'a> {
    key: &'a str,
    values: &'a [ValueRow],
}

#[derive(Serialize)]
struct OneValue<'a> {
    key: &'a str,
    #[serde(flatten)]
    value: &'a ValueRow,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let source = Source::open_listed(&args.hive.path()?)?;
    let path = key_path::below_root(&args.key, args.prefix.prefix.as_deref());
    let key = source.key(&path)?;
    match &args.value {
        Some(name) => one(args, console, &path, &key, name),
        None => all(console, &path, &key),
    }
}

fn one(
    args: &Args,
    console: &mut Console,
    path: &str,
    key: &Key<'_>,
    name: &str,
) -> Result<Exit, Failure> {
    let value = key
        .value(key_path::value_name(name))
        .map_err(|error| reading::corrupt(&error))?
        .ok_or_else(|| {
            let shown = key_path::shown(path);
            let message = format!("key {shown} has no value \"{name}\"");
            Failure::new(Exit::Failure, message)
        })?;
    let row = ValueRow::of(&value).map_err(|error| reading::corrupt(&error))?;
    if args.raw {
        let mut out = console.bytes();
        out.write_all(&row.data.bytes)?;
        out.flush()?;
    } else if console.json() {
        console.document(&OneValue {
            key: path,
            value: &row,
        })?;
    } else {
        writeln!(console.out(), "{}", row.line())?;
    }
    Ok(Exit::Done)
}

fn all(console: &mut Console, path: &str, key: &Key<'_>) -> Result<Exit, Failure> {
    let (rows, errors) = reading::values(key);
    if console.json() {
        let document = Values {
            key: path,
            values: &rows,
        };
        console.document(&document)?;
    } else if !rows.is_empty() {
        let mut table = Table::new([
            ("NAME", Align::Left),
            ("TYPE", Align::Left),
            ("DATA", Align::Left),
        ]);
        for row in &rows {
            let lines = value::lines(row.data.value_type, &row.data.bytes);
            table.row([
                Cell::new(row.shown_name()),
                Cell::styled(reading::type_name(row.data.value_type), style::FAINT),
                Cell::lines(lines, style::PLAIN),
            ]);
        }
        let width = console.width();
        table.write(console.out(), width)?;
    }
    for error in &errors {
        console::warn(error);
    }
    Ok(if errors.is_empty() {
        Exit::Done
    } else {
        Exit::Failure
    })
}
