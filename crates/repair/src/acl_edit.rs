//! Permissions of files on a target, changed by hand: reset to the entries that the folder above
//! passes on, or restored from a save file. The changes are one run and can be undone.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use diskmend_acl::{AclSlot, Control, Edit, SecurityDescriptor, TooLarge};
use diskmend_disk::{Change, Descriptors, Kind, NtPath, Object, ObjectError, Writes};

use crate::changes::descriptors::{Common, DescriptorsChange, FolderFindings, Gathering, of_site};
use crate::changes::{NewRun, Ready};
use crate::documents::{AclPlanReport, AclReport, Outcome, RepairReport, SCHEMA};
use crate::engine::Engine;
use crate::error::{Error, chain};
use crate::finding::{Judgement, edited};
use crate::guards::guards;
use crate::identity::WindowsNames;
use crate::progress::{Phase, Watch};
use crate::run::Draft;
use crate::run_state::RunKind;
use crate::site::{Options, Site};

/// Planned changes of permissions.
pub struct AclPlan<'e> {
    engine: &'e Engine,
    report: AclPlanReport,
    folder: FolderFindings,
    draft: Draft,
}

impl AclPlan<'_> {
    /// The plan as a document.
    #[must_use]
    pub fn report(&self) -> &AclPlanReport {
        &self.report
    }
}

/// An object's permissions in a save file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedObject {
    /// Its path below the folder to restore; empty for that folder itself.
    pub path: NtPath,
    /// The saved parts; the other parts don't change. Or the reason why they mean nothing on this
    /// disk: then the object isn't changed and counts as failed.
    pub descriptor: Result<SecurityDescriptor, String>,
}

impl Engine {
    /// Plans what `icacls /reset` would change on the object at a path and, with `tree`, on
    /// everything below it. Nothing is written.
    ///
    /// # Errors
    /// If there is no such object, or if its volume shows no permissions; see [`Error`].
    pub fn plan_acl_reset(
        &self,
        path: &[&str],
        tree: bool,
        watch: &mut Watch<'_>,
    ) -> Result<AclPlan<'_>, Error> {
        let site = self.private_site()?;
        let secured = of_site(site)?;
        let mut planning = Planning::begin(site, secured.as_ref(), path, &self.options)?;
        watch.phase(Phase::Comparing, &planning.start.to_string())?;
        let start = planning.start.clone();
        let mut renewed = Renewed::below(secured.as_ref(), &start);
        let objects: Box<dyn Iterator<Item = Vec<Object>>> = if tree {
            secured.walk(&start)
        } else {
            Box::new(std::iter::once(vec![secured.object(&start)]))
        };
        for batch in objects {
            for object in batch {
                let path = object.path.clone();
                planning.add(object, |kind, before| {
                    let parent = renewed.parent(&path)?;
                    let reset = edited(before, |descriptor| {
                        descriptor.reset_to_inherited(&parent, kind == Kind::Folder)
                    });
                    let judgement = reset.map_err(too_large)?;
                    if judgement.after.as_deref().is_some_and(is_empty) {
                        Err(
                            "nothing is inherited from the folder above, so nobody could open it"
                                .into(),
                        )
                    } else {
                        Ok(judgement)
                    }
                })?;
            }
            watch.count(planning.gathering.folder.objects)?;
        }
        Ok(planning.end(self))
    }

    /// Plans the changes that give the objects below a folder their saved permissions. Nothing is
    /// written.
    ///
    /// # Errors
    /// If there is no such folder, or if its volume shows no permissions; see [`Error`].
    pub fn plan_acl_restore(
        &self,
        folder: &[&str],
        saved: &[SavedObject],
        watch: &mut Watch<'_>,
    ) -> Result<AclPlan<'_>, Error> {
        let site = self.private_site()?;
        let secured = of_site(site)?;
        let mut planning = Planning::begin(site, secured.as_ref(), folder, &self.options)?;
        watch.phase(Phase::Comparing, &planning.start.to_string())?;
        for (number, object) in saved.iter().enumerate() {
            let descriptor = match &object.descriptor {
                Ok(descriptor) => descriptor,
                Err(reason) => {
                    let path = planning.start.append(&object.path);
                    planning.gathering.folder.failed.add(&path, reason);
                    continue;
                }
            };
            let found = find(secured.as_ref(), &planning.start, &object.path);
            planning.add(found, |_, before| {
                edited(before, |changed| restore(changed, descriptor)).map_err(too_large)
            })?;
            watch.count(number as u64)?;
        }
        Ok(planning.end(self))
    }

    fn private_site(&self) -> Result<&Site, Error> {
        self.site.state.require_place()?;
        self.site.state.require_private()?;
        // A hibernated Windows is refused when the changes are made.
        if let Ok(Writes::InPlace) = self.site.writes(None) {
            self.site.writes_all(None)?;
        }
        Ok(&self.site)
    }
}

