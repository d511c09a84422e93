//! The `[[firewall_rule]]` rows: rules of Windows Firewall that are active, or for a port.

mod file;
mod known;
mod port;
mod text;

use diskmend_base::utf16;
use diskmend_hive::{Corruption, Hive, ValueType};
use serde::Serialize;

use super::{About, Claim, JudgeValues, Kind, Shown, Wrong};
use crate::facts::{self, ClosedBy, ControlSet, Facts};
use crate::finding::{JudgedValue, RowState};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;
use crate::value_data::ValueData;
use file::{FirewallRuleFile, PROTOCOLS};
use port::{Port, PortValue};
use text::RuleText;

/// The rules of the machine, in a control set.
const LOCAL: &str = r"Services\SharedAccess\Parameters\FirewallPolicy";
/// The rules of policies, in SOFTWARE.
const POLICY: &str = r"Policies\Microsoft\WindowsFirewall";
const RULES: &str = "FirewallRules";

/// Rules of a group that are as they should be.
#[derive(Clone, Debug)]
pub struct FirewallRuleRow {
    group: String,
    direction: Direction,
    action: Option<Action>,
    protocol: Option<u8>,
    store: Store,
    /// Whether the rules count; `None` to leave that as it is.
    active: Option<bool>,
    /// The local port of the rules; `None` to leave it as it is. Rules without a single port are
    /// then passed over.
    port: Option<Port>,
    /// True if the rule of Windows is added to a store that has none such.
    creates: bool,
    fault: Option<Fault>,
    why: String,
}

/// The direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

impl Direction {
    const fn field(self) -> &'static str {
        match self {
            Self::In => "In",
            Self::Out => "Out",
        }
    }
}

/// What a rule does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Allow,
    Block,
    ByPass,
}

impl Action {
    const fn field(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Block => "Block",
            Self::ByPass => "ByPass",
        }
    }
}

/// Where rules are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Store {
    /// In the machine's own store, in each control set.
    Local,
    /// In the store that policies fill.
    Policy,
}

/// When a rule that differs is evidence of a fault.
#[derive(Clone, Debug)]
enum Fault {
    /// Remote Desktop is switched on, and no active rule lets anybody in to its port.
    Closed,
    /// The active rule is for another port than this value says, and no other rule lets anybody in
    /// to that port.
    PortOtherThan(PortValue),
}

impl Kind for FirewallRuleRow {
    type Written = FirewallRuleFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: FirewallRuleFile) -> Result<Self, Wrong> {
        written.read()
    }

    fn about(&self) -> About<'_> {
        let hive = match self.store {
            Store::Local => HiveName::System,
            Store::Policy => HiveName::Software,
        };
        About::Values(hive, self)
    }

    /// The rules that it will be about aren't known before the disk is read.
    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            group: &self.group,
            direction: self.direction.field(),
            action: self.action.map(Action::field),
            protocol: self.protocol,
            policy: self.store == Store::Policy,
            active: self.active,
            port: self.port.as_ref(),
            create_if_missing: self.creates,
            can_be_fault: self.fault.is_some(),
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        let protocol = self.protocol.map(|number| {
            let known = PROTOCOLS.iter().find(|(_, known)| *known == number);
            known.map_or_else(|| number.to_string(), |(word, _)| (*word).to_owned())
        });
        let protocol = protocol.map_or_else(String::new, |protocol| format!(", {protocol}"));
        let policy = match self.store {
            Store::Local => "",
            Store::Policy => " of policies",
        };
        let active = self.active.map(|active| format!("active = {active}"));
        let port = self.port.as_ref().map(|port| format!("port = {port}"));
        let missing = self.creates.then(|| "created if missing".to_owned());
        Shown {
            place: format!("Firewall rules{policy} of {}{protocol}", self.group),
            lines: [active, port, missing].into_iter().flatten().collect(),
        }
    }
}

impl JudgeValues for FirewallRuleRow {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let Ok(sets) = facts.control_sets() else {
            return Ok(Vec::new());
        };
        let starting = sets.next();
        let mut judged = Vec::new();
        match self.store {
            Store::Local => {
                for set in &sets.sets {
                    let store = format!(r"{}\{LOCAL}", set.name);
                    let starts = starting == Some(set);
                    self.judge_store(&hive.hive, facts, &store, set, starts, &mut judged)?;
                }
            }
            Store::Policy => {
                if let Some(set) = starting {
                    self.judge_store(&hive.hive, facts, POLICY, set, true, &mut judged)?;
                    for one in &mut judged {
                        one.in_current_set = None;
                    }
                }
            }
        }
        Ok(judged)
    }
}

