//! `diskmend bcd import`: makes a store from its text.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use diskmend_bcd::text::{Document, MAX_TEXT_LEN, TextError};
use diskmend_repair::Stop;
use diskmend_repair::boot_store::NewErrors;

use super::edit::{self, EditArgs};
use super::reading::Source;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;

/// Make a boot store contain exactly what a text of 'diskmend bcd export' says
///
/// diskmend does not write what is already right. It makes all changes or none.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend bcd import /mnt/f bcd.txt
  diskmend bcd import BCD bcd.txt --yes")]
pub(crate) struct Args {
    #[command(flatten)]
    edit: EditArgs,
    /// The text
    #[arg(value_name = "FILE")]
    text: PathBuf,
    /// Import even if the store would then have errors that it does not have now
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    args.edit.begin(console)?;
    let document = read(&args.text)?;
    let source = Source::open(&args.edit.store)?;
    source.store()?;
    let question = format!(
        "Replace the content of {} by that of {}?",
        source.file,
        args.text.display()
    );
    let new_errors = if args.force {
        NewErrors::Tell
    } else {
        NewErrors::Refuse
    };
    // A disk is opened anew for writing.
    let file = source.file.clone();
    drop(source);
    let done = edit::run(
        &args.edit,
        console,
        &file,
        new_errors,
        &question,
        |editor| {
            document.import(editor).map_err(|error| match error {
                TextError::Edit(error) => Stop::Edit(error),
                TextError::Corrupt(error) => Stop::Edit(error.into()),
                error => Stop::Refused(Failure::of(Exit::Failure, &error)),
            })
        },
    )?;
    match done {
        Some(done) => edit::show(console, &done),
        None => Ok(Exit::Pending),
    }
}

fn read(path: &Path) -> Result<Document, Failure> {
    let shown = path.display();
    let failed = |error: &dyn std::error::Error| {
        Failure::of(Exit::Failure, error).context(format_args!("{shown}"))
    };
    let mut bytes = Vec::new();
    // One byte more than the limit, so that a longer text is recognized.
    let limit = MAX_TEXT_LEN as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| failed(&error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        failed(&error.utf8_error()).hint("the text must be UTF-8, as 'bcd export -o' writes it")
    })?;
    Document::parse(&text).map_err(|error| failed(&error))
}
