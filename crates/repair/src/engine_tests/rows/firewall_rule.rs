//! `[[firewall_rule]]` rows.

use super::*;
use crate::engine_tests::evidence::firewall::{ID, LISTENER, RULES, SERVER, rule};

const SHADOW: &str = r"v2.30|Action=Allow|Active=FALSE|Dir=In|Protocol=6|App=%SystemRoot%\system32\RdpSa.exe|Name=@FirewallAPI.dll,-28778|EmbedCtxt=@FirewallAPI.dll,-28752|Edge=TRUE|Defer=App|";
const UDP: &str = r"v2.30|Action=Allow|Active=FALSE|Dir=In|Protocol=17|LPort=3389|App=%SystemRoot%\system32\svchost.exe|Svc=termservice|Name=@FirewallAPI.dll,-28776|EmbedCtxt=@FirewallAPI.dll,-28752|";
const ROW: &str = "[[firewall_rule]]\ngroup = '@FirewallAPI.dll,-28752'\ndirection = 'in'\n\
                   action = 'allow'\nprotocol = 'tcp'\nstore = 'local'\n\
                   set = { active = true, port = 3390 }\nif_missing = 'leave'\nfault = 'closed'\nwhy = 'w'\n";
const FIREWALL: &str = r"ControlSet001\Services\SharedAccess\Parameters\FirewallPolicy";
const VERSION: &str = r"Microsoft\Windows NT\CurrentVersion";

type Value = (&'static str, &'static str, ValueData);

