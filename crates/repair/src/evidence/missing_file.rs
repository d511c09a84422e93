//! Evidence of the kind `missing_file`: a file that a service, a driver or a class filter names is
//! missing or empty.

use serde::Deserialize;
use toml::Spanned;

use super::words::{self, Words};
use super::{EvidenceKind, Looked, Sighting};
use crate::facts::{Facts, FileFault, FilterFault, MissingFile, OrphanFilter, ServiceFiles};
use crate::progress::Interrupted;
use crate::written::Wrong;

/// The greatest number of reasons for ignorance that are told.
const MOST_REASONS: usize = 3;

const WORDS: [(&str, Owner); 4] = [
    ("boot-driver", Owner::BootDriver),
    ("service", Owner::Service),
    ("filter", Owner::Filter),
    ("device-filter", Owner::DeviceFilter),
];

/// What names the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// A driver without which Windows does not start.
    BootDriver,
    /// A service that starts with Windows.
    Service,
    /// A filter without which no device of its class starts.
    Filter,
    /// A filter without which its device doesn't start.
    DeviceFilter,
}

/// A file that one of these names is missing or empty.
#[derive(Clone, Debug)]
pub(crate) struct MissingFileEvidence {
    of: Vec<Owner>,
    /// The services or the classes that count; all if there is none.
    names: Vec<String>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MissingFileFile {
    of: Words,
    #[serde(default)]
    names: Vec<Spanned<String>>,
}

impl EvidenceKind for MissingFileEvidence {
    type Written = MissingFileFile;

    fn read(written: MissingFileFile) -> Result<Self, Wrong> {
        Ok(Self {
            of: words::read(&written.of, &WORDS)?,
            names: written.names.into_iter().map(Spanned::into_inner).collect(),
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let files = match facts.service_files() {
            Ok(files) => files,
            Err(reason) => return Ok(Looked::Unknown(reason)),
        };
        let seen = self.sightings(files);
        if seen.is_empty() && !files.unknown.is_empty() {
            let reasons: Vec<&str> = files.unknown.iter().map(String::as_str).collect();
            let first = reasons.get(..MOST_REASONS).unwrap_or(&reasons);
            return Ok(Looked::Unknown(first.join("; ")));
        }
        Ok(Looked::of(seen))
    }

    fn shown(&self) -> String {
        let words = words::shown(&self.of, &WORDS);
        let names = match self.names.as_slice() {
            [] => String::new(),
            names => format!(" ({})", names.join(", ")),
        };
        format!("a file that a {words}{names} names is missing or empty")
    }
}

impl MissingFileEvidence {
    fn sightings(&self, files: &ServiceFiles) -> Vec<Sighting> {
        let wanted = |file: &&MissingFile| {
            let owner = match (file.driver, file.stops_the_start()) {
                (true, true) => Owner::BootDriver,
                (false, _) => Owner::Service,
                // Windows starts without it.
                (true, false) => return false,
            };
            self.of.contains(&owner) && self.counts(&file.service)
        };
        let missing = files.missing.iter().filter(wanted).map(of_file);
        let filters = files.filters.iter().filter(|filter| {
            let owner = if filter.of_device {
                Owner::DeviceFilter
            } else {
                Owner::Filter
            };
            self.of.contains(&owner) && self.counts(&filter.class)
        });
        missing.chain(filters.map(of_filter)).collect()
    }

    fn counts(&self, name: &str) -> bool {
        let mut names = self.names.iter();
        self.names.is_empty() || names.any(|wanted| wanted.eq_ignore_ascii_case(name))
    }
}

const fn word(fault: FileFault) -> &'static str {
    match fault {
        FileFault::Missing => "missing",
        FileFault::Empty => "empty",
    }
}

fn of_file(file: &MissingFile) -> Sighting {
    let found = format!("{} is {}", file.path, word(file.fault));
    Sighting::new(format!(r"SYSTEM\{}", file.key), found)
}

fn of_filter(filter: &OrphanFilter) -> Sighting {
    let found = match &filter.fault {
        FilterFault::NoService => format!(
            "{} names {}, which is no service",
            filter.value, filter.name
        ),
        FilterFault::File(path, fault) => {
            let word = word(*fault);
            format!(
                "{} names {}, but {path} is {word}",
                filter.value, filter.name
            )
        }
    };
    Sighting::new(format!(r"SYSTEM\{}", filter.key), found)
}
