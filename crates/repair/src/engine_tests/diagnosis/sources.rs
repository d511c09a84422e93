//! A diagnosis says what evidence there is, and what was changed before the trouble began.

use super::disk::{Break, disk};
use super::event_cases::{SCM, SYSTEM, event, installed, logs, service};
use super::{diagnose, disk::whole};
use crate::diagnosis::{Source, SourceState};
use crate::testing::evtx::Record;

fn said(sources: &[Source], evidence: &str) -> (SourceState, String) {
    let mut sources = sources.iter();
    let source = sources.find(|source| source.evidence.starts_with(evidence));
    let source = source.expect("a source of this kind");
    (source.state, source.found.clone())
}

#[test]
fn no_evidence_is_said_as_clearly_as_evidence() {
    let found = diagnose(&disk(&[]));
    for evidence in [
        "event logs",
        "crash dumps",
        "log of servicing",
        "errors of Windows Setup",
        "log of Windows Setup",
        "errors of an upgrade",
        "log of an upgrade",
        "log of Startup Repair",
    ] {
        let none = (SourceState::None, "none".to_owned());
        assert_eq!(said(&found.sources, evidence), none, "{evidence}");
    }
    let (state, _) = said(&found.sources, "firewall");
    assert_eq!(state, SourceState::Clean);
    assert!(found.recent_changes.is_empty());
    assert_eq!(found.more_changes, 0);
}

#[test]
fn the_evidence_on_a_disk_is_told_with_its_time() {
    let mut breaks = logs(&[(SYSTEM, event("Tcpip", 4199))]);
    let log = "2026-05-01 12:00:00, Info                  CBS    all is well\r\n";
    breaks.push(Break::File(
        "Windows/Logs/CBS/CBS.log".to_owned(),
        log.as_bytes().to_vec(),
    ));
    breaks.push(Break::File(
        "Windows/Panther/setuperr.log".to_owned(),
        b"2026-05-01 12:00:00, Error   [setup.exe] x\r\n".to_vec(),
    ));
    breaks.extend(whole());
    breaks.push(Break::File(
        "Windows/MEMORY.DMP".to_owned(),
        b"PAGE".to_vec(),
    ));
    let found = diagnose(&disk(&breaks));
    let logs = "2 with records, the newest of 2026-05-01T12:00:00Z; last logon over the network \
                2026-05-01T11:00:00Z";
    for (evidence, state, what) in [
        ("event logs", SourceState::Found, logs),
        (
            "log of servicing",
            SourceState::Clean,
            "no error at its end",
        ),
        (
            "errors of Windows Setup",
            SourceState::Found,
            "1 error at its end",
        ),
        ("files of services", SourceState::Clean, "none is missing"),
    ] {
        let said = said(&found.sources, evidence);
        assert_eq!(said, (state, what.to_owned()), "{evidence}");
    }
}

/// The logon was at 11:00.
#[test]
fn what_was_changed_since_the_last_logon_is_listed_with_the_newest_first() {
    let at = |id, time: &str| Record::new(SCM, id, time).source(SCM);
    let before = at(7045, "2026-05-01T10:30:00Z").field("ServiceName", "old");
    let mut events = vec![
        (SYSTEM, before),
        (SYSTEM, installed(r"C:\Windows\System32\drivers\new.sys")),
        (SYSTEM, service(7023, "Agent", "%%2")),
        (
            SYSTEM,
            at(7040, "2026-05-01T12:30:00Z").field("param4", "BITS"),
        ),
    ];
    let found = diagnose(&disk(&logs(&events)));
    let changes = found.recent_changes.iter();
    let changes: Vec<&str> = changes.map(|change| change.found.as_str()).collect();
    assert_eq!(
        changes,
        [
            "the start type of a service was changed: key BITS",
            r"a service was installed: file C:\Windows\System32\drivers\new.sys",
        ]
    );
    assert!(found.causes.is_empty(), "changes alone are no fault");
    events.extend((0..20).map(|_| (SYSTEM, event(SCM, 7045))));
    let found = diagnose(&disk(&logs(&events)));
    assert_eq!((found.recent_changes.len(), found.more_changes), (10, 12));
}
