//! Recipes for the listener of Remote Desktop and what it depends on.

use super::{Cases, number};
use crate::engine_tests::catalogue::Case;

const LISTENER: &str = r"Control\Terminal Server\WinStations\RDP-Tcp";
const PROTOCOLS: &str = r"Control\SecurityProviders\SCHANNEL\Protocols";

pub(in super::super) fn remote_desktop() -> Cases {
    let server = |version: &str| format!(r"{PROTOCOLS}\TLS {version}\Server");
    vec![
        Case::broken(
            "tls",
            vec![
                number(&server("1.0"), "Enabled", 0),
                number(&server("1.2"), "Enabled", 0),
                number(&server("1.2"), "DisabledByDefault", 1),
            ],
            &[
                r"TLS 1.2\Server\Enabled",
                r"TLS 1.2\Server\DisabledByDefault",
            ],
        )
        .and(&[r"TLS 1.0\Server\Enabled", r"TLS 1.1\Server\Enabled"]),
        Case::broken(
            "nla",
            vec![
                number(LISTENER, "SecurityLayer", 0),
                number(LISTENER, "fAllowSecProtocolNegotiation", 0),
            ],
            &["SecurityLayer", "fAllowSecProtocolNegotiation"],
        ),
        Case::other(
            "nla",
            vec![
                number(LISTENER, "SecurityLayer", 0),
                number(LISTENER, "UserAuthentication", 0),
            ],
            &["SecurityLayer", "UserAuthentication"],
        ),
    ]
}
