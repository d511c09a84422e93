//! A rule of Windows Firewall as the registry stores it (MS-GPFAS 2.2.2.19): a version and fields,
//! each ended by `|`.

/// The greatest length of a rule, in characters. Windows's own have some hundreds.
pub(crate) const MOST_CHARS: usize = 16 << 10;
/// The greatest number of fields in a rule.
pub(crate) const MOST_FIELDS: usize = 1024;
const TCP: u16 = 6;

/// A network profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Domain,
    Private,
    Public,
}

impl Profile {
    pub(super) const ALL: [Self; 3] = [Self::Domain, Self::Private, Self::Public];

    /// The name of its key, and of the field in a policy's rule.
    pub(super) const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Domain => &["DomainProfile"],
            // The old name stands for the private profile.
            Self::Private => &["StandardProfile", "PrivateProfile"],
            Self::Public => &["PublicProfile"],
        }
    }

    pub(super) const fn bit(self) -> u8 {
        match self {
            Self::Domain => 1,
            Self::Private => 2,
            Self::Public => 4,
        }
    }
}

/// What a rule does with the packets that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Allow,
    Block,
}

/// An inbound rule for TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) action: Action,
    pub(super) active: bool,
    /// A set of bits; all if the rule names none.
    profiles: u8,
    /// The ports, first and last; `None` for all.
    ports: Option<Vec<(u16, u16)>>,
    /// True if Remote Desktop's listener is meant: no program, or its own.
    listener: bool,
    /// The group that the rule belongs to.
    pub(super) group: Option<String>,
    /// True if it covers only some computers, users or interfaces.
    partial: bool,
}

impl Rule {
    /// Reads a rule; `None` if it is no inbound rule for TCP, or not well-formed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > MOST_CHARS {
            return None;
        }
        let body = text.strip_suffix('|')?;
        let mut fields = body.split('|');
        let version = fields.next()?.strip_prefix('v')?;
        let (major, minor) = version.split_once('.')?;
        major.parse::<u8>().ok()?;
        minor.parse::<u8>().ok()?;
        let (mut action, mut active, mut inbound) = (None, None, None);
        let (mut app, mut service) = (None, None);
        let mut rule = Self {
            action: Action::Block,
            active: false,
            profiles: 0,
            ports: None,
            listener: false,
            group: None,
            partial: false,
        };
        for (count, field) in fields.enumerate() {
            let (name, value) = field.split_once('=').filter(|_| count < MOST_FIELDS)?;
            match name {
                "Action" => {
                    action = Some(match value {
                        "Allow" | "ByPass" => Action::Allow,
                        "Block" => Action::Block,
                        _ => return None,
                    });
                }
                "Active" => active = Some(flag(value)?),
                "Dir" => inbound = Some(value == "In"),
                "Protocol" if value.parse::<u16>().ok()? != TCP => return None,
                "Profile" => rule.profiles |= profile(value),
                // A word stands for ports that are not Remote Desktop's.
                _ if name == "LPort" || name.starts_with("LPort2_") => {
                    rule.ports.get_or_insert_default().extend(range(value));
                }
                "App" => app = Some(value),
                "Svc" => service = Some(value),
                "EmbedCtxt" => rule.group = Some(value.to_owned()),
                // What these say limits nobody.
                "Protocol" | "Name" | "Desc" | "Edge" | "Defer" | "Platform" | "Platform2" => {}
                _ => rule.partial = true,
            }
        }
        if !inbound? {
            return None;
        }
        rule.action = action?;
        rule.active = active?;
        if rule.profiles == 0 {
            rule.profiles = Profile::ALL.iter().fold(0, |all, one| all | one.bit());
        }
        rule.listener = is_listener(app, service);
        Some(rule)
    }

    /// True if the rule lets clients in to this port.
    pub(super) fn admits(&self, port: u16, profile: Profile) -> bool {
        self.action == Action::Allow && self.covers(port, profile)
    }

    /// True if the rule keeps every client from this port.
    pub(super) fn blocks(&self, port: u16, profile: Profile) -> bool {
        self.action == Action::Block && !self.partial && self.covers(port, profile)
    }

    fn covers(&self, port: u16, profile: Profile) -> bool {
        self.active && self.listener && self.profiles & profile.bit() != 0 && self.has(port)
    }

    /// True if the rule is about this port.
    pub(super) fn has(&self, port: u16) -> bool {
        let within = |(first, last): &(u16, u16)| (*first..=*last).contains(&port);
        // A rule that allows every port to somebody in particular is not about Remote Desktop.
        match &self.ports {
            Some(ports) => ports.iter().any(within),
            None => !self.partial,
        }
    }

    /// True if the rule names ports. The rule for shadow sessions does not.
    pub(super) const fn names_ports(&self) -> bool {
        self.ports.is_some()
    }
}

