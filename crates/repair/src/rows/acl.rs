//! The `[[acl]]` rows: wanted security descriptors.

use std::fmt;

use diskmend_acl::{Domains, Grant, SddlParts, SecurityDescriptor, Sid, TooLarge};
use diskmend_base::upcase::CaseTable;
use diskmend_disk::NtPath;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{
    About, Claim, FolderPath, JudgeDescriptors, Kind, Shown, Standing, Wrong, sentence, wrong,
};
use crate::finding::{Found, Grants, Judgement};

/// The wanted security descriptor of a folder or its content.
#[derive(Clone, Debug)]
pub struct AclRow {
    /// The folder's path below the volume's root.
    pub path: FolderPath,
    /// The objects that the row is about.
    pub applies_to: AppliesTo,
    /// The wanted descriptor. A row without it only says what a fault is.
    pub desired: Option<DesiredAcl>,
    /// Says when a descriptor is evidence of a fault.
    pub fault: Option<AclFault>,
    /// The recipe that repairs the fault, if this row doesn't.
    pub repaired_by: Option<String>,
    /// One sentence for a person.
    pub why: String,
}

/// A wanted security descriptor.
#[derive(Clone, Debug)]
pub enum DesiredAcl {
    /// These parts; the other parts don't change.
    Parts {
        /// The parts.
        descriptor: Box<SecurityDescriptor>,
        /// The parts as SDDL, for display.
        sddl: String,
    },
    /// The present descriptor with an owner and grants, and without entries that deny what is
    /// granted.
    Grants(Grants),
}

/// The objects that a row is about. If a recipe has several rows for one folder, the first that is
/// about an object counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppliesTo {
    /// The folder itself.
    Folder,
    /// Everything in it, at any depth.
    Contents,
    /// The files in the folder itself with names that begin with this; case is ignored.
    FilesWithPrefix(String),
}

/// Says when a security descriptor is a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclFault {
    /// It is a fault if any of these accounts lacks its rights, or if the DACL is corrupt.
    pub blocked: Vec<Grant>,
}

impl fmt::Display for AppliesTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder => f.write_str("the folder"),
            Self::Contents => f.write_str("everything in it"),
            Self::FilesWithPrefix(prefix) => write!(f, "files {prefix}*"),
        }
    }
}
impl Kind for AclRow {
    type Written = AclFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: AclFile) -> Result<Self, Wrong> {
        written.read()
    }

    fn about(&self) -> About<'_> {
        About::Descriptors(&self.path, self)
    }

    fn claim(&self) -> Option<Claim<'_>> {
        self.sets().then_some(Claim::Folder(&self.path))
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        let blocked = self.fault.iter().flat_map(|fault| &fault.blocked);
        Entry {
            path: self.path.to_string(),
            applies_to: self.applies_to.to_string(),
            sets: self
                .desired
                .as_ref()
                .map_or_else(Vec::new, DesiredAcl::words),
            fault_unless: blocked.map(ToString::to_string).collect(),
            repaired_by: self.repaired_by.as_deref(),
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        let entry = self.entry();
        let mut lines = vec![entry.applies_to];
        lines.extend(entry.sets);
        if !entry.fault_unless.is_empty() {
            let accounts = entry.fault_unless.join(", ");
            lines.push(format!(
                "a fault unless these have their rights: {accounts}"
            ));
        }
        lines.extend(
            entry
                .repaired_by
                .map(|recipe| format!("repaired by {recipe}")),
        );
        Shown {
            place: format!("Permissions of {}", entry.path),
            lines,
        }
    }
}

impl JudgeDescriptors for AclRow {
    fn is_about(&self, path: &NtPath, kind: diskmend_disk::Kind, start: &NtPath) -> bool {
        let itself = path == start;
        match &self.applies_to {
            AppliesTo::Folder => itself,
            AppliesTo::Contents => !itself,
            AppliesTo::FilesWithPrefix(prefix) => {
                let named = |(parent, name): (NtPath, &[u16])| {
                    let begins = name.iter().copied().take(prefix.encode_utf16().count());
                    parent == *start && CaseTable::FILES.same(begins, prefix.encode_utf16())
                };
                kind == diskmend_disk::Kind::File && path.split_last().is_some_and(named)
            }
        }
    }

    fn sets(&self) -> bool {
        self.desired.is_some()
    }

    fn judge(&self, descriptor: &[u8], standing: Standing) -> Result<Judgement, TooLarge> {
        let found = Found::read(descriptor);
        let reasons = match &self.fault {
            Some(fault) => found.blocked(&fault.blocked),
            None => Vec::new(),
        };
        let desired = self.desired.as_ref();
        let made = match desired.filter(|_| standing == Standing::Counts) {
            None => None,
            Some(DesiredAcl::Parts { descriptor, .. }) => found.with_parts(descriptor),
            Some(DesiredAcl::Grants(grants)) => found.with_grants(grants),
        };
        Judgement::of(reasons, made)
    }

