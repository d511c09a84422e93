//! The events that tell why a machine can't be reached: each is known, and read from its log.

use super::*;

const REMOTE: &str = "Microsoft-Windows-TerminalServices-RemoteConnectionManager";
const CORE: &str = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS";
const BROKER: &str = "Microsoft-Windows-TerminalServices-SessionBroker";
const FIREWALL: &str = "Microsoft-Windows-Windows Firewall With Advanced Security";
const PROFILES: &str = "Microsoft-Windows-User Profiles Service";
const POLICY: &str = "Microsoft-Windows-GroupPolicy";
const PNP: &str = "Microsoft-Windows-Kernel-PnP";
const LOCKER: &str = "Microsoft-Windows-AppLocker";

/// Each log and provider, and its events.
fn catalogue() -> Vec<(String, &'static str, Vec<u16>)> {
    let of = |log: &str, provider, ids: &[u16]| (log.to_owned(), provider, ids.to_vec());
    let range = |from: u16, to: u16| (from..=to).collect::<Vec<_>>();
    let operational = |provider: &str| format!("{provider}/Operational");
    vec![
        of(
            "System",
            SCM,
            &[
                7000, 7001, 7003, 7007, 7009, 7011, 7022, 7023, 7024, 7026, 7027, 7028, 7031, 7034,
                7038, 7040, 7041, 7043, 7045,
            ],
        ),
        of(
            "System",
            "Schannel",
            &[36870, 36871, 36872, 36874, 36886, 36887, 36888],
        ),
        of(
            "System",
            REMOTE,
            &[
                1056, 1057, 1058, 1059, 1063, 1064, 1065, 1067, 1128, 1129, 1130, 1136,
            ],
        ),
        (operational(REMOTE), REMOTE, range(256, 261)),
        (operational(REMOTE), REMOTE, range(1136, 1144)),
        of(&operational(REMOTE), REMOTE, &[1149]),
        of(
            SESSIONS,
            SESSION_PROVIDER,
            &[17, 20, 21, 22, 23, 24, 25, 32, 39, 40, 41],
        ),
        of(
            &operational(CORE),
            CORE,
            &[
                65, 66, 97, 98, 102, 103, 131, 139, 140, 141, 142, 143, 226, 227,
            ],
        ),
        of("System", "Microsoft-Windows-Kernel-Power", &[41]),
        of(
            "System",
            "Microsoft-Windows-Kernel-Boot",
            &[16, 18, 20, 25, 27, 153],
        ),
        of("System", KERNEL, &[5, 6, 11, 12, 13, 15, 16]),
        of(
            "System",
            "Microsoft-Windows-WER-SystemErrorReporting",
            &[1001],
        ),
        of("System", "EventLog", &[6005, 6006, 6008, 6009, 6013]),
        of("System", "USER32", &[1074]),
        of(
            "System",
            "Microsoft-Windows-Dhcp-Client",
            &[1001, 1002, 1003, 1005, 1006, 1007, 50036, 50037],
        ),
        of("System", "Tcpip", &[4199, 4227]),
        of("System", "Microsoft-Windows-DNS-Client", &[1014]),
        of("System", "NETLOGON", &[5719, 3210, 5722]),
        of("System", POLICY, &[1006, 1030, 1085, 1096, 1112, 1129]),
        ("System".to_owned(), POLICY, range(1053, 1058)),
        of(&operational(POLICY), POLICY, &[7016, 7017]),
        (operational(POLICY), POLICY, range(8000, 8007)),
        of(
            "Application",
            PROFILES,
            &[1500, 1502, 1505, 1508, 1511, 1515, 1530, 1533, 1542],
        ),
        of(
            "Microsoft-Windows-User Profile Service/Operational",
            PROFILES,
            &[1500, 1502, 1505, 1508, 1511, 1515, 1530, 1533, 1542],
        ),
        of("Application", "Microsoft-Windows-Winlogon", &[4005]),
        (
            "Application".to_owned(),
            "Microsoft-Windows-Winlogon",
            range(6000, 6006),
        ),
        of("Application", "Microsoft-Windows-Wininit", &[1001, 1015]),
        of("System", "Microsoft-Windows-Ntfs", &[55, 98, 140]),
        (
            "System".to_owned(),
            "Microsoft-Windows-Ntfs",
            range(130, 137),
        ),
        of("System", "Ntfs", &[55]),
        of("System", "disk", &[7, 11, 51, 153, 157]),
        of("System", "volmgr", &[46, 161]),
        of(
            "Microsoft-Windows-CodeIntegrity/Operational",
            "Microsoft-Windows-CodeIntegrity",
            &[3001, 3002, 3004, 3023, 3033, 3077],
        ),
        of("System", PNP, &[219]),
        of(
            &format!("{PNP}/Configuration"),
            PNP,
            &[219, 400, 410, 411, 430, 441],
        ),
        of(
            &format!("{FIREWALL}/Firewall"),
            FIREWALL,
            &[2003, 2004, 2005, 2006, 2009, 2033],
        ),
        of(
            "System",
            "Microsoft-Windows-WindowsUpdateClient",
            &[19, 20, 43],
        ),
        of("Setup", "Microsoft-Windows-Servicing", &[1, 2, 3, 4, 7]),
        of(
            "Microsoft-Windows-BitLocker/BitLocker Management",
            "Microsoft-Windows-BitLocker-API",
            &[770, 775, 776, 810, 817],
        ),
        of(
            "Microsoft-Windows-NTLM/Operational",
            "Microsoft-Windows-NTLM",
            &[8002, 8003, 8004],
        ),
        of(&format!("{LOCKER}/EXE and DLL"), LOCKER, &[8004]),
        of(&format!("{LOCKER}/MSI and Script"), LOCKER, &[8007]),
        of(&format!("{LOCKER}/Packaged app-Execution"), LOCKER, &[8022]),
        of(
            &format!("{LOCKER}/Packaged app-Deployment"),
            LOCKER,
            &[8025],
        ),
        of(&operational(BROKER), BROKER, &[2056]),
        of(
            "Microsoft-Windows-TerminalServices-SessionBroker-Client/Operational",
            "Microsoft-Windows-TerminalServices-SessionBroker-Client",
            &[1296],
        ),
        of(
            "Microsoft-Windows-TaskScheduler/Operational",
            "Microsoft-Windows-TaskScheduler",
            &[101, 103, 203],
        ),
        of(SECURITY, AUDITING, &[4624, 4625]),
    ]
}

#[test]
fn every_event_of_the_catalogue_is_known_and_read_from_its_log() {
    let disk = FaultyDisk::new();
    let mut logs: std::collections::BTreeMap<String, LogWriter> = std::collections::BTreeMap::new();
    let mut written = 0;
    for (log, provider, ids) in catalogue() {
        let writer = logs
            .entry(log.clone())
            .or_insert_with(|| LogWriter::new(&log));
        for id in ids {
            let record = Record::at(provider, id, hour(1)).field("LogonType", "10");
            writer.add(&record);
            written += 1;
        }
    }
    for (log, writer) in logs {
        put(&disk, &log, writer.finish(Closed::Clean));
    }
    let events = read_all(&disk, &always());
    let unknown: Vec<_> = events
        .events
        .iter()
        .filter(|e| e.meaning.is_none())
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let read: std::collections::BTreeSet<_> = events
        .events
        .iter()
        .map(|event| (event.log.clone(), event.provider.clone(), event.id))
        .collect();
    for (log, provider, ids) in catalogue() {
        for id in ids {
            let event = (log.clone(), provider.to_owned(), u32::from(id));
            assert!(read.contains(&event), "{event:?} is not read");
        }
    }
    assert_eq!(events.events.len(), written);
}
