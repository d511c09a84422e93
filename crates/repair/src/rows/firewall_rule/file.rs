//! The fields of a `[[firewall_rule]]` row as they are written.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

use super::port::{PortFile, PortValueFile};
use super::{Action, Direction, Fault, FirewallRuleRow, Store, known};
use crate::rows::{Wrong, sentence, wrong};

/// The protocols that have a name, and their numbers.
pub(super) const PROTOCOLS: [(&str, u8); 4] =
    [("tcp", 6), ("udp", 17), ("icmpv4", 1), ("icmpv6", 58)];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirewallRuleFile {
    group: Spanned<String>,
    direction: Spanned<String>,
    action: Option<Spanned<String>>,
    protocol: Option<Spanned<String>>,
    store: Option<Spanned<String>>,
    set: Spanned<SetFile>,
    if_missing: Option<Spanned<String>>,
    fault: Option<Spanned<FaultFile>>,
    why: Spanned<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFile {
    active: Option<bool>,
    port: Option<Spanned<PortFile>>,
}

/// A fault as written.
enum FaultFile {
    Word(String),
    PortOtherThan(PortValueFile),
}

/// A fault as a table: one of the two.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultTable {
    is: Option<String>,
    port_other_than: Option<PortValueFile>,
}

impl<'de> Deserialize<'de> for FaultFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrTable;
        impl<'de> Visitor<'de> for WordOrTable {
            type Value = FaultFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"closed\" or a table such as { port_other_than = { .. } }")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<FaultFile, E> {
                Ok(FaultFile::Word(word.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FaultFile, A::Error> {
                let table = FaultTable::deserialize(MapAccessDeserializer::new(map))?;
                match (table.is, table.port_other_than) {
                    (Some(word), None) => Ok(FaultFile::Word(word)),
                    (None, Some(value)) => Ok(FaultFile::PortOtherThan(value)),
                    _ => Err(A::Error::custom("name either is or port_other_than")),
                }
            }
        }
        deserializer.deserialize_any(WordOrTable)
    }
}

/// The meaning of a word.
fn word<T: Copy>(written: &Spanned<String>, known: &[(&str, T)]) -> Result<T, Wrong> {
    let found = known.iter().find(|(word, _)| word == written.get_ref());
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        let text = written.get_ref();
        wrong(written)(format!("no \"{text}\" here: expected {}", words.join(", ")))
    })
}

fn protocol(written: &Spanned<String>) -> Result<u8, Wrong> {
    match written.get_ref().parse() {
        Ok(number) => Ok(number),
        Err(_) => word(written, &PROTOCOLS),
    }
}

impl FirewallRuleFile {
    pub(super) fn read(self) -> Result<FirewallRuleRow, Wrong> {
        let group = self.group.get_ref();
        if group.is_empty() || group.contains(['|', '\0', '\n']) {
            return Err(wrong(&self.group)("this is no group of rules".to_owned()));
        }
        let direction = word(
            &self.direction,
            &[("in", Direction::In), ("out", Direction::Out)],
        )?;
        let actions = [
            ("allow", Action::Allow),
            ("block", Action::Block),
            ("bypass", Action::ByPass),
        ];
        let action = self.action.as_ref().map(|action| word(action, &actions));
        let action = action.transpose()?;
        let number = self.protocol.as_ref().map(protocol).transpose()?;
        let stores = [("local", Store::Local), ("policy", Store::Policy)];
        let store = self.store.as_ref().map(|store| word(store, &stores));
        let store = store.transpose()?.unwrap_or(Store::Local);
        let at = self.set.span();
        let SetFile { active, port } = self.set.into_inner();
        let port = port.map(PortFile::read).transpose()?;
        if active.is_none() && port.is_none() {
            let message = "the row sets nothing: name active or port".to_owned();
            return Err(Wrong { span: at, message });
        }
        let creates = match &self.if_missing {
            None => false,
            Some(written) => {
                let creates = word(written, &[("leave", false), ("create", true)])?;
                let is_known = known::is_known(group, direction, action, number)
                    && store == Store::Local
                    && active == Some(true)
                    && port.is_some();
                if creates && !is_known {
                    return Err(wrong(written)(format!(
                        "only the rule of group {} that allows TCP in can be created, in the local \
                         store, active and with a port",
                        known::REMOTE_DESKTOP
                    )));
                }
                creates
            }
        };
        let fault = match self.fault {
            None => None,
            Some(written) => {
                let span = written.span();
                Some(match written.into_inner() {
                    FaultFile::Word(word) if word == "closed" => Fault::Closed,
                    FaultFile::Word(word) => {
                        let message = format!("no fault \"{word}\": expected \"closed\"");
                        return Err(Wrong { span, message });
                    }
                    FaultFile::PortOtherThan(_) if port.is_none() => {
                        let message = "the row sets no port".to_owned();
                        return Err(Wrong { span, message });
                    }
                    FaultFile::PortOtherThan(value) => Fault::PortOtherThan(value.read()?),
                })
            }
        };
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        Ok(FirewallRuleRow {
            group: self.group.into_inner(),
            direction,
            action,
            protocol: number,
            store,
            active,
            port,
            creates,
            fault,
            why: self.why.into_inner(),
        })
    }
}
