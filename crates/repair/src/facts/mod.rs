//! What the disk is: its hives, its Windows, its control sets, its services and its boot stores.
//!
//! Each fact is read once for a command, and not before somebody asks for it, so that every row of a
//! recipe can depend on every fact. Nothing is written.

mod accounts;
pub(crate) mod boot_stores;
mod control_sets;
mod services;
mod windows;

use std::cell::{Cell, OnceCell, RefCell};

use diskmend_disk::Access;
use diskmend_hive::Corruption;

pub use accounts::Accounts;
pub(crate) use accounts::of_site as accounts_of;
pub use boot_stores::{LoaderStatus, StoreStatus};
pub(crate) use control_sets::is_control_set;
pub use control_sets::{ControlSet, ControlSets, MissingSet, Select};
pub use services::{Service, ServiceStart};
pub use windows::Product;

use crate::error::{Error, chain};
use crate::hive_on_disk::{self, HiveOnDisk};
use crate::place::HiveName;
use crate::progress::{Interrupted, Phase, Watch};
use crate::site::{Options, Site};
use boot_stores::Found;

/// A fact, or why it is not known, for display.
type Known<T> = OnceCell<Result<T, String>>;

/// Why something that facts are read from can't be read. Every fact that depends on it has the reason;
/// the error itself is for the one who reports it.
pub(crate) struct Failure {
    /// For a person.
    reason: String,
    error: Cell<Option<Box<Error>>>,
}

impl Failure {
    pub(crate) fn of(error: Error) -> Self {
        Self {
            reason: chain(&error),
            error: Cell::new(Some(Box::new(error))),
        }
    }

    pub(crate) fn reason(&self) -> String {
        self.reason.clone()
    }

    /// The error, the first time that it is asked for.
    pub(crate) fn take(&self) -> Option<Error> {
        self.error.take().map(|error| *error)
    }
}

/// What the disk is, as far as anybody has asked.
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
    boot_stores: OnceCell<Result<Found, Failure>>,
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
            boot_stores: OnceCell::new(),
        }
    }

    /// A hive of Windows, as its logs recover it.
    ///
    /// # Errors
    /// Why it can't be read.
    pub(crate) fn hive(&self, name: HiveName) -> Result<&HiveOnDisk, &Failure> {
        let [system, software] = &self.hives;
        let hive = match name {
            HiveName::System => system,
            HiveName::Software => software,
        };
        let read = || {
            let place = hive_on_disk::find(self.site.root.as_ref(), name)?;
            let mut watch = self.watch.borrow_mut();
            watch.committed(Phase::Opening, &place.place.path);
            hive_on_disk::open(place, Access::Read)
        };
        hive.get_or_init(|| read().map_err(Failure::of)).as_ref()
    }

    /// The control sets of Windows.
    ///
    /// # Errors
    /// Why they are not known, for display.
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

    /// The number of the build of Windows, such as 17763.
    ///
    /// # Errors
    /// Why it is not known, for display.
    pub fn build(&self) -> Result<u32, String> {
        self.build.get_or_init(|| windows::build(self)).clone()
    }

    /// What kind of Windows it is.
    ///
    /// # Errors
    /// Why it is not known, for display.
    pub fn product(&self) -> Result<Product, String> {
        self.product.get_or_init(|| windows::product(self)).clone()
    }

    /// The services and drivers of every control set, in the order of the hive.
    ///
    /// # Errors
    /// Why they are not known, for display.
    pub fn services(&self) -> Result<&[Service], String> {
        let services = self.services.get_or_init(|| services::read(self));
        services.as_deref().map_err(String::clone)
    }

    /// The boot stores of the disk, or why none can be found.
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

    /// Whether the caller wants to go on.
    pub(crate) fn go_on(&self) -> Result<(), Interrupted> {
        self.watch.borrow().go_on()
    }

    /// Begins a phase that may be given up.
    pub(crate) fn phase(&self, phase: Phase, subject: &str) -> Result<(), Interrupted> {
        self.watch.borrow_mut().phase(phase, subject)
    }

    /// So many files are done of a phase that may be given up.
    pub(crate) fn count(&self, done: u64) -> Result<(), Interrupted> {
        self.watch.borrow_mut().count(done)
    }
}
