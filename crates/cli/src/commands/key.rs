//! `diskmend key`: the key that seals this machine's runs.

use std::io;
use std::path::PathBuf;

use clap::Subcommand;
use diskmend_base::escape::Visible;
use diskmend_repair::{KeyError, KeyId, KeyStore as _};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::key_store::{self, KeyFile};
use crate::output::console::Console;

/// Show or export the key that seals this machine's runs
///
/// diskmend stores what it knows about a repair on the repaired disk, and others can write there
/// too. Therefore it seals each run with a key that is kept on this machine, and undoes or
/// completes a run only if its seal is valid. The first repair creates the key. To undo a run on
/// another machine, export the key here and name the file there with --key.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    Show(ShowArgs),
    Export(ExportArgs),
}

/// Show the id of this machine's key, and where it is kept
///
/// The id reveals nothing about the key: 'diskmend runs' shows the ids of other machines' keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend key show
  diskmend key show --json")]
pub(crate) struct ShowArgs {}

/// Export this machine's key, for a machine that is to undo the runs of this one
///
/// Whoever has the key can write runs that this machine believes: keep the file secret, and delete
/// it when you no longer need it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend key export -o recovery-vm-1.key
  diskmend undo /mnt/f --key recovery-vm-1.key")]
pub(crate) struct ExportArgs {
    /// Write the key to this new file, which only its owner may read; to stdout by default
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Serialize)]
struct Shown<'a> {
    /// The id of the key; null if there is no key yet.
    key: Option<KeyId>,
    path: &'a str,
}

pub(super) fn run(command: &KeyCommand, console: &mut Console) -> Result<Exit, Failure> {
    let store = KeyFile::of_this_machine();
    match command {
        KeyCommand::Show(_) => show(&store, console),
        KeyCommand::Export(args) => export(&store, args, console),
    }
}

fn unusable(error: &KeyError) -> Failure {
    Failure::new(
        Exit::Refused,
        format_args!("this machine's key can't be used: {error}"),
    )
}

fn show(store: &KeyFile, console: &mut Console) -> Result<Exit, Failure> {
    let path = store.path().map_err(|error| unusable(&error))?;
    let path = path.display().to_string();
    let key = store.load().map_err(|error| unusable(&error))?;
    let shown = Shown {
        key: key.map(|key| key.id()),
        path: &path,
    };
    console.show(Exit::Done, |console| match (console.json(), shown.key) {
        (true, _) => console.document(&shown),
        (false, Some(id)) => writeln!(console.out(), "{id}  {}", Visible(&path)),
        (false, None) => writeln!(
            console.out(),
            "none yet: the first repair creates {}",
            Visible(&path)
        ),
    })
}

fn export(store: &KeyFile, args: &ExportArgs, console: &mut Console) -> Result<Exit, Failure> {
    let key = store.obtain().map_err(|error| unusable(&error))?;
    let Some(path) = &args.output else {
        return console.show(Exit::Done, |console| {
            write!(console.out(), "{}", key.to_line())
        });
    };
    let shown = path.display().to_string();
    key_store::export(&key, path).map_err(|error| {
        let failure =
            Failure::of(Exit::Failure, &error).context(format_args!("{shown}: cannot write"));
        match error.kind() {
            io::ErrorKind::AlreadyExists => {
                failure.hint("choose another name: diskmend overwrites no file")
            }
            _ => failure,
        }
    })?;
    console.show(Exit::Done, |console| {
        writeln!(console.out(), "key {} is in {}", key.id(), Visible(&shown))
    })
}