    fn repaired_by(&self) -> Option<&str> {
        self.repaired_by.as_deref()
    }
}

impl DesiredAcl {
    /// The wanted settings, for display.
    fn words(&self) -> Vec<String> {
        match self {
            Self::Parts { sddl, .. } => vec![sddl.clone()],
            Self::Grants(wanted) => {
                let owner = wanted
                    .owner
                    .map(|owner| format!("owner {}", owner.display_name()));
                let grants = wanted.grants.iter().map(|grant| format!("allow {grant}"));
                owner.into_iter().chain(grants).collect()
            }
        }
    }
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    path: String,
    applies_to: String,
    /// The wanted settings, for display; empty for a row that only says what a fault is.
    sets: Vec<String>,
    /// It is a fault unless these accounts have their rights.
    fault_unless: Vec<String>,
    /// The recipe that repairs the fault, if this one doesn't.
    repaired_by: Option<&'a str>,
    why: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AclFile {
    path: Spanned<String>,
    applies_to: Spanned<String>,
    descriptor: Option<Spanned<String>>,
    owner: Option<Spanned<String>>,
    #[serde(default)]
    grant: Vec<Spanned<String>>,
    replacement: Option<Spanned<String>>,
    fault: Option<Spanned<FaultFile>>,
    repaired_by: Option<Spanned<String>>,
    why: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    blocked: Vec<Spanned<String>>,
}

impl AclFile {
    fn read(self) -> Result<AclRow, Wrong> {
        let path = FolderPath::parse(self.path.get_ref()).map_err(wrong(&self.path))?;
        let applies_to = applies_to(self.applies_to.get_ref()).map_err(wrong(&self.applies_to))?;
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        let desired = self.desired()?;
        let fault = match &self.fault {
            None => None,
            Some(fault) if fault.get_ref().blocked.is_empty() => {
                return Err(wrong(fault)("name at least one account".to_owned()));
            }
            Some(fault) => Some(AclFault {
                blocked: grants(&fault.get_ref().blocked)?,
            }),
        };
        match (&desired, &fault, &self.repaired_by) {
            (None, Some(_), Some(_)) | (Some(_), _, None) => {}
            (Some(_), _, Some(by)) => {
                return Err(wrong(by)("the row repairs the fault itself".to_owned()));
            }
            (None, ..) => {
                return Err(wrong(&self.path)(
                    "say what it should be (descriptor, owner or grant), or what is a fault and \
                     which recipe repairs it (fault and repaired_by)"
                        .to_owned(),
                ));
            }
        }
        Ok(AclRow {
            path,
            applies_to,
            desired,
            fault,
            repaired_by: self.repaired_by.map(Spanned::into_inner),
            why: self.why.into_inner(),
        })
    }

    fn desired(&self) -> Result<Option<DesiredAcl>, Wrong> {
        let by_grants = self.owner.is_some() || !self.grant.is_empty();
        if let Some(text) = &self.descriptor {
            if by_grants || self.replacement.is_some() {
                return Err(wrong(text)(
                    "say either the descriptor, or owner and grant".to_owned(),
                ));
            }
            let descriptor = Box::new(sddl(text)?);
            let sddl = descriptor.to_sddl(SddlParts::All);
            return Ok(Some(DesiredAcl::Parts {
                sddl: sddl.map_err(|error| wrong(text)(error.to_string()))?,
                descriptor,
            }));
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
                Some(Box::new(descriptor))
            }
        };
        let owner = match &self.owner {
            None => None,
            Some(name) => Some(Sid::from_account_name(name.get_ref()).ok_or_else(|| {
                wrong(name)(format!("\"{}\" is not a known account", name.get_ref()))
            })?),
        };
        Ok(by_grants.then_some(DesiredAcl::Grants(Grants {
            owner,
            grants: grants(&self.grant)?,
            replacement,
        })))
    }
}

fn sddl(text: &Spanned<String>) -> Result<SecurityDescriptor, Wrong> {
    SecurityDescriptor::from_sddl(text.get_ref(), &Domains::default())
        .map_err(|error| wrong(text)(error.to_string()))
}

fn grants(list: &[Spanned<String>]) -> Result<Vec<Grant>, Wrong> {
    list.iter()
        .map(|text| {
            let grant = text.get_ref().parse();
            grant.map_err(|error: diskmend_acl::GrantTextError| wrong(text)(error.to_string()))
        })
        .collect()
}

