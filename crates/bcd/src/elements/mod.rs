//! What is known about each element: Microsoft's name, `bcdedit`'s name, and the notation of its
//! value.
//!
//! Ids and names come from Microsoft's BCD reference, from its table of BCD settings that BitLocker
//! validates, and, if neither has the element, from public tables that agree. If the tables
//! disagree, or only one has the element, the element is [`Source::Unsure`].

mod boot_manager;
mod library;
mod loader;
mod others;

use crate::element_id::{Class, ElementId};
use crate::object_type::{Application, ObjectType};

/// How reliable an element's id and name are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Microsoft's BCD reference names the id.
    Reference,
    /// Microsoft's "BCD settings and BitLocker" has the id and `bcdedit`'s name.
    BitLocker,
    /// Several public tables agree.
    Tables,
    /// Only one public table, or sources that disagree.
    Unsure,
}

/// The notation in which `bcdedit` writes the value of an integer element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberStyle {
    /// Decimal.
    Decimal,
    /// Hexadecimal with `0x`.
    Hex,
    /// An IPv4 address; its first byte is the most significant byte of the number.
    Ipv4,
    /// The name at the index of the value; other values are decimal.
    Names(&'static [&'static str]),
}

/// A known element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementInfo {
    /// The id.
    pub id: ElementId,
    /// Microsoft's name in its enumerations.
    pub symbol: Option<&'static str>,
    /// The name in `bcdedit`.
    pub alias: Option<&'static str>,
    /// The source of the id and the names.
    pub source: Source,
    /// The notation of its numbers.
    pub style: NumberStyle,
}

impl ElementInfo {
    const fn new(
        id: u32,
        symbol: Option<&'static str>,
        alias: Option<&'static str>,
        source: Source,
    ) -> Self {
        Self {
            id: ElementId(id),
            symbol,
            alias,
            source,
            style: NumberStyle::Decimal,
        }
    }

    const fn hex(mut self) -> Self {
        self.style = NumberStyle::Hex;
        self
    }

    const fn ipv4(mut self) -> Self {
        self.style = NumberStyle::Ipv4;
        self
    }

    const fn names(mut self, names: &'static [&'static str]) -> Self {
        self.style = NumberStyle::Names(names);
        self
    }
}

/// A table of elements and the applications that read them.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The readers, for a heading.
    pub title: &'static str,
    /// The elements, ascending by subtype.
    pub elements: &'static [ElementInfo],
}

/// Every table, for documentation.
pub const TABLES: [Table; 10] = [
    Table {
        title: "Library: every boot application",
        elements: &library::LIBRARY,
    },
    Table {
        title: "Application: boot managers",
        elements: &boot_manager::BOOT_MANAGER,
    },
    Table {
        title: "Application: Windows loaders",
        elements: &loader::LOADER,
    },
    Table {
        title: "Application: resume loaders",
        elements: &others::RESUME,
    },
    Table {
        title: "Application: the memory tester",
        elements: &others::MEMORY_TESTER,
    },
    Table {
        title: "Application: loaders before Vista",
        elements: &others::LEGACY_LOADER,
    },
    Table {
        title: "Application: the network start program",
        elements: &others::STARTUP,
    },
    Table {
        title: "Application: any (mobile devices)",
        elements: &others::ANY_APPLICATION,
    },
    Table {
        title: "Device",
        elements: &others::DEVICE,
    },
    Table {
        title: "Template: Windows setup",
        elements: &others::TEMPLATE,
    },
];

/// The application elements of objects of a type.
fn application_elements(object_type: ObjectType) -> &'static [ElementInfo] {
    match object_type.application() {
        Some(Application::BootManager) => &boot_manager::BOOT_MANAGER,
        Some(Application::Loader) => &loader::LOADER,
        Some(Application::Resume) => &others::RESUME,
        Some(Application::MemoryTester) => &others::MEMORY_TESTER,
        Some(Application::LegacyLoader) => &others::LEGACY_LOADER,
        Some(Application::Startup) => &others::STARTUP,
        None => &[],
    }
}

