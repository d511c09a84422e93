//! Crash dumps: which errors stopped Windows, when, and in which file. Only headers and the lists of
//! drivers in minidumps are read.

mod header;
mod triage;

use diskmend_disk::{Access, Dir, Found, Kind};

pub use triage::FaultingImage;

use super::{Facts, identity};
use crate::error::{Error, chain};

/// The greatest number of names in the folder of minidumps. Windows keeps 50 at most.
const MOST_NAMES: usize = 10_000;
/// The number of minidumps that are read, the newest.
const MOST_DUMPS: usize = 20;

/// A stop of Windows with an error, from the header of its dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BugCheck {
    /// The path of the dump, with `/`.
    pub path: String,
    /// The code of the error.
    pub code: u32,
    /// Its four parameters.
    pub parameters: [u64; 4],
    /// The time of the stop; UTC, RFC 3339.
    pub time: Option<String>,
    /// The file in which Windows stopped.
    pub image: FaultingImage,
    /// The time as a FILETIME.
    filetime: u64,
}

/// Reads the newest dumps, the newest first. Of two dumps of one stop, one is left out.
pub(super) fn read(facts: &Facts<'_>) -> Result<Vec<BugCheck>, String> {
    let root = facts.site.root.as_ref();
    let mut found = Vec::new();
    let whole = root.find(&["Windows", "MEMORY.DMP"]);
    if let Some(whole) = whole.map_err(|error| chain(&error))? {
        found.extend(bug_check(&whole)?);
    }
    let folder = root.find(&["Windows", "Minidump"]);
    let folder = folder.map_err(|error| chain(&error))?;
    if let Some(folder) = folder.filter(|folder| folder.kind() == Kind::Folder) {
        let io = |what| Error::io(&folder.path, what);
        let dir = folder.open_dir().map_err(io("open the folder"));
        let dir = dir.map_err(|error| chain(&error))?;
        for name in newest(dir.as_ref(), &folder.path)? {
            let dump = dir.find(&[&name]).map_err(|error| chain(&error))?;
            let Some(mut dump) = dump else { continue };
            dump.path = format!("{}/{name}", folder.path);
            found.extend(bug_check(&dump)?);
        }
    }
    found.sort_by_key(|dump| std::cmp::Reverse(dump.filetime));
    found.dedup_by(|later, first| {
        let same = later.filetime != 0
            && (later.filetime, later.code, later.parameters)
                == (first.filetime, first.code, first.parameters);
        // Of a whole memory and a minidump of one stop, the minidump has the list of drivers.
        if same && first.image == FaultingImage::Untold {
            first.image = std::mem::take(&mut later.image);
        }
        same
    });
    Ok(found)
}

/// The names of the newest minidumps. Windows names them by date (month, day, year) and number.
fn newest(folder: &dyn Dir, path: &str) -> Result<Vec<String>, String> {
    let names = folder.names(MOST_NAMES);
    let mut names = names.map_err(|error| chain(&Error::io(path, "list the folder")(error)))?;
    names.retain(|name| {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case("dmp"))
    });
    names.sort_by_cached_key(|name| std::cmp::Reverse(date(name)));
    names.truncate(MOST_DUMPS);
    Ok(names)
}

/// The year, month and day, and the rest of a dump's name, in an order by time.
fn date(name: &str) -> (String, String) {
    // Windows XP begins the name with "Mini".
    let rest = name
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("mini"));
    let digits = rest.map_or(name, |start| name.get(start.len()..).unwrap_or(name));
    let date = digits
        .get(..6)
        .filter(|date| date.bytes().all(|byte| byte.is_ascii_digit()));
    match date.and_then(|date| date.split_at_checked(4)) {
        Some((day, year)) => (format!("{year}{day}"), digits.to_owned()),
        None => (String::new(), name.to_owned()),
    }
}

/// The error in a dump; `None` if the file is none.
fn bug_check(found: &Found) -> Result<Option<BugCheck>, String> {
    if found.kind() != Kind::File || found.metadata.len < header::LEN as u64 {
        return Ok(None);
    }
    let io = || Error::io(&found.path, "read the dump");
    let mut bytes = vec![0; header::LEN];
    let read = found.open(Access::Read).and_then(|file| {
        file.read_exact_at(&mut bytes, 0)?;
        Ok(file)
    });
    let file = read.map_err(|error| chain(&io()(error)))?;
    Ok(header::parse(&bytes).map(|header| BugCheck {
        image: triage::faulting_image(file.as_ref(), &header),
        path: found.path.clone(),
        code: header.code,
        parameters: header.parameters,
        time: identity::of_filetime(header.time),
        filetime: header.time,
    }))
}

/// Reads untrusted bytes as a dump.
#[cfg(feature = "fuzzing")]
pub(super) fn fuzz(data: &[u8]) {
    if let Some(header) = header::parse(data) {
        std::hint::black_box(triage::faulting_image(&data.to_vec(), &header));
    }
    std::hint::black_box(date(&String::from_utf8_lossy(data)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_time() {
        let mut names = [
            "Mini123108-01.dmp",
            "010224-5-01.dmp",
            "123123-9-01.dmp",
            "x.dmp",
        ];
        names.sort_by_cached_key(|name| std::cmp::Reverse(date(name)));
        assert_eq!(
            names,
            [
                "010224-5-01.dmp",
                "123123-9-01.dmp",
                "Mini123108-01.dmp",
                "x.dmp"
            ]
        );
    }
}
