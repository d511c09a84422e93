//! Which group policy set a value below `Policies`: the one of the machine itself, or one of a
//! domain. Windows keeps copies of what they set, and a history of those that it applied.

mod registry_pol;

use diskmend_base::utf16;
use diskmend_disk::{Access, Kind};
use diskmend_hive::{Corruption, Hive, ValueType};

use super::Facts;
use crate::place::HiveName;
use crate::reading;

/// The policies with values that were applied to the machine, in SOFTWARE.
const HISTORY: &str =
    r"Microsoft\Windows\CurrentVersion\Group Policy\History\{35378EAC-683F-11D2-A89A-00C04FBBCFA2}";
/// The folder of the machine's own policy, and of the copies of others.
const FOLDER: [&str; 3] = ["Windows", "System32", "GroupPolicy"];
/// The greatest number of policies in the history that are read.
const MOST_POLICIES: usize = 100;
/// The greatest number of policies that are named.
const MOST_NAMED: usize = 5;
/// The greatest length of a file of values, in bytes.
const MOST_BYTES: u64 = 4 << 20;
/// The greatest length of a name, in bytes.
const MOST_NAME: usize = 1024;

/// A policy that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppliedPolicy {
    /// Its name for a person.
    name: String,
    /// Its values; absent if there is no copy.
    values: Option<Vec<u8>>,
}

/// The policies whose values Windows applied to the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policies {
    applied: Vec<AppliedPolicy>,
}

impl Policies {
    /// Who set a value below `Policies` in SOFTWARE, for display; `None` if nothing says so.
    pub(crate) fn who_set(&self, key: &str, value: &str) -> Option<String> {
        let key = format!(r"SOFTWARE\{key}");
        let sets = |policy: &&AppliedPolicy| {
            let values = policy.values.as_deref();
            values.is_some_and(|file| registry_pol::sets(file, &key, value))
        };
        // The one that was applied last wins.
        if let Some(policy) = self.applied.iter().rev().find(sets) {
            return Some(format!("set by {}", policy.name));
        }
        // One without a copy may have set it.
        let mut unknown = self.applied.iter().filter(|policy| policy.values.is_none());
        let names: Vec<&str> = unknown
            .by_ref()
            .take(MOST_NAMED)
            .map(|policy| policy.name.as_str())
            .collect();
        let more = if unknown.next().is_some() {
            " or others"
        } else {
            ""
        };
        (!names.is_empty()).then(|| format!("set by one of: {}{more}", names.join(", ")))
    }
}

/// Reads the policies. What can't be read is left out: it only adds to what is known otherwise.
pub(super) fn read(facts: &Facts<'_>) -> Policies {
    let mut policies = Policies::default();
    let own = values(facts, &["Machine", "Registry.pol"]);
    if own.is_some() {
        policies.applied.push(AppliedPolicy {
            name: "the group policy of the machine itself".to_owned(),
            values: own,
        });
    }
    let history = facts.hive(HiveName::Software).ok();
    let history = history.and_then(|software| of_history(&software.hive).ok());
    for (name, path) in history.unwrap_or_default() {
        let path: Vec<&str> = path.split('\\').collect();
        let copy = ["DataStore", "0"].into_iter().chain(path);
        let copy: Vec<&str> = copy.chain(["Registry.pol"]).collect();
        policies.applied.push(AppliedPolicy {
            name: format!("the group policy \"{name}\""),
            values: values(facts, &copy),
        });
    }
    policies
}

/// The names of the domain's policies, and their folders below a share.
fn of_history(hive: &Hive) -> Result<Vec<(String, String)>, Corruption> {
    let mut found = Vec::new();
    let Some(history) = hive.key(HISTORY)? else {
        return Ok(found);
    };
    for policy in history.subkeys()?.take(MOST_POLICIES) {
        let key = format!(r"{HISTORY}\{}", policy?.name().in_path());
        let text = |name| -> Result<Option<String>, Corruption> {
            let data = reading::short_value(hive, &key, name, MOST_NAME)?;
            let data = data.filter(|data| data.value_type == ValueType::SZ);
            Ok(data.and_then(|data| utf16::decode_to_nul(&data.bytes)))
        };
        let (Some(name), Some(path)) = (text("DisplayName")?, text("FileSysPath")?) else {
            continue;
        };
        // \\server\sysvol\...: the copy lies below the name of the share. The machine's own policy
        // has a drive letter.
        if let Some((_, below)) = path
            .strip_prefix(r"\\")
            .and_then(|path| path.split_once('\\'))
        {
            found.push((name, below.to_owned()));
        }
    }
    Ok(found)
}

/// A file of values below the folder of group policies.
fn values(facts: &Facts<'_>, below: &[&str]) -> Option<Vec<u8>> {
    let is_name = |name: &&str| !name.is_empty() && !name.contains('/') && !name.starts_with('.');
    if !below.iter().all(is_name) {
        return None;
    }
    let path: Vec<&str> = FOLDER.iter().chain(below).copied().collect();
    let found = facts.site.root.find(&path).ok()??;
    if found.kind() != Kind::File || found.metadata.len > MOST_BYTES {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(found.metadata.len).ok()?];
    let file = found.open(Access::Read).ok()?;
    file.read_exact_at(&mut bytes, 0).ok()?;
    Some(bytes)
}
