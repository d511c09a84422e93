//! `diskmend bcd export`: exports a store as text.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use diskmend_bcd::text::{Document, TextError};

use super::reading::Source;
use super::store_arg::StoreArg;
use crate::commands::hive::reading;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::new_file;
use crate::output::console::Console;

/// Export a boot store as text; 'diskmend bcd import' makes the store again from it
///
/// The text contains every key and value, even those that a store should not contain, with
/// bcdedit's names next to the ids. You can read, compare and keep it. It does not contain times of
/// keys and security descriptors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend bcd export /mnt/f | less
  diskmend bcd export /mnt/esp -o bcd.txt")]
pub(crate) struct Args {
    #[command(flatten)]
    store: StoreArg,
    /// Write to this new file; stdout by default
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    if console.json() {
        let message = "the result is text, which can't be printed as JSON";
        return Err(Failure::new(Exit::Usage, message)
            .hint("'diskmend bcd show --json' lists the store as JSON"));
    }
    let source = Source::open(&args.store)?;
    let document = Document::export(&source.store()?.root()).map_err(|error| {
        match &error {
            TextError::Corrupt(error) => reading::corrupt(error),
            error => Failure::of(Exit::Failure, error),
        }
        .about(&source.file)
    })?;
    match &args.output {
        None => write(&document, console.bytes())?,
        Some(output) => new_file::write(output, |file| write(&document, file))?,
    }
    Ok(Exit::Done)
}

fn write(document: &Document, out: impl Write) -> Result<(), Failure> {
    let mut out = BufWriter::new(out);
    write!(out, "{document}")?;
    Ok(out.flush()?)
}
