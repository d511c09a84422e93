//! The `[[bcd]]` rows: wanted elements of the boot store.

use std::fmt;

use diskmend_bcd::{ElementId, ElementValue, Guid, ObjectType, elements, well_known};
use serde::Serialize;

pub use self::wanted::BcdWanted;
use super::{About, Claim, JudgeElements, Kind, Shown, Wrong};
use crate::error::Error;
use crate::facts::Facts;
use crate::finding::{JudgedElement, OpenStore, RowState, WantedElement};
use crate::written::Numbers;
pub(crate) use file::BcdFile;
use file::type_of;

mod file;
mod wanted;

/// A wanted element.
#[derive(Clone, Debug)]
pub struct BcdRow {
    /// The object with the element.
    pub object: BcdObject,
    /// The element's id.
    pub element: ElementId,
    /// What it should be; `None` if it shouldn't exist.
    pub desired: Option<BcdWanted>,
    /// The type of the object if it has to be created; `None` if it must exist.
    pub create_as: Option<ObjectType>,
    /// Says when the element is evidence of a fault.
    pub fault: Option<BcdFault>,
    /// One sentence for a person.
    pub why: String,
}

/// The object that a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BcdObject {
    /// The loader that starts the target's Windows.
    Loader,
    /// The object with this GUID.
    Fixed(Guid),
}

/// Says when an element is a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BcdFault {
    /// It is a fault if the element doesn't exist.
    pub missing: bool,
    /// It is a fault if the element exists and has any other than the wanted value.
    pub different: bool,
    /// It is a fault if the element names what doesn't exist: a partition of another disk, an
    /// object that the store doesn't have, a file that isn't there.
    pub unresolved: bool,
    /// It is a fault if the element has one of these values.
    pub equals: Vec<ElementValue>,
    /// It is a fault if the element is a number in one of these ranges.
    pub numbers: Vec<Numbers>,
}

impl BcdFault {
    /// True if an element that isn't as wanted is a fault. `None` means that it doesn't exist.
    #[must_use]
    pub fn holds(&self, current: Option<&ElementValue>) -> bool {
        match current {
            None => self.missing,
            Some(current) => {
                let within = |numbers: &Numbers| match current {
                    ElementValue::Integer(number) => numbers.has(*number),
                    _ => false,
                };
                self.different || self.equals.contains(current) || self.numbers.iter().any(within)
            }
        }
    }
}

impl BcdObject {
    /// The name of [`BcdObject::Loader`] in recipes.
    pub const LOADER: &'static str = "{loader}";

    /// Reads an object's name: `{loader}`, a well-known name, or a GUID.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case(Self::LOADER) {
            return Some(Self::Loader);
        }
        let known = || well_known::by_alias(name).map(|known| known.guid);
        name.parse().ok().or_else(known).map(Self::Fixed)
    }

    /// The object's type, as far as its name shows it.
    #[must_use]
    pub fn object_type(self) -> Option<ObjectType> {
        match self {
            Self::Loader => Some(ObjectType::LOADER),
            Self::Fixed(guid) => well_known::by_guid(guid).map(|known| known.object_type),
        }
    }
}

impl fmt::Display for BcdObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loader => f.write_str(Self::LOADER),
            Self::Fixed(guid) => match well_known::by_guid(*guid) {
                Some(known) => f.write_str(known.alias),
                None => write!(f, "{guid}"),
            },
        }
    }
}

impl BcdRow {
    /// The object's type, as far as the row shows it.
    #[must_use]
    pub fn object_type(&self) -> ObjectType {
        type_of(self.object, self.create_as)
    }

    /// The element, if the row sets the port or the rate of the serial console.
    #[must_use]
    pub fn serial_setting(&self) -> Option<ElementId> {
        let of_console = self.object == BcdObject::Fixed(well_known::EMSSETTINGS)
            && matches!(self.element, ElementId::EMS_PORT | ElementId::EMS_BAUD_RATE)
            && self.desired.is_some();
        of_console.then_some(self.element)
    }

    /// `bcdedit`'s name for the element.
    #[must_use]
    pub fn name(&self) -> String {
        elements::display_name(self.element, self.object_type())
    }

    /// The wanted value in `bcdedit`'s form, or what depends on the disk; `None` if the element
    /// shouldn't exist.
    #[must_use]
    pub fn desired_words(&self) -> Option<String> {
        let desired = self.desired.as_ref()?;
        Some(match desired {
            BcdWanted::Value(value) => diskmend_bcd::words(value, self.element, self.object_type()),
            depends => depends.to_string(),
        })
    }
}

