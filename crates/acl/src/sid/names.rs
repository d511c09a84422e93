//! Turning SIDs into account names and back.

use std::borrow::Cow;

use super::Sid;
use super::well_known::{SERVICE_ACCOUNTS, WELL_KNOWN};

const SERVICE_AUTHORITY: &str = r"NT SERVICE\";
const APP_POOL_AUTHORITY: &str = r"IIS APPPOOL\";

impl Sid {
    /// The account's name as an English Windows prints it, such as `NT AUTHORITY\SYSTEM`, if it is
    /// the same on every machine. `None` for accounts of one machine or domain.
    #[must_use]
    pub(crate) fn account_name(&self) -> Option<Cow<'static, str>> {
        if let Some(known) = WELL_KNOWN.iter().find(|known| known.sid == *self) {
            return Some(Cow::Borrowed(known.account));
        }
        self.known_service()
            .map(|service| Cow::Owned(format!("{SERVICE_AUTHORITY}{service}")))
    }

    /// The account's name, or the SID's text if it has none.
    #[must_use]
    pub fn display_name(&self) -> Cow<'static, str> {
        self.account_name()
            .unwrap_or_else(|| Cow::Owned(self.to_string()))
    }

    /// The SID of an account that exists on every machine. `name` is its English name with or
    /// without the authority (`BUILTIN\Administrators`, `system`, `NT SERVICE\SessionEnv`), or its
    /// SID as text (`S-1-5-18`, also with icacls's leading `*`). Upper and lower case mean the
    /// same.
    #[must_use]
    pub fn from_account_name(name: &str) -> Option<Self> {
        if let Ok(sid) = name.strip_prefix('*').unwrap_or(name).parse() {
            return Some(sid);
        }
        let well_known = WELL_KNOWN.iter().find(|known| {
            known.account.eq_ignore_ascii_case(name)
                || without_authority(known.account).eq_ignore_ascii_case(name)
        });
        if let Some(known) = well_known {
            return Some(known.sid);
        }
        let service_account = SERVICE_ACCOUNTS.iter().find(|(spelling, _)| {
            spelling.eq_ignore_ascii_case(name)
                || without_authority(spelling).eq_ignore_ascii_case(name)
        });
        if let Some((_, sid)) = service_account {
            return Some(*sid);
        }
        if let Some(service) = after_prefix(name, SERVICE_AUTHORITY) {
            return Some(Self::of_service(service));
        }
        if let Some(pool) = after_prefix(name, APP_POOL_AUTHORITY) {
            return Some(Self::of_app_pool(pool));
        }
        name.eq_ignore_ascii_case("TrustedInstaller")
            .then(|| Self::of_service("TrustedInstaller"))
    }

    /// The two letters that stand for the SID in SDDL (MS-DTYP 2.5.1.1).
    #[must_use]
    pub(crate) fn sddl_alias(&self) -> Option<&'static str> {
        WELL_KNOWN
            .iter()
            .find(|known| known.sid == *self)
            .and_then(|known| known.alias)
    }

    /// The SID that two letters stand for in SDDL on every machine. For letters that depend on the
    /// machine or domain, see [`RelativeAlias`](super::RelativeAlias).
    #[must_use]
    pub(crate) fn from_sddl_alias(alias: &str) -> Option<Self> {
        WELL_KNOWN
            .iter()
            .find(|known| known.alias.is_some_and(|a| a.eq_ignore_ascii_case(alias)))
            .map(|known| known.sid)
    }
}

fn without_authority(account: &'static str) -> &'static str {
    account.split_once('\\').map_or(account, |(_, name)| name)
}

fn after_prefix<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = name.split_at_checked(prefix.len())?;
    (start.eq_ignore_ascii_case(prefix) && !rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_aliases_go_both_ways_and_are_unique() {
        let mut names = HashSet::new();
        let mut aliases = HashSet::new();
        for known in WELL_KNOWN {
            assert!(names.insert(known.account.to_ascii_lowercase()));
            assert!(names.insert(known.sid.to_string()), "{:?}", known.sid);
            assert_eq!(known.sid.account_name().unwrap(), known.account);
            assert_eq!(Sid::from_account_name(known.account), Some(known.sid));
            if let Some(alias) = known.alias {
                assert!(aliases.insert(alias));
                assert_eq!(known.sid.sddl_alias(), Some(alias));
                assert_eq!(Sid::from_sddl_alias(alias), Some(known.sid));
            }
        }
    }

    #[test]
    fn the_article_s_accounts_are_found() {
        for (name, sid) in [
            (r"NT AUTHORITY\System", Sid::SYSTEM),
            (r"nt authority\network service", Sid::NETWORK_SERVICE),
            ("NetworkService", Sid::NETWORK_SERVICE),
            ("LocalSystem", Sid::SYSTEM),
            (r"BUILTIN\Administrators", Sid::ADMINISTRATORS),
            ("*S-1-5-32-544", Sid::ADMINISTRATORS),
            (r"NT SERVICE\SessionEnv", Sid::of_service("SESSIONENV")),
            ("TrustedInstaller", Sid::of_service("TrustedInstaller")),
        ] {
            assert_eq!(Sid::from_account_name(name), Some(sid), "{name}");
        }
        assert_eq!(Sid::from_account_name(r"CONTOSO\bob"), None);
        assert_eq!(Sid::from_account_name(r"NT SERVICE\"), None);
        assert_eq!(Sid::from_account_name(""), None);
    }

    #[test]
    fn a_service_keeps_its_name_and_a_stranger_its_number() {
        assert_eq!(
            Sid::of_service("sessionenv").display_name(),
            r"NT SERVICE\SessionEnv"
        );
        let stranger: Sid = "S-1-5-21-1-2-3-1001".parse().unwrap();
        assert_eq!(stranger.account_name(), None);
        assert_eq!(stranger.display_name(), "S-1-5-21-1-2-3-1001");
    }
}
