//! The faults that `--auto` recognizes.

use super::support::{FaultyHive, plan, volume};
use crate::documents::PlanReport;
use crate::plan::Goal;

const RDP: &str = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
const TLS: &str = r"ControlSet001\Control\SecurityProviders\SCHANNEL\Protocols";

/// The changes, as `value=new`, that `--auto` would make in a healthy hive after these values are
/// set.
fn faults(values: &[(&str, &str, u32)]) -> Vec<String> {
    let disk = volume("system-001");
    let new = format!(r"{TLS}\TLS 1.2\Server");
    let healthy = [
        (RDP, "SecurityLayer", 2),
        (RDP, "UserAuthentication", 1),
        (RDP, "fAllowSecProtocolNegotiation", 1),
        (&new, "Enabled", 1),
        (&new, "DisabledByDefault", 0),
    ];
    disk.set_all(&[&healthy, values].concat());
    let plan = plan(&disk, Goal::Faults).expect("plan");
    let report = PlanReport::of(&plan);
    let shown = report.changes.iter().map(|change| {
        assert!(change.fault);
        let new = change.value.new.as_ref().expect("data");
        format!("{}={new}", change.value.value)
    });
    shown.collect()
}

#[test]
fn required_authentication_that_the_listener_rules_out_is_a_fault() {
    let layer = |number| (RDP, "SecurityLayer", number);
    let required = |number| (RDP, "UserAuthentication", number);
    let negotiation = |number| (RDP, "fAllowSecProtocolNegotiation", number);
    assert_eq!(
        faults(&[layer(0), required(1), negotiation(1)]),
        ["SecurityLayer=1"]
    );
    assert_eq!(
        faults(&[layer(2), required(1), negotiation(0)]),
        ["fAllowSecProtocolNegotiation=1"]
    );
    // These are choices and not contradictions.
    assert_eq!(faults(&[layer(2), required(1), negotiation(1)]), [""; 0]);
    assert_eq!(faults(&[layer(0), required(0), negotiation(0)]), [""; 0]);
}

#[test]
fn only_tls_1_2_switched_off_is_a_fault() {
    let server = |version: &str| format!(r"{TLS}\TLS {version}\Server");
    let (old, new) = (server("1.0"), server("1.2"));
    assert_eq!(faults(&[(&new, "Enabled", 0)]), ["Enabled=1"]);
    assert_eq!(
        faults(&[(&new, "Enabled", 1), (&new, "DisabledByDefault", 1)]),
        ["DisabledByDefault=0"]
    );
    assert_eq!(
        faults(&[
            (&old, "Enabled", 0),
            (&new, "Enabled", u32::MAX),
            (&new, "DisabledByDefault", 0)
        ]),
        [""; 0]
    );
}

#[test]
fn no_setting_of_the_crash_dump_is_a_fault() {
    let key = r"ControlSet001\Control\CrashControl";
    assert_eq!(
        faults(&[(key, "CrashDumpEnabled", 0), (key, "NMICrashDump", 0)]),
        [""; 0]
    );
}
