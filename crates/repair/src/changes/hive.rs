//! The parts that all changes of hives share.

mod scope;
mod undo;

use diskmend_bcd::new_store;
use diskmend_disk::Access;
use diskmend_hive::Editor;
use jiff::Timestamp;

use crate::error::{Error, Refusal};
use crate::examined::Examined;
use crate::finding::{
    ChangedValue, Deletion, ElementWords, Finding, Goal, KeyCopy, KeyPermissions, RowState, Subtree,
};
use crate::hive_on_disk::{self, Distinct, Fingerprint};
use crate::place::{HiveId, Place};
use crate::progress::{Phase, Watch};
use crate::session::{Prepared, check_writable, filetime, prepare, prepare_new};
use crate::site::{Options, Site};
use crate::stop::Stop;
pub(crate) use scope::check as check_scope;
pub use undo::{Reversal, ReversedChange, ReversedPermissions};
pub(crate) use undo::{actions, all_reversible, open_all, reversed, same_volume, stays};

/// Something in a hive that was judged and can be changed.
pub(crate) trait Judged: Clone {
    /// The result of comparing it with the wanted state.
    fn state(&self) -> RowState;

    /// True if a repair with this goal changes it.
    fn is_changed_for(&self, goal: Goal) -> bool {
        self.state().is_changed_for(goal)
    }

    /// True if both are about the same thing.
    fn is_same(&self, other: &Self) -> bool;

    /// Takes over what another row wants of the same thing besides.
    fn add(&mut self, _other: &Self) {}

    /// The change in the registry's terms.
    fn change(&self) -> ChangedValue;

    /// The thing that the change deletes, if it deletes a value or a whole key of the registry.
    fn deletion(&self) -> Option<Deletion> {
        None
    }

    /// What is deleted with the key, if the change deletes a whole key.
    fn subtree(&self) -> Option<Subtree> {
        None
    }

    /// The copy, if the change makes a key that is a copy of another one.
    fn copy(&self) -> Option<&KeyCopy> {
        None
    }

    /// The permissions, if the change is about those of a key.
    fn permissions(&self) -> Option<&KeyPermissions> {
        None
    }

    /// The change in the boot store's terms, if the hive is one.
    fn words(&self) -> Option<ElementWords>;

    /// Makes the changes in memory. `path` is the hive's.
    fn make(findings: &[Finding<Self>], editor: &mut Editor, path: &str)
    -> Result<(), Stop<Error>>;
}

impl<T: Judged> Finding<T> {
    /// True if a repair with this goal changes what was found.
    pub(super) fn is_changed_for(&self, goal: Goal) -> bool {
        !self.only_looks && self.judged.is_changed_for(goal)
    }
}

/// The planned changes of a hive.
pub(crate) struct HiveChange<T> {
    pub(crate) file: HiveFile,
    /// The findings that get their desired state.
    pub(crate) findings: Vec<Finding<T>>,
}

impl<T: Judged> HiveChange<T> {
    /// Takes the findings that a repair changes. If several recipes are about the same thing, it is
    /// changed once.
    pub(super) fn plan(all: &[Finding<T>], file: HiveFile, goal: Goal) -> Self {
        let mut findings: Vec<Finding<T>> = Vec::new();
        for finding in all {
            if !finding.is_changed_for(goal) {
                continue;
            }
            let judged = &finding.judged;
            let mut known = findings.iter_mut();
            match known.find(|known| known.judged.is_same(judged)) {
                Some(known) => known.judged.add(judged),
                None => findings.push(finding.clone()),
            }
        }
        Self { file, findings }
    }

    /// The hive.
    pub(super) fn place(&self) -> Place {
        Place::Hive(self.file.hive.clone())
    }

    /// True if nothing would be written.
    pub(super) fn is_nothing(&self) -> bool {
        self.findings.is_empty() && !self.file.dirty
    }

    /// Makes the change in memory and checks that it can be written; `None` if there is nothing to
    /// write.
    pub(super) fn prepare(
        &self,
        site: &Site,
        options: &Options,
        watch: &mut Watch<'_>,
    ) -> Result<Option<Prepared>, Error> {
        let Self { file, findings } = self;
        let edit = |editor: &mut Editor| T::make(findings, editor, &file.path);
        file.prepare(site, options, watch, edit)
    }
}

