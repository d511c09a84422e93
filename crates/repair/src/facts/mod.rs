//! Facts about the disk: its hives, its Windows and what it is, its control sets, its services, its
//! event logs and its boot stores.
//!
//! Each fact is read once for a command, and only when it is needed, so that every row of a recipe
//! can depend on every fact. Nothing is written.

mod accounts;
mod around;
pub(crate) mod boot;
pub(crate) mod boot_stores;
mod certificates;
mod control_sets;
mod drives;
mod dumps;
pub(crate) mod events;
mod firewall;
#[cfg(feature = "fuzzing")]
mod fuzzing;
mod group_policy;
mod identity;
pub(crate) mod routes;
mod service_files;
mod services;
mod text_logs;
mod volume;
mod windows;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;

use diskmend_disk::Access;
use diskmend_hive::Corruption;

pub use crate::identity::BitLockerState;
pub use accounts::Accounts;
pub(crate) use accounts::of_site as accounts_of;
pub(crate) use around::Around;
pub(crate) use boot::sector::{SectorFault, SectorFaults};
pub use boot::{BootFault, BootFaults, EntryFault, StoreFault};
pub use boot_stores::{LoaderStatus, StoreStatus};
pub use certificates::{CertificateFault, FaultyCertificate};
pub(crate) use control_sets::is_control_set;
pub use control_sets::{ControlSet, ControlSets, MissingSet, Select};
pub use dumps::{BugCheck, FaultingImage};
pub(crate) use events::is_known_event;
#[cfg(test)]
pub(crate) use events::known_events;
pub use events::{
    Boot, BootBugCheck, BootEnd, BootKind, Event, EventQuery, Events, Field, LogStatus, Logons,
    Since,
};
pub use firewall::{ClosedBy, ClosedPort};
pub(crate) use firewall::{
    GroupRule, MOST_RULE_BYTES, MOST_RULE_CHARS, MOST_RULE_FIELDS, MOST_RULES,
    Profile as FirewallProfile, is_admitted,
};
#[cfg(feature = "fuzzing")]
pub use fuzzing::{read_event_log, read_evidence};
pub(crate) use identity::names::{names as names_of, of_open_hives};
pub(crate) use identity::of_filetime;
pub use identity::{Agent, Membership, Platform, Unread, WindowsIdentity};
pub use service_files::{FileFault, FilterFault, MissingFile, OrphanFilter, ServiceFiles};
pub(crate) use service_files::{NamedFiles, names_of_filters};
pub use services::{Service, ServiceStart};
pub use text_logs::{Errors, TextLog};
pub use volume::{BitLocker, VolumeCondition, WindowsVolume};
pub use windows::Product;

use crate::error::{Error, Refusal, chain};
use crate::hive_on_disk::{self, FileRead, HiveOnDisk};
use crate::place::HiveName;
use crate::progress::{Interrupted, Phase, Watch};
use crate::site::{Options, Site};
use boot_stores::Found;
use drives::Drives;
use group_policy::Policies;

/// A fact, or the reason why it is unknown, for display.
type Known<T> = OnceCell<Result<T, String>>;

/// The reason why a source of facts can't be read. Every fact that depends on it gets the reason;
/// the error itself goes to the caller that reports it.
pub(crate) struct Failure {
    /// For a person.
    reason: String,
    /// True if the content of a file is the reason.
    is_damage: bool,
    /// True if no boot store was found.
    is_no_store: bool,
    error: Cell<Option<Box<Error>>>,
}

impl Failure {
    pub(crate) fn of(error: Error) -> Self {
        Self {
            reason: chain(&error),
            is_damage: is_damage(&error),
            is_no_store: matches!(error, Error::Refused(Refusal::NoStore { .. })),
            error: Cell::new(Some(Box::new(error))),
        }
    }

    pub(crate) fn reason(&self) -> String {
        self.reason.clone()
    }

    /// True if the content of a file is the reason: it is there, but it is not what it should be.
    pub(crate) const fn is_damage(&self) -> bool {
        self.is_damage
    }

    /// True if no boot store was found.
    pub(crate) const fn is_no_store(&self) -> bool {
        self.is_no_store
    }

    /// The error, at the first call.
    pub(crate) fn take(&self) -> Option<Error> {
        self.error.take().map(|error| *error)
    }
}

