//! `diskmend acl show`: shows permissions as icacls prints them.

use diskmend_acl::{SecurityDescriptor, icacls_lines};
use diskmend_base::escape::Visible;
use diskmend_repair::documents::DescriptorWords;
use serde::Serialize;

use super::path_arg::PathArgs;
use super::walk::walk;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::style;

/// Show permissions as icacls prints them; nothing is written
///
/// The owner comes first, which icacls does not print.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend acl show /mnt/f/ProgramData/Microsoft/Crypto/RSA/MachineKeys --tree
  diskmend acl show 'ProgramData\\Microsoft' --target /mnt/f --sddl
  diskmend acl show Users --target broken-os-disk.vhd")]
pub(crate) struct Args {
    #[command(flatten)]
    path: PathArgs,
    /// Also show everything in a folder, at any depth
    #[arg(short, long)]
    tree: bool,
    /// Show SDDL instead, which leaves nothing out
    #[arg(long)]
    sddl: bool,
}

#[derive(Serialize)]
struct Document {
    objects: Vec<Entry>,
    /// Objects that could not be read.
    failed: u64,
}

#[derive(Serialize)]
struct Entry {
    path: String,
    #[serde(flatten)]
    words: DescriptorWords,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let located = args.path.locate()?;
    if console.json() {
        let mut objects = Vec::new();
        let walked = walk(&located, args.tree, |path, bytes| {
            objects.push(Entry {
                path: path.to_string(),
                words: DescriptorWords::of(bytes),
            });
            Ok(())
        })?;
        let failed = walked.failed;
        return console.show(walked.exit(), |console| {
            console.document(&Document { objects, failed })
        });
    }
    let walked = walk(&located, args.tree, |path, bytes| {
        let out = console.out();
        let path = path.to_string();
        let words = DescriptorWords::of(bytes);
        match SecurityDescriptor::from_bytes(bytes) {
            Err(corruption) => writeln!(
                out,
                "{} (corrupt: {})",
                Visible(&path),
                Visible(&corruption.to_string())
            )?,
            Ok(_) if args.sddl => {
                let sddl = words.sddl.as_deref().unwrap_or("(SDDL can't express it)");
                writeln!(out, "{} {}", Visible(&path), Visible(sddl))?;
            }
            Ok(descriptor) => {
                let faint = style::FAINT;
                let owner = words.owner.as_deref().unwrap_or("none");
                writeln!(out, "{faint}owner {}{faint:#}", Visible(owner))?;
                write!(out, "{}", icacls_lines(&path, &descriptor))?;
            }
        }
        Ok(())
    })?;
    Ok(walked.exit())
}
