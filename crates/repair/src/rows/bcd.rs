//! The `[[bcd]]` rows: wanted elements of the boot store.

use std::fmt;

use diskmend_base::count::to_u64;
use diskmend_bcd::elements::{self, NumberStyle};
use diskmend_bcd::{ElementId, ElementValue, Format, Guid, ObjectType, well_known};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault::FaultFile;
use super::written::Written;
use super::{About, Claim, JudgeElements, Kind, Shown, Wrong, sentence, wrong, wrong_at};
use crate::error::Error;
use crate::facts::Facts;
use crate::finding::{JudgedElement, OpenStore, WantedElement};

/// A wanted element.
#[derive(Clone, Debug)]
pub struct BcdRow {
    /// The object with the element.
    pub object: BcdObject,
    /// The element's id.
    pub element: ElementId,
    /// The wanted value; `None` if it shouldn't exist.
    pub desired: Option<ElementValue>,
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
    /// It is a fault if the element has one of these values.
    pub equals: Vec<ElementValue>,
}

impl BcdFault {
    /// True if an element that isn't as wanted is a fault. `None` means that it doesn't exist.
    #[must_use]
    pub fn holds(&self, current: Option<&ElementValue>) -> bool {
        match current {
            None => self.missing,
            Some(current) => self.different || self.equals.contains(current),
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

    /// The wanted value in `bcdedit`'s form; `None` if the element shouldn't exist.
    #[must_use]
    pub fn desired_words(&self) -> Option<String> {
        let words = |value| diskmend_bcd::words(value, self.element, self.object_type());
        self.desired.as_ref().map(words)
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
            lines: vec![match self.desired_words() {
                Some(desired) => format!("{name} = {desired}"),
                None => format!("{name} is removed"),
            }],
        }
    }
}

impl JudgeElements for BcdRow {
    fn judge(
        &self,
        store: &OpenStore<'_>,
        _facts: &Facts<'_>,
    ) -> Result<Vec<JudgedElement>, Error> {
        let objects = match self.object {
            BcdObject::Fixed(guid) => vec![guid],
            BcdObject::Loader => store.loaders(),
        };
        let named = self.object.to_string();
        let judged = objects.into_iter().map(|object| {
            let wanted = WantedElement {
                object,
                named: &named,
                object_type: self.object_type(),
                create_as: self.create_as,
                element: self.element,
                desired: self.desired.as_ref(),
            };
            store.judge(&wanted, |found| {
                let fault = self.fault.as_ref();
                fault.is_some_and(|fault| match found {
                    // Data that aren't a value of the element's format equal none of the named
                    // values.
                    Some(None) => fault.different,
                    Some(Some(value)) => fault.holds(Some(value)),
                    None => fault.holds(None),
                })
            })
        });
        judged.collect()
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BcdFile {
    object: Spanned<String>,
    element: Spanned<String>,
    data: Option<Spanned<Written>>,
    #[serde(default)]
    delete: bool,
    create_as: Option<Spanned<u32>>,
    fault: Option<Spanned<FaultFile>>,
    why: Spanned<String>,
}

impl BcdFile {
    fn read(self) -> Result<BcdRow, Wrong> {
        let name = self.object.get_ref();
        let object = BcdObject::parse(name).ok_or_else(|| {
            wrong(&self.object)(format!(
                "no object \"{name}\": expected {{loader}}, a name such as {{bootmgr}}, or a GUID in \
                 braces"
            ))
        })?;
        let create_as = self.create_as.as_ref().map(|ty| ObjectType(*ty.get_ref()));
        if let (Some(ty), Some(known)) = (&self.create_as, object.object_type())
            && (create_as != Some(known) || object == BcdObject::Loader)
        {
            return Err(wrong(ty)(match object {
                BcdObject::Loader => "a loader is not created".to_owned(),
                BcdObject::Fixed(_) => format!("{object} has the type {known}"),
            }));
        }
        let object_type = type_of(object, create_as);
        let name = self.element.get_ref();
        let element = elements::by_name(name, object_type).ok_or_else(|| {
            wrong(&self.element)(format!(
                "no element \"{name}\" of a {}: expected bcdedit's name, or an id such as \
                 0x26000020",
                object_type.title()
            ))
        })?;
        let encoded = |written: &Spanned<Written>| {
            encode(element, object_type, written.get_ref()).map_err(wrong(written))
        };
        let desired = match (&self.data, self.delete) {
            (Some(data), false) => Some(encoded(data)?),
            (None, true) => None,
            _ => {
                return Err(wrong(&self.element)(
                    "say either what the element should be (data) or delete = true".to_owned(),
                ));
            }
        };
        if let (Some(ty), None) = (&self.create_as, &desired) {
            return Err(wrong(ty)(
                "an object is not created to delete an element of it".to_owned(),
            ));
        }
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        let fault = match self.fault {
            None => None,
            Some(fault) => {
                let at = wrong_at(fault.span());
                let table = fault.into_inner().0;
                if table.companion.is_some() {
                    return Err(at("the fault of an element has no where"));
                }
                let equals: Vec<_> = table.equals.iter().map(encoded).collect::<Result<_, _>>()?;
                if desired.as_ref().is_some_and(|value| equals.contains(value)) {
                    return Err(at("the desired data cannot be a fault"));
                }
                if desired.is_some() && table.exists {
                    return Err(at(
                        "an element that is wanted can't be a fault because it exists",
                    ));
                }
                if desired.is_none() && table.missing {
                    return Err(at("a missing element cannot be a fault that is wanted"));
                }
                Some(BcdFault {
                    missing: table.missing,
                    different: table.different || table.exists,
                    equals,
                })
            }
        };
        Ok(BcdRow {
            object,
            element,
            desired,
            create_as,
            fault,
            why: self.why.into_inner(),
        })
    }
}

/// The type of an object, as far as its name or the row shows it. Otherwise the type is one that no
/// object has: then only elements that mean the same in every object are known.
fn type_of(object: BcdObject, create_as: Option<ObjectType>) -> ObjectType {
    let known = object.object_type().or(create_as);
    known.unwrap_or(ObjectType(0))
}

/// The value of an element, from the form in which recipes write it.
fn encode(
    element: ElementId,
    object_type: ObjectType,
    written: &Written,
) -> Result<ElementValue, String> {
    let guid = |name: &str| -> Result<Guid, String> {
        let known = || well_known::by_alias(name).map(|known| known.guid);
        let found = name.parse().ok().or_else(known);
        found.ok_or_else(|| format!("\"{name}\" is neither a GUID in braces nor a known name"))
    };
    Ok(match (element.format(), written) {
        (Format::Boolean, Written::Bool(yes)) => ElementValue::Boolean(*yes),
        (Format::Integer, Written::Number(number)) => ElementValue::Integer(
            u64::try_from(*number).map_err(|_| format!("{number} is negative"))?,
        ),
        (Format::Integer, Written::Text(name)) => {
            let names = match elements::lookup(element, object_type).map(|info| info.style) {
                Some(NumberStyle::Names(names)) => names,
                _ => &[],
            };
            let at = names
                .iter()
                .position(|known| known.eq_ignore_ascii_case(name));
            let number = at.ok_or_else(|| match names {
                [] => "the data of this element are a number".to_owned(),
                names => format!("\"{name}\" is none of {}", names.join(", ")),
            })?;
            ElementValue::Integer(to_u64(number))
        }
        (Format::String, Written::Text(text)) if !text.contains('\0') => {
            ElementValue::String(text.clone())
        }
        (Format::Object, Written::Text(name)) => ElementValue::Object(guid(name)?),
        (Format::ObjectList, Written::List(names)) => ElementValue::ObjectList(
            names
                .iter()
                .map(|name| guid(name))
                .collect::<Result<_, _>>()?,
        ),
        (format, _) => {
            let expected = match format {
                Format::Boolean => "true or false",
                Format::Integer => "a number, or a name that bcdedit has for it",
                Format::String => "a string without U+0000",
                Format::Object => "an object's name in a string",
                Format::ObjectList => "a list of objects' names",
                Format::Device | Format::IntegerList | Format::Unknown(_) => {
                    return Err(format!("a recipe cannot write a value of type {format}"));
                }
            };
            return Err(format!("the data of this element are {expected}"));
        }
    })
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
        assert_eq!(row.desired, Some(ElementValue::Integer(2)));
        assert_eq!(row.create_as, Some(ObjectType::SETTINGS));
        let fault = row.fault.expect("a fault");
        assert!(fault.holds(Some(&ElementValue::Integer(3))));
        assert!(!fault.holds(Some(&ElementValue::Integer(4))) && !fault.holds(None));
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
        assert_eq!(row.desired, Some(ElementValue::Integer(1)));
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
    fn mistakes_are_named_with_their_place() {
        for (from, to, place, say) in [
            ("'{emssettings}'", "'{default}'", "8:10", "{loader}"),
            ("'emsport'", "'safeboot'", "9:11", "safeboot"),
            ("data = 2", "data = true", "10:8", "a number"),
            ("data = 2", "data = -2", "10:8", "negative"),
            ("data = 2", "data = 'two'", "10:8", "a number"),
            ("data = 2", "delete = true", "11:13", "not created"),
            ("data = 2\n", "", "9:11", "delete = true"),
            ("data = 2", "data = 2\ndelete = true", "9:11", "either"),
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