impl AclPlan<'_> {
    /// Makes the changes as a run.
    ///
    /// # Errors
    /// See [`Error`] and its [`class`](Error::class).
    pub fn apply(self, watch: &mut Watch<'_>) -> Result<RepairReport, Error> {
        self.engine.guard(|target| guards(target, false), watch)?;
        let site = &self.engine.site;
        site.no_unfinished_run(None)?;
        let folder = self.folder;
        let mut report = RepairReport::by_hand(&site.display);
        if folder.failed.count > 0 {
            report.outcome = Outcome::PartlyDone;
        }
        let change = DescriptorsChange {
            draft: self.draft,
            failed: folder.failed,
            left_alone: folder.left_alone,
        };
        if change.is_nothing() {
            report.descriptors = Some(change.nothing_done());
            return Ok(report);
        }
        let run = NewRun {
            kind: RunKind::AclEdit,
            recipes: Vec::new(),
            reverses: None,
            windows: WindowsNames::default(),
        };
        let committed = Ready::of_descriptors(change).commit(site, run, watch)?;
        let partly = committed
            .descriptors
            .as_ref()
            .is_some_and(|set| set.failed.count > 0);
        report.outcome = if partly {
            Outcome::PartlyDone
        } else {
            Outcome::Done
        };
        report.run = committed.run;
        report.descriptors = committed.descriptors;
        Ok(report)
    }
}

/// A plan in the making.
struct Planning {
    start: NtPath,
    gathering: Gathering,
    draft: Draft,
}

impl Planning {
    fn begin(
        site: &Site,
        secured: &dyn Descriptors,
        path: &[&str],
        options: &Options,
    ) -> Result<Self, Error> {
        let found = secured.find(path)?;
        let (start, _) = found.ok_or_else(|| Error::NoFolder {
            path: match path {
                [] => site.display.clone(),
                path => path.join("/"),
            },
        })?;
        let mut draft = Draft::new(options.scratch.as_deref())?;
        draft.enter(&start);
        Ok(Self {
            gathering: Gathering::new(&start),
            start,
            draft,
        })
    }

    /// Adds an object. `decide` returns its new descriptor, or the reason why there can't be one.
    fn add(
        &mut self,
        object: Object,
        decide: impl FnOnce(Kind, &[u8]) -> Result<Judgement, String>,
    ) -> Result<(), Error> {
        let report = &mut self.gathering.folder;
        let before = match object.descriptor {
            Ok(before) => before,
            Err(error) if error.is_by_nature() => {
                report.left_alone.add(&object.path, chain(&error));
                return Ok(());
            }
            Err(error) => {
                report.failed.add(&object.path, chain(&error));
                return Ok(());
            }
        };
        report.objects += 1;
        // A draft refuses what is neither a file nor a folder.
        let kind = object.kind.unwrap_or(Kind::Other);
        let judgement = match decide(kind, &before) {
            Ok(judgement) => judgement,
            Err(reason) => {
                report.failed.add(&object.path, reason);
                return Ok(());
            }
        };
        self.gathering
            .add(&object.path, 0, &before, &judgement, &Common::BY_HAND);
        let Some(after) = judgement.after else {
            return Ok(());
        };
        self.gathering.folder.to_change += 1;
        self.draft.push(&Change {
            path: object.path,
            kind,
            before,
            after,
        })
    }

