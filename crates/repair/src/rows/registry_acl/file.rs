//! The fields of a `[[registry_acl]]` row.

use diskmend_acl::{Domains, Grant, Objects, SddlParts, SecurityDescriptor, Sid};
use serde::Deserialize;
use toml::Spanned;

use super::{DesiredPermissions, PermissionsFault, RegistryAclRow};
use crate::finding::KeyEdits;
use crate::place::HiveName;
use crate::rows::{KeyPattern, Wrong, sentence, wrong};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegistryAclFile {
    hive: Spanned<String>,
    key: Spanned<String>,
    applies_to: Option<Spanned<String>>,
    descriptor: Option<Spanned<String>>,
    owner: Option<Spanned<String>>,
    #[serde(default)]
    grant: Vec<Spanned<String>>,
    #[serde(default)]
    remove: Vec<Spanned<String>>,
    #[serde(default)]
    remove_deny: Vec<Spanned<String>>,
    replacement: Option<Spanned<String>>,
    fault: Option<Spanned<FaultFile>>,
    why: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    #[serde(default)]
    blocked: Vec<Spanned<String>>,
    #[serde(default)]
    denied: Vec<Spanned<String>>,
}

impl RegistryAclFile {
    pub(super) fn read(self) -> Result<RegistryAclRow, Wrong> {
        let hive = HiveName::parse(self.hive.get_ref()).map_err(wrong(&self.hive))?;
        let key = KeyPattern::parse(hive, self.key.get_ref()).map_err(wrong(&self.key))?;
        let tree = match &self.applies_to {
            None => false,
            Some(word) => match word.get_ref().as_str() {
                "key" => false,
                "tree" => true,
                other => {
                    return Err(wrong(word)(format!(
                        "\"{other}\" is neither \"key\" nor \"tree\""
                    )));
                }
            },
        };
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        let desired = self.desired()?;
        let fault = match &self.fault {
            None => PermissionsFault::default(),
            Some(fault) => {
                let FaultFile { blocked, denied } = fault.get_ref();
                if blocked.is_empty() && denied.is_empty() {
                    return Err(wrong(fault)("name at least one account".to_owned()));
                }
                PermissionsFault {
                    blocked: grants(blocked)?,
                    denied: grants(denied)?,
                }
            }
        };
        Ok(RegistryAclRow {
            hive,
            key,
            tree,
            desired,
            fault,
            why: self.why.into_inner(),
        })
    }

    fn desired(&self) -> Result<DesiredPermissions, Wrong> {
        let lists = [&self.grant, &self.remove, &self.remove_deny];
        let by_edits = self.owner.is_some() || lists.iter().any(|list| !list.is_empty());
        if let Some(text) = &self.descriptor {
            if by_edits || self.replacement.is_some() {
                return Err(wrong(text)(
                    "say either the descriptor, or owner, grant, remove and remove_deny".to_owned(),
                ));
            }
            let descriptor = sddl(text)?;
            let sddl = descriptor.to_sddl(SddlParts::All);
            return Ok(DesiredPermissions::Parts {
                sddl: sddl.map_err(|error| wrong(text)(error.to_string()))?,
                descriptor,
            });
        }
        if !by_edits {
            return Err(wrong(&self.key)(
                "say what the permissions should be: descriptor, or owner, grant, remove or \
                 remove_deny"
                    .to_owned(),
            ));
        }
        let replacement = match &self.replacement {
            None => None,
            Some(text) if self.grant.is_empty() => {
                return Err(wrong(text)("it goes with grant".to_owned()));
            }
            Some(text) => {
                let descriptor = sddl(text)?;
                if descriptor.dacl.list().is_none() {
                    return Err(wrong(text)("it has no DACL (D:)".to_owned()));
                }
                Some(descriptor)
            }
        };
        let remove = self.remove.iter().map(account).collect::<Result<_, _>>()?;
        Ok(DesiredPermissions::Edits(KeyEdits {
            owner: self.owner.as_ref().map(account).transpose()?,
            grants: grants(&self.grant)?,
            remove,
            remove_deny: grants(&self.remove_deny)?,
            replacement,
        }))
    }
}

/// Reads SDDL for a key. Windows replaces generic rights when it sets a descriptor, but nobody does
/// here, and in an entry that counts they would grant nothing.
fn sddl(text: &Spanned<String>) -> Result<Box<SecurityDescriptor>, Wrong> {
    let descriptor = SecurityDescriptor::from_sddl(text.get_ref(), &Domains::default());
    let descriptor = descriptor.map_err(|error| wrong(text)(error.to_string()))?;
    let aces = descriptor.dacl.list().map_or(&[][..], |acl| &acl.aces);
    if aces.iter().any(|ace| ace.has_generic_rights()) {
        return Err(wrong(text)(
            "write the rights of keys (KA, KR, KW) instead of generic ones (GA, GR, GW, GX)"
                .to_owned(),
        ));
    }
    Ok(Box::new(descriptor))
}

