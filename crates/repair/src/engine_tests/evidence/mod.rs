//! Facts that tell why a machine can't be reached, from generated disks: each fault is found, and a
//! healthy disk gives none.

mod asked;
mod causes;
pub(super) mod certificates;
pub(super) mod dumps;
pub(super) mod firewall;
mod policies;
pub(super) mod services;

use super::boot_fixture::hive;
use super::support::{site, with_watch};
use crate::facts::Facts;
use crate::site::Options;
use crate::value_data::ValueData;
use diskmend_disk::testing::FaultyDisk;
use diskmend_hive::{EditError, Editor, ValueType};

const SYSTEM: &str = "Windows/System32/config/SYSTEM";
const SOFTWARE: &str = "Windows/System32/config/SOFTWARE";

/// Asks about the facts of a disk.
fn with_facts<T>(disk: &FaultyDisk, ask: impl FnOnce(&Facts<'_>) -> T) -> T {
    let (site, options) = (site(disk), Options::default());
    with_watch(|watch| ask(&Facts::of(&site, &options, watch.lend())))
}

/// Values of a hive, by key and name.
pub(super) type Values<'a> = [(&'a str, &'a str, ValueData)];

fn set(editor: &mut Editor, values: &Values<'_>) -> Result<(), EditError> {
    for (key, name, data) in values {
        editor.create_key(key)?;
        editor.set_value(key, name, data.value_type, &data.bytes)?;
    }
    Ok(())
}

pub(super) fn number(number: u32) -> ValueData {
    ValueData::dword(number)
}

pub(super) fn text(text: &str) -> ValueData {
    ValueData::text(ValueType::SZ, text)
}

pub(super) fn list(names: &[&str]) -> ValueData {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    ValueData::list(&names)
}

/// A disk with one control set and these values in SYSTEM and SOFTWARE.
pub(super) fn disk(system: &Values<'_>, software: &Values<'_>) -> FaultyDisk {
    let disk = FaultyDisk::new();
    let with_set = |editor: &mut Editor| {
        set(editor, &[("Select", "Current", number(1))])?;
        editor.create_key("ControlSet001")?;
        set(editor, system)
    };
    disk.put(SYSTEM, hive(with_set));
    disk.put(SOFTWARE, hive(|editor| set(editor, software)));
    disk
}