    fn end(self, engine: &Engine) -> AclPlan<'_> {
        AclPlan {
            engine,
            report: AclPlanReport {
                schema: SCHEMA,
                target: engine.site.display.clone(),
                acl: AclReport::from(&self.gathering.folder),
            },
            folder: self.gathering.folder,
            draft: self.draft,
        }
    }
}

/// The object of a save file: the one with exactly this spelling, or else the one that differs only
/// in case.
fn find(secured: &dyn Descriptors, start: &NtPath, path: &NtPath) -> Object {
    let whole = start.append(path);
    let object = secured.object(&whole);
    let missing = match &object.descriptor {
        Err(ObjectError::Io { source, .. }) => source.kind() == io::ErrorKind::NotFound,
        _ => false,
    };
    let text = String::from_utf16(whole.units());
    match text {
        Ok(text) if missing => {
            let names: Vec<&str> = text.split('/').collect();
            match secured.find(&names) {
                Ok(Some((spelled, _))) => secured.object(&spelled),
                _ => object,
            }
        }
        _ => object,
    }
}

/// Replaces a descriptor's parts by exactly the saved ones.
fn restore(descriptor: &mut SecurityDescriptor, saved: &SecurityDescriptor) -> Vec<Edit> {
    let mut edits = descriptor.set_to(saved);
    if saved.dacl == AclSlot::Absent {
        return edits;
    }
    for bit in [Control::DACL_PROTECTED, Control::DACL_AUTO_INHERITED] {
        let wanted = saved.control().contains(bit);
        if descriptor.control().contains(bit) != wanted {
            descriptor.set_control(bit, wanted);
            edits.push(match bit {
                Control::DACL_PROTECTED => Edit::Protection { protected: wanted },
                _ => Edit::AutoInherited { inherited: wanted },
            });
        }
    }
    edits
}

fn is_empty(bytes: &[u8]) -> bool {
    let read = SecurityDescriptor::from_bytes(bytes);
    read.is_ok_and(|descriptor| {
        descriptor
            .dacl
            .list()
            .is_some_and(|acl| acl.aces.is_empty())
    })
}

fn too_large(error: TooLarge) -> String {
    error.to_string()
}

/// The entries that folders pass on after they are reset themselves. Few folders are remembered and
/// the others computed again, so that a hostile disk can't use up the memory.
struct Renewed<'a> {
    secured: &'a dyn Descriptors,
    start: NtPath,
    known: HashMap<NtPath, Rc<SecurityDescriptor>>,
}

impl<'a> Renewed<'a> {
    const MAX_KNOWN: usize = 1024;

    fn below(secured: &'a dyn Descriptors, start: &NtPath) -> Self {
        Self {
            secured,
            start: start.clone(),
            known: HashMap::new(),
        }
    }

    /// The descriptor from which an object inherits: that of the folder above it.
    fn parent(&mut self, path: &NtPath) -> Result<Rc<SecurityDescriptor>, String> {
        match path.split_last() {
            None => Err("the root of a volume has no folder above it".to_owned()),
            Some((parent, _)) => self.folder(&parent),
        }
    }

    fn folder(&mut self, path: &NtPath) -> Result<Rc<SecurityDescriptor>, String> {
        if let Some(known) = self.known.get(path) {
            return Ok(Rc::clone(known));
        }
        let object = self.secured.object(path);
        let bytes = object.descriptor.map_err(|error| chain(&error))?;
        let found = SecurityDescriptor::from_bytes(&bytes);
        let mut descriptor =
            found.map_err(|corruption| format!("the folder above: {corruption}"))?;
        if path.relative_to(&self.start).is_some() {
            let above = self.parent(path)?;
            descriptor.reset_to_inherited(&above, true);
        }
        let descriptor = Rc::new(descriptor);
        if self.known.len() >= Self::MAX_KNOWN {
            self.known.clear();
        }
        self.known.insert(path.clone(), Rc::clone(&descriptor));
        Ok(descriptor)
    }
}
