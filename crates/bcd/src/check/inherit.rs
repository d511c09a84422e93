//! Finds cycles in the inheritance of objects, and inherited objects that are not meant for it.

use std::collections::{BTreeMap, BTreeSet};

use diskmend_base::Guid;

use super::{ProblemKind, Report, Seen};
use crate::element_id::ElementId;
use crate::object_type::ObjectType;

pub(super) fn check(seen: &BTreeMap<Guid, Seen>, report: &mut Report) {
    for (object, facts) in seen {
        for target in &facts.inherits {
            if let Some(inherited) = seen.get(target)
                && inherited.object_type != ObjectType::UNKNOWN
                && !inherited.object_type.is_inheritable()
            {
                let kind = ProblemKind::NotInheritable {
                    target: *target,
                    found: inherited.object_type,
                };
                report.error(Some(*object), Some(ElementId::INHERIT), kind);
            }
        }
    }
    let mut done = BTreeSet::new();
    for object in seen.keys() {
        walk(*object, seen, &mut done, report);
    }
}

/// Walks down from an object and reports each reference back to an object on the path.
fn walk(start: Guid, seen: &BTreeMap<Guid, Seen>, done: &mut BTreeSet<Guid>, report: &mut Report) {
    if !done.insert(start) {
        return;
    }
    let inherits = |guid: Guid| seen.get(&guid).map_or(&[][..], |facts| &facts.inherits);
    let mut on_the_way = BTreeSet::from([start]);
    let mut stack = vec![(start, inherits(start).iter())];
    while let Some((object, rest)) = stack.last_mut() {
        let object = *object;
        let Some(next) = rest.next().copied() else {
            on_the_way.remove(&object);
            stack.pop();
            continue;
        };
        if on_the_way.contains(&next) {
            let kind = ProblemKind::InheritCycle { through: object };
            report.error(Some(next), Some(ElementId::INHERIT), kind);
        } else if done.insert(next) {
            on_the_way.insert(next);
            stack.push((next, inherits(next).iter()));
        }
    }
}
