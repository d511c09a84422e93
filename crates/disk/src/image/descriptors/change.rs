//! Changing many descriptors at once. The records of their files are read and written together.

use std::collections::HashMap;
use std::io;
use std::sync::PoisonError;

use diskmend_image::ntfs::secure::{self, FileSecurity, SecurityError, SecurityId};
use diskmend_image::ntfs::{Member, Metadata};

use super::{Found, ImageDescriptors, Looked, MAX_KNOWN, failed, into_io, plain_kind};
use crate::security::{Change, Changed, ObjectError};

/// The action of writing a descriptor's id, as errors name it.
const SETTING: &str = "set its security descriptor";

/// A requested change.
#[derive(Clone, Copy)]
struct Asked<'a> {
    /// Its index among the changes that were requested together.
    index: usize,
    change: &'a Change,
    found: Found,
}

impl<'a> Asked<'a> {
    fn member(&self) -> Member<'a> {
        self.found.member(&self.change.path)
    }
}

impl ImageDescriptors {
    /// Makes changes and reads them back. The results are in the order of `changes`.
    pub(super) fn make(&self, changes: &[Change]) -> Vec<Result<Changed, ObjectError>> {
        let mut results = Vec::with_capacity(changes.len());
        let mut asked = Vec::with_capacity(changes.len());
        for (index, change) in changes.iter().enumerate() {
            results.push(Err(match self.find_file(&change.path) {
                Ok(found) => {
                    asked.push(Asked {
                        index,
                        change,
                        found,
                    });
                    // This holds until the file's record says otherwise.
                    ObjectError::NoDescriptor
                }
                Err(error) => error,
            }));
        }
        let rest = self.change_known(asked, &mut results);
        let files: Vec<_> = rest.iter().map(Asked::member).collect();
        let mut due = Vec::new();
        for (asked, looked) in rest.into_iter().zip(self.look(&files)) {
            let judged = looked.and_then(|looked| judge(&asked, &looked));
            match judged {
                Ok(None) => settle(&mut results, asked.index, Ok(Changed::AlreadyThere)),
                Ok(Some(from)) => due.push((asked, from)),
                Err(error) => settle(&mut results, asked.index, Err(error)),
            }
        }
        let (due, from): (Vec<_>, Vec<_>) =
            self.with_new_ids(due, &mut results).into_iter().unzip();
        let is_unchanged = |index: usize, _: &Metadata, now| from.get(index) == Some(&now);
        for (asked, error) in self.set(due, is_unchanged, &mut results) {
            let error = error.map_or(ObjectError::ChangedMeanwhile, failed(SETTING));
            settle(&mut results, asked.index, Err(error));
        }
        results
    }

