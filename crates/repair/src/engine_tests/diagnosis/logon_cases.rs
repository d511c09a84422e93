//! A disk for each rule about logons that were refused.

use super::cases::{Cases, data, number};
use super::event_cases::{SYSTEM, event, logs};
use crate::place::HiveName::Software;
use crate::testing::evtx::Record;
use crate::value_data::ValueData;

const SECURITY: &str = "Security";
const LOCKER: &str = "Microsoft-Windows-AppLocker";

/// A logon over Remote Desktop that was refused.
fn refused(status: &str, reason: &str) -> (&'static str, Record) {
    refused_to("admin", status, reason)
}

/// A logon over Remote Desktop as this user that was refused.
pub(super) fn refused_to(user: &str, status: &str, reason: &str) -> (&'static str, Record) {
    let record = event("Microsoft-Windows-Security-Auditing", 4625)
        .field("TargetUserName", user)
        .field("Status", status)
        .field("SubStatus", reason)
        .field("LogonType", "10")
        .field("IpAddress", "10.0.0.9");
    (SECURITY, record)
}

pub(super) fn cases() -> Cases {
    let mut ntlm = number(r"Control\Lsa\MSV1_0", "RestrictReceivingNTLMTraffic", 2);
    ntlm.extend(logs(&[refused("0xc0000418", "0x0")]));
    let key = r"Policies\Microsoft\Windows\SrpV2\Exe";
    let mut applocker = data(Software, key, "EnforcementMode", ValueData::dword(1));
    applocker.extend(logs(&[(
        "Microsoft-Windows-AppLocker/EXE and DLL",
        event(LOCKER, 8004)
            .user_data()
            .field("FilePath", r"%SYSTEM32%\USERINIT.EXE"),
    )]));
    let of = |status, reason| logs(&[refused(status, reason)]);
    vec![
        ("logon-right-missing", of("0xc000015b", "0x0")),
        ("account-locked", of("0xc0000234", "0x0")),
        ("password-expired", of("0xc000006e", "0xc0000071")),
        ("account-disabled", of("0xc000006e", "0xc0000072")),
        ("account-restricted", of("0xc000006e", "0xc000006f")),
        ("clock-wrong", of("0xc0000133", "0x0")),
        (
            "domain-controller-not-reached",
            logs(&[
                refused("0xc000005e", "0x0"),
                (SYSTEM, event("NETLOGON", 5719).data("CORP")),
            ]),
        ),
        ("ntlm-refused", ntlm),
        ("applocker", applocker),
    ]
}
