//! Inheritance: `inherit` names objects that lend their elements. Such an element applies if the
//! object does not have it itself.

use std::collections::BTreeSet;

use diskmend_base::Guid;

use crate::element_id::ElementId;
use crate::error::StoreError;
use crate::store::{MAX_OBJECTS, Store};
use crate::value::ElementValue;

/// The objects that determine an object's elements, in order of precedence: the object itself, then
/// the objects that it inherits, each followed by those that it inherits in turn. Objects that do
/// not exist are skipped, and so are repeated ones, as in a cycle.
///
/// # Errors
/// If one of these objects, or the list of what it inherits, can't be read.
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
