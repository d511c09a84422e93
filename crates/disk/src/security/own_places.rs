//! The files and folders that Windows starts from. Each has one place, whatever a forged index
//! says.

use std::collections::HashMap;
use std::io;

use super::error::ObjectError;
use crate::dir::Dir;
use crate::error::LookupError;
use crate::metadata::{Kind, Metadata};
use crate::nt_path::NtPath;
use crate::system::{Entry, SystemDir};

/// Folders with a known place. The files in them have one too.
const FILLED: [&[&str]; 3] = [
    &["Windows", "System32", "config"],
    &["Boot"],
    &["EFI", "Microsoft", "Boot"],
];
/// Other folders, and files.
const KNOWN: [&[&str]; 14] = [
    &["Windows"],
    &["Windows", "System32"],
    &["Windows", "System32", "drivers"],
    &["ProgramData"],
    &["ProgramData", "Microsoft"],
    &["Users"],
    &["Program Files"],
    &["Program Files (x86)"],
    &["System Volume Information"],
    &["EFI"],
    &["bootmgr"],
    &["pagefile.sys"],
    &["swapfile.sys"],
    &["hiberfil.sys"],
];
/// The greatest number of names that are read in a folder.
const MAX_NAMES: usize = 4096;

/// The places of the files and folders that Windows starts from.
#[derive(Debug)]
pub(super) struct OwnPlaces {
    by_inode: HashMap<u64, NtPath>,
    /// The first path that couldn't be looked up, and the reason. A forged index may lead to it.
    unknown: Option<(NtPath, String)>,
}

impl OwnPlaces {
    /// Looks up the places. A path that doesn't exist or is a link has no place.
    pub(super) fn of(root: &SystemDir, device: u64) -> Self {
        let mut places = Self {
            by_inode: HashMap::new(),
            unknown: None,
        };
        let mut note = |path: NtPath, metadata: Metadata| {
            if metadata.identity.device == device {
                let inode = metadata.identity.inode;
                places.by_inode.entry(inode).or_insert(path);
            }
        };
        let mut unknown = None;
        let mut fails = |path: NtPath, reason: String| {
            unknown.get_or_insert((path, reason));
        };
        match root.own_metadata() {
            Ok(metadata) => note(NtPath::default(), metadata),
            Err(error) => fails(NtPath::default(), error.to_string()),
        }
        for path in KNOWN.iter().chain(&FILLED) {
            let asked = NtPath::from(path.join("/").as_str());
            let found = match (root as &dyn Dir).find(path) {
                Ok(Some(found)) => found,
                Ok(None) | Err(LookupError::Link { .. } | LookupError::NotAFolder { .. }) => {
                    continue;
                }
                Err(error) => {
                    fails(asked, error.to_string());
                    continue;
                }
            };
            let at = NtPath::from(found.path.as_str());
            note(at.clone(), found.metadata);
            if !FILLED.contains(path) || found.kind() != Kind::Folder {
                continue;
            }
            match entries(root, &found.path) {
                Ok(entries) => {
                    for entry in entries {
                        if let Some(path) = at.join(&entry.name) {
                            note(path, entry.metadata);
                        }
                    }
                }
                Err(error) => fails(at, error.to_string()),
            }
        }
        places.unknown = unknown;
        places
    }

    /// The only place of the object with this inode, if it is one of them.
    pub(super) fn get(&self, inode: u64) -> Option<&NtPath> {
        self.by_inode.get(&inode)
    }

    /// Checks that no place is unknown.
    pub(super) fn check_whole(&self) -> Result<(), ObjectError> {
        match &self.unknown {
            Some((path, reason)) => Err(ObjectError::PlacesUnknown {
                path: path.clone(),
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }
}

/// The entries of a folder at a path with exactly this spelling.
fn entries(root: &SystemDir, path: &str) -> io::Result<Vec<Entry>> {
    let mut folder = root.clone_handle()?;
    for name in path.split('/') {
        folder = folder.open_subfolder(name.as_ref())?;
    }
    folder.list(MAX_NAMES)
}
