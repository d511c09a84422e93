//! The details of a file through extended attributes of ntfs-3g and of the kernel's ntfs3, and on
//! other file systems what these store.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{Timespec, Timestamps, futimens};

use super::SystemDir;
use crate::details::{Details, Times};
use crate::dir::Access;
use crate::{filetime, security};

#[cfg(target_os = "linux")]
use super::check_shown;
#[cfg(target_os = "linux")]
use crate::details::{MAX_STREAM, NamedStream, cannot, check_stream, settable};
#[cfg(target_os = "linux")]
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};
#[cfg(target_os = "linux")]
use rustix::io::Errno;

/// The attributes of Windows, in four bytes.
#[cfg(target_os = "linux")]
const ATTRIBUTES: &str = "system.ntfs_attrib";
/// The times that ntfs-3g shows: creation, modification, access, change. The last can't be set.
#[cfg(target_os = "linux")]
const TIMES: &str = "system.ntfs_times";
/// The start of the names of streams, and on other file systems of a user's extended attributes.
#[cfg(target_os = "linux")]
const STREAM: &str = "user.";
/// Room for the names of all extended attributes.
#[cfg(target_os = "linux")]
const NAMES: usize = 1 << 16;

pub(super) fn get(folder: &SystemDir, name: &Path) -> io::Result<Details> {
    let file = folder.dir.open_file(name, Access::Read)?;
    let metadata = file.metadata()?;
    let mut details = Details {
        times: Some(Times {
            creation: None,
            modification: filetime::of(metadata.modified()?),
            access: filetime::of(metadata.accessed()?),
            change: None,
        }),
        descriptor: security::descriptor(folder, name.as_os_str())?,
        ..Details::default()
    };
    if details.descriptor.is_none() {
        details.mode = Some(metadata.mode() & 0o7777);
    }
    #[cfg(target_os = "linux")]
    get_attributes(folder, &file, &mut details)?;
    Ok(details)
}

pub(super) fn set(folder: &SystemDir, name: &Path, details: &Details) -> io::Result<()> {
    // For a file that may not be written any more, setting its attributes would fail.
    let file = folder.dir.open_file(name, Access::ReadWrite)?;
    #[cfg(target_os = "linux")]
    for stream in &details.streams {
        let name = format!("{STREAM}{}", stream.name);
        fsetxattr(&file, name, &stream.content, XattrFlags::empty())?;
    }
    if let Some(mode) = details.mode {
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    }
    if let Some(descriptor) = &details.descriptor {
        security::set_descriptor(folder, name.as_os_str(), descriptor)?;
    }
    #[cfg(target_os = "linux")]
    if let Some(attributes) = details.attributes {
        let bytes = attributes.to_le_bytes();
        fsetxattr(&file, ATTRIBUTES, &bytes, XattrFlags::empty())?;
    }
    match details.times {
        Some(times) => set_times(&file, times),
        None => Ok(()),
    }
}

fn set_times(file: &File, times: Times) -> io::Result<()> {
    // What was written must not change the times again.
    file.sync_all()?;
    let timespec = |time| {
        let (tv_sec, tv_nsec) = filetime::to_unix(time);
        Timespec {
            tv_sec,
            tv_nsec: tv_nsec as _,
        }
    };
    futimens(
        file,
        &Timestamps {
            last_access: timespec(times.access),
            last_modification: timespec(times.modification),
        },
    )?;
    #[cfg(target_os = "linux")]
    if let Some(creation) = times.creation {
        let all = [creation, times.modification, times.access];
        let bytes: Vec<u8> = all.into_iter().flat_map(u64::to_le_bytes).collect();
        fsetxattr(file, TIMES, &bytes, XattrFlags::empty())?;
    }
    Ok(())
}

/// Adds the attributes, times and streams that the driver shows.
#[cfg(target_os = "linux")]
fn get_attributes(folder: &SystemDir, file: &File, details: &mut Details) -> io::Result<()> {
    // Another file system would show a user's own attribute of that name, if it has any.
    if details.descriptor.is_some() {
        let mut attributes = [0; 4];
        if fgetxattr(file, ATTRIBUTES, &mut attributes)? != attributes.len() {
            return Err(cannot("its driver doesn't show its attributes"));
        }
        details.attributes = Some(settable(u32::from_le_bytes(attributes))?);
        if !security::is_ntfs3(folder)? {
            details.times = Some(ntfs_times(file)?);
        }
    }
    let shown = streams(file)?;
    let stored = folder.places.streams(folder, file)?;
    if details.descriptor.is_some() {
        if stored.is_none() && security::is_ntfs3(folder)? {
            return Err(cannot(
                "ntfs3 doesn't show named streams, and the volume's device can't be read",
            ));
        }
        check_shown(shown.len(), stored)?;
    }
    details.streams = shown;
    Ok(())
}

#[cfg(target_os = "linux")]
fn ntfs_times(file: &File) -> io::Result<Times> {
    let mut bytes = [0; 32];
    let len = fgetxattr(file, TIMES, &mut bytes)?;
    let (times, _) = bytes.as_chunks::<8>();
    match *times {
        [creation, modification, access, _] if len == bytes.len() => Ok(Times {
            creation: Some(u64::from_le_bytes(creation)),
            modification: u64::from_le_bytes(modification),
            access: u64::from_le_bytes(access),
            change: None,
        }),
        _ => Err(cannot("its driver doesn't show its times")),
    }
}

/// The streams that the driver shows.
#[cfg(target_os = "linux")]
fn streams(file: &File) -> io::Result<Vec<NamedStream>> {
    let mut names = vec![0; NAMES];
    let len = match flistxattr(file, &mut names) {
        Ok(len) => len,
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let names = names.get(..len).ok_or(io::ErrorKind::InvalidData)?;
    let mut streams = Vec::new();
    for name in names.split(|byte| *byte == 0) {
        let Some(name) = name.strip_prefix(STREAM.as_bytes()) else {
            continue;
        };
        let name = std::str::from_utf8(name);
        let name = name.map_err(|_| cannot("the name of one of its streams is not Unicode"))?;
        let mut content = vec![0; MAX_STREAM];
        let read = fgetxattr(file, format!("{STREAM}{name}"), &mut content);
        let too_long = || cannot("one of its named streams can't be read as a whole");
        let len = read.map_err(|_| too_long())?;
        content.truncate(len);
        check_stream(streams.len().saturating_add(1), len)?;
        streams.push(NamedStream {
            name: name.to_owned(),
            content,
        });
    }
    streams.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(streams)
}
