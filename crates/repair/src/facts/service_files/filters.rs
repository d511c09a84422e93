//! Filters of device classes and of single devices that have no service or no driver.

use std::collections::BTreeSet;

use diskmend_base::utf16;
use diskmend_hive::{Corruption, Hive, ValueType};
use serde::Serialize;

use super::lookup::{FileFault, Lookup};
use super::{MOST_BYTES, Text, image_path, text};
use crate::reading;

/// The greatest number of classes that are read. Windows has about a hundred.
const MOST_CLASSES: usize = 1024;
/// The depth below `Enum` of an instance of a device of a bus.
const DEVICE_DEPTH: usize = 3;
/// The greatest number of devices. A server that makes a shadow copy every hour leaves tens of
/// thousands.
const MOST_DEVICES: usize = 100_000;
/// The greatest number of filters of a class. Windows has at most three.
const MOST_FILTERS: usize = 64;

/// A filter without which no device of its class, or not its own device, starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrphanFilter {
    /// The key of the class or the device in SYSTEM.
    pub key: String,
    /// The class, such as `{4d36e967-e325-11ce-bfc1-08002be10318}`; empty if a device has none.
    pub class: String,
    /// True if it is a filter of one device only.
    pub of_device: bool,
    /// The value that names it: `UpperFilters` or `LowerFilters`.
    pub value: &'static str,
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub fault: FilterFault,
}

/// What is wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FilterFault {
    /// There is no service of its name.
    NoService,
    /// The file of its driver, by its path from the root of the volume.
    File(String, FileFault),
}

/// The filters that are wrong. Files are only looked for on a whole volume.
pub(super) fn read(
    hive: &Hive,
    set: &str,
    services: &str,
    lookup: &mut Lookup<'_>,
    (whole, drive): (bool, char),
    unknown: &mut Vec<String>,
) -> Result<Vec<OrphanFilter>, Corruption> {
    let mut found = Vec::new();
    // Without services, nothing can be said about them.
    if hive.key(services)?.is_none() {
        return Ok(found);
    }
    for Owner {
        key,
        class,
        of_device,
    } in owners(hive, set, unknown)?
    {
        for value in ["UpperFilters", "LowerFilters"] {
            for name in list(hive, &key, value)? {
                let service = format!(r"{services}\{name}");
                let fault = if name.contains('\\') || hive.key(&service)?.is_none() {
                    Some(FilterFault::NoService)
                } else if whole {
                    let path = match text(hive, &service, "ImagePath")? {
                        Text::Odd => None,
                        Text::Absent => image_path::of_driver(None, &name, drive),
                        Text::Is(path) => image_path::of_driver(Some(&path), &name, drive),
                    };
                    let fault = |path: Vec<String>| {
                        let fault = lookup.fault(&path)?;
                        Some(FilterFault::File(path.join("/"), fault))
                    };
                    path.and_then(fault)
                } else {
                    None
                };
                if let Some(fault) = fault {
                    found.push(OrphanFilter {
                        key: key.clone(),
                        class: match &class {
                            Some(class) => class.clone(),
                            None => class_of(hive, &key)?,
                        },
                        of_device,
                        value,
                        name,
                        fault,
                    });
                }
            }
        }
    }
    Ok(found)
}

/// A class or a device.
struct Owner {
    key: String,
    /// The class; absent if it must be looked up.
    class: Option<String>,
    of_device: bool,
}

/// The classes, and the devices that are or were connected.
fn owners(hive: &Hive, set: &str, unknown: &mut Vec<String>) -> Result<Vec<Owner>, Corruption> {
    let mut owners = Vec::new();
    let classes = format!(r"{set}\Control\Class");
    if let Some(below) = hive.key(&classes)? {
        for class in below.subkeys()?.take(MOST_CLASSES) {
            let class = class?.name().in_path().to_string();
            owners.push(Owner {
                key: format!(r"{classes}\{class}"),
                class: Some(class),
                of_device: false,
            });
        }
    }
    // The instances of the devices of the buses.
    let mut keys = vec![format!(r"{set}\Enum")];
    for _ in 0..DEVICE_DEPTH {
        let mut below = Vec::new();
        for above in &keys {
            let Some(key) = hive.key(above)?.filter(|key| !key.has_predefined_handle()) else {
                continue;
            };
            for subkey in key.subkeys()? {
                if below.len() == MOST_DEVICES {
                    unknown.push(format!(
                        "the filters of devices were not looked for: there are more than \
                         {MOST_DEVICES}"
                    ));
                    return Ok(owners);
                }
                below.push(format!(r"{above}\{}", subkey?.name().in_path()));
            }
        }
        keys = below;
    }
    owners.extend(keys.into_iter().map(|key| Owner {
        key,
        class: None,
        of_device: true,
    }));
    Ok(owners)
}

/// The class of a device.
fn class_of(hive: &Hive, device: &str) -> Result<String, Corruption> {
    Ok(match text(hive, device, "ClassGUID")? {
        Text::Is(class) => class,
        Text::Absent | Text::Odd => String::new(),
    })
}

/// The names of all filters of classes and of single devices in a control set, in lower case.
///
/// `None` if there are more of them than are read.
pub(crate) fn all_names(hive: &Hive, set: &str) -> Result<Option<BTreeSet<String>>, Corruption> {
    let mut unknown = Vec::new();
    let owners = owners(hive, set, &mut unknown)?;
    let classes = owners.iter().filter(|owner| !owner.of_device).count();
    if !unknown.is_empty() || classes == MOST_CLASSES {
        return Ok(None);
    }
    let mut names = BTreeSet::new();
    for owner in &owners {
        for value in ["UpperFilters", "LowerFilters"] {
            let listed = list(hive, &owner.key, value)?.into_iter();
            names.extend(listed.map(|name| name.to_lowercase()));
        }
    }
    Ok(Some(names))
}

/// The strings of a `REG_MULTI_SZ`; how it ends does not matter.
fn list(hive: &Hive, key: &str, name: &str) -> Result<Vec<String>, Corruption> {
    let data = reading::short_value(hive, key, name, MOST_BYTES)?;
    let Some(data) = data.filter(|data| data.value_type == ValueType::MULTI_SZ) else {
        return Ok(Vec::new());
    };
    // Windows finds no filter by what is no text.
    let Some(text) = utf16::decode(&data.bytes) else {
        return Ok(Vec::new());
    };
    let strings = text.split('\0').filter(|string| !string.is_empty());
    Ok(strings.take(MOST_FILTERS).map(str::to_owned).collect())
}
