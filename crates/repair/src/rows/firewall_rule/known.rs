//! The rules that Windows itself has for Remote Desktop, for a store that has lost them.

use super::{Action, Direction};

/// The group of the rules for Remote Desktop since Windows 7, by the number of its name.
pub(super) const REMOTE_DESKTOP: &str = "@FirewallAPI.dll,-28752";
const TCP: u8 = 6;
/// Windows 7 and Windows 8.
const SEVEN: u32 = 7600;
const EIGHT: u32 = 9200;

/// True if the rule that Windows has for this is known.
pub(super) fn is_known(
    group: &str,
    direction: Direction,
    action: Option<Action>,
    protocol: Option<u8>,
) -> bool {
    group == REMOTE_DESKTOP
        && direction == Direction::In
        && action == Some(Action::Allow)
        && protocol == Some(TCP)
}

/// The name and text of the rule for this build, in a store of this version.
pub(super) fn rule(build: u32, version: u32, port: u16) -> Option<(&'static str, String)> {
    // The version of the grammar, 0x21e for 2.30. A newer rule is ignored by Windows.
    let (major, minor) = (version >> 8, version & 0xff);
    if major != 2 || build < SEVEN {
        return None;
    }
    let head = format!("v{major}.{minor}|Action=Allow|Active=TRUE|Dir=In|Protocol=6|");
    Some(if build < EIGHT {
        let text = format!(
            "{head}Profile=Domain|Profile=Private|LPort={port}|App=System|Name=@FirewallAPI.dll,-28753|\
             Desc=@FirewallAPI.dll,-28756|EmbedCtxt={REMOTE_DESKTOP}|"
        );
        ("RemoteDesktop-In-TCP", text)
    } else {
        let text = format!(
            "{head}LPort={port}|App=%SystemRoot%\\system32\\svchost.exe|Svc=termservice|\
             Name=@FirewallAPI.dll,-28775|Desc=@FirewallAPI.dll,-28756|EmbedCtxt={REMOTE_DESKTOP}|"
        );
        ("RemoteDesktop-UserMode-In-TCP", text)
    })
}
