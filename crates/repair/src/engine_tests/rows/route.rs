//! `[[route]]` rows.

use super::*;

const ROUTES: &str = r"ControlSet001\Services\Tcpip\Parameters\PersistentRoutes";
const CARD: &str = r"ControlSet001\Services\Tcpip\Parameters\Interfaces\{1}";
const OTHER_CARD: &str = r"ControlSet001\Services\Tcpip\Parameters\Interfaces\{2}";
const LOST: &str = "0.0.0.0,0.0.0.0,192.168.1.1,-1";
const KNOWN: &str = "0.0.0.0,0.0.0.0,10.0.0.1,-1";
const SITE: &str = "172.16.0.0,255.240.0.0,192.168.1.1,1";

fn list(entries: &[&str]) -> ValueData {
    let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
    ValueData::list(&entries)
}

/// A disk with routes, and with these values besides.
fn with(more: &[(&str, &str, ValueData)]) -> FaultyDisk {
    let mut values: Vec<(&str, &str, ValueData)> = [LOST, KNOWN, SITE, "no route"]
        .map(|route| (ROUTES, route, text("")))
        .into();
    values.extend(more.iter().cloned());
    disk(&values, &[])
}

/// The routes that a row deletes; never as a fault.
fn dropped(disk: &FaultyDisk, drop: &str) -> Vec<String> {
    let own = recipe(&format!("[[route]]\ndrop = '{drop}'\nwhy = 'w'\n"));
    assert_eq!(planned(disk, &[&own], Goal::Faults), [], "it is a choice");
    let found = planned(disk, &[&own], Goal::Desired).into_iter();
    let name = |(key, value, new): (String, String, String)| {
        assert_eq!((key.as_str(), new.as_str()), (ROUTES, "deleted"));
        value
    };
    found.map(name).collect()
}

#[test]
fn all_routes_or_single_ones_are_deleted() {
    let own = with(&[]);
    assert_eq!(dropped(&own, "all"), [LOST, KNOWN, SITE, "no route"]);
    assert_eq!(dropped(&own, LOST), [LOST]);
    assert_eq!(dropped(&own, "172.16.0.0,255.240.0.0,192.168.1.1"), [SITE]);
    assert_eq!(dropped(&own, "0.0.0.0,0.0.0.0,192.168.1.1,5"), [""; 0]);
    built_in("persistent-route", |recipes| {
        repaired(&own, recipes, Goal::Desired);
    });
}

#[test]
fn a_route_is_unreachable_if_no_interface_is_in_the_network_of_its_gateway() {
    let by_dhcp = [
        (CARD, "DhcpIPAddress", text("10.0.0.4")),
        (CARD, "DhcpSubnetMask", text("255.255.255.0")),
        (OTHER_CARD, "IPAddress", list(&["0.0.0.0"])),
        (OTHER_CARD, "SubnetMask", list(&["0.0.0.0"])),
    ];
    assert_eq!(dropped(&with(&by_dhcp), "unreachable"), [LOST, SITE]);
    let by_hand = [
        (CARD, "IPAddress", list(&["10.9.0.4", "192.168.1.4"])),
        (
            CARD,
            "SubnetMask",
            list(&["255.255.255.0", "255.255.255.0"]),
        ),
    ];
    assert_eq!(dropped(&with(&by_hand), "unreachable"), [KNOWN]);
}

#[test]
fn nothing_is_unreachable_if_a_network_is_not_known() {
    assert_eq!(dropped(&with(&[]), "unreachable"), [""; 0], "no address");
    let address = (CARD, "DhcpIPAddress", text("10.0.0.4"));
    for more in [
        vec![],
        vec![(CARD, "DhcpSubnetMask", text("/24"))],
        vec![
            (CARD, "DhcpSubnetMask", text("255.255.255.0")),
            (OTHER_CARD, "IPAddress", list(&["10.0.0.4", "192.168.1.4"])),
            (OTHER_CARD, "SubnetMask", list(&["255.255.255.0"])),
        ],
    ] {
        let values = [vec![address.clone()], more].concat();
        assert_eq!(dropped(&with(&values), "unreachable"), [""; 0]);
    }
}

#[test]
fn mistakes_are_named_with_their_place() {
    let row = "[[route]]\ndrop = 'all'\nwhy = 'w'\n";
    recipe(row);
    for (from, to, place, say) in [
        ("'all'", "'some'", "7:8", "no \"some\""),
        ("'all'", "'0.0.0.0,0.0.0.0,10.0.0.256'", "7:8", "expected"),
        ("'w'", "''", "8:7", "say something"),
        ("why = 'w'", "why = 'w'\nfault = 'exists'", "9:1", "fault"),
    ] {
        refused(&row.replacen(from, to, 1), place, say);
    }
}
