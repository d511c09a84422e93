//! Recipes for the listener of Remote Desktop and what it depends on.

use super::{Cases, number};
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::Break;
use crate::engine_tests::evidence::certificates::{
    PAST, STATIONS, STORE, binary, blob, certificate, thumbprint,
};
use crate::engine_tests::evidence::firewall::{ID, RULES, rule};
use crate::place::HiveName;
use diskmend_base::hex;

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
        // Windows 7 enables TLS 1.2 only if it is told.
        Case::other(
            "tls",
            vec![
                // It has this driver.
                number(r"Services\TermDD", "Start", 1),
                number(&server("1.2"), "Enabled", 0),
                number(&server("1.2"), "DisabledByDefault", 1),
            ],
            &[
                r"TLS 1.2\Server\Enabled",
                r"TLS 1.2\Server\DisabledByDefault",
                r"TLS 1.0\Server\Enabled",
                r"TLS 1.1\Server\Enabled",
            ],
        ),
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
        Case::broken(
            "firewall-rdp",
            vec![Break::Data(
                HiveName::System,
                RULES.to_owned(),
                ID,
                rule("FALSE", "3389", ""),
            )],
            &[ID],
        ),
        Case::other(
            "rdp-port",
            vec![number(LISTENER, "PortNumber", 33890)],
            &["PortNumber"],
        ),
        Case::broken(
            "rdp-port-rule",
            vec![number(LISTENER, "PortNumber", 33890)],
            &[ID],
        ),
        Case::broken(
            "rdp-certificate",
            expired_certificate(),
            // The second one is a whole key.
            &["SelfSignedCertificate", ""],
        ),
    ]
}

/// A certificate of Remote Desktop that ended years before Windows ran last.
fn expired_certificate() -> Vec<Break> {
    let old = certificate(PAST);
    let digest = thumbprint(&old);
    let key = format!(r"{STORE}\{}", hex::encode(&digest));
    vec![
        Break::Data(HiveName::Software, key, "Blob", blob(&old, 0)),
        Break::Data(
            HiveName::System,
            STATIONS.to_owned(),
            "SelfSignedCertificate",
            binary(digest),
        ),
    ]
}
