//! The port that a rule is for: a number, or what a value of the registry says.

use std::fmt;

use diskmend_hive::Corruption;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use toml::Spanned;

use super::super::written::value_name;
use super::super::{Wrong, wrong};
use crate::facts::{ControlSet, Facts};
use crate::place::HiveName;
use crate::reading;
use crate::written::KeyPattern;

/// A port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// This one.
    Number(u16),
    /// The one that a value says.
    Of(PortValue),
}

/// A value of SYSTEM that says a port, in the same control set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PortValue {
    key: KeyPattern,
    value: String,
}

impl Port {
    /// The port; `None` if the value says none.
    pub(super) fn get(
        &self,
        facts: &Facts<'_>,
        set: &ControlSet,
    ) -> Result<Option<u16>, Corruption> {
        match self {
            Self::Number(port) => Ok(Some(*port)),
            Self::Of(value) => value.get(facts, set),
        }
    }
}

impl PortValue {
    /// The port; `None` if the value is missing or no port.
    pub(super) fn get(
        &self,
        facts: &Facts<'_>,
        set: &ControlSet,
    ) -> Result<Option<u16>, Corruption> {
        let Ok(system) = facts.hive(HiveName::System) else {
            return Ok(None);
        };
        let sets = [set.name.clone()];
        let keys = self.key.resolve_in(&system.hive, &sets)?;
        let [key] = keys.as_slice() else {
            return Ok(None);
        };
        let number = reading::dword(&system.hive, key, &self.value)?;
        let port = number.and_then(|number| u16::try_from(number).ok());
        Ok(port.filter(|port| *port != 0))
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(port) => port.fmt(f),
            Self::Of(PortValue { key, value }) => write!(f, "{value} of {key}"),
        }
    }
}

impl Serialize for Port {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(port) => serializer.serialize_u16(*port),
            Self::Of(_) => serializer.collect_str(self),
        }
    }
}

/// A port as written.
pub(super) enum PortFile {
    Number(i64),
    /// A number as text, as a parameter gives it.
    Text(String),
    Of(PortValueFile),
}

/// A value that says a port, as written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PortValueFile {
    hive: Spanned<String>,
    key: Spanned<String>,
    value: Spanned<String>,
}

impl PortFile {
    pub(super) fn read(this: Spanned<Self>) -> Result<Port, Wrong> {
        let span = this.span();
        let none = |text: String| Wrong {
            span: span.clone(),
            message: format!("{text} is no port: expected a number from 1 to 65535"),
        };
        let number = |number: Option<u16>, text: String| {
            let number = number.filter(|number| *number != 0);
            number.map(Port::Number).ok_or_else(|| none(text))
        };
        match this.into_inner() {
            Self::Number(written) => number(u16::try_from(written).ok(), written.to_string()),
            Self::Text(text) => number(text.parse().ok(), format!("\"{text}\"")),
            Self::Of(value) => Ok(Port::Of(value.read()?)),
        }
    }
}

impl PortValueFile {
    pub(super) fn read(self) -> Result<PortValue, Wrong> {
        let hive = HiveName::parse(self.hive.get_ref()).map_err(wrong(&self.hive))?;
        if hive != HiveName::System {
            return Err(wrong(&self.hive)(
                "ports are read from SYSTEM only".to_owned(),
            ));
        }
        let key = KeyPattern::parse(hive, self.key.get_ref()).map_err(wrong(&self.key))?;
        value_name(self.value.get_ref()).map_err(wrong(&self.value))?;
        Ok(PortValue {
            key,
            value: self.value.into_inner(),
        })
    }
}

impl<'de> Deserialize<'de> for PortFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyForm;
        impl<'de> Visitor<'de> for AnyForm {
            type Value = PortFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port, or a table such as { hive = .., key = .., value = .. }")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<PortFile, E> {
                Ok(PortFile::Number(number))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<PortFile, E> {
                Ok(PortFile::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PortFile, A::Error> {
                let table = MapAccessDeserializer::new(map);
                PortValueFile::deserialize(table).map(PortFile::Of)
            }
        }
        deserializer.deserialize_any(AnyForm)
    }
}
