//! The log Security: logons over Remote Desktop, and logons that were refused.

use super::*;

fn attempt(id: u16, at: i64, kind: &str) -> Record {
    Record::at(AUDITING, id, hour(at))
        .field("TargetUserName", "admin")
        .field("LogonType", kind)
        .field("IpAddress", "10.0.0.9")
}

fn refused(at: i64, status: &str, reason: &str) -> Record {
    attempt(4625, at, "3")
        .field("Status", status)
        .field("SubStatus", reason)
}

#[test]
fn a_logon_over_remote_desktop_ends_what_counts() {
    let disk = FaultyDisk::new();
    let records = [started(0), disabled(1), disabled(9)];
    put(&disk, "System", log("System", &records, Closed::Clean));
    // A service, and a client of a share.
    let others = [attempt(4624, 5, "5"), attempt(4624, 6, "3")];
    put(&disk, SECURITY, log(SECURITY, &others, Closed::Clean));
    let events = read_all(&disk, &EventQuery::default());
    assert_eq!(events.logons, Logons::default());
    assert_eq!(ids(&events).len(), 3);

    let from = |at, address| {
        let record = Record::at(AUDITING, 4624, hour(at)).field("LogonType", "10");
        record.field("IpAddress", address)
    };
    let records = [from(5, "10.0.0.9"), from(7, "-"), from(8, "127.0.0.1")];
    put(&disk, SECURITY, log(SECURITY, &records, Closed::Clean));
    let events = read_all(&disk, &EventQuery::default());
    assert_eq!(events.logons.remote, Some(hour(5)));
    assert_eq!(events.logons.any, Some(hour(8)));
    let counted: Vec<u64> = events
        .relevant()
        .filter(|event| event.log == "System")
        .map(|event| event.record)
        .collect();
    assert_eq!(counted, [3]);
}

/// Somebody on the Internet always guesses passwords.
#[test]
fn a_wrong_password_is_routine_and_every_other_reason_is_told_in_words() {
    let disk = FaultyDisk::new();
    let records = [
        refused(1, "0xc000006d", "0xc000006a"),
        refused(2, "0xC0000234", "0x0"),
        refused(3, "0xc000015b", "0x0"),
        refused(4, "0xc000006e", "0xc0000071"),
    ];
    put(&disk, SECURITY, log(SECURITY, &records, Closed::Clean));
    let events = read_all(&disk, &EventQuery::default()).events;
    let details: Vec<_> = events.iter().map(|e| (e.routine, e.details())).collect();
    let start = "user admin, type 3";
    let expected = [
        (true, "reason 0xc000006a (wrong password)"),
        (
            false,
            "status 0xC0000234 (the account is locked), reason 0x0",
        ),
        (
            false,
            "status 0xc000015b (the right to log on this way is missing), reason 0x0",
        ),
        (
            false,
            "status 0xc000006e (the account is restricted), reason 0xc0000071 (the password has expired)",
        ),
    ];
    let expected =
        expected.map(|(routine, text)| (routine, format!("{start}, {text}, from 10.0.0.9")));
    assert_eq!(details, expected);
}

/// The newest are kept, and it is told that older ones are missing.
#[test]
fn a_log_of_too_many_attempts_is_cut() {
    let disk = FaultyDisk::new();
    let mut writer = LogWriter::new(SECURITY);
    for _ in 0..30 {
        writer.add(&refused(1, "0xC000006D", "0xC000006A"));
    }
    put(&disk, SECURITY, writer.finish(Closed::Clean));
    let root = disk.root();
    let budget = Budget::of_events(10);
    let events = read_within(root.as_ref(), &always(), budget, &|| Ok(())).expect("done");
    assert_eq!(events.events.len(), 10);
    let found = problems(&events);
    assert!(
        found.iter().any(|text| text.contains("it has more than")),
        "{found:?}"
    );
}
