//! Recipes for the network and its firewall, and for a move to another machine.

use diskmend_hive::ValueType;

use super::listener::{in_azure, on_own_host};
use super::{Cases, data, number};
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::Break;
use crate::place::HiveName::{Default, Software};
use crate::value_data::ValueData;

const FIREWALL: &str = r"Services\SharedAccess\Parameters\FirewallPolicy";
const PARAMETERS: &str = r"Services\Tcpip\Parameters";
/// The class of network cards, and the kind of Hyper-V's.
const NET: &str = "{4d36e972-e325-11ce-bfc1-08002be10318}";
const NETVSC: &str = "{f8615163-df3e-46c5-913f-f2d2f965ed0e}";
const PROXY: &str = r"Microsoft\Windows\CurrentVersion\Internet Settings";

pub(in super::super) fn network() -> Cases {
    let text = |text: &str| ValueData::text(ValueType::SZ, text);
    let list = |entry: &str| ValueData::list(&[entry.to_owned()]);
    let rules = format!(r"{FIREWALL}\FirewallRules");
    let profile = |name: &str| format!(r"{FIREWALL}\{name}");
    let policy = |name: &str| format!(r"Policies\Microsoft\WindowsFirewall\{name}");
    let card = format!(r"{PARAMETERS}\Interfaces\{{11111111-2222-3333-4444-555555555555}}");
    let netvsc = format!(r"Enum\VMBUS\{NETVSC}\{{22222222-2222-3333-4444-555555555555}}");
    let second = format!(r"Enum\VMBUS\{NETVSC}\{{33333333-2222-3333-4444-555555555555}}");
    let nic = r"Enum\PCI\VEN_1AF4&DEV_1000\3&13c0b0c5&0&18".to_owned();
    let sound = r"Enum\PCI\VEN_8086&DEV_2668\3&13c0b0c5&0&20".to_owned();
    let proxy = |hive, key: &str, name, data| Break::Data(hive, key.to_owned(), name, data);
    let guard = r"Policies\Microsoft\Windows\DeviceGuard";
    vec![
        Case::broken(
            "firewall-shields-up",
            vec![
                number(&profile("PublicProfile"), "DoNotAllowExceptions", 1),
                number(&profile("StandardProfile"), "DoNotAllowExceptions", 0),
            ],
            &[r"PublicProfile\DoNotAllowExceptions"],
        )
        .and(&[r"StandardProfile\DoNotAllowExceptions"]),
        Case::broken(
            "firewall-corrupt",
            vec![
                number(&rules, "Broken-1", 1),
                data(&rules, "Broken-2", text("no rule")),
                data(&rules, "Broken-3", list("v2.10|a|")),
                data(
                    r"Services\SharedAccess\Defaults\FirewallPolicy\FirewallRules",
                    "Broken-3",
                    text("v2.30|Action=Allow|Active=FALSE|Dir=In|Name=a|"),
                ),
            ],
            &["Broken-1", "Broken-2", "Broken-3"],
        ),
        Case::other(
            "firewall-off",
            vec![],
            &[
                r"DomainProfile\EnableFirewall",
                r"StandardProfile\EnableFirewall",
                r"PublicProfile\EnableFirewall",
            ],
        ),
        Case::other(
            "firewall-on",
            vec![number(&profile("DomainProfile"), "EnableFirewall", 0)],
            &[r"DomainProfile\EnableFirewall"],
        ),
        Case::other(
            "firewall-policy",
            vec![
                Break::Number(Software, policy("DomainProfile"), "DoNotAllowExceptions", 1),
                Break::Number(
                    Software,
                    policy("PublicProfile"),
                    "AllowLocalPolicyMerge",
                    0,
                ),
            ],
            &[
                r"DomainProfile\DoNotAllowExceptions",
                r"PublicProfile\AllowLocalPolicyMerge",
            ],
        ),
        Case::other(
            "mpssvc-loopback",
            vec![data(
                r"Services\mpssvc\Parameters\AppCs",
                "DebugedLoopbackApps",
                ValueData::list(&[]),
            )],
            &["DebugedLoopbackApps"],
        ),
        Case::other(
            "network-dhcp",
            vec![
                number(&card, "EnableDHCP", 0),
                data(&card, "IPAddress", list("10.0.0.4")),
                data(&card, "SubnetMask", list("255.255.255.0")),
                data(&card, "DefaultGateway", list("10.0.0.1")),
                data(&card, "NameServer", text("10.0.0.2")),
            ],
            &["EnableDHCP", "IPAddress", "SubnetMask", "DefaultGateway"],
        ),
        Case::other(
            "dns-static",
            vec![
                data(&card, "NameServer", text("10.0.0.2")),
                data(PARAMETERS, "NameServer", text("10.0.0.3")),
            ],
            &[
                r"{11111111-2222-3333-4444-555555555555}\NameServer",
                r"Tcpip\Parameters\NameServer",
            ],
        ),
        Case::broken(
            "nic-enable",
            [
                vec![
                    number(&netvsc, "ConfigFlags", 0x1),
                    data(&netvsc, "ClassGUID", text(NET)),
                ],
                in_azure(),
            ]
            .concat(),
            &[r"{22222222-2222-3333-4444-555555555555}\ConfigFlags"],
        ),
        // One of two is off.
        Case::other(
            "nic-enable",
            [
                vec![
                    number(&netvsc, "ConfigFlags", 0x1),
                    data(&netvsc, "ClassGUID", text(NET)),
                    number(&second, "ConfigFlags", 0x0),
                ],
                in_azure(),
            ]
            .concat(),
            &[r"{22222222-2222-3333-4444-555555555555}\ConfigFlags"],
        ),
        Case::other(
            "nic-enable",
            [
                on_own_host(),
                vec![
                    number(&netvsc, "ConfigFlags", 0x21),
                    data(&netvsc, "ClassGUID", text(NET)),
                    number(&nic, "ConfigFlags", 0x1),
                    data(&nic, "ClassGUID", text(&NET.to_uppercase())),
                    // A sound card may be off.
                    number(&sound, "ConfigFlags", 0x1),
                    data(
                        &sound,
                        "ClassGUID",
                        text("{4d36e96c-e325-11ce-bfc1-08002be10318}"),
                    ),
                ],
            ]
            .concat(),
            &[
                r"{22222222-2222-3333-4444-555555555555}\ConfigFlags",
                r"3&13c0b0c5&0&18\ConfigFlags",
            ],
        ),
        Case::other(
            "firewall-inbound-default",
            vec![
                number(&profile("DomainProfile"), "DefaultInboundAction", 0),
                number(&profile("PublicProfile"), "DefaultInboundAction", 1),
            ],
            &[
                r"DomainProfile\DefaultInboundAction",
                r"PublicProfile\DefaultInboundAction",
            ],
        ),
        Case::other("realtime-utc", vec![], &["RealTimeIsUniversal"]),
        Case::other(
            "tcp-ports",
            vec![
                number(PARAMETERS, "MaxUserPort", 1000),
                number(PARAMETERS, "TcpTimedWaitDelay", 240),
            ],
            &["MaxUserPort", "TcpTimedWaitDelay"],
        ),
        Case::other(
            "proxy-off",
            vec![
                proxy(Software, PROXY, "ProxyEnable", ValueData::dword(1)),
                proxy(Software, PROXY, "ProxyServer", text("proxy:8080")),
                proxy(
                    Default,
                    &format!(r"Software\{PROXY}"),
                    "AutoConfigURL",
                    text("http://proxy/wpad.dat"),
                ),
            ],
            &["ProxyEnable", "ProxyServer", "AutoConfigURL"],
        ),
        Case::other(
            "credential-guard-off",
            vec![
                number(r"Control\Lsa", "LsaCfgFlags", 2),
                Break::Number(
                    Software,
                    guard.to_owned(),
                    "EnableVirtualizationBasedSecurity",
                    1,
                ),
            ],
            &["LsaCfgFlags", "EnableVirtualizationBasedSecurity"],
        ),
        Case::other(
            "hyperv-drivers",
            vec![
                number(r"Services\vmbus", "Start", 0),
                number(r"Services\vmbus\StartOverride", "0", 3),
                number(r"Services\storvsc", "Start", 3),
            ],
            &[r"vmbus\StartOverride\0", r"storvsc\Start"],
        ),
    ]
}
