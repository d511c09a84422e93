//! `diskmend bcd export`: a store as text.

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

/// Write a boot store as text that makes the same store again
///
/// Every key and value is in the text, whether or not a store should hold it, with bcdedit's names
/// beside the ids. It is made for being read, compared and kept; 'diskmend bcd import' reads it.
/// Times of keys and security descriptors are not part of it.
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
        let message = "the result is a text of its own, which has no form in JSON";
        return Err(Failure::new(Exit::Usage, message)
            .hint("'diskmend bcd show --json' lists the same as JSON"));
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
