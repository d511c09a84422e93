//! Whether Windows Firewall lets clients in to the port on which Remote Desktop listens.

mod group;
mod rule;

use diskmend_base::utf16;
use diskmend_hive::{Corruption, Hive, ValueType};

use super::{Facts, Failure};
use crate::error::{Error, chain};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;
pub(crate) use group::GroupRule;
pub(super) use group::read as rules_of_group;
pub(crate) use rule::Profile;
use rule::Rule;
pub(crate) use rule::{MOST_CHARS as MOST_RULE_CHARS, MOST_FIELDS as MOST_RULE_FIELDS};

/// The port if RDP-Tcp says nothing else.
const USUAL_PORT: u16 = 3389;
/// The greatest number of rules of one store. Windows has some hundreds.
pub(crate) const MOST_RULES: usize = 20_000;
/// The greatest length of a rule's value, in bytes.
pub(crate) const MOST_RULE_BYTES: usize = 32 << 10;
/// The greatest number of rules that are shown.
const MOST_SHOWN: usize = 10;
/// The group of the rules for Remote Desktop since Windows 7, by the number of its name.
const GROUP: &str = "@FirewallAPI.dll,-28752";
/// The settings and rules of the machine, in a control set.
const LOCAL: &str = r"Services\SharedAccess\Parameters\FirewallPolicy";
/// The key of the rules in either.
const RULES: &str = "FirewallRules";
/// Policies of Windows Firewall, in SOFTWARE.
const POLICY: &str = r"Policies\Microsoft\WindowsFirewall";
/// Policies of Remote Desktop, in SOFTWARE.
const DESKTOP_POLICY: &str = r"Policies\Microsoft\Windows NT\Terminal Services";

/// What keeps every client from the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    /// "Block all incoming connections": no rule counts.
    BlockAll,
    /// A rule that blocks the port.
    BlockRule,
    /// A policy by which local rules do not count.
    LocalRulesIgnored,
    /// The active rules of Remote Desktop are for another port.
    OtherPort,
    /// No active rule lets anybody in.
    NoRule,
}

/// The port of Remote Desktop, closed in every profile though Remote Desktop is switched on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedPort {
    /// The port.
    pub port: u16,
    /// What keeps clients out.
    pub by: ClosedBy,
    /// The keys or values that say so, each with what they say.
    pub seen: Vec<(String, String)>,
}

/// A store of settings and rules: of the machine, or of a policy.
struct Store {
    /// Its key, for display.
    place: String,
    profiles: Vec<Settings>,
    /// The names of the rules, and the rules.
    rules: Vec<(String, Rule)>,
}

/// The settings of a profile. Each is absent if the store does not say.
struct Settings {
    profile: Profile,
    key: String,
    on: Option<bool>,
    blocks_all: Option<bool>,
    allows_by_default: Option<bool>,
    merges_local: Option<bool>,
}

/// Reads whether the port is closed; `None` if it is not, if Remote Desktop is switched off, or if
/// this Windows has no such firewall.
pub(super) fn read(facts: &Facts<'_>) -> Result<Option<ClosedPort>, String> {
    let sets = facts.control_sets()?;
    let set = sets.starting_set()?;
    let system = facts.hive(HiveName::System).map_err(Failure::reason)?;
    let software = facts.hive(HiveName::Software).map_err(Failure::reason)?;
    let at = |opened: &HiveOnDisk| {
        let path = opened.path().to_owned();
        move |source| chain(&Error::corrupt(&path)(source))
    };
    let desktop = format!(r"{}\Control\Terminal Server", set.name);
    let local = reading::dword(&system.hive, &desktop, "fDenyTSConnections").map_err(at(system))?;
    let policy = reading::dword(&software.hive, DESKTOP_POLICY, "fDenyTSConnections");
    // The policy wins.
    if policy.map_err(at(software))?.or(local) != Some(0) {
        return Ok(None);
    }
    let listener = format!(r"{desktop}\WinStations\RDP-Tcp");
    let port = reading::dword(&system.hive, &listener, "PortNumber").map_err(at(system))?;
    let Ok(port) = u16::try_from(port.unwrap_or(USUAL_PORT.into())) else {
        return Ok(None);
    };
    let key = format!(r"{}\{LOCAL}", set.name);
    let rules = system.hive.key(&format!(r"{key}\{RULES}"));
    if rules.map_err(at(system))?.is_none() {
        return Ok(None);
    }
    let local = Store::read(&system.hive, "SYSTEM", &key).map_err(at(system))?;
    let policy = Store::read(&software.hive, "SOFTWARE", POLICY).map_err(at(software))?;
    Ok(judge(port, &local, &policy))
}

impl Store {
    fn read(hive: &Hive, name: &str, key: &str) -> Result<Self, Corruption> {
        let mut profiles = Vec::new();
        for profile in Profile::ALL {
            for below in profile.keys() {
                let key = format!(r"{key}\{below}");
                let flag = |name| -> Result<Option<bool>, Corruption> {
                    let number = reading::dword(hive, &key, name)?;
                    Ok(number.map(|number| number != 0))
                };
                let blocks_by_default = flag("DefaultInboundAction")?;
                profiles.push(Settings {
                    profile,
                    on: flag("EnableFirewall")?,
                    blocks_all: flag("DoNotAllowExceptions")?,
                    allows_by_default: blocks_by_default.map(|blocks| !blocks),
                    merges_local: flag("AllowLocalPolicyMerge")?,
                    key: format!(r"{name}\{key}"),
                });
            }
        }
        let key = format!(r"{key}\{RULES}");
        let rules = rules_of(hive, &key)?;
        Ok(Self {
            place: format!(r"{name}\{key}"),
            profiles,
            rules,
        })
    }

