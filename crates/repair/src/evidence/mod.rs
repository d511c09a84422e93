//! The kinds of evidence that a rule or the condition of a recipe may name: a file for each.
//!
//! A new kind is a file in this folder, with a type that is an [`EvidenceKind`], and a line in
//! `kinds!` below. docs/diagnosis.md shows how.

#[macro_use]
mod kinds;
mod boot_entry;
mod boot_sector;
mod boot_store;
mod bug_check;
mod certificate;
mod control_sets;
mod event;
mod file;
mod firewall;
mod hive;
mod log;
mod member_of;
mod missing_file;
mod platform;
mod product;
mod registry;
mod route;
mod service;
mod service_dependency;
mod service_group;
mod service_restart;
mod volume;
mod words;

pub(crate) use event::sighting_of_event;

use std::ops::Range;

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::de::DeTable;

use crate::facts::Facts;
use crate::progress::Interrupted;
use crate::written::{Wrong, document, shape, wrong_at};

/// A kind of evidence: how it is written, and how it is looked for.
pub(crate) trait EvidenceKind: Sized {
    /// Its fields in a file. An unknown field must be an error
    /// (`#[serde(deny_unknown_fields)]`).
    type Written: DeserializeOwned;

    /// Checks the fields.
    ///
    /// # Errors
    /// What is wrong, with its place in the file.
    fn read(written: Self::Written) -> Result<Self, Wrong>;

    /// Looks for it on a disk. What can't be read is [`Looked::Unknown`].
    ///
    /// # Errors
    /// If the caller interrupts.
    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted>;

    /// What it looks for, in a few words.
    fn shown(&self) -> String;
}

/// The result of looking for evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    /// It is there. The list isn't empty, and its order is always the same.
    Seen(Vec<Sighting>),
    /// It isn't there.
    NotSeen,
    /// It couldn't be looked for. The reason is for display and names the file.
    Unknown(String),
}

impl Looked {
    /// The sightings, or that there is none.
    pub(crate) fn of(sightings: Vec<Sighting>) -> Self {
        if sightings.is_empty() {
            Self::NotSeen
        } else {
            Self::Seen(sightings)
        }
    }
}

/// A place where evidence was seen, so that a person can look it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sighting {
    /// The file, key or event. It may contain names from the disk, which the caller must escape.
    pub place: String,
    /// What was found there. It may contain text from the disk.
    pub found: String,
    /// When it happened or was written; UTC, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

impl Sighting {
    /// Something that was found in a place.
    pub(crate) fn new(place: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            found: found.into(),
            time: None,
        }
    }
}

kinds! {
    /// A value of a hive.
    Registry(registry::RegistryEvidence) in registry,
    /// A route that leads nowhere.
    Route(route::RouteEvidence) in route,
    /// When a service or driver starts.
    Service(service::ServiceEvidence) in service,
    /// A service that depends on one that doesn't exist.
    ServiceDependency(service_dependency::ServiceDependencyEvidence) in service_dependency,
    /// A service that is not in the list of the process that should run it.
    ServiceGroup(service_group::ServiceGroupEvidence) in service_group,
    /// A service that crashes, and restarts Windows then.
    ServiceRestart(service_restart::ServiceRestartEvidence) in service_restart,
    /// The state of a hive.
    Hive(hive::HiveEvidence) in hive,
    /// A file that is there, is empty, or is missing.
    File(file::FileEvidence) in file,
    /// A file that a service, a driver or a class filter names, and that is missing or empty.
    MissingFile(missing_file::MissingFileEvidence) in missing_file,
    /// What closes the port of Remote Desktop.
    Firewall(firewall::FirewallEvidence) in firewall,
    /// A fault of the certificate of Remote Desktop.
    Certificate(certificate::CertificateEvidence) in certificate,
    /// The code of the newest crash dump.
    BugCheck(bug_check::BugCheckEvidence) in bug_check,
    /// An error in a log in text.
    Log(log::LogEvidence) in log,
    /// What `Select` says about the control sets.
    ControlSets(control_sets::ControlSetsEvidence) in control_sets,
    /// The kind of Windows.
    Product(product::ProductEvidence) in product,
    /// What is wrong with the boot store.
    BootStore(boot_store::BootStoreEvidence) in boot_store,
    /// What is wrong with the boot entry that starts Windows.
    BootEntry(boot_entry::BootEntryEvidence) in boot_entry,
    /// What a BIOS finds wrong with the active partition and its boot sector.
    BootSector(boot_sector::BootSectorEvidence) in boot_sector,
    /// The state of the volume of Windows.
    Volume(volume::VolumeEvidence) in volume,
    /// The machine on which Windows was started last.
    Platform(platform::PlatformEvidence) in platform,
    /// Whether the computer belongs to a domain.
    MemberOf(member_of::MemberOfEvidence) in member_of,
    /// An event in a log of Windows that counts.
    Event(event::EventEvidence) in event,
}
