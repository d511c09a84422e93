//! A rule of Windows Firewall as text, and changes of its single fields (MS-GPFAS 2.2.2.19).
//!
//! Only what is understood is changed: a rule with a field twice, or with ports that differ from each
//! other, stays as it is. All other fields, their order and the version stay in any case.

use super::{Action, Direction};
use crate::facts::{MOST_RULE_CHARS, MOST_RULE_FIELDS};

/// The field that names the group of a rule.
const GROUP: &str = "EmbedCtxt";
const LOCAL_PORT: &str = "LPort";

/// A rule, split into its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RuleText {
    /// The version, then the fields as they are written.
    parts: Vec<String>,
}

impl RuleText {
    /// Splits a rule; `None` if it isn't well-formed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > MOST_RULE_CHARS {
            return None;
        }
        let body = text.strip_suffix('|')?;
        let parts: Vec<String> = body.split('|').map(str::to_owned).collect();
        let (version, fields) = parts.split_first()?;
        let (major, minor) = version.strip_prefix('v')?.split_once('.')?;
        let is_number = |text: &str| text.parse::<u8>().is_ok();
        let is_field = |field: &String| {
            field
                .split_once('=')
                .is_some_and(|(name, _)| !name.is_empty())
        };
        let is_whole = is_number(major)
            && is_number(minor)
            && fields.len() <= MOST_RULE_FIELDS
            && fields.iter().all(is_field);
        is_whole.then_some(Self { parts })
    }

    /// The text as it is stored.
    pub(super) fn text(&self) -> String {
        let mut text = self.parts.join("|");
        text.push('|');
        text
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let fields = self.parts.iter().skip(1);
        let fields = fields.filter_map(|field| field.split_once('='));
        fields.filter_map(move |(field, value)| (field == name).then_some(value))
    }

    /// The value of a field that a rule has once; `None` if it is missing or there are several.
    fn value<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    pub(super) fn is_of_group(&self, group: &str) -> bool {
        self.value(GROUP) == Some(group)
    }

    pub(super) fn is(&self, direction: Direction, action: Option<Action>) -> bool {
        let found = self.value("Action");
        self.value("Dir") == Some(direction.field())
            && match action {
                None => found.is_some(),
                Some(action) => found == Some(action.field()),
            }
    }

    /// True if the rule is for this protocol. A rule without one is for all.
    pub(super) fn is_for(&self, protocol: Option<u8>) -> bool {
        protocol.is_none_or(|protocol| {
            let found = self.value("Protocol");
            found.and_then(|found| found.parse().ok()) == Some(protocol)
        })
    }

    /// Whether the rule counts; `None` if it doesn't say so in the form that Windows writes.
    pub(super) fn active(&self) -> Option<bool> {
        match self.value("Active")? {
            "TRUE" => Some(true),
            "FALSE" => Some(false),
            _ => None,
        }
    }

    /// The local port of a rule for a single one.
    pub(super) fn port(&self) -> Option<u16> {
        let is_more = |field: &String| {
            let name = field.split_once('=').map(|(name, _)| name);
            name.is_some_and(|name| name.starts_with(LOCAL_PORT) && name != LOCAL_PORT)
        };
        let mut ports = self.values(LOCAL_PORT);
        let first = ports.next()?;
        let is_one = ports.all(|other| other == first) && !self.parts.iter().any(is_more);
        first.parse().ok().filter(|_| is_one)
    }

    /// Sets whether a rule counts. The rule says so already.
    pub(super) fn set_active(&mut self, active: bool) {
        let value = if active { "TRUE" } else { "FALSE" };
        self.set("Active", value);
    }

    /// Sets the port of a rule that has one.
    pub(super) fn set_port(&mut self, port: u16) {
        self.set(LOCAL_PORT, &port.to_string());
    }

    fn set(&mut self, name: &str, value: &str) {
        for part in self.parts.iter_mut().skip(1) {
            let is_it = part.split_once('=').is_some_and(|(field, _)| field == name);
            if is_it {
                *part = format!("{name}={value}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: &str = "v2.30|Action=Allow|Active=FALSE|Dir=In|Protocol=6|LPort=3389|\
                       App=%SystemRoot%\\system32\\svchost.exe|Svc=termservice|Name=@FirewallAPI.dll,-28775|\
                       Desc=@FirewallAPI.dll,-28756|EmbedCtxt=@FirewallAPI.dll,-28752|";
    const GROUP: &str = "@FirewallAPI.dll,-28752";

    fn rule(text: &str) -> RuleText {
        RuleText::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn single_fields_change_and_the_rest_stays() {
        let mut ten = rule(TEN);
        assert_eq!(ten.text(), TEN);
        assert!(ten.is_of_group(GROUP) && ten.is(Direction::In, Some(Action::Allow)));
        assert!(ten.is_for(Some(6)) && ten.is_for(None) && !ten.is_for(Some(17)));
        assert_eq!((ten.active(), ten.port()), (Some(false), Some(3389)));
        ten.set_active(true);
        ten.set_port(33890);
        let expected = TEN.replace("FALSE", "TRUE").replace("3389", "33890");
        assert_eq!(ten.text(), expected);
    }

    #[test]
    fn texts_in_names_and_unknown_fields_are_not_looked_into() {
        let odd = TEN.replace(
            "Name=@FirewallAPI.dll,-28775",
            "Name=Active=TRUE LPort=1|NewField2_99=LPort=3389",
        );
        let mut found = rule(&odd);
        assert_eq!((found.active(), found.port()), (Some(false), Some(3389)));
        found.set_port(1);
        assert_eq!(
            found.text(),
            odd.replacen("LPort=3389|App", "LPort=1|App", 1)
        );
    }

    #[test]
    fn what_is_not_understood_has_no_port_and_no_switch() {
        for (from, to, active, port) in [
            ("LPort=3389|", "", Some(false), None),
            (
                "LPort=3389",
                "LPort=3389|LPort=3389",
                Some(false),
                Some(3389),
            ),
            ("LPort=3389", "LPort=3389|LPort=3390", Some(false), None),
            ("LPort=3389", "LPort=RPC", Some(false), None),
            ("LPort=3389", "LPort=3389|LPort2_10=1-2", Some(false), None),
            ("LPort=3389", "LPort2_10=3389-3390", Some(false), None),
            ("Active=FALSE", "Active=false", None, Some(3389)),
            ("Active=FALSE", "Active=FALSE|Active=TRUE", None, Some(3389)),
            ("Active=FALSE|", "", None, Some(3389)),
        ] {
            let found = rule(&TEN.replacen(from, to, 1));
            assert_eq!((found.active(), found.port()), (active, port), "{to}");
        }
        let twice = TEN.replace("Dir=In", "Dir=In|Dir=Out");
        assert!(!rule(&twice).is(Direction::In, None));
        let groups = format!("{TEN}EmbedCtxt={GROUP}|");
        assert!(!rule(&groups).is_of_group(GROUP));
    }

    #[test]
    fn what_is_no_rule_is_not_read() {
        let long = format!("{TEN}A={}|", "a".repeat(MOST_RULE_CHARS));
        let many = format!("{TEN}{}", "a=b|".repeat(MOST_RULE_FIELDS));
        for bad in [
            "",
            "|",
            "v2|A=B|",
            "2.10|A=B|",
            "v2.x|A=B|",
            "v2.10|A=B",
            "v2.10|noise|",
            "v2.10|=a|",
            "v2.10||",
            &long,
            &many,
        ] {
            assert_eq!(RuleText::parse(bad), None, "{bad:?}");
        }
    }
}
