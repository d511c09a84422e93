//! Looking for a folder that is renamed with everything in it.

use diskmend_disk::{Kind, LookupError};

use super::{Budget, none};
use crate::changes::files::{Listing, may_rename};
use crate::error::{Error, chain};
use crate::finding::{JudgedFile, RowState, SeenFile};
use crate::rows::JudgeFiles;
use crate::site::Site;

/// Looks for the folder of a row.
///
/// # Errors
/// If the folders on the way can't be read.
pub(super) fn look(
    site: &Site,
    row: &dyn JudgeFiles,
    budget: &mut Budget,
) -> Result<Vec<JudgedFile>, Error> {
    let name = row.name().to_string();
    let above = row.folder().names();
    let names: Vec<&str> = above.iter().copied().chain([name.as_str()]).collect();
    let found = match site.root.as_ref().find(&names) {
        Ok(Some(found)) => found,
        Ok(None) | Err(LookupError::NotAFolder { .. }) => {
            return Ok(vec![none(&above.join("/"), row)]);
        }
        Err(error) => return Err(error.into()),
    };
    let mut seen = SeenFile {
        is_folder: found.kind() == Kind::Folder,
        ..SeenFile::of_len(0)
    };
    budget.take_file(row)?;
    if seen.is_folder {
        seen.problem = may_rename(site, found.dir.as_ref(), &found.path).err();
    } else {
        seen.problem = Some(format!("it is {}", found.kind()));
    }
    if seen.problem.is_none() {
        let io = || Error::io(&found.path, "list the folder");
        match found
            .open_dir()
            .and_then(|folder| Listing::of(folder.as_ref()))
        {
            Ok(listing) => {
                seen.len = listing.bytes;
                seen.content = Some(listing.content());
            }
            Err(error) => seen.problem = Some(chain(&io()(error))),
        }
    }
    let state = row.judge(&seen).unwrap_or(RowState::Differs);
    Ok(vec![JudgedFile {
        path: found.path,
        change: row.change(),
        state,
        seen: Some(seen),
    }])
}
