//! The table of SIDs that mean the same on every machine (MS-DTYP 2.4.2.4).

use super::Sid;

/// A SID that means the same on every machine.
pub(super) struct WellKnown {
    pub(super) sid: Sid,
    /// The account's name with its authority, as English Windows prints it.
    pub(super) account: &'static str,
    /// The two letters that stand for it in SDDL (MS-DTYP 2.5.1.1).
    pub(super) alias: Option<&'static str>,
}

const fn named(sid: Sid, account: &'static str) -> WellKnown {
    WellKnown {
        sid,
        account,
        alias: None,
    }
}

const fn aliased(sid: Sid, account: &'static str, alias: &'static str) -> WellKnown {
    WellKnown {
        sid,
        account,
        alias: Some(alias),
    }
}

pub(super) const WELL_KNOWN: &[WellKnown] = &[
    named(Sid::one(0, 0), "NULL SID"),
    aliased(Sid::one(1, 0), "Everyone", "WD"),
    named(Sid::one(2, 0), "LOCAL"),
    named(Sid::one(2, 1), "CONSOLE LOGON"),
    aliased(Sid::one(3, 0), "CREATOR OWNER", "CO"),
    aliased(Sid::one(3, 1), "CREATOR GROUP", "CG"),
    named(Sid::one(3, 2), "CREATOR OWNER SERVER"),
    named(Sid::one(3, 3), "CREATOR GROUP SERVER"),
    aliased(Sid::one(3, 4), "OWNER RIGHTS", "OW"),
    named(Sid::one(5, 1), r"NT AUTHORITY\DIALUP"),
    aliased(Sid::one(5, 2), r"NT AUTHORITY\NETWORK", "NU"),
    named(Sid::one(5, 3), r"NT AUTHORITY\BATCH"),
    aliased(Sid::one(5, 4), r"NT AUTHORITY\INTERACTIVE", "IU"),
    aliased(Sid::one(5, 6), r"NT AUTHORITY\SERVICE", "SU"),
    aliased(Sid::one(5, 7), r"NT AUTHORITY\ANONYMOUS LOGON", "AN"),
    named(Sid::one(5, 8), r"NT AUTHORITY\PROXY"),
    aliased(
        Sid::one(5, 9),
        r"NT AUTHORITY\ENTERPRISE DOMAIN CONTROLLERS",
        "ED",
    ),
    aliased(Sid::one(5, 10), r"NT AUTHORITY\SELF", "PS"),
    aliased(Sid::one(5, 11), r"NT AUTHORITY\Authenticated Users", "AU"),
    aliased(Sid::one(5, 12), r"NT AUTHORITY\RESTRICTED", "RC"),
    named(Sid::one(5, 13), r"NT AUTHORITY\TERMINAL SERVER USER"),
    named(Sid::one(5, 14), r"NT AUTHORITY\REMOTE INTERACTIVE LOGON"),
    named(Sid::one(5, 15), r"NT AUTHORITY\This Organization"),
    named(Sid::one(5, 17), r"NT AUTHORITY\IUSR"),
    aliased(Sid::one(5, 18), r"NT AUTHORITY\SYSTEM", "SY"),
    aliased(Sid::one(5, 19), r"NT AUTHORITY\LOCAL SERVICE", "LS"),
    aliased(Sid::one(5, 20), r"NT AUTHORITY\NETWORK SERVICE", "NS"),
    aliased(Sid::one(5, 33), r"NT AUTHORITY\WRITE RESTRICTED", "WR"),
    named(Sid::one(5, 113), r"NT AUTHORITY\Local account"),
    named(
        Sid::one(5, 114),
        r"NT AUTHORITY\Local account and member of Administrators group",
    ),
    named(Sid::one(5, 1000), r"NT AUTHORITY\Other Organization"),
    named(Sid::two(5, 64, 10), r"NT AUTHORITY\NTLM Authentication"),
    named(Sid::two(5, 64, 14), r"NT AUTHORITY\SChannel Authentication"),
    named(Sid::two(5, 64, 21), r"NT AUTHORITY\Digest Authentication"),
    named(
        Sid::two(5, 65, 1),
        r"NT AUTHORITY\This Organization Certificate",
    ),
    aliased(Sid::two(5, 32, 544), r"BUILTIN\Administrators", "BA"),
    aliased(Sid::two(5, 32, 545), r"BUILTIN\Users", "BU"),
    aliased(Sid::two(5, 32, 546), r"BUILTIN\Guests", "BG"),
    aliased(Sid::two(5, 32, 547), r"BUILTIN\Power Users", "PU"),
    aliased(Sid::two(5, 32, 548), r"BUILTIN\Account Operators", "AO"),
    aliased(Sid::two(5, 32, 549), r"BUILTIN\Server Operators", "SO"),
    aliased(Sid::two(5, 32, 550), r"BUILTIN\Print Operators", "PO"),
    aliased(Sid::two(5, 32, 551), r"BUILTIN\Backup Operators", "BO"),
    aliased(Sid::two(5, 32, 552), r"BUILTIN\Replicator", "RE"),
    aliased(
        Sid::two(5, 32, 554),
        r"BUILTIN\Pre-Windows 2000 Compatible Access",
        "RU",
    ),
    aliased(Sid::two(5, 32, 555), r"BUILTIN\Remote Desktop Users", "RD"),
    aliased(
        Sid::two(5, 32, 556),
        r"BUILTIN\Network Configuration Operators",
        "NO",
    ),
    named(
        Sid::two(5, 32, 557),
        r"BUILTIN\Incoming Forest Trust Builders",
    ),
    aliased(
        Sid::two(5, 32, 558),
        r"BUILTIN\Performance Monitor Users",
        "MU",
    ),
    aliased(Sid::two(5, 32, 559), r"BUILTIN\Performance Log Users", "LU"),
    named(
        Sid::two(5, 32, 560),
        r"BUILTIN\Windows Authorization Access Group",
    ),
    named(
        Sid::two(5, 32, 561),
        r"BUILTIN\Terminal Server License Servers",
    ),
    named(Sid::two(5, 32, 562), r"BUILTIN\Distributed COM Users"),
    aliased(Sid::two(5, 32, 568), r"BUILTIN\IIS_IUSRS", "IS"),
    aliased(
        Sid::two(5, 32, 569),
        r"BUILTIN\Cryptographic Operators",
        "CY",
    ),
    aliased(Sid::two(5, 32, 573), r"BUILTIN\Event Log Readers", "ER"),
    aliased(
        Sid::two(5, 32, 574),
        r"BUILTIN\Certificate Service DCOM Access",
        "CD",
    ),
    aliased(
        Sid::two(5, 32, 575),
        r"BUILTIN\RDS Remote Access Servers",
        "RA",
    ),
    aliased(Sid::two(5, 32, 576), r"BUILTIN\RDS Endpoint Servers", "ES"),
    aliased(
        Sid::two(5, 32, 577),
        r"BUILTIN\RDS Management Servers",
        "MS",
    ),
    aliased(
        Sid::two(5, 32, 578),
        r"BUILTIN\Hyper-V Administrators",
        "HA",
    ),
    aliased(
        Sid::two(5, 32, 579),
        r"BUILTIN\Access Control Assistance Operators",
        "AA",
    ),
    aliased(
        Sid::two(5, 32, 580),
        r"BUILTIN\Remote Management Users",
        "RM",
    ),
    named(
        Sid::two(5, 32, 581),
        r"BUILTIN\System Managed Accounts Group",
    ),
    named(
        Sid::two(5, 32, 582),
        r"BUILTIN\Storage Replica Administrators",
    ),
    named(Sid::two(5, 32, 583), r"BUILTIN\Device Owners"),
    named(Sid::two(5, 80, 0), r"NT SERVICE\ALL SERVICES"),
    named(Sid::two(5, 83, 0), r"NT VIRTUAL MACHINE\Virtual Machines"),
    named(Sid::two(5, 90, 0), r"Window Manager\Window Manager Group"),
    aliased(
        Sid::two(15, 2, 1),
        r"APPLICATION PACKAGE AUTHORITY\ALL APPLICATION PACKAGES",
        "AC",
    ),
    named(
        Sid::two(15, 2, 2),
        r"APPLICATION PACKAGE AUTHORITY\ALL RESTRICTED APPLICATION PACKAGES",
    ),
    named(
        Sid::one(16, 0),
        r"Mandatory Label\Untrusted Mandatory Level",
    ),
    aliased(
        Sid::one(16, 4096),
        r"Mandatory Label\Low Mandatory Level",
        "LW",
    ),
    aliased(
        Sid::one(16, 8192),
        r"Mandatory Label\Medium Mandatory Level",
        "ME",
    ),
    aliased(
        Sid::one(16, 8448),
        r"Mandatory Label\Medium Plus Mandatory Level",
        "MP",
    ),
    aliased(
        Sid::one(16, 12288),
        r"Mandatory Label\High Mandatory Level",
        "HI",
    ),
    aliased(
        Sid::one(16, 16384),
        r"Mandatory Label\System Mandatory Level",
        "SI",
    ),
    aliased(
        Sid::one(18, 1),
        "Authentication authority asserted identity",
        "AS",
    ),
    aliased(Sid::one(18, 2), "Service asserted identity", "SS"),
    aliased(
        Sid::hashed(84, [0, 0, 0, 0, 0]),
        r"NT AUTHORITY\USER MODE DRIVERS",
        "UD",
    ),
];

/// Other spellings that the service control manager accepts and stores in `ObjectName`.
pub(super) const SERVICE_ACCOUNTS: &[(&str, Sid)] = &[
    ("LocalSystem", Sid::SYSTEM),
    (r"NT AUTHORITY\LocalSystem", Sid::SYSTEM),
    (r"NT AUTHORITY\LocalService", Sid::LOCAL_SERVICE),
    (r"NT AUTHORITY\NetworkService", Sid::NETWORK_SERVICE),
];
