//! What all changes of hives share, whatever the hive holds.

mod undo;

use diskmend_disk::Access;
use diskmend_hive::Editor;

use crate::error::{Error, Refusal};
use crate::examined::Examined;
use crate::facts::boot_stores::place;
use crate::hive_on_disk::{self, Distinct, Fingerprint, HivePlace};
use crate::place::HiveId;
use crate::progress::{Phase, Watch};
use crate::session::{Prepared, check_writable, prepare};
use crate::site::{Options, Site};
use crate::stop::Stop;
pub use undo::{Reversal, ReversedChange};
pub(crate) use undo::{actions, all_reversible, open_all, reversed, same_volume, stays};

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

    /// Finds the hive.
    fn find(&self, site: &Site) -> Result<HivePlace, Error> {
        let found = match &self.hive {
            HiveId::Windows(name) => return hive_on_disk::find(site.root.as_ref(), *name),
            HiveId::BootStore | HiveId::File(_) => {
                let components: Vec<&str> = self.path.split('/').collect();
                place(site, self.volume.as_deref(), &components)?
            }
        };
        found.ok_or_else(|| Error::NoHive {
            path: self.path.clone(),
        })
    }

    /// Opens the hive, which must be unchanged since the plan was made, edits it in memory, and
    /// checks that it can be written.
    pub(super) fn prepare(
        &self,
        site: &Site,
        options: &Options,
        watch: &mut Watch<'_>,
        edit: impl FnOnce(&mut Editor) -> Result<(), Stop<Error>>,
    ) -> Result<Option<Prepared>, Error> {
        let place = self.find(site)?;
        watch.phase(Phase::Opening, &place.place.path)?;
        let opened = hive_on_disk::open(place, Access::ReadWrite)?;
        let now = opened.fingerprints();
        if let Some(changed) = now
            .iter()
            .chain(&self.fingerprints)
            .find(|file| !(now.contains(file) && self.fingerprints.contains(file)))
        {
            return Err(Refusal::Changed {
                path: changed.path.clone(),
            }
            .into());
        }
        let (mut prepared, ()) = prepare(opened, options, watch, edit)?;
        if let Some(prepared) = &mut prepared {
            check_writable(site, prepared)?;
        }
        Ok(prepared)
    }
}
