//! The services and drivers of a Windows, in each of its control sets.

use diskmend_hive::{Corruption, Hive, ValueType};
use serde::Serialize;

use super::{ControlSets, Facts, Failure};
use crate::error::{Error, chain};
use crate::place::HiveName;
use crate::reading;
use crate::value_data::{Readable, ValueData};

/// A service or driver in a control set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The control set, such as `ControlSet001`.
    pub control_set: String,
    /// The name of its key below `Services`.
    pub name: String,
    /// The start type; absent if `Start` is missing or unknown.
    pub start: Option<ServiceStart>,
    /// The number in `Type`: 1 and 2 are drivers, 16 and 32 are services.
    pub service_type: Option<u32>,
    /// Its program or driver as in `ImagePath`, with variables unexpanded.
    pub image_path: Option<String>,
}

/// The time at which a service or driver is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceStart {
    /// By the boot loader (0).
    Boot,
    /// By the kernel (1).
    System,
    /// With Windows (2).
    Automatic,
    /// On demand (3).
    Manual,
    /// Never (4).
    Disabled,
}

impl ServiceStart {
    /// The meaning of a number in `Start`.
    #[must_use]
    pub const fn of(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Boot),
            1 => Some(Self::System),
            2 => Some(Self::Automatic),
            3 => Some(Self::Manual),
            4 => Some(Self::Disabled),
            _ => None,
        }
    }

    /// Its number in `Start`.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Boot => 0,
            Self::System => 1,
            Self::Automatic => 2,
            Self::Manual => 3,
            Self::Disabled => 4,
        }
    }
}

/// All services, in the order of the hive.
pub(super) fn read(facts: &Facts<'_>) -> Result<Vec<Service>, String> {
    let sets = facts.control_sets()?;
    let system = facts.hive(HiveName::System).map_err(Failure::reason)?;
    let found = of_hive(&system.hive, sets);
    found.map_err(|source| chain(&Error::corrupt(system.path())(source)))
}

fn of_hive(hive: &Hive, sets: &ControlSets) -> Result<Vec<Service>, Corruption> {
    let mut services = Vec::new();
    for set in &sets.sets {
        let below = format!(r"{}\Services", set.name);
        let Some(key) = hive.key(&below)? else {
            continue;
        };
        for service in key.subkeys()? {
            let name = service?.name().in_path().to_string();
            let path = format!(r"{below}\{name}");
            let start = reading::dword(hive, &path, "Start")?;
            services.push(Service {
                control_set: set.name.clone(),
                start: start.and_then(ServiceStart::of),
                service_type: reading::dword(hive, &path, "Type")?,
                image_path: reading::value(hive, &path, "ImagePath")?.and_then(text),
                name,
            });
        }
    }
    Ok(services)
}

fn text(data: ValueData) -> Option<String> {
    // The string may contain variables.
    let is_path = matches!(data.value_type, ValueType::SZ | ValueType::EXPAND_SZ);
    match data.readable().filter(|_| is_path) {
        Some(Readable::Text(text)) => Some(text),
        _ => None,
    }
}