fn account(name: &Spanned<String>) -> Result<Sid, Wrong> {
    let sid = Sid::from_account_name(name.get_ref());
    sid.ok_or_else(|| wrong(name)(format!("\"{}\" is not a known account", name.get_ref())))
}

fn grants(list: &[Spanned<String>]) -> Result<Vec<Grant>, Wrong> {
    let grants = list.iter().map(|text| {
        let grant = Objects::Keys.read_grant(text.get_ref());
        grant.map_err(|error| wrong(text)(error.to_string()))
    });
    grants.collect()
}

#[cfg(test)]
mod tests {
    use crate::recipe::Recipe;
    use crate::recipe::test_support::refused;

    const HEAD: &str = "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\n\
        sources = ['https://example.org']\n\n[[registry_acl]]\nhive = 'SOFTWARE'\nkey = 'Own\\Key'\n";
    const EDITS: &str = "applies_to = 'tree'\nowner = 'BUILTIN\\Administrators'\n\
        grant = ['NT AUTHORITY\\SYSTEM:(CI)(F)']\nremove = ['BUILTIN\\Users']\n\
        remove_deny = ['NT AUTHORITY\\SYSTEM:(R,W)']\nreplacement = 'D:P(A;;KA;;;BA)'\n\
        fault = { blocked = ['S-1-5-20:(R)'], denied = ['NT AUTHORITY\\SYSTEM:(SV,CS)'] }\n\
        why = 'because'\n";
    const WHOLE: &str = "descriptor = 'O:SYD:(A;;KA;;;SY)(A;CIIO;KR;;;CO)'\nwhy = 'because'\n";

    fn lines(rest: &str) -> Vec<String> {
        let recipe = Recipe::parse("own.toml", &format!("{HEAD}{rest}")).expect("valid");
        let shown = recipe.shown_rows();
        assert_eq!(shown[0].place, r"Permissions of SOFTWARE\Own\Key");
        shown[0].lines.clone()
    }

    #[test]
    fn the_fields_are_read_and_shown() {
        assert_eq!(
            lines(EDITS),
            [
                "the key and every key below it",
                r"owner BUILTIN\Administrators",
                r"remove every own entry for BUILTIN\Users",
                r"no own entry denies NT AUTHORITY\SYSTEM:(R,W)",
                r"allow NT AUTHORITY\SYSTEM:(CI)(F)",
                r"a fault unless these have their rights: NT AUTHORITY\NETWORK SERVICE:(R)",
                r"a fault if these are denied rights: NT AUTHORITY\SYSTEM:(SV,CS)",
            ]
        );
        assert_eq!(
            lines(WHOLE),
            ["the key", "O:SYD:(A;;KA;;;SY)(A;CIIO;KR;;;CO)"]
        );
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (good, from, to, place, say) in [
            (EDITS, "'SOFTWARE'", "'HARDWARE'", "8:8", "no hive"),
            (EDITS, "'Own\\Key'", "''", "9:7", "empty component"),
            (EDITS, "'tree'", "'contents'", "10:14", "neither"),
            (
                EDITS,
                "BUILTIN\\Administrators",
                "Nobody",
                "11:9",
                "account",
            ),
            (EDITS, "(CI)(F)", "(CI)(M)", "12:10", "\"M\""),
            (EDITS, "'BUILTIN\\Users'", "'Nobody'", "13:11", "account"),
            (EDITS, "(R,W)", "(RX)", "14:16", "\"RX\""),
            (EDITS, "D:P(A;;KA;;;BA)", "O:BA", "15:15", "DACL"),
            (EDITS, "KA;;;BA", "GA;;;BA", "15:15", "generic"),
            (EDITS, ":(SV,CS)", ":()", "16:49", "rights"),
            (EDITS, "'because'", "' '", "17:7", "say something"),
            (
                EDITS,
                "why",
                "repaired_by = 'x'\nwhy",
                "17:1",
                "repaired_by",
            ),
            (WHOLE, "why", "owner = 'SYSTEM'\nwhy", "10:14", "either"),
            (
                WHOLE,
                "descriptor = ",
                "applies_to = 'key'\n# ",
                "9:7",
                "should be",
            ),
            (WHOLE, "why", "fault = {}\nwhy", "11:9", "at least one"),
        ] {
            refused(&format!("{HEAD}{good}"), (from, to), place, say);
        }
    }
}