    /// Makes the changes that are not unusual and have two known descriptors. Returns the other
    /// changes.
    fn change_known<'a>(
        &self,
        asked: Vec<Asked<'a>>,
        results: &mut [Result<Changed, ObjectError>],
    ) -> Vec<Asked<'a>> {
        let (due, mut rest) = self.with_known_ids(asked);
        let wanted: Vec<&Change> = due.iter().map(|(asked, _)| asked.change).collect();
        let is_plain = |index: usize, found: &Metadata, now| {
            let (Some(change), FileSecurity::Shared(id)) = (wanted.get(index), now) else {
                return false;
            };
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(descriptor) = seen.get(&id) else {
                return false;
            };
            plain_kind(found).is_ok_and(|kind| kind == change.kind)
                && **descriptor == *change.before
                && **descriptor != *change.after
        };
        let not_set = self.set(due, is_plain, results);
        rest.extend(not_set.into_iter().map(|(asked, _)| asked));
        rest
    }

    /// Splits the changes: those to descriptors with a known id, each with that id, and all others.
    fn with_known_ids<'a>(
        &self,
        asked: Vec<Asked<'a>>,
    ) -> (Vec<(Asked<'a>, SecurityId)>, Vec<Asked<'a>>) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last: Option<(&[u8], Option<SecurityId>)> = None;
        let (mut due, mut rest) = (Vec::new(), Vec::new());
        for asked in asked {
            let wanted = asked.change.after.as_slice();
            let id = match last {
                Some((descriptor, id)) if descriptor == wanted => id,
                _ => known.get(wanted).copied(),
            };
            last = Some((wanted, id));
            match id {
                Some(id) => due.push((asked, id)),
                None => rest.push(asked),
            }
        }
        (due, rest)
    }

    /// Fills in the ids of the new descriptors. A descriptor that the volume doesn't have is added.
    fn with_new_ids<'a>(
        &self,
        due: Vec<(Asked<'a>, FileSecurity)>,
        results: &mut [Result<Changed, ObjectError>],
    ) -> Vec<((Asked<'a>, SecurityId), FileSecurity)> {
        let mut ready = Vec::with_capacity(due.len());
        let mut refused: HashMap<&[u8], String> = HashMap::new();
        for (asked, from) in due {
            let wanted = asked.change.after.as_slice();
            let id = match refused.get(wanted) {
                Some(reason) => Err(io::Error::other(reason.clone())),
                None => self.id(wanted).map_err(|error| {
                    let error = into_io(error);
                    refused.insert(wanted, error.to_string());
                    error
                }),
            };
            match id {
                Ok(to) => ready.push(((asked, to), from)),
                Err(error) => {
                    let error = ObjectError::io("store its security descriptor")(error);
                    settle(results, asked.index, Err(error));
                }
            }
        }
        ready
    }

    /// The id of a descriptor, which is added if the volume doesn't have it.
    fn id(&self, descriptor: &[u8]) -> Result<SecurityId, SecurityError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = known.get(descriptor) {
            return Ok(*id);
        }
        let added = self.secure().add(&[descriptor])?;
        let id = added.first().copied();
        let id = id.ok_or(SecurityError::UnknownId(SecurityId(0)))?;
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(descriptor.to_vec(), id);
        Ok(id)
    }

    /// Sets the ids of the files for which `decide` agrees, and reads them back. Returns the other
    /// files, with the errors of those that were refused.
    fn set<'a>(
        &self,
        due: Vec<(Asked<'a>, SecurityId)>,
        decide: impl FnMut(usize, &Metadata, FileSecurity) -> bool,
        results: &mut [Result<Changed, ObjectError>],
    ) -> Vec<(Asked<'a>, Option<SecurityError>)> {
        if due.is_empty() {
            return Vec::new();
        }
        let changes: Vec<secure::Change<'_>> = due
            .iter()
            .map(|(asked, to)| secure::Change {
                member: asked.member(),
                to: *to,
            })
            .collect();
        let set = match self.secure().set(&changes, decide) {
            Ok(set) => set,
            Err(error) => {
                all_failed(results, due.iter().map(|(asked, _)| asked.index), error);
                return Vec::new();
            }
        };
        let mut done = Vec::with_capacity(due.len());
        let mut not_set = Vec::new();
        for ((asked, _), set) in due.into_iter().zip(set) {
            match set {
                Ok(true) => done.push(asked),
                Ok(false) => not_set.push((asked, None)),
                Err(error) => not_set.push((asked, Some(error))),
            }
        }
        self.read_back(&done, results);
        not_set
    }

    /// Checks that the files have their new descriptors.
    fn read_back(&self, done: &[Asked<'_>], results: &mut [Result<Changed, ObjectError>]) {
        let files: Vec<_> = done.iter().map(Asked::member).collect();
        for (asked, read) in done.iter().zip(self.look(&files)) {
            let read = read.and_then(|read| {
                if *read.descriptor == *asked.change.after {
                    Ok(Changed::Set)
                } else {
                    Err(ObjectError::ReadBack)
                }
            });
            settle(results, asked.index, read);
        }
    }
}

/// The place of the descriptor to replace; `None` if the file already has the new one.
fn judge(asked: &Asked<'_>, looked: &Looked) -> Result<Option<FileSecurity>, ObjectError> {
    let change = asked.change;
    if looked.kind != change.kind {
        return Err(ObjectError::Other {
            expected: change.kind,
            found: looked.kind,
        });
    }
    if *looked.descriptor == *change.after {
        return Ok(None);
    }
    if *looked.descriptor != *change.before {
        return Err(ObjectError::ChangedMeanwhile);
    }
    Ok(Some(looked.security))
}

fn settle(
    results: &mut [Result<Changed, ObjectError>],
    index: usize,
    result: Result<Changed, ObjectError>,
) {
    if let Some(place) = results.get_mut(index) {
        *place = result;
    }
}

/// Notes that none of these changes was made.
fn all_failed(
    results: &mut [Result<Changed, ObjectError>],
    which: impl Iterator<Item = usize>,
    error: SecurityError,
) {
    let reason = into_io(error);
    for index in which {
        let error = io::Error::new(reason.kind(), reason.to_string());
        settle(results, index, Err(ObjectError::io(SETTING)(error)));
    }
}
