//! What an object inherits: `inherit` names objects whose elements apply where it has none itself.

use std::collections::BTreeSet;

use diskmend_base::Guid;

use crate::element_id::ElementId;
use crate::error::StoreError;
use crate::store::{MAX_OBJECTS, Store};
use crate::value::ElementValue;

/// The objects whose elements apply to one, in order of precedence: itself, then what it
/// inherits, each followed by what that inherits. Objects that don't exist are passed over, and
/// one that comes again, as in a cycle, too.
///
/// # Errors
/// Where an object on the way, or what it inherits, can't be read.
pub fn precedence(store: &Store<'_>, object: Guid) -> Result<Vec<Guid>, StoreError> {
    let too_many = || StoreError::TooMany {
        what: "inherited objects",
        limit: MAX_OBJECTS,
    };
    let mut seen = BTreeSet::new();
    let mut order = Vec::new();
    let mut waiting = vec![object];
    while let Some(guid) = waiting.pop() {
        if !seen.insert(guid) {
            continue;
        }
        if seen.len() > MAX_OBJECTS {
            return Err(too_many());
        }
        let Some(found) = store.object(guid)? else {
            continue;
        };
        order.push(guid);
        if let Some(ElementValue::ObjectList(inherited)) = found.value(ElementId::INHERIT)? {
            if waiting.len() > MAX_OBJECTS {
                return Err(too_many());
            }
            waiting.extend(
                inherited
                    .into_iter()
                    .rev()
                    .filter(|guid| !seen.contains(guid)),
            );
        }
    }
    Ok(order)
}

/// The value of an element that applies to an object, and the object that holds it.
///
/// # Errors
/// Where an object that it may come from can't be read.
pub fn effective(
    store: &Store<'_>,
    object: Guid,
    element: ElementId,
) -> Result<Option<(Guid, ElementValue)>, StoreError> {
    for guid in precedence(store, object)? {
        if let Some(found) = store.object(guid)?
            && let Some(value) = found.value(element)?
        {
            return Ok(Some((guid, value)));
        }
    }
    Ok(None)
}
