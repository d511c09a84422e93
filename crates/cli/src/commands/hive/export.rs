//! `diskmend hive export`: exports keys and values as a registry text file.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use diskmend_hive::reg_file::{Encoding, WriteError, Writer};
use diskmend_hive::{Key, components};

use super::PrefixArg;
use super::reading::{self, Source};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_path;
use crate::new_file;
use crate::output::console::{self, Console};
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
    /// The hive file
    file: PathBuf,
    /// The key to start from; the root by default
    #[arg(default_value = "", hide_default_value = true)]
    key: String,
    #[command(flatten)]
    prefix: PrefixArg,
    /// Write to this new file, in UTF-16LE as regedit does; stdout gets UTF-8
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write UTF-8 to the file instead
    #[arg(long, requires = "output")]
    utf8: bool,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    if console.json() {
        let message = "the result is a .reg file, which can't be printed as JSON";
        return Err(Failure::new(Exit::Usage, message).hint(
            "'diskmend hive ls --recursive --values --json' lists the keys and values as JSON",
        ));
    }
    let source = Source::open_listed(&args.file)?;
    let prefix = args.prefix.prefix.as_deref();
    let path = key_path::below_root(&args.key, prefix);
    let key = source.key(&path)?;
    let full = full_path(prefix, &source, &path)?;
    let skipped = match &args.output {
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
    Ok(match skipped {
        0 => Exit::Done,
        count => {
            console::error(format_args!(
                "{count} keys or values are missing in the export"
            ));
            Exit::Failure
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

/// Writes a key and everything below it; returns the number of keys and values that were left out.
fn export(
    out: impl Write,
    encoding: Encoding,
    path: String,
    key: Key<'_>,
) -> Result<usize, Failure> {
    let mut export = Export {
        writer: Writer::start(out, encoding).map_err(failure)?,
        skipped: 0,
    };
    for found in Walk::new(path, key, reading::key_name) {
        match found {
            Ok((path, key)) => export.key(&path, &key)?,
            Err(unreadable) => export.skip(&unreadable.parent, &unreadable.error),
        }
    }
    export.writer.finish().map_err(failure)?;
    Ok(export.skipped)
}

struct Export<W> {
    writer: Writer<W>,
    skipped: usize,
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
            Ok(()) => {}
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
                                Ok(()) => {}
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
        self.skipped += 1;
        console::warn(format_args!("{}: {error}", key_path::shown(path)));
    }
}

fn failure(error: WriteError) -> Failure {
    match error {
        WriteError::Io(error) => error.into(),
        error => Failure::of(Exit::Failure, &error),
    }
}
