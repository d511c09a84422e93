//! `diskmend hive export`: exports keys and values as a registry text file.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use diskmend_base::escape::Visible;
use diskmend_hive::reg_file::{Encoding, WriteError, Writer};
use diskmend_hive::{Key, components};
use serde::Serialize;

use super::PrefixArg;
use super::reading::{self, Source};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_arg::HiveArgs;
use crate::key_path;
use crate::new_file;
use crate::output::console::{self, Console};
use crate::output::report::counted;
use crate::walk::Walk;

/// Export keys and values as a .reg file
///
/// Regedit and 'reg import' (with --prefix, which Windows requires), 'hivexregedit --merge' and
/// 'diskmend hive import' can merge the file. Keys and their values are in the order of the hive. A
/// .reg file can't contain security descriptors, class names and times.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend hive export SYSTEM 'ControlSet001\\Services\\TermService' \\
      --prefix 'HKEY_LOCAL_MACHINE\\SYSTEM' -o termservice.reg
  diskmend hive export SYSTEM --prefix 'HKEY_LOCAL_MACHINE\\SYSTEM' | less")]
pub(crate) struct Args {
    #[command(flatten)]
    hive: HiveArgs,
    /// The key to start from; the root by default
    #[arg(default_value = "", hide_default_value = true)]
    key: String,
    #[command(flatten)]
    prefix: PrefixArg,
    /// Write to this new file, in UTF-16LE as regedit does, and say how much was written; stdout
    /// gets UTF-8
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write UTF-8 to the file instead
    #[arg(long, requires = "output")]
    utf8: bool,
}

/// What was written.
#[derive(Serialize)]
struct Written {
    hive: String,
    file: String,
    keys: usize,
    values: usize,
    /// The number of keys and values that are missing.
    skipped: usize,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    if console.json() && args.output.is_none() {
        let message = "the result is a .reg file, which can't be printed as JSON";
        let failure = Failure::new(Exit::Usage, message).hint("write it to a file with -o FILE");
        return Err(failure.hint(
            "'diskmend hive ls --recursive --values --json' lists the keys and values as JSON",
        ));
    }
    let file = args.hive.path()?;
    let source = Source::open_listed(&file)?;
    let prefix = args.prefix.prefix.as_deref();
    let path = key_path::below_root(&args.key, prefix);
    let key = source.key(&path)?;
    let full = full_path(prefix, &source, &path)?;
    let count = match &args.output {
        None => export(console.bytes(), Encoding::Utf8, full, key)?,
        Some(output) => {
            let encoding = if args.utf8 {
                Encoding::Utf8
            } else {
                Encoding::Utf16
            };
            new_file::write(output, |file| {
                export(BufWriter::new(file), encoding, full, key)
            })?
        }
    };
    let exit = match count.skipped {
        0 => Exit::Done,
        skipped => {
            console::error(format_args!(
                "{skipped} keys or values are missing in the export"
            ));
            Exit::Failure
        }
    };
    let Some(output) = &args.output else {
        return Ok(exit);
    };
    let written = Written {
        hive: file.to_string(),
        file: output.display().to_string(),
        keys: count.keys,
        values: count.values,
        skipped: count.skipped,
    };
    console.show(exit, |console| {
        if console.json() {
            console.document(&written)
        } else {
            let (hive, file) = (Visible(&written.hive), Visible(&written.file));
            let keys = counted(written.keys, "key");
            let values = counted(written.values, "value");
            writeln!(
                console.out(),
                "wrote {keys} with {values} of {hive} to {file}"
            )
        }
    })
}

/// The key's path in the file: the prefix, then the names as the hive spells them.
fn full_path(prefix: Option<&str>, source: &Source, path: &str) -> Result<String, Failure> {
    let prefix = prefix.into_iter().flat_map(components);
    let mut full: Vec<String> = prefix.map(str::to_owned).collect();
    let mut walked = String::new();
    for component in components(path) {
        walked = crate::walk::join(&walked, component);
        full.push(reading::key_name(source.key(&walked)?.name()));
    }
    Ok(full.join("\\"))
}

/// Writes a key and everything below it; returns the number of what was written and left out.
fn export(
    out: impl Write,
    encoding: Encoding,
    path: String,
    key: Key<'_>,
) -> Result<Count, Failure> {
    let mut export = Export {
        writer: Writer::start(out, encoding).map_err(failure)?,
        count: Count::default(),
    };
    for found in Walk::new(path, key, reading::key_name) {
        match found {
            Ok((path, key)) => export.key(&path, &key)?,
            Err(unreadable) => export.skip(&unreadable.parent, &unreadable.error),
        }
    }
    export.writer.finish().map_err(failure)?;
    Ok(export.count)
}

/// The number of keys and values that were written, and of those that were left out.
#[derive(Default)]
struct Count {
    keys: usize,
    values: usize,
    skipped: usize,
}

struct Export<W> {
    writer: Writer<W>,
    count: Count,
}

impl<W: Write> Export<W> {
    fn key(&mut self, path: &str, key: &Key<'_>) -> Result<(), Failure> {
        // The root has no path, so its values would have no key before them.
        let at = match path {
            "" => "\\",
            path => path,
        };
        match self.writer.key(at) {
            Err(WriteError::Io(error)) => return Err(error.into()),
            Err(error) => {
                self.skip(path, &error);
                return Ok(());
            }
            Ok(()) => self.count.keys += 1,
        }
        match key.values() {
            Err(error) => self.skip(path, &error),
            Ok(values) => {
                for value in values {
                    let written = value.map(|value| (value, value.data()));
                    match written {
                        Ok((value, Ok(data))) => {
                            let name = value.name().to_string();
                            match self.writer.value(&name, value.data_type().0, &data) {
                                Err(WriteError::Io(error)) => return Err(error.into()),
                                Err(error) => self.skip(path, &error),
                                Ok(()) => self.count.values += 1,
                            }
                        }
                        Ok((_, Err(error))) | Err(error) => self.skip(path, &error),
                    }
                }
            }
        }
        Ok(())
    }

    fn skip(&mut self, path: &str, error: &dyn std::fmt::Display) {
        self.count.skipped += 1;
        console::warn(format_args!("{}: {error}", key_path::shown(path)));
    }
}

fn failure(error: WriteError) -> Failure {
    match error {
        WriteError::Io(error) => error.into(),
        error => Failure::of(Exit::Failure, &error),
    }
}