/// True if the content of a hive is the reason for an error.
fn is_damage(error: &Error) -> bool {
    matches!(error, Error::NotAHive { .. } | Error::Corrupt { .. })
}

/// The facts about the disk, as far as they were needed.
///
/// Reading a hive replays its logs in memory if it was not closed cleanly. The hives that were read
/// stay open until this is dropped.
pub struct Facts<'a> {
    pub(crate) site: &'a Site,
    pub(crate) options: &'a Options,
    watch: RefCell<Watch<'a>>,
    hives: [OnceCell<Result<HiveOnDisk, Failure>>; HiveName::ALL.len()],
    control_sets: OnceCell<Result<ControlSets, Corruption>>,
    build: Known<u32>,
    product: Known<Product>,
    services: Known<Vec<Service>>,
    service_files: Known<ServiceFiles>,
    named_files: OnceCell<NamedFiles<'a>>,
    component_drivers: Known<BTreeSet<String>>,
    closed_port: Known<Option<ClosedPort>>,
    certificates: Known<Vec<FaultyCertificate>>,
    bug_checks: Known<Vec<BugCheck>>,
    text_logs: [Known<Errors>; TextLog::ALL.len()],
    drives: OnceCell<Drives>,
    policies: OnceCell<Policies>,
    identity: OnceCell<WindowsIdentity>,
    events: OnceCell<Events>,
    boot_stores: OnceCell<Result<Found, Failure>>,
    boot_faults: OnceCell<BootFaults>,
    sector_faults: OnceCell<SectorFaults>,
    volume: OnceCell<(WindowsVolume, BitLocker)>,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(site: &'a Site, options: &'a Options, watch: Watch<'a>) -> Self {
        Self {
            site,
            options,
            watch: RefCell::new(watch),
            hives: Default::default(),
            control_sets: OnceCell::new(),
            build: OnceCell::new(),
            product: OnceCell::new(),
            services: OnceCell::new(),
            service_files: OnceCell::new(),
            named_files: OnceCell::new(),
            component_drivers: OnceCell::new(),
            closed_port: OnceCell::new(),
            certificates: OnceCell::new(),
            bug_checks: OnceCell::new(),
            text_logs: Default::default(),
            drives: OnceCell::new(),
            policies: OnceCell::new(),
            identity: OnceCell::new(),
            events: OnceCell::new(),
            boot_stores: OnceCell::new(),
            boot_faults: OnceCell::new(),
            sector_faults: OnceCell::new(),
            volume: OnceCell::new(),
        }
    }

    /// A hive of Windows, after its logs were replayed.
    ///
    /// # Errors
    /// The reason why it can't be read.
    pub(crate) fn hive(&self, name: HiveName) -> Result<&HiveOnDisk, &Failure> {
        let read = || {
            let place = hive_on_disk::find(self.site.root.as_ref(), name)?;
            let mut watch = self.watch.borrow_mut();
            watch.committed(Phase::Opening, &place.place.path);
            hive_on_disk::open(place, Access::Read)
        };
        let hive = self.cell(name);
        hive.get_or_init(|| read().map_err(Failure::of)).as_ref()
    }

    /// A hive of Windows that was read before; `None` if it wasn't, or can't be read.
    pub(crate) fn open_hive(&self, name: HiveName) -> Option<&HiveOnDisk> {
        self.cell(name).get()?.as_ref().ok()
    }

    fn cell(&self, name: HiveName) -> &OnceCell<Result<HiveOnDisk, Failure>> {
        let [system, software, security, components, default, sam] = &self.hives;
        match name {
            HiveName::System => system,
            HiveName::Software => software,
            HiveName::Security => security,
            HiveName::Components => components,
            HiveName::Default => default,
            HiveName::Sam => sam,
        }
    }

    /// The control sets of Windows.
    ///
    /// # Errors
    /// The reason why they are unknown, for display.
    pub fn control_sets(&self) -> Result<&ControlSets, String> {
        let system = self.hive(HiveName::System).map_err(Failure::reason)?;
        self.control_sets_in(system).map_err(|corruption| {
            let path = system.path();
            chain(&Error::corrupt(path)(corruption))
        })
    }

    /// The control sets in the hive SYSTEM.
    pub(crate) fn control_sets_in(&self, system: &HiveOnDisk) -> Result<&ControlSets, Corruption> {
        let read = || ControlSets::read(&system.hive);
        let sets = self.control_sets.get_or_init(read);
        sets.as_ref().map_err(Corruption::clone)
    }

    /// The build number of Windows, such as 17763.
    ///
    /// # Errors
    /// The reason why it is unknown, for display.
    pub fn build(&self) -> Result<u32, String> {
        self.build.get_or_init(|| windows::build(self)).clone()
    }

    /// The kind of Windows.
    ///
    /// # Errors
    /// The reason why it is unknown, for display.
    pub fn product(&self) -> Result<Product, String> {
        self.product.get_or_init(|| windows::product(self)).clone()
    }

    /// The services and drivers of every control set, in the order of the hive.
    ///
    /// # Errors
    /// The reason why they are unknown, for display.
    pub fn services(&self) -> Result<&[Service], String> {
        let services = self.services.get_or_init(|| services::read(self));
        services.as_deref().map_err(String::clone)
    }

    /// The files that services, drivers and class filters of the current control set name, and that
    /// the disk does not have.
    ///
    /// # Errors
    /// The reason why they are unknown, for display.
    pub fn service_files(&self) -> Result<&ServiceFiles, String> {
        let files = self.service_files.get_or_init(|| service_files::read(self));
        files.as_ref().map_err(String::clone)
    }

    /// Looks for files that the registry names.
    pub(crate) fn named_files(&self) -> &NamedFiles<'a> {
        self.named_files.get_or_init(|| NamedFiles::of(self))
    }

    /// The names of the drivers that belong to Windows itself, in lower case.
    ///
    /// # Errors
    /// The reason why they are unknown, for display.
    pub(crate) fn component_drivers(&self) -> Result<&BTreeSet<String>, String> {
        let drivers = self
            .component_drivers
            .get_or_init(|| service_files::component_drivers(self));
        drivers.as_ref().map_err(String::clone)
    }

    /// The port of Remote Desktop, if Remote Desktop is switched on and the firewall lets nobody in.
    ///
    /// # Errors
    /// The reason why it is unknown, for display.
    pub fn closed_port(&self) -> Result<Option<&ClosedPort>, String> {
        let closed = self.closed_port.get_or_init(|| firewall::read(self));
        closed.as_ref().map(Option::as_ref).map_err(String::clone)
    }

    /// The firewall's rules of a group that let somebody in if they are active, in these profiles.
    ///
    /// # Errors
    /// The reason why they are unknown, for display.
    pub(crate) fn rules_of_group(
        &self,
        group: &str,
        profiles: &[FirewallProfile],
    ) -> Result<Vec<GroupRule>, String> {
        firewall::rules_of_group(self, group, profiles)
    }

    /// What is wrong with the certificate of Remote Desktop.
    ///
    /// # Errors
    /// The reason why it is unknown, for display.
    pub fn faulty_certificates(&self) -> Result<&[FaultyCertificate], String> {
        let faulty = self.certificates.get_or_init(|| certificates::read(self));
        faulty.as_deref().map_err(String::clone)
    }

    /// The errors that stopped Windows, from the newest crash dumps; the newest is first.
    ///
    /// # Errors
    /// The reason why they are unknown, for display.
    pub fn bug_checks(&self) -> Result<&[BugCheck], String> {
        let checks = self.bug_checks.get_or_init(|| dumps::read(self));
        checks.as_deref().map_err(String::clone)
    }

    /// The errors at the end of a log in text.
    ///
    /// # Errors
    /// The reason why they are unknown, for display.
    pub fn text_log(&self, log: TextLog) -> Result<&Errors, String> {
        let [
            servicing,
            setup,
            setup_actions,
            upgrade,
            upgrade_actions,
            startup_repair,
        ] = &self.text_logs;
        let cell = match log {
            TextLog::Servicing => servicing,
            TextLog::Setup => setup,
            TextLog::SetupActions => setup_actions,
            TextLog::Upgrade => upgrade,
            TextLog::UpgradeActions => upgrade_actions,
            TextLog::StartupRepair => startup_repair,
        };
        let errors = cell.get_or_init(|| text_logs::read(self, log));
        errors.as_ref().map_err(String::clone)
    }

    /// The drives that Windows has had; none if they can't be read.
    pub(crate) fn drives(&self) -> &Drives {
        let read = || Drives::read(self).unwrap_or_else(|_| Drives::unknown());
        self.drives.get_or_init(read)
    }

    /// The group policies that Windows applied to the machine, as far as they are known.
    pub(crate) fn policies(&self) -> &Policies {
        self.policies.get_or_init(|| group_policy::read(self))
    }

    /// What the Windows is: its version, its names, and the machine on which it ran last.
    pub fn identity(&self) -> &WindowsIdentity {
        self.identity.get_or_init(|| identity::read(self))
    }

    /// The volume of the Windows: its space, and whether it was closed cleanly.
    pub fn volume(&self) -> &WindowsVolume {
        &self.volume.get_or_init(|| volume::read(self)).0
    }

    /// What is known about encryption with BitLocker.
    pub fn bitlocker(&self) -> &BitLocker {
        &self.volume.get_or_init(|| volume::read(self)).1
    }

    /// What the event logs tell that counts.
    ///
    /// # Errors
    /// If the caller interrupts.
    pub fn events(&self) -> Result<&Events, Interrupted> {
        if let Some(events) = self.events.get() {
            return Ok(events);
        }
        let events = self.read_events(&EventQuery::default())?;
        Ok(self.events.get_or_init(|| events))
    }

    /// What the event logs tell that was asked for.
    ///
    /// # Errors
    /// If the caller interrupts.
    pub(crate) fn read_events(&self, query: &EventQuery) -> Result<Events, Interrupted> {
        self.phase(Phase::Opening, "event logs")?;
        events::read(self.site.root.as_ref(), query, &|| self.go_on())
    }

    /// The boot stores of the disk, or the reason why none can be found.
    ///
    /// # Errors
    /// If the caller interrupts.
    pub(crate) fn boot_stores(&self) -> Result<Result<&Found, &Failure>, Interrupted> {
        if let Some(found) = self.boot_stores.get() {
            return Ok(found.as_ref());
        }
        let found = match boot_stores::find(self) {
            Err(Error::Interrupted(interrupted)) => return Err(interrupted),
            found => found.map_err(Failure::of),
        };
        Ok(self.boot_stores.get_or_init(|| found).as_ref())
    }

    /// What is wrong with the boot stores and their entries.
    ///
    /// # Errors
    /// If the caller interrupts.
    pub fn boot_faults(&self) -> Result<&BootFaults, Interrupted> {
        if let Some(faults) = self.boot_faults.get() {
            return Ok(faults);
        }
        let faults = boot::read(self)?;
        Ok(self.boot_faults.get_or_init(|| faults))
    }

    /// What is wrong with the boot sector and the active partition, for a BIOS.
    ///
    /// # Errors
    /// If the caller interrupts.
    pub(crate) fn sector_faults(&self) -> Result<&SectorFaults, Interrupted> {
        if let Some(faults) = self.sector_faults.get() {
            return Ok(faults);
        }
        let faults = boot::sector::read(self)?;
        Ok(self.sector_faults.get_or_init(|| faults))
    }

    /// The hives and boot stores that were read until now, with their logs.
    pub(crate) fn files_read(&self) -> Vec<FileRead> {
        let hives = self.hives.iter().filter_map(OnceCell::get);
        let hives = hives.filter_map(|hive| hive.as_ref().ok());
        let mut files: Vec<FileRead> = hives.flat_map(HiveOnDisk::files_read).collect();
        if let Some(Ok(found)) = self.boot_stores.get() {
            files.extend(found.files_read.iter().cloned());
        }
        files
    }

    /// Fails if the caller wants to stop.
    pub(crate) fn go_on(&self) -> Result<(), Interrupted> {
        self.watch.borrow().go_on()
    }

    /// Begins a phase that can be interrupted.
    pub(crate) fn phase(&self, phase: Phase, subject: &str) -> Result<(), Interrupted> {
        self.watch.borrow_mut().phase(phase, subject)
    }

    /// Reports the number of finished files of a phase that can be interrupted.
    pub(crate) fn count(&self, done: u64) -> Result<(), Interrupted> {
        self.watch.borrow_mut().count(done)
    }
}