impl FirewallRuleRow {
    /// Judges the rules of a store. `starts` is true if Windows will start from the control set.
    fn judge_store(
        &self,
        hive: &Hive,
        facts: &Facts<'_>,
        store: &str,
        set: &ControlSet,
        starts: bool,
        judged: &mut Vec<JudgedValue>,
    ) -> Result<(), Corruption> {
        let key = format!(r"{store}\{RULES}");
        let Some(rules) = hive.key(&key)?.filter(|key| !key.has_predefined_handle()) else {
            return Ok(());
        };
        let port = match &self.port {
            None => None,
            Some(port) => match port.get(facts, set)? {
                None => return Ok(()),
                port => port,
            },
        };
        let is_closed = starts && self.is_closed(facts, hive, &key, set)?;
        let mut is_missing = true;
        for value in rules.values()?.take(facts::MOST_RULES) {
            let value = value?;
            if value.data_type() != ValueType::SZ || value.data_len() > facts::MOST_RULE_BYTES {
                continue;
            }
            let current = ValueData {
                value_type: value.data_type(),
                bytes: value.data()?.into_owned(),
            };
            let text = utf16::decode_to_nul(&current.bytes);
            let Some(rule) = text.as_deref().and_then(RuleText::parse) else {
                continue;
            };
            if !self.is_about(&rule) {
                continue;
            }
            is_missing = false;
            let Some(wanted) = self.wanted(&rule, port) else {
                continue;
            };
            let is_right = wanted == rule;
            let is_fault = is_closed && !is_right && self.is_at_fault(&rule, facts, set)?;
            judged.push(JudgedValue {
                key: key.clone(),
                value: value.name().escaped().to_string(),
                in_current_set: Some(set.current),
                desired: if is_right {
                    current.clone().into()
                } else {
                    ValueData::text(ValueType::SZ, &wanted.text()).into()
                },
                current: Some(current),
                subtree: None,
                bits: None,
                state: match (is_right, is_fault) {
                    (true, _) => RowState::Ok,
                    (false, true) => RowState::Fault,
                    (false, false) => RowState::Differs,
                },
            });
        }
        if is_missing
            && self.creates
            && let Some(port) = port
        {
            judged.extend(self.created(hive, facts, store, set, (port, is_closed))?);
        }
        Ok(())
    }

    fn is_about(&self, rule: &RuleText) -> bool {
        rule.is_of_group(&self.group)
            && rule.is(self.direction, self.action)
            && rule.is_for(self.protocol)
    }

    /// The rule as it should be; `None` if it is passed over.
    fn wanted(&self, rule: &RuleText, port: Option<u16>) -> Option<RuleText> {
        let mut wanted = rule.clone();
        if let Some(port) = port {
            rule.port()?;
            wanted.set_port(port);
        }
        if let Some(active) = self.active {
            rule.active()?;
            wanted.set_active(active);
        }
        Some(wanted)
    }

    /// True if the port is closed in the way that is a fault.
    fn is_closed(
        &self,
        facts: &Facts<'_>,
        hive: &Hive,
        rules: &str,
        set: &ControlSet,
    ) -> Result<bool, Corruption> {
        match &self.fault {
            None => Ok(false),
            Some(Fault::Closed) => {
                let closed = facts.closed_port().ok().flatten();
                // Against anything else, a rule that allows helps nothing.
                Ok(closed.is_some_and(|closed| {
                    matches!(closed.by, ClosedBy::NoRule | ClosedBy::OtherPort)
                }))
            }
            Some(Fault::PortOtherThan(value)) => {
                let Some(port) = value.get(facts, set)? else {
                    return Ok(false);
                };
                if facts::is_admitted(hive, rules, port)? {
                    return Ok(false);
                }
                let other = match self.store {
                    Store::Local => (HiveName::Software, format!(r"{POLICY}\{RULES}")),
                    Store::Policy => (HiveName::System, format!(r"{}\{LOCAL}\{RULES}", set.name)),
                };
                // Without the other store, it isn't known if a rule there lets somebody in.
                let Ok(opened) = facts.hive(other.0) else {
                    return Ok(false);
                };
                Ok(!facts::is_admitted(&opened.hive, &other.1, port)?)
            }
        }
    }

    /// True if this rule is the reason why the port is closed.
    fn is_at_fault(
        &self,
        rule: &RuleText,
        facts: &Facts<'_>,
        set: &ControlSet,
    ) -> Result<bool, Corruption> {
        match &self.fault {
            Some(Fault::PortOtherThan(value)) => {
                let port = value.get(facts, set)?;
                Ok(rule.active() == Some(true) && rule.port() != port)
            }
            _ => Ok(true),
        }
    }

    /// The rule of Windows itself, for a store that has lost it.
    fn created(
        &self,
        hive: &Hive,
        facts: &Facts<'_>,
        store: &str,
        set: &ControlSet,
        (port, is_closed): (u16, bool),
    ) -> Result<Option<JudgedValue>, Corruption> {
        let version = reading::dword(hive, store, "PolicyVersion")?;
        let (Some(version), Ok(build)) = (version, facts.build()) else {
            return Ok(None);
        };
        let Some((name, text)) = known::rule(build, version, port) else {
            return Ok(None);
        };
        let key = format!(r"{store}\{RULES}");
        // The name is taken: by a rule of another group, or by something that is no rule.
        if reading::value(hive, &key, name)?.is_some() {
            return Ok(None);
        }
        Ok(Some(JudgedValue {
            key,
            value: name.to_owned(),
            in_current_set: Some(set.current),
            desired: ValueData::text(ValueType::SZ, &text).into(),
            current: None,
            subtree: None,
            bits: None,
            state: if is_closed {
                RowState::Fault
            } else {
                RowState::Missing
            },
        }))
    }
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    group: &'a str,
    direction: &'static str,
    action: Option<&'static str>,
    protocol: Option<u8>,
    policy: bool,
    active: Option<bool>,
    port: Option<&'a Port>,
    create_if_missing: bool,
    can_be_fault: bool,
    why: &'a str,
}
