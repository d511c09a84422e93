//! Editing any hive file by its path, with the same recovery, verification, crash-safe commit and
//! undo as for the hives of a target.

use std::path::{Path, PathBuf};

use diskmend_disk::{Access, guard};
use diskmend_hive::{Editor, Hive};

use crate::changes::{NewRun, Ready};
use crate::documents::{AppliedHive, Change, Deletion, HiveStatus, Outcome, RepairReport};
use crate::error::{Error, Refusal};
use crate::examined::Examined;
use crate::guards::{guards, guards_before_asking};
use crate::hive_on_disk::{self, HivePlace};
pub use crate::hive_path::HivePath;
use crate::hive_path::no_windows_is_hibernated;
use crate::identity::WindowsNames;
use crate::progress::{Phase, Watch};
use crate::run::JournalChange;
use crate::run_state::RunKind;
use crate::session::{check_writable, prepare};
use crate::site::{Options, Site};
use crate::stop::{NotEdited, Stop};
use crate::whereabouts::whereabouts;

/// A hive file that is open for reading. A dirty one was recovered in memory.
pub struct OpenHive {
    /// The hive.
    pub hive: Hive,
    /// The state in which it was found.
    pub status: HiveStatus,
}

/// Opens a hive file and its logs for reading. Nothing is written.
///
/// # Errors
/// If it isn't a hive, or is dirty and can't be recovered; see [`Error`].
pub fn open(path: &HivePath) -> Result<OpenHive, Error> {
    let file = path.locate()?;
    let place = file.place(&file.target)?;
    let opened = hive_on_disk::open(place, Access::Read)?;
    Ok(OpenHive {
        status: HiveStatus::from(&Examined::from(&opened)),
        hive: opened.hive,
    })
}

/// Opens a hive file for a listing as it is, without its logs. If the hive is dirty, changes that
/// are only in its logs are missing, and pages of different ages may be mixed. Nothing is written.
///
/// # Errors
/// If it isn't a hive; see [`Error`].
pub fn open_as_stored(path: &HivePath) -> Result<Hive, Error> {
    let file = path.locate()?;
    hive_on_disk::open_as_stored(&file.place(&file.target)?.place)
}

/// Edits a hive file: recovers it if it is dirty, lets `change` edit it in memory, verifies the
/// result and commits it. An edit that changes nothing recovers a dirty hive and doesn't write to a
/// clean one. An edit that fails writes nothing, whatever it did before. Returns the report and the
/// result of `change`.
///
/// # Errors
/// [`NotEdited::Refused`] with the error of `change`; otherwise see [`Error`] and its
/// [`class`](Error::class).
pub fn edit<T, R>(
    path: &HivePath,
    options: &Options,
    watch: &mut Watch<'_>,
    change: impl FnOnce(&mut Editor) -> Result<T, Stop<R>>,
) -> Result<(RepairReport, T), NotEdited<R>> {
    let file = path.locate()?;
    file.require_plain()?;
    let site = Site::of(&file.target, options)?;
    watch.phase(Phase::Guards, &site.display)?;
    match (file.home, file.target.disk()) {
        (home, Some(disk)) => {
            no_windows_is_hibernated(disk)?;
            guards(&file.target, home.is_some_and(|home| home.windows))?;
            site.writes(None)?;
        }
        (Some(home), None) => guards(&file.target, home.windows)?,
        (None, None) => guard::writable(&file.target).map_err(Error::from)?,
    }
    site.state.require_place()?;
    site.state.require_private()?;
    let place = file.place(&file.target)?;
    edit_site(&site, place, options, watch, change)
}

