//! The fields of a `[[bcd]]` row, and checking them.

use diskmend_base::count::to_u64;
use diskmend_bcd::elements::{self, NumberStyle};
use diskmend_bcd::{ElementId, ElementValue, Format, Guid, ObjectType, well_known};
use serde::Deserialize;
use toml::Spanned;

use super::{BcdFault, BcdObject, BcdRow, BcdWanted};
use crate::rows::fault::FaultFile;
use crate::rows::{Wrong, sentence, wrong, wrong_at};
use crate::written::{Numbers, Written};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BcdFile {
    object: Spanned<String>,
    element: Spanned<String>,
    data: Option<Spanned<Written>>,
    #[serde(default)]
    delete: bool,
    drop: Option<Spanned<Vec<Spanned<String>>>>,
    create_as: Option<Spanned<u32>>,
    fault: Option<Spanned<FaultFile>>,
    why: Spanned<String>,
}

impl BcdFile {
    pub(super) fn read(self) -> Result<BcdRow, Wrong> {
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
        let desired = match (&self.data, self.delete, &self.drop) {
            (Some(data), false, None) => Some(match depending(element, data.get_ref()) {
                Some(depends) => depends,
                None => BcdWanted::Value(encoded(data)?),
            }),
            (None, true, None) => None,
            (None, false, Some(drop)) => Some(words_to_drop(element, drop)?),
            _ => {
                return Err(wrong(&self.element)(
                    "say what the element should be (data), which words it should not have (drop), \
                     or delete = true"
                        .to_owned(),
                ));
            }
        };
        if let (Some(ty), None | Some(BcdWanted::Without(_))) = (&self.create_as, &desired) {
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
                if !table.is_about_any_setting() {
                    return Err(at(
                        "only the fault of a value of the registry has bits, program_missing or \
                         drive_missing",
                    ));
                }
                let is_range = |written: &&Spanned<Written>| match written.get_ref() {
                    Written::Text(text) => {
                        element.format() == Format::Integer && Numbers::is_range(text)
                    }
                    _ => false,
                };
                let (ranges, others): (Vec<_>, Vec<_>) = table.equals.iter().partition(is_range);
                let numbers = ranges.into_iter().map(|written| match written.get_ref() {
                    Written::Text(text) => Numbers::parse(text, u64::MAX).map_err(wrong(written)),
                    _ => Err(wrong(written)("expected a range".to_owned())),
                });
                let numbers: Vec<_> = numbers.collect::<Result<_, _>>()?;
                let equals = others.into_iter().map(encoded);
                let equals: Vec<_> = equals.collect::<Result<_, _>>()?;
                let of_data = BcdFault {
                    unresolved: false,
                    missing: false,
                    different: false,
                    equals: equals.clone(),
                    numbers: numbers.clone(),
                };
                if let Some(BcdWanted::Value(value)) = &desired
                    && of_data.holds(Some(value))
                {
                    return Err(at("the desired data cannot be a fault"));
                }
                let may_be_missing = matches!(desired, None | Some(BcdWanted::Without(_)));
                if desired.is_some() && table.exists {
                    return Err(at(
                        "an element that is wanted can't be a fault because it exists",
                    ));
                }
                if may_be_missing && table.missing {
                    return Err(at("a missing element cannot be a fault that is wanted"));
                }
                if table.unresolved
                    && (may_be_missing || matches!(desired, Some(BcdWanted::Value(_))))
                {
                    return Err(at(
                        "only an element that names what is on the disk, such as \"{target}\", can \
                         be unresolved",
                    ));
                }
                Some(BcdFault {
                    unresolved: table.unresolved,
                    missing: table.missing,
                    different: table.different || table.exists,
                    ..of_data
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

/// The words that a string should not have.
fn words_to_drop(
    element: ElementId,
    drop: &Spanned<Vec<Spanned<String>>>,
) -> Result<BcdWanted, Wrong> {
    if element.format() != Format::String {
        return Err(wrong(drop)("only a string has words to drop".to_owned()));
    }
    if drop.get_ref().is_empty() {
        return Err(wrong(drop)("name at least one".to_owned()));
    }
    let words = drop.get_ref().iter().map(|word| match word.get_ref() {
        text if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c == '\0') => {
            Err(wrong(word)(format!("\"{text}\" is not one word")))
        }
        text => Ok(text.clone()),
    });
    Ok(BcdWanted::Without(words.collect::<Result<_, _>>()?))
}

/// What depends on the disk, from the form in which recipes write it; `None` for a value.
fn depending(element: ElementId, written: &Written) -> Option<BcdWanted> {
    let Written::Text(word) = written else {
        return None;
    };
    let is = |known: &BcdWanted| word.eq_ignore_ascii_case(&known.to_string());
    let known: &[BcdWanted] = match element.format() {
        Format::Device => &[BcdWanted::Target, BcdWanted::StoreVolume],
        Format::Object | Format::ObjectList => &[BcdWanted::Loader],
        Format::String => &[BcdWanted::LoaderPath],
        _ => &[],
    };
    known.iter().find(|known| is(known)).cloned()
}

/// The type of an object, as far as its name or the row shows it. Otherwise the type is one that no
/// object has: then only elements that mean the same in every object are known.
pub(super) fn type_of(object: BcdObject, create_as: Option<ObjectType>) -> ObjectType {
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
                Format::Device => "\"{target}\" or \"{store_volume}\"",
                Format::IntegerList | Format::Unknown(_) => {
                    return Err(format!("a recipe cannot write a value of type {format}"));
                }
            };
            return Err(format!("the data of this element are {expected}"));
        }
    })
}
