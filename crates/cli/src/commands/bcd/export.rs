//! `diskmend bcd export`: exports a store as text.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use diskmend_base::escape::Visible;
use diskmend_bcd::text::{Document, TextError};
use serde::Serialize;

use super::reading::Source;
use super::store_arg::StoreArg;
use crate::commands::hive::reading;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_arg::shown;
use crate::new_file;
use crate::output::console::Console;
use crate::output::report::counted;

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
    /// Write to this new file, and say how much was written; stdout by default
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What was written.
#[derive(Serialize)]
struct Written {
    store: String,
    file: String,
    objects: usize,
    elements: usize,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    if console.json() && args.output.is_none() {
        let message = "the result is text, which can't be printed as JSON";
        return Err(Failure::new(Exit::Usage, message)
            .hint("write the text to a file with -o FILE")
            .hint("'diskmend bcd show --json' lists the store as JSON"));
    }
    let source = Source::open_listed(&args.store)?;
    let document = Document::export(&source.store()?.root()).map_err(|error| {
        match &error {
            TextError::Corrupt(error) => reading::corrupt(error),
            error => Failure::of(Exit::Failure, error),
        }
        .about(&shown(&source.file))
    })?;
    let Some(output) = &args.output else {
        write(&document, console.bytes())?;
        return Ok(Exit::Done);
    };
    new_file::write(output, |file| write(&document, file))?;
    let written = Written {
        store: source.file.to_string(),
        file: output.display().to_string(),
        objects: document.objects(),
        elements: document.elements(),
    };
    console.show(Exit::Done, |console| {
        if console.json() {
            console.document(&written)
        } else {
            let (store, file) = (Visible(&written.store), Visible(&written.file));
            let objects = counted(written.objects, "object");
            let elements = counted(written.elements, "element");
            writeln!(
                console.out(),
                "wrote {objects} with {elements} of {store} to {file}"
            )
        }
    })
}

fn write(document: &Document, out: impl Write) -> Result<(), Failure> {
    let mut out = BufWriter::new(out);
    write!(out, "{document}")?;
    Ok(out.flush()?)
}
