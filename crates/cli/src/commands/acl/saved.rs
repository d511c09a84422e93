//! Reading save files.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use diskmend_acl::{Domains, SavedEntries, SavedEntry};
use diskmend_disk::NtPath;
use diskmend_repair::acl_edit::{self, AclPlan, SavedObject};

use super::path_arg::{Located, PathArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Steps;

/// Longest save file that is read, in bytes: a million objects.
const MAX_LEN: u64 = 1 << 30;

/// The files that permissions were saved to.
#[derive(Debug, clap::Args)]
pub(crate) struct SavedArgs {
    /// The file with the DACLs, from 'acl save', 'icacls /save' or a run's folder
    file: PathBuf,
    /// The file with owners and groups that belongs to it; without it they stay as they are
    #[arg(long, value_name = "FILE")]
    owners: Option<PathBuf>,
}

impl SavedArgs {
    /// Works out what has to be changed for what was saved to hold again.
    pub(super) fn plan(&self, args: &PathArgs) -> Result<(Located, AclPlan), Failure> {
        let saved = self.read()?;
        let located = args.locate()?;
        let options = args.options();
        let mut steps = Steps::start();
        let (target, names) = (&located.target, located.names());
        let plan = acl_edit::plan_restore(target, &names, &saved, &options, &mut steps.watch());
        drop(steps);
        let plan = plan.map_err(|error| args.failure(&located, &error))?;
        Ok((located, plan))
    }

    /// Reads the files; what both say of an object is put together.
    fn read(&self) -> Result<Vec<SavedObject>, Failure> {
        let mut objects = entries(&self.file)?;
        let Some(file) = &self.owners else {
            return Ok(objects);
        };
        let mut index: HashMap<NtPath, usize> = HashMap::new();
        for (number, object) in objects.iter().enumerate() {
            index.insert(object.path.clone(), number);
        }
        for owned in entries(file)? {
            let known = index.get(&owned.path).and_then(|at| objects.get_mut(*at));
            match known {
                Some(object) => {
                    object.descriptor.owner = owned.descriptor.owner;
                    object.descriptor.group = owned.descriptor.group;
                }
                None => objects.push(owned),
            }
        }
        Ok(objects)
    }
}

fn entries(file: &Path) -> Result<Vec<SavedObject>, Failure> {
    let shown = file.display();
    let failed =
        |error: &dyn std::error::Error| Failure::of(Exit::Failure, error).context(file.display());
    let len = fs::metadata(file).map_err(|error| failed(&error))?.len();
    if len > MAX_LEN {
        let message = format!("{shown}: {len} bytes long, at most {MAX_LEN} are read");
        return Err(Failure::new(Exit::Failure, message));
    }
    let bytes = fs::read(file).map_err(|error| failed(&error))?;
    let entries = SavedEntries::new(&bytes, Domains::default()).map_err(|error| failed(&error))?;
    let mut seen = HashMap::new();
    let mut objects = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(&error))?;
        let line = entry.line;
        let object = object(entry)
            .map_err(|what| Failure::new(Exit::Failure, format!("{shown}: line {line}: {what}")))?;
        if let Some(first) = seen.insert(object.path.clone(), line) {
            let message = format!("{shown}: line {line}: the same path as in line {first}");
            return Err(Failure::new(Exit::Failure, message));
        }
        objects.push(object);
    }
    Ok(objects)
}

fn object(entry: SavedEntry) -> Result<SavedObject, &'static str> {
    let path = NtPath::from_backslashes(&entry.path).ok_or("a slash is no part of a path")?;
    Ok(SavedObject {
        path,
        descriptor: entry.descriptor,
    })
}
