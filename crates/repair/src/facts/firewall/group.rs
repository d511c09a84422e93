//! The rules of a group of Windows Firewall, of any protocol, that let somebody in if they are
//! active.

use diskmend_base::utf16;
use diskmend_hive::{Corruption, Hive, ValueType};

use super::rule::{self, Profile};
use super::{Facts, Failure, LOCAL, POLICY, RULES};
use super::{MOST_RULE_BYTES, MOST_RULE_CHARS, MOST_RULE_FIELDS, MOST_RULES, MOST_SHOWN};
use crate::error::{Error, chain};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;

/// A rule of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupRule {
    /// The key that has it, for display.
    pub(crate) place: String,
    /// Its name there, for display.
    pub(crate) name: String,
    /// True if it counts.
    pub(crate) active: bool,
}

/// The rules of a group that are for one of these profiles and let somebody in: those of the
/// machine, and those of policies. The list has a limited length.
pub(in crate::facts) fn read(
    facts: &Facts<'_>,
    group: &str,
    profiles: &[Profile],
) -> Result<Vec<GroupRule>, String> {
    let sets = facts.control_sets()?;
    let set = sets.starting_set()?;
    let wanted = profiles.iter().fold(0, |all, one| all | one.bit());
    let mut rules = Vec::new();
    for (name, key) in [
        (HiveName::System, format!(r"{}\{LOCAL}\{RULES}", set.name)),
        (HiveName::Software, format!(r"{POLICY}\{RULES}")),
    ] {
        let opened = facts.hive(name).map_err(Failure::reason)?;
        let at = |opened: &HiveOnDisk| {
            let path = opened.path().to_owned();
            move |source| chain(&Error::corrupt(&path)(source))
        };
        add(&opened.hive, name, &key, (group, wanted), &mut rules).map_err(at(opened))?;
    }
    Ok(rules)
}

fn add(
    hive: &Hive,
    name: HiveName,
    key: &str,
    (group, wanted): (&str, u8),
    rules: &mut Vec<GroupRule>,
) -> Result<(), Corruption> {
    let Some(found) = hive.key(key)?.filter(|key| !key.has_predefined_handle()) else {
        return Ok(());
    };
    for value in found.values()?.take(MOST_RULES) {
        let value = value?;
        if value.data_type() != ValueType::SZ || value.data_len() > MOST_RULE_BYTES {
            continue;
        }
        let Some(text) = utf16::decode_to_nul(&value.data()?) else {
            continue;
        };
        let Some((active, profiles)) = admits(&text, group) else {
            continue;
        };
        let same = rules.iter().filter(|rule| rule.active == active).count();
        if profiles & wanted != 0 && same < MOST_SHOWN {
            rules.push(GroupRule {
                place: format!(r"{name}\{key}"),
                name: value.name().escaped().to_string(),
                active,
            });
        }
    }
    Ok(())
}

/// Whether a rule of the group that lets somebody in is active, and in which profiles; `None` for
/// any other rule, and for what is none.
fn admits(text: &str, group: &str) -> Option<(bool, u8)> {
    if text.len() > MOST_RULE_CHARS {
        return None;
    }
    let mut fields = text.strip_suffix('|')?.split('|');
    fields.next()?.strip_prefix('v')?;
    let (mut allows, mut inbound, mut active, mut is_of_group) = (None, None, None, false);
    let mut profiles = 0;
    for (count, field) in fields.enumerate() {
        let (name, value) = field.split_once('=').filter(|_| count < MOST_RULE_FIELDS)?;
        match name {
            "Action" => allows = Some(matches!(value, "Allow" | "ByPass")),
            "Dir" => inbound = Some(value == "In"),
            "Active" => active = rule::flag(value),
            "EmbedCtxt" => is_of_group = value == group,
            "Profile" => profiles |= rule::profile(value),
            _ => {}
        }
    }
    if profiles == 0 {
        profiles = Profile::ALL.iter().fold(0, |all, one| all | one.bit());
    }
    let counts = allows? && inbound? && is_of_group;
    counts.then_some((active?, profiles))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: &str = "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=1|Profile=Private|Profile=Domain|\
                        ICMP4=8:*|Name=@FirewallAPI.dll,-28543|EmbedCtxt=@FirewallAPI.dll,-28502|";
    const GROUP: &str = "@FirewallAPI.dll,-28502";

    #[test]
    fn a_rule_of_any_protocol_admits_in_its_profiles() {
        let both = Profile::Private.bit() | Profile::Domain.bit();
        assert_eq!(admits(PING, GROUP), Some((true, both)));
        assert_eq!(
            admits(&PING.replace("TRUE", "FALSE"), GROUP),
            Some((false, both))
        );
        let every = PING.replace("Profile=Private|Profile=Domain|", "");
        assert_eq!(
            admits(&every, GROUP),
            Some((true, both | Profile::Public.bit()))
        );
    }

    #[test]
    fn other_rules_do_not() {
        for other in [
            PING.replace("Dir=In", "Dir=Out"),
            PING.replace("Allow", "Block"),
            PING.replace("-28502", "-28752"),
            PING.replace("Active=TRUE", "Active=true"),
            PING.replace("Active=TRUE|", ""),
            PING.replace("v2.30", "2.30"),
            format!("{PING}noise"),
            String::new(),
        ] {
            assert_eq!(admits(&other, GROUP), None, "{other}");
        }
    }
}