    /// A setting of a profile, and the key that says it.
    fn setting(
        &self,
        profile: Profile,
        get: impl Fn(&Settings) -> Option<bool>,
    ) -> Option<(bool, &str)> {
        let mut settings = self.profiles.iter();
        settings.find_map(|settings| {
            let value = get(settings).filter(|_| settings.profile == profile)?;
            Some((value, settings.key.as_str()))
        })
    }

    fn matching(&self, test: impl Fn(&Rule) -> bool) -> Vec<(String, String)> {
        let found = self.rules.iter().filter(|(_, rule)| test(rule));
        found
            .map(|(name, _)| (self.place.clone(), name.clone()))
            .collect()
    }
}

/// The rules of a key, by their names.
fn rules_of(hive: &Hive, key: &str) -> Result<Vec<(String, Rule)>, Corruption> {
    let mut rules = Vec::new();
    if let Some(found) = hive.key(key)?.filter(|key| !key.has_predefined_handle()) {
        for value in found.values()?.take(MOST_RULES) {
            let value = value?;
            if value.data_type() != ValueType::SZ || value.data_len() > MOST_RULE_BYTES {
                continue;
            }
            let text = utf16::decode_to_nul(&value.data()?);
            if let Some(rule) = text.as_deref().and_then(Rule::parse) {
                rules.push((value.name().escaped().to_string(), rule));
            }
        }
    }
    Ok(rules)
}

/// True if a rule of this key lets clients in to the port, in any profile.
pub(crate) fn is_admitted(hive: &Hive, rules: &str, port: u16) -> Result<bool, Corruption> {
    let rules = rules_of(hive, rules)?;
    let admits = |rule: &Rule| {
        Profile::ALL
            .iter()
            .any(|profile| rule.admits(port, *profile))
    };
    Ok(rules.iter().any(|(_, rule)| admits(rule)))
}

fn judge(port: u16, local: &Store, policy: &Store) -> Option<ClosedPort> {
    let (mut block_all, mut block_rules, mut ignored) = (Vec::new(), Vec::new(), Vec::new());
    for profile in Profile::ALL {
        // A policy wins over the machine's own setting.
        let setting = |get: fn(&Settings) -> Option<bool>| {
            policy
                .setting(profile, get)
                .or_else(|| local.setting(profile, get))
        };
        let is = |found: Option<(bool, &str)>, otherwise| found.map_or(otherwise, |(is, _)| is);
        if !is(setting(|settings| settings.on), true) {
            return None;
        }
        let merge = policy.setting(profile, |settings| settings.merges_local);
        let local_counts = is(merge, true);
        let admits = |rule: &Rule| rule.admits(port, profile);
        let by_policy = policy.rules.iter().any(|(_, rule)| admits(rule));
        let by_local = local.rules.iter().any(|(_, rule)| admits(rule));
        let by_default = is(setting(|settings| settings.allows_by_default), false);
        let admitted = by_policy || by_default || (by_local && local_counts);
        if !admitted {
            if let Some((_, key)) = merge.filter(|_| by_local) {
                ignored.push((key.to_owned(), "AllowLocalPolicyMerge is 0".to_owned()));
            }
            continue;
        }
        if let Some((true, key)) = setting(|settings| settings.blocks_all) {
            block_all.push((key.to_owned(), "DoNotAllowExceptions is 1".to_owned()));
            continue;
        }
        let stores = [Some(policy), Some(local).filter(|_| local_counts)];
        let blocks = stores
            .into_iter()
            .flatten()
            .flat_map(|store| store.matching(|rule| rule.blocks(port, profile)));
        let blocks: Vec<_> = blocks.collect();
        if blocks.is_empty() {
            return None;
        }
        block_rules.extend(blocks);
    }
    let (by, seen) = [
        (ClosedBy::BlockAll, block_all),
        (ClosedBy::BlockRule, block_rules),
        (ClosedBy::LocalRulesIgnored, ignored),
    ]
    .into_iter()
    .find(|(_, seen)| !seen.is_empty())
    .unwrap_or_else(|| not_admitted(port, local));
    let mut shown: Vec<(String, String)> = Vec::new();
    for seen in seen {
        if shown.len() < MOST_SHOWN && !shown.contains(&seen) {
            shown.push(seen);
        }
    }
    Some(ClosedPort {
        port,
        by,
        seen: shown,
    })
}

/// No active rule admits anybody: the rules of Remote Desktop are for another port, or inactive.
fn not_admitted(port: u16, local: &Store) -> (ClosedBy, Vec<(String, String)>) {
    let of_desktop = |rule: &Rule| rule.group.as_deref() == Some(GROUP) && rule.names_ports();
    let other = local.matching(|rule| of_desktop(rule) && rule.active && !rule.has(port));
    if !other.is_empty() {
        let seen = other.into_iter();
        let seen = seen.map(|(key, name)| (key, format!("{name} is for another port than {port}")));
        return (ClosedBy::OtherPort, seen.collect());
    }
    let inactive = local.matching(|rule| of_desktop(rule) && rule.has(port));
    let mut seen: Vec<_> = inactive
        .into_iter()
        .map(|(key, name)| (key, format!("{name} is not active")))
        .collect();
    if seen.is_empty() {
        let found = format!("no rule for port {port}");
        seen.push((local.place.clone(), found));
    }
    (ClosedBy::NoRule, seen)
}

/// Reads untrusted text as a rule of the firewall.
#[cfg(feature = "fuzzing")]
pub(super) fn fuzz(text: &str) {
    if let Some(rule) = Rule::parse(text) {
        for profile in Profile::ALL {
            let both = rule.admits(USUAL_PORT, profile) && rule.blocks(USUAL_PORT, profile);
            assert!(!both, "a rule lets clients in or keeps them out: {text:?}");
        }
    }
}