fn applies_to(word: &str) -> Result<AppliesTo, String> {
    match word {
        "folder" => Ok(AppliesTo::Folder),
        "contents" => Ok(AppliesTo::Contents),
        _ => match word.strip_suffix('*') {
            Some(prefix) if !prefix.is_empty() && !prefix.contains(['*', '?', '\\', '/']) => {
                Ok(AppliesTo::FilesWithPrefix(prefix.to_owned()))
            }
            _ => Err(format!(
                "\"{word}\" is neither \"folder\" nor \"contents\" nor the beginning of a file's \
                 name with * after it"
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;
    use crate::recipe::test_support::refused;

    const HEAD: &str = "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\n\
        sources = ['https://example.org']\n\n[[acl]]\n";
    const GRANTS: &str = "path = 'ProgramData\\Own'\napplies_to = 'contents'\n\
        owner = 'BUILTIN\\Administrators'\ngrant = ['NT AUTHORITY\\SYSTEM:(F)']\n\
        replacement = 'D:P(A;;FA;;;BA)'\nfault = { blocked = ['S-1-5-20:(R)'] }\nwhy = 'because'\n";
    const WHOLE: &str = "path = 'Own'\napplies_to = 'key_*'\nbuilds = '17763..'\n\
        descriptor = 'O:SYD:(A;;FA;;;SY)'\nwhy = 'because'\n";
    const LOOK: &str = "path = 'Own'\napplies_to = 'folder'\nfault = { blocked = ['SYSTEM:(F)'] }\n\
        repaired_by = 'other'\nwhy = 'because'\n";

    fn row(rest: &str) -> AclRow {
        let recipe = Recipe::parse("own.toml", &format!("{HEAD}{rest}")).expect("valid");
        match recipe.rows.as_slice() {
            [crate::rows::Row::Acl(row)] => row.clone(),
            rows => panic!("{rows:?}"),
        }
    }

    #[test]
    fn the_fields_are_read() {
        let grants = row(GRANTS);
        assert_eq!(grants.path.to_string(), r"ProgramData\Own");
        assert_eq!(grants.applies_to, AppliesTo::Contents);
        let Some(DesiredAcl::Grants(desired)) = &grants.desired else {
            panic!("{grants:?}");
        };
        assert_eq!(desired.owner, Some(Sid::ADMINISTRATORS));
        assert_eq!(desired.grants[0].to_string(), r"NT AUTHORITY\SYSTEM:(F)");
        assert!(desired.replacement.is_some());
        let fault = grants.fault.expect("a fault");
        assert_eq!(fault.blocked[0].sid, Sid::NETWORK_SERVICE);

        let whole = row(WHOLE);
        assert_eq!(
            whole.applies_to,
            AppliesTo::FilesWithPrefix("key_".to_owned())
        );
        assert!(matches!(whole.desired, Some(DesiredAcl::Parts { .. })));

        let look = row(LOOK);
        assert!(look.desired.is_none());
        assert_eq!(look.repaired_by.as_deref(), Some("other"));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (good, from, to, place, say) in [
            (GRANTS, "ProgramData\\Own", "..\\Own", "8:8", "not a path"),
            (GRANTS, "'contents'", "'tree'", "9:14", "\"contents\""),
            (
                GRANTS,
                "BUILTIN\\Administrators",
                "Nobody Known",
                "10:9",
                "account",
            ),
            (GRANTS, ":(F)", ":(Q)", "11:10", "Q"),
            (GRANTS, "D:P(A;;FA;;;BA)", "D:P(", "12:15", "sddl"),
            (GRANTS, "D:P(A;;FA;;;BA)", "O:BA", "12:15", "DACL"),
            (GRANTS, "['S-1-5-20:(R)']", "[]", "13:9", "at least one"),
            (
                GRANTS,
                "why =",
                "repaired_by = 'x'\nwhy =",
                "14:15",
                "itself",
            ),
            (GRANTS, "'because'", "' '", "14:7", "say something"),
            (WHOLE, "17763..", "17763", "10:10", "range"),
            (WHOLE, "17763..", "3..2", "10:10", "range"),
            (WHOLE, "why =", "owner = 'SYSTEM'\nwhy =", "11:14", "either"),
            (WHOLE, "key_*", "*", "9:14", "\"folder\""),
            // It can be read but not written as SDDL, so no report could show it.
            (
                WHOLE,
                "(A;;FA;;;SY)",
                "(XA;;FA;;;SY;(a%D800))",
                "11:14",
                "DACL entry 0",
            ),
            (LOOK, "repaired_by = 'other'\n", "", "8:8", "repaired_by"),
            (LOOK, "fault", "faults", "10:1", "faults"),
        ] {
            refused(&format!("{HEAD}{good}"), (from, to), place, say);
        }
    }
}