impl Kind for BcdRow {
    type Written = BcdFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: BcdFile) -> Result<Self, Wrong> {
        written.read()
    }

    fn about(&self) -> About<'_> {
        About::Elements(self)
    }

    fn claim(&self) -> Option<Claim<'_>> {
        Some(Claim::Element {
            object: self.object,
            element: self.element,
            name: self.name(),
            desired: self.desired.as_ref(),
        })
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            object: self.object.to_string(),
            element: format!("0x{}", self.element),
            name: self.name(),
            desired: self.desired_words(),
            create_object: self.create_as.is_some(),
            can_be_fault: self.fault.is_some(),
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        let name = self.name();
        Shown {
            place: format!("Boot store {}", self.object),
            lines: vec![match (&self.desired, self.desired_words()) {
                (Some(BcdWanted::Without(_)), Some(desired)) => format!("{name} {desired}"),
                (_, Some(desired)) => format!("{name} = {desired}"),
                (_, None) => format!("{name} is removed"),
            }],
        }
    }
}

impl JudgeElements for BcdRow {
    fn judge(&self, store: &OpenStore<'_>, facts: &Facts<'_>) -> Result<Vec<JudgedElement>, Error> {
        let objects = match self.object {
            BcdObject::Fixed(guid) => vec![guid],
            BcdObject::Loader => store.loaders(),
        };
        let judged = objects
            .into_iter()
            .map(|object| self.judge_in(object, store, facts));
        judged.collect()
    }
}

impl BcdRow {
    /// Judges the element of one object.
    fn judge_in(
        &self,
        object: Guid,
        store: &OpenStore<'_>,
        facts: &Facts<'_>,
    ) -> Result<JudgedElement, Error> {
        let named = self.object.to_string();
        let of = |desired| WantedElement {
            object,
            named: &named,
            object_type: self.object_type(),
            create_as: self.create_as,
            element: self.element,
            desired,
        };
        let fault = self.fault.as_ref();
        match &self.desired {
            Some(BcdWanted::Value(value)) => store.judge(&of(Some(value)), |found| {
                equal_or(Some(value), fault, found)
            }),
            None => store.judge(&of(None), |found| equal_or(None, fault, found)),
            Some(depends) => {
                let found = store.value(object, self.element)?;
                let found = found.as_ref().map(Option::as_ref);
                let answer = depends.resolve(self.element, found, store, facts)?;
                store.judge(&of(answer.desired.as_ref()), |found| {
                    let is_fault = fault.is_some_and(|fault| {
                        (fault.unresolved && answer.is_unresolved) || fault.holds_for(found)
                    });
                    match answer.state {
                        RowState::Differs | RowState::Missing if is_fault => RowState::Fault,
                        state => state,
                    }
                })
            }
        }
    }
}

impl BcdFault {
    /// True if an element that isn't as wanted is a fault. `None` means that it doesn't exist, and
    /// an inner `None` that its data aren't a value of its format.
    fn holds_for(&self, found: Option<Option<&ElementValue>>) -> bool {
        match found {
            // Such data equal none of the named values.
            Some(None) => self.different,
            Some(Some(value)) => self.holds(Some(value)),
            None => self.holds(None),
        }
    }
}

