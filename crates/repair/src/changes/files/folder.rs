//! Folders that are renamed as a whole.

use std::io;

use diskmend_disk::{Access, Dir, Kind};

use super::may_move::{self, CONFIG};
use super::on_image;
use crate::digest::{Content, Digest};
use crate::finding::FileChangeKind;
use crate::names::same_file;
use crate::run::journal::valid::{components, renamed_len};
use crate::run::{STATE_FOLDER, STATE_FOLDER_BESIDE_PROGRAM};
use crate::site::Site;

/// The greatest number of names in a folder that is renamed, at any depth.
const MAX_NAMES: usize = 1024;
/// The greatest depth of folders in it.
const MAX_DEPTH: usize = 16;
/// The greatest number of bytes in its files.
const MAX_BYTES: u64 = 64 << 20;
/// The greatest length of a name in UTF-16 units.
const MAX_UNITS: usize = 255;

/// What is in a folder: a line for each file and folder, in the order of their names.
#[derive(Default)]
pub(crate) struct Listing {
    text: Vec<u8>,
    names: usize,
    /// The number of bytes in its files.
    pub(crate) bytes: u64,
}

impl Listing {
    /// Lists a folder, and reads all files in it.
    ///
    /// # Errors
    /// If something in it is neither a file nor a folder, or if there is too much; the system's error.
    pub(crate) fn of(folder: &dyn Dir) -> io::Result<Self> {
        let mut listing = Self::default();
        listing.add(folder, "", 0)?;
        Ok(listing)
    }

    fn add(&mut self, folder: &dyn Dir, above: &str, depth: usize) -> io::Result<()> {
        if depth > MAX_DEPTH {
            return Err(too_much(&format!(
                "more than {MAX_DEPTH} folders in each other"
            )));
        }
        for name in folder.names(MAX_NAMES)? {
            self.names += 1;
            if self.names > MAX_NAMES {
                return Err(too_much(&format!("more than {MAX_NAMES} names")));
            }
            let path = format!("{above}/{name}");
            let metadata = folder.metadata(&name)?;
            match metadata.kind {
                Kind::Folder => {
                    self.line(&format!("{path}/"));
                    self.add(folder.open_dir(&name)?.as_ref(), &path, depth + 1)?;
                }
                Kind::File => {
                    self.bytes = self.bytes.saturating_add(metadata.len);
                    if self.bytes > MAX_BYTES {
                        return Err(too_much(&format!("more than {} MiB", MAX_BYTES >> 20)));
                    }
                    let file = folder.open(&name, Access::Read)?;
                    let content = Content::of_file(file.as_ref())?;
                    self.line(&format!("{path} {} {}", content.length, content.xxh3));
                }
                kind => return Err(too_much(&format!("{path}: {kind}"))),
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str) {
        self.text.extend_from_slice(line.as_bytes());
        // No name has this byte.
        self.text.push(0);
    }

    /// The list, for a MAC.
    pub(crate) const fn text(&self) -> &Vec<u8> {
        &self.text
    }

    /// The digest of the list.
    pub(crate) fn content(&self) -> Content {
        Content {
            length: self.text.len() as u64,
            xxh3: Digest::of(&self.text),
        }
    }
}

fn too_much(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it has {what} in it"))
}

/// Checks if a folder can be renamed. `path` is its path below the root, and `above` the folder that
/// it is in.
///
/// # Errors
/// The reason why it can't, for display.
pub(crate) fn may_rename(site: &Site, above: &dyn Dir, path: &str) -> Result<(), String> {
    allowed(path)?;
    let name = path.rsplit('/').next().unwrap_or(path);
    if renamed_len(name) > MAX_UNITS {
        return Err("its new name would be too long".to_owned());
    }
    let said = |error: io::Error| format!("it can't be looked at: {error}");
    let volume = |dir: &dyn Dir| Ok::<_, String>(dir.own_metadata().map_err(said)?.identity.device);
    let own = above.open_dir(name).map_err(said)?;
    let root = volume(site.root.as_ref())?;
    if volume(above)? != root || volume(own.as_ref())? != root {
        return Err("it is on another volume".to_owned());
    }
    drop(own);
    on_image::can_rename_folder(site, (above, name))
}

/// Checks that a path is that of a folder that a run may rename.
///
/// # Errors
/// The reason why it isn't, for display.
pub(super) fn allowed(path: &str) -> Result<(), String> {
    may_move::allowed(path, FileChangeKind::Rename)?;
    let names = components(path)?;
    if names
        .iter()
        .zip(CONFIG)
        .filter(|(a, b)| same_file(a, b))
        .count()
        == names.len()
    {
        return Err("Windows can't start without it".to_owned());
    }
    let own = [STATE_FOLDER, STATE_FOLDER_BESIDE_PROGRAM];
    if let [name] = names.as_slice()
        && own.iter().any(|own| same_file(own, name))
    {
        return Err("it belongs to diskmend".to_owned());
    }
    Ok(())
}