/// True if the program and service of a rule are the ones that listen for Remote Desktop: the
/// kernel up to Windows 7, a `svchost.exe` later.
fn is_listener(app: Option<&str>, service: Option<&str>) -> bool {
    let app = app.is_none_or(|app| {
        let name = app.rsplit('\\').next().unwrap_or(app);
        name.eq_ignore_ascii_case("System") || name.eq_ignore_ascii_case("svchost.exe")
    });
    let service =
        service.is_none_or(|service| service == "*" || service.eq_ignore_ascii_case("TermService"));
    app && service
}

pub(super) fn flag(value: &str) -> Option<bool> {
    match value {
        "TRUE" => Some(true),
        "FALSE" => Some(false),
        _ => None,
    }
}

pub(super) fn profile(value: &str) -> u8 {
    match value {
        "Domain" => Profile::Domain.bit(),
        "Private" => Profile::Private.bit(),
        "Public" => Profile::Public.bit(),
        _ => 0,
    }
}

fn range(value: &str) -> Option<(u16, u16)> {
    let (first, last) = value.split_once('-').unwrap_or((value, value));
    Some((first.parse().ok()?, last.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules of Windows 7 and 10 for Remote Desktop, as Setup writes them.
    const SEVEN: &str = "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|Profile=Private|LPort=3389|\
                         App=System|Name=@FirewallAPI.dll,-28753|Desc=@FirewallAPI.dll,-28756|\
                         EmbedCtxt=@FirewallAPI.dll,-28752|";
    const TEN: &str = "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|\
                       App=%SystemRoot%\\system32\\svchost.exe|Svc=termservice|Name=@FirewallAPI.dll,-28775|\
                       Desc=@FirewallAPI.dll,-28756|EmbedCtxt=@FirewallAPI.dll,-28752|";

    fn admits(text: &str, port: u16) -> bool {
        Rule::parse(text).is_some_and(|rule| rule.admits(port, Profile::Private))
    }

    #[test]
    fn the_rules_of_windows_admit_their_port_in_their_profiles() {
        for text in [SEVEN, TEN] {
            assert!(admits(text, 3389), "{text}");
            assert!(!admits(text, 3390), "{text}");
        }
        let seven = Rule::parse(SEVEN).expect("a rule");
        assert!(!seven.admits(3389, Profile::Public));
        let ten = Rule::parse(TEN).expect("a rule");
        assert!(ten.admits(3389, Profile::Public));
        assert_eq!(ten.group.as_deref(), Some("@FirewallAPI.dll,-28752"));
        assert!(!admits(&TEN.replace("TRUE", "FALSE"), 3389));
        assert!(admits(&TEN.replace("3389", "3000-4000"), 3389));
        assert!(admits(
            &TEN.replace("LPort=3389", "LPort2_10=3380-3390"),
            3389
        ));
    }

    #[test]
    fn a_rule_for_somebody_else_admits_nobody_to_remote_desktop() {
        let any = "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Name=any|";
        assert!(admits(any, 3389));
        for more in [
            r"App=C:\Program Files\Skype\Phone\Skype.exe",
            r"App=%SystemRoot%\system32\svchost.exe|Svc=CDPSvc",
            "AppPkgId=S-1-15-2-1",
            "LUAuth=O:LSD:(A;;CC;;;S-1-5-84-0-0-0-0-0)",
            "TTK2_27=WFDKmDriver",
            "LPort=RPC",
            "LPort2_10=IPHTTPSIn",
        ] {
            assert!(!admits(&format!("{any}{more}|"), 3389), "{more}");
        }
        for other in [
            any.replace("Dir=In", "Dir=Out"),
            any.replace("Protocol=6", "Protocol=17"),
            any.replace("Allow", "Block"),
        ] {
            assert!(!admits(&other, 3389), "{other}");
        }
    }

    #[test]
    fn a_partial_rule_admits_but_does_not_block() {
        let allow = TEN.replace("LPort=3389|", "LPort=3389|RA4=10.0.0.0/255.0.0.0|");
        assert!(admits(&allow, 3389));
        let blocks = |text: &str| {
            let rule = Rule::parse(text).expect("a rule");
            rule.blocks(3389, Profile::Domain)
        };
        assert!(blocks(&TEN.replace("Allow", "Block")));
        assert!(!blocks(&allow.replace("Allow", "Block")));
    }

    #[test]
    fn what_is_no_rule_is_not_read() {
        let long = format!("{}{}|", TEN, "a".repeat(MOST_CHARS));
        let many = format!("{TEN}{}", "a=b|".repeat(MOST_FIELDS));
        for bad in [
            "",
            "|",
            "v2|Action=Allow|",
            "v2.10|Action=Allow|Dir=In|",
            "v2.10|Action=Allow|Active=true|Dir=In|",
            "v2.10|Action=Allow|Active=TRUE|Dir=In|noise|",
            "v2.10|Action=Allow|Active=TRUE|Dir=In",
            &long,
            &many,
        ] {
            assert_eq!(Rule::parse(bad), None, "{bad:?}");
        }
    }
}