/// Makes an edit in memory as [`edit`] does, and checks everything that can be checked before
/// something is written. Returns the report if the edit would write nothing. Nothing is written, or
/// locked beyond the call.
///
/// # Errors
/// The reason why [`edit`] would refuse the edit.
pub fn try_edit<T, R>(
    path: &HivePath,
    options: &Options,
    watch: &mut Watch<'_>,
    change: impl FnOnce(&mut Editor) -> Result<T, Stop<R>>,
) -> Result<Option<RepairReport>, NotEdited<R>> {
    let file = path.locate()?;
    file.require_plain()?;
    let site = Site::of(&file.target, options)?;
    watch.phase(Phase::Guards, &site.display)?;
    let windows = file.home.is_some_and(|home| home.windows);
    if let Some(disk) = file.target.disk() {
        no_windows_is_hibernated(disk)?;
    }
    if file.home.is_some() || file.target.disk().is_some() {
        guards_before_asking(&file.target, windows)?;
    }
    match file.target.disk() {
        Some(_) => {
            guard::not_in_use(&file.target).map_err(Error::from)?;
            site.writes(None)?;
        }
        None => guard::writable(&file.target).map_err(Error::from)?,
    }
    site.state.require_place()?;
    site.state.require_private()?;
    site.judge
        .require_key()
        .map_err(Refusal::NoKey)
        .map_err(Error::from)?;
    site.no_unfinished_run(None)?;
    let place = file.place(&file.target)?;
    watch.phase(Phase::Opening, &place.place.path)?;
    let opened = hive_on_disk::open(place, Access::ReadWrite)?;
    let (prepared, _) = prepare(opened, options, watch, change)?;
    let Some(mut prepared) = prepared else {
        return Ok(Some(RepairReport::by_hand(&site.display)));
    };
    // On a mounted volume, a lack of space shows only during the write.
    if site.disk.is_some() {
        let checked = check_writable(&site, &mut prepared);
        checked.map_err(|error| site.explained(None, error))?;
    }
    Ok(None)
}

pub(crate) fn edit_site<T, R>(
    site: &Site,
    place: HivePlace,
    options: &Options,
    watch: &mut Watch<'_>,
    change: impl FnOnce(&mut Editor) -> Result<T, Stop<R>>,
) -> Result<(RepairReport, T), NotEdited<R>> {
    site.no_unfinished_run(None)?;
    watch.phase(Phase::Opening, &place.place.path)?;
    let opened = hive_on_disk::open(place, Access::ReadWrite)?;
    let mut report = RepairReport::by_hand(&site.display);
    let hive = opened.hive_place.hive.clone();
    let (prepared, given) = prepare(opened, options, watch, change)?;
    let Some(prepared) = prepared else {
        return Ok((report, given));
    };
    let value = |change: &diskmend_hive::Change| match JournalChange::from(change) {
        JournalChange::Value(value) => Some(Change {
            recipe: String::new(),
            hive: hive.to_string(),
            fault: false,
            why: String::new(),
            note: None,
            element: None,
            deletes: value.new.is_none().then_some(Deletion::Value),
            subtree: None,
            copy_of: None,
            permissions: None,
            value,
        }),
        JournalChange::KeyCreated(_)
        | JournalChange::KeyDeleted(_)
        | JournalChange::KeyPermissions(_) => None,
    };
    report.changes = prepared.changes().iter().filter_map(value).collect();
    let run = NewRun {
        kind: RunKind::HiveEdit,
        recipes: Vec::new(),
        reverses: None,
        windows: WindowsNames::default(),
    };
    let committed = Ready::of_hives(vec![prepared]).commit(site, run, watch)?;
    report.outcome = Outcome::Done;
    report.run = committed.run;
    report.hives = committed.hives.into_iter().map(AppliedHive::from).collect();
    Ok((report, given))
}

/// The folder with the `diskmend` folder that remembers the edits of a hive file. It is the target
/// to pass to [`Engine::undo`](crate::Engine::undo).
///
/// # Errors
/// If the file's folder can't be opened.
pub fn target_of(path: &Path) -> Result<PathBuf, Error> {
    place_of(path).map(|(target, _)| target)
}

/// The target of a hive file, as [`target_of`] finds it, and the path of the file below it, as runs
/// name it.
///
/// # Errors
/// If the file's folder can't be opened.
pub fn place_of(path: &Path) -> Result<(PathBuf, String), Error> {
    let (target, components) = whereabouts(path)?;
    Ok((target, components.join("/")))
}
