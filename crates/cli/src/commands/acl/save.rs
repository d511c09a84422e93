//! `diskmend acl save`: saves permissions as icacls does.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use diskmend_acl::{SavedPart, SecurityDescriptor, write_saved};
use diskmend_base::chain;
use diskmend_disk::NtPath;

use super::path_arg::PathArgs;
use super::walk::walk;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::new_file;
use crate::output::console::{self, Console};

/// Save permissions to a file, as icacls does
///
/// The file contains the DACLs; 'icacls /restore' on Windows reads it. A second file in this format
/// contains owners and groups, which icacls does not save. Paths in both are relative to the folder
/// that contains PATH: give that folder to 'acl restore', 'acl diff' and 'icacls /restore'.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend acl save /mnt/f/ProgramData/Microsoft/Crypto/RSA/MachineKeys --tree -o keys.acl
  diskmend acl restore /mnt/f/ProgramData/Microsoft/Crypto/RSA keys.acl --owners keys.acl.owners")]
pub(crate) struct Args {
    #[command(flatten)]
    path: PathArgs,
    /// Also save everything in a folder, at any depth
    #[arg(short, long)]
    tree: bool,
    /// The new file for the DACLs; owners and groups go to a second file, with '.owners' appended
    /// to the name
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let located = args.path.locate()?;
    let owners = owners_of(&args.output);
    let mut left_out = 0u64;
    let walked = new_file::write(&args.output, |file| {
        new_file::write(&owners, |owners_file| {
            let mut files = [
                (SavedPart::Dacl, BufWriter::new(file)),
                (SavedPart::Owners, BufWriter::new(owners_file)),
            ];
            let mut base = None;
            let walked = walk(&located, args.tree, |path, bytes| {
                let base = base.get_or_insert_with(|| folder_above(path));
                match lines(path, base, bytes) {
                    Ok(lines) => {
                        for ((_, file), lines) in files.iter_mut().zip(lines) {
                            file.write_all(&lines)?;
                        }
                    }
                    Err(reason) => {
                        left_out += 1;
                        console::warn(format_args!("{path} is left out: {reason}"));
                    }
                }
                Ok(())
            })?;
            for (_, file) in &mut files {
                file.flush()?;
            }
            Ok(walked)
        })
    })?;
    let saved = walked.objects.saturating_sub(left_out);
    let exit = match left_out {
        0 => walked.exit(),
        _ => Exit::Partial,
    };
    console.show(exit, |console| {
        if console.json() {
            console.document(&serde_json::json!({
                "file": args.output.display().to_string(),
                "owners": owners.display().to_string(),
                "saved": saved,
                "left_out": left_out + walked.failed,
            }))
        } else {
            writeln!(
                console.out(),
                "permissions of {} saved to {} and {}",
                crate::output::acl::objects(saved),
                args.output.display(),
                owners.display()
            )
        }
    })
}

/// The name of the second file.
fn owners_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".owners");
    PathBuf::from(name)
}

fn folder_above(path: &NtPath) -> NtPath {
    path.split_last()
        .map_or_else(NtPath::default, |(parent, _)| parent)
}

/// An object's lines in both files.
fn lines(path: &NtPath, base: &NtPath, bytes: &[u8]) -> Result<[Vec<u8>; 2], String> {
    let descriptor = SecurityDescriptor::from_bytes(bytes).map_err(|error| chain(&error))?;
    let relative = path.relative_to(base).ok_or("not below the folder")?;
    let relative = relative
        .with_backslashes()
        .ok_or("its name contains a backslash, which is special in a save file")?;
    let mut lines = [Vec::new(), Vec::new()];
    for (out, part) in lines.iter_mut().zip([SavedPart::Dacl, SavedPart::Owners]) {
        write_saved(&relative, &descriptor, part, out).map_err(|error| chain(&error))?;
    }
    Ok(lines)
}
