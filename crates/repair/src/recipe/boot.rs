//! Elements of a boot store as they should be.

use std::fmt;

use diskmend_bcd::{ElementId, ElementValue, Guid, ObjectType, elements, well_known};

/// An element as it should be.
#[derive(Clone, Debug)]
pub struct BcdRow {
    /// Whose element.
    pub object: BcdObject,
    /// Which element.
    pub element: ElementId,
    /// What it should be; `None` where it should not exist.
    pub desired: Option<ElementValue>,
    /// The type with which a missing object is created; one that may not be missing has none.
    pub create_as: Option<ObjectType>,
    /// When what is found there is evidence of a fault.
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

/// The condition under which an element is a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BcdFault {
    /// It is one when the element does not exist.
    pub missing: bool,
    /// It is one when the element exists and is anything but the desired value.
    pub different: bool,
    /// It is one when the element is one of these.
    pub equals: Vec<ElementValue>,
}

impl BcdFault {
    /// Whether what was found, and is not as desired, is a fault. `None` where it does not exist.
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

    /// The type that it has, as far as its name tells.
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
    /// The type that its object has, as far as the row tells.
    #[must_use]
    pub fn object_type(&self) -> ObjectType {
        let known = self.object.object_type().or(self.create_as);
        known.unwrap_or(ObjectType(0))
    }

    /// The element, where it is port or rate of the serial console and to be set.
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

    /// The desired value in `bcdedit`'s words; `None` where the element should not exist.
    #[must_use]
    pub fn desired_words(&self) -> Option<String> {
        let words = |value| diskmend_bcd::words(value, self.element, self.object_type());
        self.desired.as_ref().map(words)
    }
}
