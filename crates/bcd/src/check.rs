//! Checks a store for problems.
//!
//! The hive check covers the structure of the hive; this module checks the meaning of the keys and
//! values.

mod inherit;

use std::collections::BTreeMap;
use std::fmt;

use diskmend_base::Guid;
use diskmend_hive::Key;

use crate::device::Device;
use crate::element_id::{ElementId, Format};
use crate::error::StoreError;
use crate::object_type::ObjectType;
use crate::store::{Budget, OBJECTS, Object, Store};
use crate::value::{ElementValue, ValueError};
use crate::well_known::{self, BOOTMGR};

#[cfg(test)]
mod tests;

/// The maximum number of problems that are listed.
pub(crate) const MAX_PROBLEMS: usize = 1000;

/// The severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Windows's own stores contain this problem too.
    Note,
    /// The store violates its format.
    Error,
}

/// A problem of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The severity.
    pub level: Level,
    /// The object concerned.
    pub object: Option<Guid>,
    /// The element concerned.
    pub element: Option<ElementId>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// The kind of problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A key, a value or the whole store can't be read.
    #[error(transparent)]
    Unreadable(#[from] StoreError),
    /// An element's data do not match its format.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// An element with an unknown format.
    #[error("{format}")]
    UnknownFormat {
        /// The format.
        format: Format,
    },
    /// A device element without a device descriptor.
    #[error("device of {len} bytes holds no device descriptor")]
    Device {
        /// Length of the data in bytes.
        len: usize,
    },
    /// A reference to an object that does not exist.
    #[error("object {target} does not exist")]
    Dangling {
        /// The object.
        target: Guid,
    },
    /// An object inherits from itself.
    #[error("inherits from itself through {through}")]
    InheritCycle {
        /// The last object before the cycle closes.
        through: Guid,
    },
    /// An object inherits from an object that is not meant for it.
    #[error("inherits {target} of type {found}, which is not a settings object")]
    NotInheritable {
        /// The inherited object.
        target: Guid,
        /// Its type.
        found: ObjectType,
    },
    /// A well-known object has another type than Windows gives it.
    #[error("type {found}: expected {expected}")]
    ObjectType {
        /// The type that Windows gives it.
        expected: ObjectType,
        /// The type that it has.
        found: ObjectType,
    },
    /// There is no boot manager.
    #[error("no Windows boot manager")]
    NoBootManager,
    /// There are too many problems to list.
    #[error("more than {MAX_PROBLEMS} problems")]
    TooMany,
}

/// The result of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The problems, in the order of the store.
    pub problems: Vec<Problem>,
    /// Number of objects that were checked.
    pub objects: usize,
    /// Number of elements that were checked.
    pub elements: usize,
}

impl Report {
    /// True if there are no errors.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self
            .problems
            .iter()
            .any(|problem| problem.level == Level::Error)
    }

    fn add(
        &mut self,
        level: Level,
        object: Option<Guid>,
        element: Option<ElementId>,
        kind: ProblemKind,
    ) {
        let kind = match self.problems.len() {
            len if len < MAX_PROBLEMS => kind,
            MAX_PROBLEMS => ProblemKind::TooMany,
            _ => return,
        };
        self.problems.push(Problem {
            level,
            object,
            element,
            kind,
        });
    }

    fn error(&mut self, object: Option<Guid>, element: Option<ElementId>, kind: ProblemKind) {
        self.add(Level::Error, object, element, kind);
    }

    fn note(&mut self, object: Guid, element: ElementId, kind: ProblemKind) {
        self.add(Level::Note, Some(object), Some(element), kind);
    }
}

/// Checks the store below the root of a hive.
#[must_use]
pub fn check(root: Key<'_>) -> Report {
    let mut report = Report::default();
    match Store::new(root) {
        Ok(store) => check_objects(&store, &mut report),
        Err(error) => report.error(None, None, error.into()),
    }
    report
}

/// What the checks that span several objects need to know about each.
struct Seen {
    object_type: ObjectType,
    inherits: Vec<Guid>,
}

fn check_objects(store: &Store<'_>, report: &mut Report) {
    let objects = match store.objects() {
        Ok(objects) => objects,
        Err(error) => return report.error(None, None, error.into()),
    };
    let mut seen = BTreeMap::new();
    let mut named = Vec::new();
    let mut budget = Budget::new();
    for object in objects {
        match object {
            Ok(object) => {
                report.objects += 1;
                let facts = match check_object(&object, &mut named, &mut budget, report) {
                    Ok(facts) => facts,
                    Err(error) => return report.error(Some(object.guid()), None, error.into()),
                };
                seen.insert(object.guid(), facts);
            }
            Err(error) => report.error(None, None, error.into()),
        }
    }
    if !seen.contains_key(&BOOTMGR) {
        report.error(None, None, ProblemKind::NoBootManager);
    }
    for (object, element, target) in named {
        let is_virtual = target == well_known::CURRENT || target == well_known::DEFAULT;
        if !is_virtual && !seen.contains_key(&target) {
            report.note(object, element, ProblemKind::Dangling { target });
        }
    }
    inherit::check(&seen, report);
}

fn check_object(
    object: &Object<'_>,
    named: &mut Vec<(Guid, ElementId, Guid)>,
    budget: &mut Budget,
    report: &mut Report,
) -> Result<Seen, StoreError> {
    let guid = object.guid();
    let object_type = object.object_type().unwrap_or_else(|error| {
        report.error(Some(guid), None, error.into());
        ObjectType::UNKNOWN
    });
    let mut facts = Seen {
        object_type,
        inherits: Vec::new(),
    };
    if let Some(known) = well_known::by_guid(guid)
        && object_type != ObjectType::UNKNOWN
        && object_type != known.object_type
    {
        let kind = ProblemKind::ObjectType {
            expected: known.object_type,
            found: object_type,
        };
        // If its type can't be read, it is not a boot manager; the other objects are found by their
        // GUIDs.
        let level = if guid == BOOTMGR {
            Level::Error
        } else {
            Level::Note
        };
        report.add(level, Some(guid), None, kind);
    }
    let elements = match object.elements() {
        Ok(elements) => elements,
        Err(error) => {
            report.error(Some(guid), None, error.into());
            return Ok(facts);
        }
    };
    for element in elements {
        budget.take(&element)?;
        report.elements += 1;
        let element = match element {
            Ok(element) => element,
            Err(error) => {
                report.error(Some(guid), None, error.into());
                continue;
            }
        };
        let id = element.id();
        match element.decoded() {
            Err(error) => report.error(Some(guid), Some(id), error.into()),
            Ok(ElementValue::Object(target)) => named.push((guid, id, target)),
            Ok(ElementValue::ObjectList(targets)) => {
                named.extend(targets.iter().map(|target| (guid, id, *target)));
                if id == ElementId::INHERIT {
                    facts.inherits = targets;
                }
            }
            Ok(ElementValue::Device(data)) => match Device::decode(&data) {
                Some(device) => named.extend(device.options.map(|target| (guid, id, target))),
                None => {
                    let kind = ProblemKind::Device { len: data.len() };
                    report.error(Some(guid), Some(id), kind);
                }
            },
            Ok(ElementValue::Unknown(_)) => {
                let format = id.format();
                report.note(guid, id, ProblemKind::UnknownFormat { format });
            }
            Ok(_) => {}
        }
    }
    Ok(facts)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(OBJECTS)?;
        if let Some(object) = self.object {
            write!(f, "\\{object}")?;
        }
        if let Some(element) = self.element {
            write!(f, "\\Elements\\{element}")?;
        }
        write!(f, ": {}", self.kind)
    }
}
