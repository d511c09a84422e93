//! Reads save files.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use diskmend_acl::{Domains, SaveReadError, SavedEntries};
use diskmend_disk::NtPath;
use diskmend_repair::Engine;
use diskmend_repair::acl_edit::{AclPlan, SavedObject};

use super::path_arg::{Located, PathArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{console, shell};
use crate::progress::Steps;

/// The maximum length of a save file in bytes; it suffices for a million objects.
const MAX_LEN: u64 = 1 << 30;
const ENCODING: &str = "icacls reads and writes UTF-16LE: save the file with that encoding";

/// The files with saved permissions.
#[derive(Debug, clap::Args)]
pub(crate) struct SavedArgs {
    /// The file with the DACLs, from 'acl save', 'icacls /save' or a run's folder
    file: PathBuf,
    /// The file with owners and groups that belongs to it; without it, owners and groups do not
    /// change
    #[arg(long, value_name = "FILE")]
    owners: Option<PathBuf>,
}

impl SavedArgs {
    /// Plans the changes that restore what was saved.
    pub(super) fn plan<'e>(
        &self,
        args: &PathArgs,
        located: &Located,
        engine: &'e Engine,
    ) -> Result<AclPlan<'e>, Failure> {
        let files = Files {
            dacls: read(&self.file)?,
            owners: self.owners.as_deref().map(read).transpose()?,
        };
        let mut saved = files.objects(Domains::default())?;
        if saved.iter().any(|object| object.descriptor.is_err()) {
            // SDDL can name accounts relative to a machine or domain: the disk's own hives have
            // their SIDs.
            let accounts = engine.accounts();
            saved = files.objects(accounts.domains)?;
            if saved.iter().any(|object| object.descriptor.is_err()) {
                accounts.problems.iter().for_each(console::warn);
            }
        }
        if let Some(first) = saved.first() {
            warn_of_wrong_root(args, located, &first.path);
        }
        let mut steps = Steps::start();
        let names = located.names();
        let plan = engine.plan_acl_restore(&names, &saved, &mut steps.watch());
        plan.map_err(|error| args.failure(located, &error))
    }
}

/// Warns if the file's paths are relative to another folder, which is above the one that was named:
/// the usual mistake is to name the folder that was saved.
fn warn_of_wrong_root(args: &PathArgs, located: &Located, first: &NtPath) {
    let Some(Some(name)) = first.names().next() else {
        return;
    };
    let above = name
        .to_str()
        .and_then(|name| args.above_with(located, name));
    let Some(above) = above else {
        return;
    };
    let (name, path) = (name.display(), args.path.display());
    console::warn(format_args!(
        "{name}, with which the paths in the file begin, is not in {path}"
    ));
    console::hint(format_args!(
        "it is in a folder above; to restore what was saved there, name that folder instead: {}",
        shell::word(&above)
    ));
}

/// What to do about a file in the encoding `found` instead of UTF-16LE.
fn encoding_hint(found: &str) -> String {
    // For any other encoding, iconv's source encoding is unknown.
    let known = ["UTF-8", "UTF-16BE"];
    match known.iter().find(|known| found.ends_with(**known)) {
        Some(from) => format!("{ENCODING}, or convert it with 'iconv -f {from} -t UTF-16LE'"),
        None => ENCODING.to_owned(),
    }
}

/// The content of the files.
struct Files {
    dacls: Read,
    owners: Option<Read>,
}

struct Read {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Files {
    /// The saved objects, with the data from both files.
    fn objects(&self, domains: Domains) -> Result<Vec<SavedObject>, Failure> {
        let mut objects = self.dacls.entries(domains)?;
        let Some(owners) = &self.owners else {
            return Ok(objects);
        };
        let mut index: HashMap<NtPath, usize> = HashMap::new();
        for (number, object) in objects.iter().enumerate() {
            index.insert(object.path.clone(), number);
        }
        for owned in owners.entries(domains)? {
            let known = index.get(&owned.path).and_then(|at| objects.get_mut(*at));
            match (known, owned.descriptor) {
                (Some(object), Ok(owned)) => {
                    if let Ok(descriptor) = &mut object.descriptor {
                        descriptor.owner = owned.owner;
                        descriptor.group = owned.group;
                    }
                }
                // If only half of an object can be read, it must not be restored.
                (Some(object), Err(reason)) => object.descriptor = Err(reason),
                (None, descriptor) => objects.push(SavedObject {
                    path: owned.path,
                    descriptor,
                }),
            }
        }
        Ok(objects)
    }
}

fn read(file: &Path) -> Result<Read, Failure> {
    let shown = file.display();
    let failed =
        |error: &dyn std::error::Error| Failure::of(Exit::Failure, error).context(file.display());
    let len = fs::metadata(file).map_err(|error| failed(&error))?.len();
    if len > MAX_LEN {
        let message = format!("{shown}: {len} bytes long, the limit is {MAX_LEN}");
        return Err(Failure::new(Exit::Failure, message));
    }
    Ok(Read {
        path: file.to_owned(),
        bytes: fs::read(file).map_err(|error| failed(&error))?,
    })
}

impl Read {
    fn entries(&self, domains: Domains) -> Result<Vec<SavedObject>, Failure> {
        let shown = self.path.display();
        let failed = |error: SaveReadError| {
            let hint = match error {
                SaveReadError::Encoding { found } => Some(encoding_hint(found)),
                _ => None,
            };
            let failure = Failure::of(Exit::Failure, &error).context(&shown);
            failure.maybe_hint(hint)
        };
        let mut seen = HashMap::new();
        let mut objects = Vec::new();
        for entry in SavedEntries::new(&self.bytes, domains).map_err(failed)? {
            let (line, path, descriptor) = match entry {
                Ok(entry) => (entry.line, entry.path, Ok(entry.descriptor)),
                Err(error) => match &error {
                    SaveReadError::Account { line, path, .. } => {
                        (line.saturating_sub(1), path.clone(), Err(error.to_string()))
                    }
                    _ => return Err(failed(error)),
                },
            };
            let path = NtPath::from_backslashes(&path).ok_or_else(|| {
                let message = format!("{shown}: line {line}: a path can't contain a slash");
                Failure::new(Exit::Failure, message)
            })?;
            if let Some(first) = seen.insert(path.clone(), line) {
                let message = format!("{shown}: line {line}: this path is already in line {first}");
                return Err(Failure::new(Exit::Failure, message));
            }
            objects.push(SavedObject { path, descriptor });
        }
        Ok(objects)
    }
}
