//! Filters of device classes that have no service or no driver.

use diskmend_base::utf16;
use diskmend_hive::{Corruption, Hive, ValueType};
use serde::Serialize;

use super::lookup::{FileFault, Lookup};
use super::{MOST_BYTES, Text, image_path, text};
use crate::reading;

/// The greatest number of classes that are read. Windows has about a hundred.
const MOST_CLASSES: usize = 1024;
/// The greatest number of filters of a class. Windows has at most three.
const MOST_FILTERS: usize = 64;

/// A filter without which no device of its class starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrphanFilter {
    /// The key of the class in SYSTEM.
    pub key: String,
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
    whole: bool,
    drive: char,
) -> Result<Vec<OrphanFilter>, Corruption> {
    let classes = format!(r"{set}\Control\Class");
    let mut found = Vec::new();
    let Some(below) = hive.key(&classes)? else {
        return Ok(found);
    };
    // Without services, nothing can be said about them.
    if hive.key(services)?.is_none() {
        return Ok(found);
    }
    for class in below.subkeys()?.take(MOST_CLASSES) {
        let key = format!(r"{classes}\{}", class?.name().in_path());
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
