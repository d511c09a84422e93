//! Making the file that takes the place of another one, in the run's own folder.

use diskmend_disk::{Access, File, Found};

use crate::digest::Content;
use crate::error::{Error, Refusal};
use crate::file_check::{HEAD_LEN, close};
use crate::finding::Source;
use crate::run::{NewFile, RunFolder};
use crate::site::Site;

/// The number of bytes that are copied at once.
const CHUNK: usize = 1 << 20;

/// Makes the file that takes the place at `path`, with the security descriptor, attributes and times
/// of `old`, or of the source if there is no old file, but without streams, and reads it back. It is
/// durable once the run's folder is.
///
/// # Errors
/// [`Refusal::Changed`] if the source isn't the one that was planned any more; if the disk is full.
pub(super) fn make(
    site: &Site,
    run: &RunFolder,
    (number, path, old): (usize, &str, Option<&Found>),
    source: &Source,
) -> Result<NewFile, Error> {
    let changed = || Refusal::Changed {
        path: source.path.clone(),
    };
    let names: Vec<&str> = source.path.split('/').collect();
    let found = site.root.as_ref().find(&names)?.ok_or_else(changed)?;
    let read = || Error::io(&source.path, "read the file");
    let from = found.open(Access::Read).map_err(read())?;
    if !source.content.is_of(from.as_ref()).map_err(read())? {
        return Err(changed().into());
    }
    let name = NewFile::staged_name(number);
    let write = || Error::io(path, "make the file that takes its place");
    let mut to = run.create_anew(&name, "make a file in the run")?;
    copy(from.as_ref(), to.as_mut(), source.is_to_be_closed).map_err(write())?;
    drop(to);
    let like = old.unwrap_or(&found);
    let mut details = like.dir.details(&like.name).map_err(write())?;
    details.streams.clear();
    let folder = run
        .kept_folder()?
        .ok_or_else(|| run.damaged_journal("no folder"))?;
    folder.set_details(&name, &details).map_err(write())?;
    let made = folder.open(&name, Access::Read).map_err(write())?;
    let content = Content::of_file(made.as_ref()).map_err(write())?;
    let as_read = content == source.content;
    if content.length != source.content.length || (!source.is_to_be_closed && !as_read) {
        return Err(Error::ReadBack {
            path: source.path.clone(),
            found: "other bytes in the copy".to_owned(),
        });
    }
    Ok(NewFile {
        from: found.path,
        content,
        mac: run.mac_of(&name, made.as_ref())?,
    })
}

/// Makes a copy of a file of a disk that isn't mounted in the run's own folder, and reads it back.
/// It is durable once the run's folder is.
///
/// # Errors
/// If the disk is full, or if the copy is read back otherwise.
pub(super) fn keep(
    run: &RunFolder,
    name: &str,
    (path, file, content): (&str, &dyn File, Content),
) -> Result<(), Error> {
    let mut to = run.create_anew(name, "make a file in the run")?;
    let write = || Error::io(path, "copy the file into the run");
    copy(file, to.as_mut(), false).map_err(write())?;
    drop(to);
    let made = run.open(name, Access::Read)?;
    if content.is_of(made.as_ref()).map_err(write())? {
        return Ok(());
    }
    Err(Error::ReadBack {
        path: path.to_owned(),
        found: "other bytes in the copy".to_owned(),
    })
}

/// Gives a file the content of another one, durably.
pub(super) fn copy(
    from: &dyn File,
    to: &mut dyn File,
    is_to_be_closed: bool,
) -> std::io::Result<()> {
    let len = from.len()?;
    to.set_len(len)?;
    let mut at = 0;
    while at < len {
        let left = usize::try_from(len - at).unwrap_or(CHUNK).min(CHUNK);
        let mut bytes = vec![0; left];
        from.read_exact_at(&mut bytes, at)?;
        if at == 0
            && is_to_be_closed
            && let Some(head) = bytes.first_chunk_mut::<HEAD_LEN>()
        {
            close(head);
        }
        to.write_all_at(&bytes, at)?;
        at += left as u64;
    }
    to.sync()
}
