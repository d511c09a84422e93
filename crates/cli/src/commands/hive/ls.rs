//! `diskmend hive ls`: lists the keys of a hive.

use std::io;

use diskmend_base::escape::Visible;
use diskmend_hive::{Filetime, Key};
use serde::Serialize;

use super::PrefixArg;
use super::reading::{self, Source, ValueRow};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_arg::HiveArgs;
use crate::key_path;
use crate::output::console::{self, Console};
use crate::output::json::Stream;
use crate::output::table::{Align, Cell, Table};
use crate::output::{style, time};
use crate::walk::{self, Unreadable, Walk};

/// List the keys of a hive
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend hive ls SYSTEM
  diskmend hive ls SYSTEM 'ControlSet001\\Control' --values
  diskmend hive ls SOFTWARE Policies --recursive --json")]
pub(crate) struct Args {
    #[command(flatten)]
    hive: HiveArgs,
    /// List the subkeys of this key; the root by default
    #[arg(default_value = "", hide_default_value = true)]
    key: String,
    /// List KEY itself and all keys below it
    #[arg(short, long)]
    recursive: bool,
    /// Also list the values of each key, and those of KEY itself, as 'reg query' does
    #[arg(long)]
    values: bool,
    #[command(flatten)]
    prefix: PrefixArg,
}

#[derive(Serialize)]
struct KeyRow {
    path: String,
    subkeys: u32,
    values: u32,
    last_written: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Vec<ValueRow>>,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let source = Source::open_listed(&args.hive.path()?)?;
    let path = key_path::below_root(&args.key, args.prefix.prefix.as_deref());
    let key = source.key(&path)?;
    let mut listing = Listing::default();
    let keys = keys(args, &path, key);
    if console.json() {
        let mut stream = Stream::begin(console.out(), "keys")?;
        for found in keys {
            if let Some((path, key)) = listing.readable(found) {
                stream.item(&listing.row(path, &key, args.values))?;
            }
        }
        stream.end()?;
    } else if args.recursive || args.values {
        for found in keys {
            if let Some((path, key)) = listing.readable(found) {
                listing.write(console, &path, &key, args.values)?;
            }
        }
    } else {
        let mut table = Table::new([
            ("KEY", Align::Left),
            ("SUBKEYS", Align::Right),
            ("VALUES", Align::Right),
            ("LAST WRITTEN", Align::Left),
        ]);
        let width = console.width();
        for found in keys {
            if let Some((_, key)) = listing.readable(found) {
                table.write_long(console.out(), width)?;
                table.row([
                    Cell::new(reading::key_name(key.name())),
                    Cell::new(key.node().subkey_count.get().to_string()),
                    Cell::new(key.node().value_count.get().to_string()),
                    Cell::styled(last_written(&key), style::FAINT),
                ]);
            }
        }
        if !table.is_empty() {
            table.write(console.out(), width)?;
        }
    }
    Ok(listing.exit())
}

type Found<'a> = Result<(String, Key<'a>), Unreadable>;

/// The keys to list, in the order of the hive.
fn keys<'a>(args: &Args, path: &str, key: Key<'a>) -> Box<dyn Iterator<Item = Found<'a>> + 'a> {
    if args.recursive {
        return Box::new(Walk::new(path.to_owned(), key, reading::key_name));
    }
    let parent = path.to_owned();
    let itself = args.values.then(|| Ok((path.to_owned(), key)));
    let below: Box<dyn Iterator<Item = Found<'a>>> = match key.subkeys() {
        Ok(subkeys) => Box::new(subkeys.map(move |found| match found {
            Ok(key) => Ok((walk::join(&parent, &reading::key_name(key.name())), key)),
            Err(error) => Err(Unreadable {
                parent: parent.clone(),
                error,
            }),
        })),
        Err(error) => Box::new(std::iter::once(Err(Unreadable { parent, error }))),
    };
    Box::new(itself.into_iter().chain(below))
}

/// Counts what could not be read.
#[derive(Default)]
struct Listing {
    unreadable: usize,
    heads: usize,
}

impl Listing {
    fn readable<'a>(&mut self, found: Found<'a>) -> Option<(String, Key<'a>)> {
        found
            .inspect_err(|unreadable| self.skip(&unreadable.parent, &unreadable.error))
            .ok()
    }

    fn skip(&mut self, path: &str, error: &dyn std::fmt::Display) {
        self.unreadable += 1;
        console::warn(format_args!("{}: {error}", key_path::shown(path)));
    }

    fn values(&mut self, path: &str, key: &Key<'_>) -> Vec<ValueRow> {
        let (rows, errors) = reading::values(key);
        errors.iter().for_each(|error| self.skip(path, error));
        rows
    }

    fn row(&mut self, path: String, key: &Key<'_>, with_values: bool) -> KeyRow {
        KeyRow {
            data: with_values.then(|| self.values(&path, key)),
            path,
            subkeys: key.node().subkey_count.get(),
            values: key.node().value_count.get(),
            last_written: last_written(key),
        }
    }

    /// Writes a line for the key and, if requested, one for each value.
    fn write(
        &mut self,
        console: &mut Console,
        path: &str,
        key: &Key<'_>,
        with_values: bool,
    ) -> io::Result<()> {
        let heading = style::HEADING;
        let shown = Visible(key_path::shown(path));
        let rows = if with_values {
            self.values(path, key)
        } else {
            Vec::new()
        };
        if !rows.is_empty() && self.heads > 0 {
            writeln!(console.out())?;
        }
        self.heads += 1;
        writeln!(console.out(), "{heading}{shown}{heading:#}")?;
        for row in &rows {
            writeln!(console.out(), "{}", row.line())?;
        }
        Ok(())
    }

    fn exit(&self) -> Exit {
        match self.unreadable {
            0 => Exit::Done,
            count => {
                console::error(format_args!(
                    "{count} keys, lists or values can't be read; 'diskmend hive check' shows more"
                ));
                Exit::Failure
            }
        }
    }
}

fn last_written(key: &Key<'_>) -> String {
    time::filetime(Filetime(key.node().last_written.get()))
}