/// The hive file that a plan was made from. The plan can't be carried out after the file has
/// changed.
#[derive(Clone, Debug)]
pub(crate) struct HiveFile {
    pub(crate) hive: HiveId,
    /// The root of its volume, if that is not the target.
    pub(crate) volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub(crate) path: String,
    /// True if it wasn't closed cleanly. Then its logs are replayed first.
    pub(crate) dirty: bool,
    /// The content of the hive and its logs when the plan was made.
    pub(crate) fingerprints: Vec<Fingerprint>,
    /// True if it is a boot store that is built anew, in place of a file that is missing or can't be
    /// read. Then only the hive file has a fingerprint, if it exists.
    pub(crate) is_new: bool,
}

impl HiveFile {
    /// The file of a hive that was read.
    pub(crate) fn of(examined: &Examined, fingerprints: Vec<Fingerprint>) -> Self {
        Self {
            hive: examined.hive.clone(),
            volume: examined.volume.clone(),
            path: examined.path.clone(),
            dirty: examined.dirty.is_some(),
            fingerprints,
            is_new: examined.is_new,
        }
    }

    /// Refuses a hive with files that can't be changed in place.
    pub(crate) fn check_in_place(&self, site: &Site) -> Result<(), Error> {
        let root = site.root_of(self.volume.as_deref())?;
        let mut distinct = Distinct::default();
        // The hive file comes first.
        for (number, Fingerprint { path, .. }) in self.fingerprints.iter().enumerate() {
            let components: Vec<&str> = path.split('/').collect();
            let Some(place) = root.dir().find(&components)? else {
                continue;
            };
            let no_room = |source| Refusal::NoRoom {
                path: path.clone(),
                source: Box::new(source),
            };
            let file = place.dir.open(&place.name, Access::Read);
            let file = file.map_err(no_room)?;
            file.check_in_place().map_err(no_room)?;
            match number {
                0 => distinct.add_hive(file.as_ref(), path)?,
                _ => distinct.add_log(file.as_ref(), path)?,
            }
        }
        Ok(())
    }

    /// Opens the hive, which must be unchanged since the plan was made, edits it in memory, and
    /// checks that it can be written.
    fn prepare(
        &self,
        site: &Site,
        options: &Options,
        watch: &mut Watch<'_>,
        edit: impl FnOnce(&mut Editor) -> Result<(), Stop<Error>>,
    ) -> Result<Option<Prepared>, Error> {
        if self.is_new {
            return self.prepare_new(site, options, watch, edit).map(Some);
        }
        let volume = self.volume.as_deref();
        let root = site.root_of(volume)?;
        let hive = self.hive.clone();
        let place = hive_on_disk::find_at(root.dir(), hive, volume, &self.path)?;
        watch.phase(Phase::Opening, &place.place.path)?;
        let opened = hive_on_disk::open(place, Access::ReadWrite)?;
        self.check_unchanged(&opened.fingerprints())?;
        let (mut prepared, ()) = prepare(opened, options, watch, edit)?;
        if let Some(prepared) = &mut prepared {
            check_writable(site, prepared)?;
        }
        Ok(prepared)
    }

    /// Makes a new boot store in memory, and checks that it can be written in place of what is
    /// there, which must be unchanged since the plan was made.
    fn prepare_new(
        &self,
        site: &Site,
        options: &Options,
        watch: &mut Watch<'_>,
        edit: impl FnOnce(&mut Editor) -> Result<(), Stop<Error>>,
    ) -> Result<Prepared, Error> {
        let volume = self.volume.as_deref();
        let root = site.root_of(volume)?;
        watch.phase(Phase::Opening, &self.path)?;
        let replaced =
            hive_on_disk::open_to_replace(root.dir(), self.hive.clone(), volume, &self.path)?;
        let now = replaced.primary.iter().map(|(_, file)| file.clone());
        self.check_unchanged(&now.collect::<Vec<_>>())?;
        let begun = new_store::begin(filetime(Timestamp::now()));
        let editor = begun.map_err(|source| Error::NewStore {
            path: self.path.clone(),
            source,
        })?;
        let mut prepared = prepare_new(replaced, editor, options, watch, edit)?;
        check_writable(site, &mut prepared)?;
        Ok(prepared)
    }

    fn check_unchanged(&self, now: &[Fingerprint]) -> Result<(), Error> {
        let mut files = now.iter().chain(&self.fingerprints);
        let changed = files.find(|file| !(now.contains(file) && self.fingerprints.contains(file)));
        match changed {
            None => Ok(()),
            Some(changed) => Err(Refusal::Changed {
                path: changed.path.clone(),
            }
            .into()),
        }
    }
}