/// The meaning of an element in an object of a type; `None` if it is not documented.
#[must_use]
pub fn lookup(id: ElementId, object_type: ObjectType) -> Option<&'static ElementInfo> {
    let find = |table: &'static [ElementInfo]| table.iter().find(|info| info.id == id);
    match id.class() {
        Class::Library => find(&library::LIBRARY),
        Class::Application => {
            find(application_elements(object_type)).or_else(|| find(&others::ANY_APPLICATION))
        }
        Class::Device => find(&others::DEVICE),
        Class::Template => find(&others::TEMPLATE),
        Class::Oem | Class::Unknown(_) => None,
    }
}

/// The element that `bcdedit` calls `alias` in an object of a type, ignoring case. `custom:` and
/// eight hexadecimal digits, or the digits with `0x` or alone, name any element.
#[must_use]
pub fn by_name(name: &str, object_type: ObjectType) -> Option<ElementId> {
    let named = [
        application_elements(object_type),
        &library::LIBRARY,
        &others::DEVICE,
        &others::TEMPLATE,
        &others::ANY_APPLICATION,
    ]
    .into_iter()
    .flatten()
    .find(|info| {
        info.alias
            .is_some_and(|alias| alias.eq_ignore_ascii_case(name))
    });
    named.map(|info| info.id).or_else(|| by_number(name))
}

fn by_number(name: &str) -> Option<ElementId> {
    let lower = name.to_ascii_lowercase();
    let digits = lower.strip_prefix("custom:").unwrap_or(&lower);
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    let is_hex = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex
        .then(|| u32::from_str_radix(digits, 16).ok())
        .flatten()
        .map(ElementId)
}

/// `bcdedit`'s name for an element in an object of a type: its alias, or `custom:` and its id.
#[must_use]
pub fn display_name(id: ElementId, object_type: ObjectType) -> String {
    match lookup(id, object_type).and_then(|info| info.alias) {
        Some(alias) => alias.into(),
        None => format!("custom:{id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element_id::Format;

    #[test]
    fn no_table_has_an_id_or_an_alias_twice_and_symbols_tell_the_format() {
        for table in TABLES {
            for (index, info) in table.elements.iter().enumerate() {
                for other in table.elements.iter().skip(index + 1) {
                    assert_ne!(info.id, other.id, "{}", table.title);
                    assert!(
                        info.alias.is_none() || info.alias != other.alias,
                        "{:?} twice in {}",
                        info.alias,
                        table.title
                    );
                    assert!(
                        (info.id.subtype(), info.id) < (other.id.subtype(), other.id),
                        "{:?} before {:?}",
                        info.id,
                        other.id
                    );
                }
                let numbers = matches!(info.id.format(), Format::Integer | Format::IntegerList);
                assert!(numbers || info.style == NumberStyle::Decimal, "{info:?}");
                assert!(
                    !matches!(info.id.format(), Format::Unknown(_)),
                    "{:?}",
                    info.id
                );
            }
        }
    }

    #[test]
    fn an_application_element_means_what_the_type_of_its_object_says() {
        let id = ElementId(0x2200_0002);
        assert_eq!(display_name(id, ObjectType::LOADER), "systemroot");
        assert_eq!(display_name(id, ObjectType::RESUME), "filepath");
        assert_eq!(
            display_name(id, ObjectType::BOOT_MANAGER),
            "custom:22000002"
        );
        assert_eq!(
            display_name(ElementId(0x2500_00f4), ObjectType::LOADER_SETTINGS),
            "hypervisordebugport"
        );
    }

    #[test]
    fn the_elements_of_the_serial_console_have_their_documented_ids() {
        let ids = [
            ("displaybootmenu", ObjectType::BOOT_MANAGER, 0x2600_0020),
            ("timeout", ObjectType::BOOT_MANAGER, 0x2500_0004),
            ("bootems", ObjectType::BOOT_MANAGER, 0x1600_0020),
            ("EMS", ObjectType::LOADER, 0x2600_00b0),
            ("emsport", ObjectType::SETTINGS, 0x1500_0022),
            ("emsbaudrate", ObjectType::SETTINGS, 0x1500_0023),
            ("custom:260000B0", ObjectType::SETTINGS, 0x2600_00b0),
            ("0x260000b0", ObjectType::SETTINGS, 0x2600_00b0),
        ];
        for (name, object_type, id) in ids {
            assert_eq!(by_name(name, object_type), Some(ElementId(id)), "{name}");
        }
        assert_eq!(by_name("ems", ObjectType::BOOT_MANAGER), None);
        assert_eq!(by_name("+60000b0", ObjectType::LOADER), None);
    }
}
