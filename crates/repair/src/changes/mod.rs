//! The changes that diskmend can make on a disk, a folder for each kind. The list is closed, so the
//! compiler names everything that a new kind still lacks.
//!
//! | kind | planned | recorded | applied and read back | undone |
//! |---|---|---|---|---|
//! | [`registry`] | `HiveChange::plan` | the hive's old bytes, and each change in the registry's terms | `HiveChange::prepare`, `Ready::commit` | by bytes, or value by value |
//! | [`boot_store`] | `HiveChange::plan` | as of a hive, which a store is | `HiveChange::prepare`, `Ready::commit` | as of a hive |
//! | [`files`] | `FilesChange::plan` | old and new place of each file, and its content's digest | `files::apply` | `files::undo`, file by file |
//! | [`descriptors`] | `DescriptorsChange`, from a `Draft` | `descriptors.bin`, old and new of each object | `descriptors::apply` | `descriptors::undo`, object by object |

pub(crate) mod boot_store;
mod commit;
pub(crate) mod descriptors;
pub(crate) mod files;
pub(crate) mod hive;
pub(crate) mod registry;
mod resume;
mod roll_back;

use crate::error::Error;
use crate::finding::{Finding, Goal, JudgedElement, JudgedValue};
use crate::place::Place;
use crate::progress::Watch;
use crate::run::{Journal, RunFolder};
use crate::session::Prepared;
use crate::site::{Options, Site};
use boot_store::BootStoreChange;
pub(crate) use commit::{Committed, NewRun};
use descriptors::{AppliedDescriptors, DescriptorsChange};
use files::FilesChange;
use hive::Judged;
use registry::RegistryChange;
pub(crate) use resume::{Completed, resume};

/// Refuses a journal that reaches further than the recipes of its run. Nothing is written.
///
/// # Errors
/// [`Error::DamagedRun`].
pub(crate) fn check_scope(run: &RunFolder, journal: &Journal) -> Result<(), Error> {
    hive::check_scope(run, journal)?;
    files::check_scope(run, journal)
}

/// The findings in one hive.
pub(crate) enum Findings {
    /// Values of a hive of Windows.
    Values(Vec<Finding<JudgedValue>>),
    /// Elements of the boot store.
    Elements(Vec<Finding<JudgedElement>>),
}

impl Findings {
    /// True if a repair with a recipe and this goal changes any of them.
    pub(crate) fn are_changed_by(&self, recipe: &str, goal: Goal) -> bool {
        match self {
            Self::Values(values) => changed_by(values, recipe, goal),
            Self::Elements(elements) => changed_by(elements, recipe, goal),
        }
    }
}

fn changed_by<T: Judged>(findings: &[Finding<T>], recipe: &str, goal: Goal) -> bool {
    let mut findings = findings.iter();
    findings.any(|finding| finding.recipe == recipe && finding.is_changed_for(goal))
}

/// The planned changes of one place on the disk.
pub(crate) enum Change {
    /// Values of a hive of Windows.
    Registry(RegistryChange),
    /// Elements of a boot store.
    BootStore(BootStoreChange),
    /// Files that are moved out of the way.
    Files(FilesChange),
    /// Security descriptors of files and folders.
    Descriptors(Box<DescriptorsChange>),
}

/// Changes that only have to be made, as one run.
#[derive(Default)]
pub(crate) struct Ready {
    pub(crate) hives: Vec<Prepared>,
    pub(crate) files: Option<FilesChange>,
    pub(crate) descriptors: Option<DescriptorsChange>,
}

impl Change {
    /// The change that gives the findings of a hive their desired state.
    pub(crate) fn of(findings: &Findings, file: hive::HiveFile, goal: Goal) -> Self {
        match findings {
            Findings::Values(values) => Self::Registry(RegistryChange::plan(values, file, goal)),
            Findings::Elements(elements) => {
                Self::BootStore(BootStoreChange::plan(elements, file, goal))
            }
        }
    }

    /// The place that is changed.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Registry(change) => change.place(),
            Self::BootStore(change) => change.place(),
            Self::Files(_) => Place::Files,
            Self::Descriptors(_) => Place::Permissions,
        }
    }

    /// The root of its volume, if that is not the target.
    pub(crate) fn volume(&self) -> Option<&str> {
        match self {
            Self::Registry(change) => change.file.volume.as_deref(),
            Self::BootStore(change) => change.file.volume.as_deref(),
            Self::Files(_) | Self::Descriptors(_) => None,
        }
    }

    /// True if it may be possible by changing bytes of files where they are.
    pub(crate) fn is_in_place(&self) -> bool {
        match self {
            Self::Registry(change) => !change.file.is_new,
            Self::BootStore(change) => !change.file.is_new,
            Self::Files(_) | Self::Descriptors(_) => false,
        }
    }

    /// True if nothing would be written.
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            Self::Registry(change) => change.is_nothing(),
            Self::BootStore(change) => change.is_nothing(),
            Self::Files(change) => change.files.is_empty(),
            Self::Descriptors(change) => change.is_nothing(),
        }
    }

    /// Refuses files that can't be changed in place.
    pub(crate) fn check_in_place(&self, site: &Site) -> Result<(), Error> {
        match self {
            Self::Registry(change) => {
                change.check_keys()?;
                change.file.check_in_place(site)
            }
            Self::BootStore(change) => change.file.check_in_place(site),
            Self::Files(_) | Self::Descriptors(_) => Ok(()),
        }
    }

    /// Makes the change of a hive in memory and checks that it can be written; `None` if there is
    /// nothing to write.
    pub(crate) fn try_out(
        &self,
        site: &Site,
        options: &Options,
        watch: &mut Watch<'_>,
    ) -> Result<Option<Prepared>, Error> {
        match self {
            Self::Registry(change) => change.prepare(site, options, watch),
            Self::BootStore(change) => change.prepare(site, options, watch),
            Self::Files(_) | Self::Descriptors(_) => Ok(None),
        }
    }
}

impl Ready {
    /// Changes of hives.
    pub(crate) fn of_hives(hives: Vec<Prepared>) -> Self {
        Self {
            hives,
            ..Self::default()
        }
    }

    /// Changes of security descriptors.
    pub(crate) fn of_descriptors(change: DescriptorsChange) -> Self {
        Self {
            descriptors: Some(change),
            ..Self::default()
        }
    }

    /// Adds a change.
    ///
    /// # Errors
    /// The reason why it can't be made. Other changes still can.
    pub(crate) fn add(
        &mut self,
        change: Change,
        site: &Site,
        options: &Options,
        watch: &mut Watch<'_>,
    ) -> Result<(), Error> {
        match change {
            Change::Descriptors(change) => self.descriptors = Some(*change),
            change if change.is_nothing() => {}
            Change::Files(change) => self.files = Some(change),
            change => self.hives.extend(change.try_out(site, options, watch)?),
        }
        Ok(())
    }

    /// True if it is already known that something can't be changed.
    pub(crate) fn leaves_failures(&self) -> bool {
        let failed = |change: &DescriptorsChange| change.failed.count > 0;
        self.descriptors.as_ref().is_some_and(failed)
    }

    /// Removes the permissions from the changes if none is to be set, and returns what to report
    /// about them.
    pub(crate) fn take_unneeded(&mut self) -> Option<AppliedDescriptors> {
        let unneeded = self.descriptors.take_if(|change| change.is_nothing());
        unneeded.map(DescriptorsChange::nothing_done)
    }

    /// True if nothing would be written.
    pub(crate) const fn is_nothing(&self) -> bool {
        self.hives.is_empty() && self.files.is_none() && self.descriptors.is_none()
    }
}
