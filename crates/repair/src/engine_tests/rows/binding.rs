//! `[[binding]]` rows.

use super::list::whole;
use super::*;

const PART: &str = r"ControlSet001\Control\Network\{4D36E974-E325-11CE-BFC1-08002BE10318}\{1}";
const NDI: &str = r"ControlSet001\Control\Network\{4D36E974-E325-11CE-BFC1-08002BE10318}\{1}\Ndi";
const SERVICE: &str = r"ControlSet001\Services\vpnfilt";
const LINKAGE: &str = r"ControlSet001\Services\vpnfilt\Linkage";

/// A whole volume with a filter of the network and its service, with more or other values.
fn with(component: &str, kind: u32, service: &str, drivers: &[&str]) -> FaultyDisk {
    let values = [
        (PART, "ComponentId", text(component)),
        (PART, "Characteristics", number(0x40000)),
        (NDI, "Service", text(service)),
        (NDI, "FilterRunType", number(kind)),
        (SERVICE, "Type", number(1)),
        (SERVICE, "Start", number(1)),
        (LINKAGE, "Bind", text(r"\Device\{2}")),
        (LINKAGE, "Export", text(r"\Device\vpnfilt_{2}")),
    ];
    let drivers = [&["other.sys"], drivers].concat();
    whole(disk(&values, &[]), &drivers)
}

fn named(disk: &FaultyDisk) -> Changes {
    built_in("net-binding-orphan", |recipes| {
        let named = planned(disk, recipes, Goal::Desired);
        assert_eq!(planned(disk, recipes, Goal::Faults), named, "it is a fault");
        named
    })
}

/// A row of one's own is a fault only if it says so.
#[test]
fn a_row_says_whether_it_is_a_fault() {
    let broken = with("vendor_vpn", 1, "vpnfilt", &[]);
    for (fault, count) in [("", 0), ("fault = 'would_change'\n", 4)] {
        let own = recipe(&format!(
            "[[binding]]\ndrop = 'driver_missing'\n{fault}why = 'w'\n"
        ));
        assert_eq!(planned(&broken, &[&own], Goal::Faults).len(), count);
        assert_eq!(planned(&broken, &[&own], Goal::Desired).len(), 4);
    }
}

#[test]
fn a_mandatory_filter_without_a_driver_is_taken_out() {
    let broken = with("vendor_vpn", 1, "VpnFilt", &[]);
    let expected = [
        change(PART, "", "deleted"),
        change(SERVICE, "Start", "4"),
        change(LINKAGE, "Bind", "deleted"),
        change(LINKAGE, "Export", "deleted"),
    ];
    assert_eq!(named(&broken), expected);
    built_in("net-binding-orphan", |recipes| {
        repaired(&broken, recipes, Goal::Desired);
    });
    // Nothing is left but the name.
    let gone = with("vendor_vpn", 1, "gone", &[]);
    assert_eq!(named(&gone), [change(PART, "", "deleted")]);
}

#[test]
fn other_parts_of_the_network_stay() {
    for (component, kind, service, drivers) in [
        ("vendor_vpn", 1, "vpnfilt", &["vpnfilt.sys"][..]),
        // Optional.
        ("vendor_vpn", 2, "vpnfilt", &[]),
        ("MS_vpn", 1, "vpnfilt", &[]),
        // Parts of Hyper-V and its network card.
        ("VMS_pp", 1, "vpnfilt", &[]),
        ("netvsc_vfpp", 1, "vpnfilt", &[]),
        ("vendor_vpn", 1, "", &[]),
        ("vendor_vpn", 1, r"a\b", &[]),
    ] {
        let disk = with(component, kind, service, drivers);
        assert_eq!(named(&disk), [], "{component} {kind} {service}");
    }
    let own = with("vendor_vpn", 1, "vpnfilt", &[]);
    own.put("Windows/WinSxS/amd64_a_1/vpnfilt.sys", b"MZ".to_vec());
    assert_eq!(named(&own), [], "a driver of Windows itself");
    let part = [(PART, "ComponentId", text("vendor_vpn"))];
    assert_eq!(named(&whole(disk(&part, &[]), &["other.sys"])), []);
}

#[test]
fn mistakes_are_named_with_their_place() {
    let row = "[[binding]]\ndrop = 'driver_missing'\nwhy = 'w'\n";
    recipe(row);
    for (from, to, place, say) in [
        ("'driver_missing'", "'all'", "7:8", "no \"all\""),
        ("'w'", "''", "8:7", "say something"),
        ("why = 'w'", "why = 'w'\nname = 'a'", "9:1", "name"),
        (
            "why = 'w'",
            "fault = 'exists'\nwhy = 'w'",
            "8:9",
            "would_change",
        ),
    ] {
        refused(&row.replacen(from, to, 1), place, say);
    }
}