/// A disk with Remote Desktop switched on, listening on this port, with these rules.
fn with(port: u32, rules: &[(&'static str, ValueData)], software: &[Value]) -> FaultyDisk {
    let mut values = vec![
        (SERVER, "fDenyTSConnections", number(0)),
        (LISTENER, "PortNumber", number(port)),
        (FIREWALL, "PolicyVersion", number(0x21e)),
        (RULES, "RemoteDesktop-Shadow-In-TCP", text(SHADOW)),
    ];
    values.extend(rules.iter().map(|(id, data)| (RULES, *id, data.clone())));
    let mut more = vec![(VERSION, "CurrentBuildNumber", text("17763"))];
    more.extend_from_slice(software);
    disk(&values, &more)
}

fn changed(name: &str, data: &ValueData) -> (String, String, String) {
    change(RULES, name, &data.to_string())
}

fn auto(disk: &FaultyDisk) -> Changes {
    built_in("firewall-rdp", |recipes| {
        planned(disk, recipes, Goal::Faults)
    })
}

fn moved(disk: &FaultyDisk) -> Changes {
    built_in("rdp-port-rule", |recipes| {
        planned(disk, recipes, Goal::Faults)
    })
}

#[test]
fn inactive_rules_are_activated_and_nothing_else_of_them_changes() {
    let closed = with(
        3389,
        &[(ID, rule("FALSE", "3389", "")), ("udp", text(UDP))],
        &[],
    );
    let open = rule("TRUE", "3389", "");
    assert_eq!(auto(&closed), [changed(ID, &open)]);
    built_in("firewall-rdp", |recipes| {
        repaired(&closed, recipes, Goal::Faults);
        let named = planned(&closed, recipes, Goal::Desired);
        let udp = text(&UDP.replace("FALSE", "TRUE"));
        assert_eq!(named, [changed(ID, &open), changed("udp", &udp)]);
        repaired(&closed, recipes, Goal::Desired);
    });
}

#[test]
fn an_open_port_and_a_desktop_that_is_off_are_no_fault() {
    let (on, off) = (rule("TRUE", "3389", ""), rule("FALSE", "3389", ""));
    let policy = r"Policies\Microsoft\WindowsFirewall\FirewallRules";
    for (what, disk) in [
        ("open", with(3389, &[(ID, on.clone())], &[])),
        (
            "another rule",
            with(3389, &[(ID, off.clone()), ("mine", on.clone())], &[]),
        ),
        (
            "a policy",
            with(3389, &[(ID, off.clone())], &[(policy, "a", on.clone())]),
        ),
        (
            "one profile",
            with(
                3389,
                &[
                    (ID, rule("TRUE", "3389", "Profile=Domain|")),
                    ("b", off.clone()),
                ],
                &[],
            ),
        ),
        (
            "no firewall",
            disk(&[(SERVER, "fDenyTSConnections", number(0))], &[]),
        ),
    ] {
        assert_eq!(auto(&disk), [], "{what}");
        assert_eq!(moved(&disk), [], "{what}");
    }
    let values = [
        (SERVER, "fDenyTSConnections", number(1)),
        (LISTENER, "PortNumber", number(3389)),
        (RULES, ID, off.clone()),
    ];
    assert_eq!(auto(&disk(&values, &[])), []);
    // Against a rule that blocks, one that allows helps nothing.
    let text_of = r"v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=3389|Name=block|";
    let blocked = with(3389, &[(ID, on), ("block", text(text_of)), ("b", off)], &[]);
    assert_eq!(auto(&blocked), []);
}

#[test]
fn the_rule_follows_the_port_and_not_the_other_way_round() {
    let old = with(
        33890,
        &[(ID, rule("TRUE", "3389", "")), ("udp", text(UDP))],
        &[],
    );
    let new = rule("TRUE", "33890", "");
    assert_eq!(moved(&old), [changed(ID, &new)]);
    assert_eq!(auto(&old), [changed(ID, &new)]);
    built_in("rdp-port-rule", |recipes| {
        repaired(&old, recipes, Goal::Faults);
        let udp = text(&UDP.replace("3389", "33890"));
        let named = planned(&old, recipes, Goal::Desired);
        assert_eq!(named, [changed(ID, &new), changed("udp", &udp)]);
    });
    // An inactive rule for another port isn't the reason, but the firewall is closed.
    let inactive = with(33890, &[(ID, rule("FALSE", "3389", ""))], &[]);
    assert_eq!(moved(&inactive), []);
    assert_eq!(auto(&inactive), [changed(ID, &new)]);
    let both = with(33890, &[(ID, rule("TRUE", "3389", "")), ("mine", new)], &[]);
    assert_eq!(moved(&both), []);
    // A port that is none is not followed.
    for port in [0, 65536, u32::MAX] {
        let odd = with(port, &[(ID, rule("TRUE", "3389", ""))], &[]);
        assert_eq!(moved(&odd), [], "{port}");
    }
}

#[test]
fn a_port_is_chosen_for_the_listener_and_every_rule_of_remote_desktop() {
    let old = with(
        33890,
        &[(ID, rule("TRUE", "3389", "")), ("udp", text(UDP))],
        &[],
    );
    let mut catalogue = Catalogue::built_in().expect("valid");
    let recipes = catalogue.select(&["rdp-port"]).expect("known");
    assert_eq!(planned(&old, &recipes, Goal::Faults), [], "it is a choice");
    let port = |number: u32| change(LISTENER, "PortNumber", &number_shown(number));
    assert_eq!(planned(&old, &recipes, Goal::Desired), [port(3389)]);
    catalogue
        .set_parameter("rdp-port", "port", "4711")
        .expect("a port");
    let recipes = catalogue.select(&["rdp-port"]).expect("known");
    let udp = text(&UDP.replace("3389", "4711"));
    let new = rule("TRUE", "4711", "");
    let expected = [port(4711), changed(ID, &new), changed("udp", &udp)];
    assert_eq!(planned(&old, &recipes, Goal::Desired), expected);
    repaired(&old, &recipes, Goal::Desired);
    // The rule cannot follow the old port and the new one.
    for other in ["rdp-port-rule", "firewall-rdp"] {
        assert!(catalogue.select(&["rdp-port", other]).is_err(), "{other}");
    }
}

fn number_shown(number: u32) -> String {
    ValueData::dword(number).to_string()
}

#[test]
fn rules_that_are_not_understood_stay() {
    let row = recipe(ROW);
    let good = rule("FALSE", "3389", "").to_string();
    let good = good.trim_matches('"');
    let good = rule_text(good);
    for (from, to) in [
        ("LPort=3389|", ""),
        ("LPort=3389", "LPort=RPC"),
        ("LPort=3389", "LPort=3389|LPort=4000"),
        ("LPort=3389", "LPort=3389|LPort2_10=1-2"),
        ("Active=FALSE", "Active=false"),
        ("Active=FALSE", "Active=FALSE|Active=FALSE"),
        ("EmbedCtxt=", "EmbedCtxt=x"),
        ("Dir=In", "Dir=Out"),
        ("Action=Allow", "Action=Block"),
        ("Protocol=6", "Protocol=17"),
        ("Protocol=6|", ""),
        ("v2.30", "2.30"),
        ("28752|", "28752"),
    ] {
        let odd = good.replacen(from, to, 1);
        assert_ne!(odd, good, "{from}");
        let disk = with(3390, &[(ID, text(&odd))], &[]);
        assert_eq!(planned(&disk, &[&row], Goal::Desired), [], "{from} {to}");
    }
    for data in [
        ValueData::text(ValueType::EXPAND_SZ, &good),
        ValueData {
            value_type: ValueType::SZ,
            bytes: vec![0x76],
        },
        ValueData {
            value_type: ValueType::SZ,
            bytes: vec![0x76; 100_000],
        },
    ] {
        let disk = with(3390, &[(ID, data)], &[]);
        assert_eq!(planned(&disk, &[&row], Goal::Desired), []);
    }
    let disk = with(3390, &[(ID, text(&good))], &[]);
    assert_eq!(planned(&disk, &[&row], Goal::Desired).len(), 1);
}

/// The text of the usual rule: for display, a long one is cut.
fn rule_text(shown: &str) -> String {
    let data = rule("FALSE", "3389", "");
    let text = diskmend_base::utf16::decode_to_nul(&data.bytes).expect("text");
    assert!(
        text.starts_with(shown.trim_end_matches(['.', '"'])),
        "{shown}"
    );
    text
}

#[test]
fn a_missing_rule_is_created_as_windows_has_it() {
    let created = |build: &str, rules: &[(&'static str, ValueData)], version: u32| {
        let mut values = vec![
            (SERVER, "fDenyTSConnections", number(0)),
            (LISTENER, "PortNumber", number(33890)),
            (FIREWALL, "PolicyVersion", number(version)),
            (RULES, "RemoteDesktop-Shadow-In-TCP", text("v2.30|A=B|")),
        ];
        values.extend(rules.iter().map(|(id, data)| (RULES, *id, data.clone())));
        let disk = disk(&values, &[(VERSION, "CurrentBuildNumber", text(build))]);
        let found = auto(&disk);
        if !found.is_empty() {
            built_in("firewall-rdp", |recipes| {
                repaired(&disk, recipes, Goal::Faults)
            });
        }
        let names = found
            .into_iter()
            .map(|(_, name, new)| format!("{name}={new}"));
        names.collect::<Vec<String>>()
    };
    let is = |found: &[String], name: &str, version: &str| {
        let [one] = found else {
            panic!("{found:?}");
        };
        assert!(one.starts_with(&format!("{name}=\"{version}|")), "{one}");
        assert!(one.contains("LPort=33890|"), "{one}");
    };
    is(&created("17763", &[], 0x21b), ID, "v2.27");
    is(
        &created("7601", &[], 0x20a),
        "RemoteDesktop-In-TCP",
        "v2.10",
    );
    // The name is taken.
    let taken = [(ID, text("v2.30|Action=Allow|Active=TRUE|Dir=In|"))];
    for (build, rules, version) in [
        ("17763", &taken[..], 0x21b),
        ("17763", &[(ID, number(1))][..], 0x21b),
        ("2600", &[], 0x21b),
        ("?", &[], 0x21b),
        ("17763", &[], 0x31b),
        ("17763", &[], 0),
    ] {
        assert_eq!(created(build, rules, version), [""; 0], "{build} {version}");
    }
}

#[test]
fn the_rules_of_policies_are_a_store_of_their_own() {
    let policy = r"Policies\Microsoft\WindowsFirewall\FirewallRules";
    let closed = rule("FALSE", "3390", "");
    let disk = with(3390, &[(ID, closed.clone())], &[(policy, "{a}", closed)]);
    let row = recipe(&ROW.replace("'local'", "'policy'"));
    let open = rule("TRUE", "3390", "");
    let expected = [change(policy, "{a}", &open.to_string())];
    assert_eq!(planned(&disk, &[&row], Goal::Faults), expected);
    repaired(&disk, &[&row], Goal::Faults);
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (from, to, place, say) in [
        ("'@FirewallAPI.dll,-28752'", "'a|b'", "7:9", "no group"),
        ("'in'", "'both'", "8:13", "in, out"),
        ("'allow'", "'Allow'", "9:10", "allow, block"),
        ("'tcp'", "'sctp'", "10:12", "tcp, udp"),
        ("'tcp'", "'256'", "10:12", "tcp, udp"),
        ("'local'", "'both'", "11:9", "local, policy"),
        (
            "{ active = true, port = 3390 }",
            "{}",
            "12:7",
            "sets nothing",
        ),
        ("3390", "0", "12:31", "no port"),
        ("3390", "65536", "12:31", "no port"),
        ("3390", "'x'", "12:31", "no port"),
        (
            "3390",
            "{ hive = 'SOFTWARE', key = 'a', value = 'b' }",
            "12:40",
            "SYSTEM only",
        ),
        ("'leave'", "'make'", "13:14", "leave, create"),
        ("'closed'", "'open'", "14:9", "\"closed\""),
        (
            "'closed'",
            "{ is = 'closed', port_other_than = { hive = 'SYSTEM', key = 'a', value = 'b' } }",
            "14:9",
            "either",
        ),
        ("'w'", "' '", "15:7", "say something"),
        ("why", "wyh", "15:1", "wyh"),
    ] {
        let row = ROW.replacen(from, to, 1);
        assert_ne!(row, ROW, "{from}");
        refused(&row, place, say);
    }
    let create = ROW.replace("'leave'", "'create'");
    recipe(&create);
    for (from, to) in [
        ("'tcp'", "'udp'"),
        ("'in'", "'out'"),
        ("'local'", "'policy'"),
        ("active = true", "active = false"),
        ("-28752", "-28852"),
        (", port = 3390", ""),
    ] {
        refused(&create.replacen(from, to, 1), "13:14", "can be created");
    }
    let reference = "{ hive = 'SYSTEM', key = 'a', value = 'b' }";
    recipe(&ROW.replace("'closed'", &format!("{{ port_other_than = {reference} }}")));
    recipe(&ROW.replace("3390", "'3390'"));
}