/// The state of an element that should have this value, or that shouldn't exist.
fn equal_or(
    desired: Option<&ElementValue>,
    fault: Option<&BcdFault>,
    found: Option<Option<&ElementValue>>,
) -> RowState {
    if found.is_some() == desired.is_some() && found.flatten() == desired {
        RowState::Ok
    } else if fault.is_some_and(|fault| fault.holds_for(found)) {
        RowState::Fault
    } else if found.is_some() {
        RowState::Differs
    } else {
        RowState::Missing
    }
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    object: String,
    /// The id, such as `0x16000020`.
    element: String,
    name: String,
    /// In `bcdedit`'s form; absent if the element shouldn't exist.
    desired: Option<String>,
    create_object: bool,
    can_be_fault: bool,
    why: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use crate::recipe::test_support::refused;

    const GOOD: &str = "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\n\
        sources = ['https://example.org']\n\n[[bcd]]\nobject = '{emssettings}'\n\
        element = 'emsport'\ndata = 2\ncreate_as = 0x20100000\nfault = { equals = [3] }\n\
        why = 'because'\n";

    fn row(text: &str) -> BcdRow {
        let recipe = Recipe::parse("own.toml", text).expect("valid");
        match recipe.rows.as_slice() {
            [crate::rows::Row::Bcd(row)] => row.clone(),
            rows => panic!("{rows:?}"),
        }
    }

    #[test]
    fn the_fields_are_read() {
        let row = row(GOOD);
        assert_eq!(row.object, BcdObject::Fixed(well_known::EMSSETTINGS));
        assert_eq!(row.element, ElementId::EMS_PORT);
        assert_eq!(
            row.desired,
            Some(BcdWanted::Value(ElementValue::Integer(2)))
        );
        assert_eq!(row.create_as, Some(ObjectType::SETTINGS));
        let fault = row.fault.expect("a fault");
        assert!(fault.holds(Some(&ElementValue::Integer(3))));
        assert!(!fault.holds(Some(&ElementValue::Integer(4))) && !fault.holds(None));
    }

    #[test]
    fn a_number_in_a_range_is_a_fault() {
        let text = GOOD.replace("equals = [3]", "equals = ['3..5', 9]");
        let fault = row(&text).fault.expect("a fault");
        for (number, held) in [(2, false), (3, true), (5, true), (6, false), (9, true)] {
            let found = ElementValue::Integer(number);
            assert_eq!(fault.holds(Some(&found)), held, "{number}");
        }
        for (to, say) in [
            ("equals = ['1..3']", "desired data cannot"),
            ("equals = ['5..3']", "no number"),
            ("program_missing = true", "of the registry"),
            ("bits = { any_set = 1 }", "of the registry"),
        ] {
            let text = GOOD.replace("equals = [3]", to);
            let error = Recipe::parse("own.toml", &text).expect_err(to).to_string();
            assert!(
                error.contains("own.toml:12:") && error.contains(say),
                "{error}"
            );
        }
    }

    #[test]
    fn an_element_means_what_its_object_says_and_names_of_numbers_are_read() {
        let text = GOOD
            .replace("{emssettings}", "{loader}")
            .replace("emsport", "safeboot")
            .replace("data = 2", "data = 'network'")
            .replace(
                "create_as = 0x20100000\nfault = { equals = [3] }",
                "fault = 'different'",
            );
        let row = row(&text);
        assert_eq!(row.object, BcdObject::Loader);
        assert_eq!(row.element, ElementId::SAFE_BOOT);
        assert_eq!(
            row.desired,
            Some(BcdWanted::Value(ElementValue::Integer(1)))
        );
        assert_eq!(row.desired_words().as_deref(), Some("Network"));
        let deleted = self::row(&text.replace("data = 'network'", "delete = true"));
        assert_eq!(deleted.desired, None);
        assert!(
            deleted
                .fault
                .expect("a fault")
                .holds(Some(&ElementValue::Integer(0)))
        );
    }

    #[test]
    fn words_are_dropped_only_from_texts_that_may_lack_them() {
        let text = GOOD
            .replace("{emssettings}", "{loader}")
            .replace("emsport", "loadoptions")
            .replace("data = 2", "drop = ['A', 'B']")
            .replace("create_as = 0x20100000\nfault = { equals = [3] }\n", "");
        assert_eq!(row(&text).desired_words().as_deref(), Some("without A, B"));
        for (from, to, place, say) in [
            ("['A', 'B']", "[]", "10:8", "at least one"),
            ("'B'", "'B C'", "10:14", "not one word"),
            (
                "why =",
                "fault = 'missing'\nwhy =",
                "11:9",
                "missing element",
            ),
            ("why =", "fault = 'unresolved'\nwhy =", "11:9", "unresolved"),
            ("why =", "fault = 'exists'\nwhy =", "11:9", "wanted"),
        ] {
            refused(&text, (from, to), place, say);
        }
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (from, to, place, say) in [
            ("'{emssettings}'", "'{default}'", "8:10", "{loader}"),
            ("'emsport'", "'safeboot'", "9:11", "safeboot"),
            ("data = 2", "data = true", "10:8", "a number"),
            ("data = 2", "data = -2", "10:8", "negative"),
            ("data = 2", "data = 'two'", "10:8", "a number"),
            ("data = 2", "delete = true", "11:13", "not created"),
            ("data = 2\n", "", "9:11", "delete = true"),
            ("data = 2", "data = 2\ndelete = true", "9:11", "say what"),
            ("data = 2", "data = 2\ndrop = ['X']", "9:11", "say what"),
            ("data = 2", "drop = ['X']", "10:8", "only a string"),
            ("data = 2", "data = 3", "12:9", "cannot be a fault"),
            ("0x20100000", "0x10200003", "11:13", "0x20100000"),
            ("{ equals = [3] }", "{ equals = ['x'] }", "12:21", "number"),
            ("'because'", "' '", "13:7", "say something"),
            ("why =", "reason =", "13:1", "reason"),
        ] {
            refused(GOOD, (from, to), place, say);
        }
    }
}
