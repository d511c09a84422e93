//! The details of a file through calls of Windows.

use std::io::{self, Read, Write};
use std::path::Path;

use super::{SystemDir, check_shown};
use crate::details::{Details, MAX_STREAM, NamedStream, check_stream, settable};
use crate::{nt, security};

pub(super) fn get(folder: &SystemDir, name: &Path) -> io::Result<Details> {
    let file = folder.dir.open_attributes(name, false)?;
    let (attributes, times) = nt::basic(&file)?;
    let mut streams = Vec::new();
    if nt::keeps_streams(&file)? {
        let names = nt::stream_names(&file)?;
        for name in &names {
            let mut content = Vec::new();
            let stream = nt::open_stream(&file, name, false)?;
            let most = MAX_STREAM as u64 + 1;
            stream.take(most).read_to_end(&mut content)?;
            check_stream(names.len(), content.len())?;
            streams.push(NamedStream {
                name: name.clone(),
                content,
            });
        }
        check_shown(streams.len(), Some(names.len()))?;
        streams.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(Details {
        attributes: Some(settable(attributes)?),
        times: Some(times),
        mode: None,
        descriptor: security::descriptor(folder, name.as_os_str())?,
        streams,
    })
}

pub(super) fn set(folder: &SystemDir, name: &Path, details: &Details) -> io::Result<()> {
    let file = folder.dir.open_attributes(name, true)?;
    for stream in &details.streams {
        let mut to = nt::open_stream(&file, &stream.name, true)?;
        to.write_all(&stream.content)?;
        to.sync_all()?;
    }
    if let Some(descriptor) = &details.descriptor {
        security::set_descriptor(folder, name.as_os_str(), descriptor)?;
    }
    match (details.attributes, details.times) {
        (Some(attributes), Some(times)) => nt::set_basic(&file, attributes, &times),
        _ => Ok(()),
    }
}
