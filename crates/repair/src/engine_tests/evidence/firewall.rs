//! The firewall and the port of Remote Desktop.

use super::{disk, number, text, with_facts};
use crate::facts::{ClosedBy, ClosedPort};
use crate::value_data::ValueData;

pub(in crate::engine_tests) const SERVER: &str = r"ControlSet001\Control\Terminal Server";
pub(in crate::engine_tests) const LISTENER: &str =
    r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
pub(super) const DOMAIN: &str =
    r"ControlSet001\Services\SharedAccess\Parameters\FirewallPolicy\DomainProfile";
pub(super) const PRIVATE: &str =
    r"ControlSet001\Services\SharedAccess\Parameters\FirewallPolicy\StandardProfile";
pub(super) const PUBLIC: &str =
    r"ControlSet001\Services\SharedAccess\Parameters\FirewallPolicy\PublicProfile";
pub(in crate::engine_tests) const RULES: &str =
    r"ControlSet001\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules";
const POLICY: &str = r"Policies\Microsoft\WindowsFirewall";

type Value = (&'static str, &'static str, ValueData);

pub(in crate::engine_tests) fn rule(active: &str, port: &str, more: &str) -> ValueData {
    text(&format!(
        r"v2.30|Action=Allow|Active={active}|Dir=In|Protocol=6|{more}LPort={port}|App=%SystemRoot%\system32\svchost.exe|Svc=termservice|Name=@FirewallAPI.dll,-28775|Desc=@FirewallAPI.dll,-28756|EmbedCtxt=@FirewallAPI.dll,-28752|"
    ))
}

/// What closes the port on a disk with Remote Desktop switched on, and these values.
fn closed(system: &[Value], software: &[Value]) -> Option<ClosedPort> {
    let mut values = vec![
        (SERVER, "fDenyTSConnections", number(0)),
        (LISTENER, "PortNumber", number(3389)),
        (DOMAIN, "EnableFirewall", number(1)),
        (PRIVATE, "EnableFirewall", number(1)),
        (PUBLIC, "EnableFirewall", number(1)),
        // Shadow sessions have no port of their own, and must not count.
        (
            RULES,
            "RemoteDesktop-Shadow-In-TCP",
            text(
                r"v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|App=%SystemRoot%\system32\RdpSa.exe|Name=@FirewallAPI.dll,-28778|EmbedCtxt=@FirewallAPI.dll,-28752|Edge=TRUE|Defer=App|",
            ),
        ),
    ];
    // A later value replaces an earlier one of the same name.
    values.extend_from_slice(system);
    let closed = |facts: &crate::facts::Facts<'_>| facts.closed_port().map(Option::<&_>::cloned);
    with_facts(&disk(&values, software), closed).expect("known")
}

pub(in crate::engine_tests) const ID: &str = "RemoteDesktop-UserMode-In-TCP";

#[test]
fn an_open_port_is_no_fault() {
    let open = (RULES, ID, rule("TRUE", "3389", ""));
    for more in [
        vec![open.clone()],
        // In one profile it is enough: it is the default of Windows 7.
        vec![(RULES, ID, rule("TRUE", "3389", "Profile=Domain|"))],
        // A profile without a firewall lets everybody in.
        vec![(PUBLIC, "EnableFirewall", number(0))],
        // Nobody wants to come in.
        vec![(SERVER, "fDenyTSConnections", number(1))],
        // 1 is what Windows does anyway.
        vec![open.clone(), (DOMAIN, "DefaultInboundAction", number(1))],
        vec![(DOMAIN, "DefaultInboundAction", number(0))],
        vec![
            (RULES, "mine", rule("TRUE", "33890", "")),
            (LISTENER, "PortNumber", number(33890)),
        ],
        // The other two profiles still let clients in.
        vec![open.clone(), (DOMAIN, "DoNotAllowExceptions", number(1))],
    ] {
        assert_eq!(closed(&more, &[]), None, "{more:?}");
    }
    let policy = (
        r"Policies\Microsoft\WindowsFirewall\FirewallRules",
        "a",
        rule("TRUE", "3389", ""),
    );
    assert_eq!(closed(&[], &[policy]), None);
    let off = (
        r"Policies\Microsoft\Windows NT\Terminal Services",
        "fDenyTSConnections",
        number(1),
    );
    assert_eq!(closed(&[], &[off]), None);
}

#[test]
fn every_way_to_close_the_port_is_told_apart() {
    let open = (RULES, ID, rule("TRUE", "3389", ""));
    let merge = |name| (name, "AllowLocalPolicyMerge", number(0));
    let all = |name| {
        [DOMAIN, PRIVATE, PUBLIC]
            .map(|key| (key, name, number(1)))
            .to_vec()
    };
    let block = text("v2.30|Action=Block|Active=TRUE|Dir=In|LPort=3000-4000|Protocol=6|Name=no|");
    for (by, system, software, seen) in [
        (ClosedBy::NoRule, vec![], vec![], "no rule for port 3389"),
        (
            ClosedBy::NoRule,
            vec![(RULES, ID, rule("FALSE", "3389", ""))],
            vec![],
            "RemoteDesktop-UserMode-In-TCP is not active",
        ),
        (
            ClosedBy::OtherPort,
            vec![open.clone(), (LISTENER, "PortNumber", number(33890))],
            vec![],
            "RemoteDesktop-UserMode-In-TCP is for another port than 33890",
        ),
        (
            ClosedBy::BlockAll,
            [vec![open.clone()], all("DoNotAllowExceptions")].concat(),
            vec![],
            "DoNotAllowExceptions is 1",
        ),
        (
            ClosedBy::BlockRule,
            vec![open.clone(), (RULES, "blocks", block)],
            vec![],
            "blocks",
        ),
        (
            ClosedBy::LocalRulesIgnored,
            vec![open.clone()],
            vec![
                merge(r"Policies\Microsoft\WindowsFirewall\DomainProfile"),
                merge(r"Policies\Microsoft\WindowsFirewall\PrivateProfile"),
                merge(r"Policies\Microsoft\WindowsFirewall\PublicProfile"),
            ],
            "AllowLocalPolicyMerge is 0",
        ),
    ] {
        let found = closed(&system, &software).expect(seen);
        assert_eq!(found.by, by);
        assert_eq!(found.seen[0].1, seen);
    }
    let shields = (POLICY.to_owned() + r"\DomainProfile", number(1));
    let software = [(shields.0.as_str(), "DoNotAllowExceptions", shields.1)];
    let values = [
        (SERVER, "fDenyTSConnections", number(0)),
        (RULES, ID, rule("TRUE", "3389", "Profile=Domain|")),
    ];
    let found = with_facts(&disk(&values, &software), |facts| {
        facts.closed_port().expect("known").cloned()
    });
    let found = found.expect("closed");
    assert_eq!(found.by, ClosedBy::BlockAll);
    assert!(found.seen[0].0.starts_with("SOFTWARE"), "{found:?}");
}

#[test]
fn a_windows_without_this_firewall_is_not_judged() {
    let values = [(SERVER, "fDenyTSConnections", number(0))];
    with_facts(&disk(&values, &[]), |facts| {
        assert_eq!(facts.closed_port(), Ok(None));
    });
}
