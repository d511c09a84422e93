//! Logs on a volume in memory, read as `events` reads them.

use diskmend_disk::testing::FaultyDisk;
use jiff::{SignedDuration, Timestamp};

use super::limits::Budget;
use super::reader::read_within;
use super::*;
use crate::testing::evtx::{Closed, LogWriter, Record};

mod catalogue;
mod security;

const FOLDER: &str = "Windows/System32/winevt/Logs";
const SESSIONS: &str = "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational";
const SESSION_PROVIDER: &str = "Microsoft-Windows-TerminalServices-LocalSessionManager";
const SECURITY: &str = "Security";
const AUDITING: &str = "Microsoft-Windows-Security-Auditing";
const SCM: &str = "Service Control Manager";
const KERNEL: &str = "Microsoft-Windows-Kernel-General";

fn hour(hour: i64) -> Timestamp {
    "2026-05-01T00:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_hours(hour)
}

fn put(disk: &FaultyDisk, log: &str, bytes: Vec<u8>) {
    let name = log.replace('/', "%4");
    disk.put(&format!("{FOLDER}/{name}.evtx"), bytes);
}

fn log(channel: &str, records: &[Record], closed: Closed) -> Vec<u8> {
    let mut log = LogWriter::new(channel);
    records.iter().for_each(|record| log.add(record));
    log.finish(closed)
}

fn disabled(at: i64) -> Record {
    Record::at(SCM, 7000, hour(at))
        .source(SCM)
        .field("param1", "Služba Vzdálená plocha")
        .field("param2", "%%1058")
        .service("TermService")
}

fn started(at: i64) -> Record {
    Record::at(KERNEL, 12, hour(at)).field("BuildVersion", "17763")
}

fn logon(at: i64, address: &str) -> Record {
    let record = Record::at(SESSION_PROVIDER, 21, hour(at)).user_data();
    record
        .field("User", r"VM1\admin")
        .field("SessionID", "2")
        .field("Address", address)
}

fn read_all(disk: &FaultyDisk, query: &EventQuery) -> Events {
    read(disk.root().as_ref(), query, &|| Ok(())).expect("nobody interrupts")
}

fn always() -> EventQuery {
    EventQuery {
        since: Since::Always,
        ..EventQuery::default()
    }
}

fn ids(events: &Events) -> Vec<(u32, u64)> {
    let events = events.events.iter();
    events.map(|event| (event.id, event.record)).collect()
}

fn problems(events: &Events) -> Vec<&str> {
    let logs = events.logs.iter();
    logs.flat_map(|log| log.problems.iter().map(String::as_str))
        .collect()
}

#[test]
fn an_event_has_its_log_record_time_service_and_meaning() {
    let disk = FaultyDisk::new();
    let records = [started(0), Record::at(SCM, 7036, hour(1)), disabled(2)];
    put(&disk, "System", log("System", &records, Closed::Clean));
    let events = read_all(&disk, &EventQuery::default());
    assert_eq!(ids(&events), [(12, 1), (7000, 3)]);
    let event = events.events.last().expect("an event");
    assert_eq!(
        (&*event.log, event.record, event.time),
        ("System", 3, hour(2))
    );
    assert_eq!(event.service.as_deref(), Some("TermService"));
    assert_eq!(event.number("param2"), Some(1058));
    let details = "service TermService, name Služba Vzdálená plocha, \
                   error %%1058 (the service is disabled)";
    assert_eq!(event.details(), details);
    assert_eq!(problems(&events), [""; 0]);
    assert_eq!(events.boots.len(), 1);
}

#[test]
fn a_windows_without_logs_is_not_an_error() {
    let disk = FaultyDisk::new();
    disk.put("Windows/System32/config/SYSTEM", Vec::new());
    let events = read_all(&disk, &EventQuery::default());
    assert!(!events.has_logs && events.problem.is_none());
    // A file at the place of the folder can't be read, and that is said.
    disk.put(FOLDER, b"x".to_vec());
    let events = read_all(&disk, &EventQuery::default());
    assert!(events.has_logs && events.problem.is_some());
}

#[test]
fn only_what_happened_after_the_last_remote_logon_counts() {
    let disk = FaultyDisk::new();
    let records = [started(0), disabled(1), disabled(5), disabled(9)];
    put(&disk, "System", log("System", &records, Closed::Clean));
    let sessions = [logon(4, "10.0.0.9"), logon(8, "LOCAL")];
    put(&disk, SESSIONS, log(SESSIONS, &sessions, Closed::Clean));
    let events = read_all(&disk, &always());
    assert_eq!(
        events.logons.remote, None,
        "the whole of the logs does not count"
    );
    let events = read_all(&disk, &EventQuery::default());
    assert_eq!(events.counted_since(), Some(hour(4)));
    let records = |events: &mut dyn Iterator<Item = &Event>| -> Vec<u64> {
        let of_system = events.filter(|event| event.log == "System");
        of_system.map(|event| event.record).collect()
    };
    assert_eq!(records(&mut events.relevant()), [3, 4]);
    assert_eq!(records(&mut events.relevant_since_any_logon()), [4]);
}

#[test]
fn only_the_last_boots_count() {
    let disk = FaultyDisk::new();
    let mut records = vec![disabled(0)];
    let boots = i64::try_from(COUNTED_BOOTS).expect("few");
    records.extend((0..boots).map(|boot| started(10 + boot)));
    put(&disk, "System", log("System", &records, Closed::Clean));
    let events = read_all(&disk, &EventQuery::default());
    assert_eq!(events.counted_since(), Some(hour(10)));
    assert!(events.relevant().all(|event| event.id != 7000));
}

/// A machine that was switched off leaves its logs open: the header of the file and of the last
/// chunk do not know the last records. They tell why it was switched off.
#[test]
fn a_log_that_was_not_closed_is_read_to_its_last_record() {
    let disk = FaultyDisk::new();
    let records = [started(0), disabled(1), disabled(2), disabled(3)];
    for behind in 0..=4 {
        put(
            &disk,
            "System",
            log("System", &records, Closed::Dirty(behind)),
        );
        let events = read_all(&disk, &always());
        assert_eq!(
            ids(&events),
            [(12, 1), (7000, 2), (7000, 3), (7000, 4)],
            "{behind}"
        );
        let found = problems(&events);
        assert!(found.contains(&"it was not closed cleanly"), "{found:?}");
        assert_eq!(found.iter().any(|text| text.contains("behind")), behind > 0);
    }
}

/// The records of the ring's last round lie behind the end of a chunk.
#[test]
fn what_is_left_over_in_a_chunk_is_not_read() {
    let disk = FaultyDisk::new();
    let old: Vec<Record> = (0..4).map(disabled).collect();
    let mut old_log = LogWriter::starting_at("System", 1);
    old.iter().for_each(|record| old_log.add(record));
    let old = old_log.finish(Closed::Clean);
    let mut new = LogWriter::starting_at("System", 100);
    new.add(&started(50));
    let new = new.finish(Closed::Clean);
    let chunk = 4096 + 512;
    let len = |file: &[u8], at: usize| {
        let bytes = file[at + 4..at + 8].try_into().expect("4 bytes");
        usize::try_from(u32::from_le_bytes(bytes)).expect("small")
    };
    let first = len(&new, chunk);
    // The second record of the old round stands behind the new one.
    let (from, size) = (
        chunk + len(&old, chunk),
        len(&old, chunk + len(&old, chunk)),
    );
    let mut file = new;
    file[chunk + first..chunk + first + size].copy_from_slice(&old[from..from + size]);
    put(&disk, "System", file);
    assert_eq!(ids(&read_all(&disk, &always())), [(12, 100)]);
}

#[test]
fn a_damaged_chunk_is_told_and_the_others_are_read() {
    let disk = FaultyDisk::new();
    let records: Vec<Record> = (0..400).map(disabled).collect();
    let whole = log("System", &records, Closed::Clean);
    assert!(whole.len() >= 4096 + 2 * 65536, "several chunks");
    put(&disk, "System", whole.clone());
    let all = read_all(&disk, &always()).events.len();
    assert_eq!(all, 400);

    let mut no_magic = whole.clone();
    no_magic[4096] = b'X';
    put(&disk, "System", no_magic);
    let events = read_all(&disk, &always());
    assert!((1..all).contains(&events.events.len()));
    assert_eq!(
        problems(&events),
        ["1 places hold no chunk, but other data"]
    );

    let mut flipped = whole.clone();
    flipped[4096 + 52] ^= 1;
    put(&disk, "System", flipped);
    let events = read_all(&disk, &always());
    assert_eq!(events.events.len(), all);
    assert!(
        problems(&events)
            .iter()
            .any(|text| text.contains("wrong checksums"))
    );

    // Cut in the middle of the second chunk, and without the header.
    let mut cut = whole;
    cut.truncate(4096 + 65536 + 30000);
    cut[0] = b'X';
    put(&disk, "System", cut);
    let events = read_all(&disk, &always());
    assert!(
        (all / 3..all).contains(&events.events.len()),
        "{}",
        events.events.len()
    );
    assert!(
        problems(&events)
            .iter()
            .any(|text| text.contains("header of a log"))
    );
}

/// The log is a ring. Its newest chunk comes first, and old ones are not read if they don't count.
#[test]
fn old_chunks_are_not_read_if_they_are_not_needed() {
    let disk = FaultyDisk::new();
    let records: Vec<Record> = (0..3000).map(started).collect();
    let mut file = log("System", &records, Closed::Clean);
    // The second half of the chunks was written before the first one.
    let (_, chunks) = file.split_at_mut(4096);
    let half = chunks.len() / 65536 / 2 * 65536;
    chunks.rotate_left(half);
    put(&disk, "System", file);
    let events = read_all(&disk, &EventQuery::default());
    let system = events.logs.first().expect("the log");
    assert!(system.chunks > 5, "{system:?}");
    assert_eq!(system.chunks_read, 1);
    assert_eq!(events.newest, Some(hour(2999)));
    assert_eq!(events.events.last().map(|event| event.record), Some(3000));
    let query = EventQuery {
        since: Since::Before(SignedDuration::from_hours(20)),
        ..EventQuery::default()
    };
    assert_eq!(read_all(&disk, &query).events.len(), 21);
}

#[test]
fn ids_and_providers_find_events_that_are_not_known() {
    let disk = FaultyDisk::new();
    let other = Record::at("Vendor-Driver", 777, hour(3)).data("text");
    let records = [
        started(0),
        disabled(1),
        Record::at(SCM, 7036, hour(2)),
        other,
    ];
    put(&disk, "System", log("System", &records, Closed::Clean));
    let query = |ids: &[u32], provider: Option<&str>| EventQuery {
        ids: ids.to_vec(),
        provider: provider.map(str::to_owned),
        ..always()
    };
    let found = |ids_wanted: &[u32], provider| ids(&read_all(&disk, &query(ids_wanted, provider)));
    assert_eq!(found(&[7036], None), [(7036, 3)]);
    assert_eq!(found(&[7036, 777], None), [(7036, 3), (777, 4)]);
    assert_eq!(found(&[], Some("vendor")), [(777, 4)]);
    assert_eq!(found(&[7000], Some("vendor")), []);
    let events = read_all(&disk, &query(&[777], None));
    assert_eq!(
        events.boots.len(),
        1,
        "the boots are known whatever is asked for"
    );
}

#[test]
fn every_bound_ends_the_reading_and_is_told() {
    let disk = FaultyDisk::new();
    let records: Vec<Record> = (0..400).map(disabled).collect();
    put(&disk, "System", log("System", &records, Closed::Clean));
    let read = |budget| {
        let root = disk.root();
        read_within(root.as_ref(), &always(), budget, &|| Ok(())).expect("nobody interrupts")
    };
    let events = read(Budget::of(u64::MAX, 10));
    assert_eq!(events.events.len(), 10);
    assert!(
        problems(&events)
            .iter()
            .any(|text| text.contains("such events"))
    );
    let events = read(Budget::out_of_time());
    assert_eq!(events.events.len(), 0);
    assert!(
        problems(&events)
            .iter()
            .any(|text| text.contains("took longer"))
    );
}

/// Whatever is changed in a log: reading it ends, without a panic. The fuzz target `events` tries
/// far more.
#[test]
fn changed_logs_are_read_to_an_end() {
    let records: Vec<Record> = (0..40).map(disabled).collect();
    let whole = log("System", &records, Closed::Dirty(2));
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % u64::try_from(below).expect("small")).expect("small")
    };
    for _ in 0..50 {
        let mut changed = whole.clone();
        for _ in 0..=next(8) {
            // The headers and the first records are where structures lie.
            let at = next(4096 + 8192);
            let value = u8::try_from(next(256)).expect("a byte");
            changed[at] = value;
        }
        if next(4) == 0 {
            changed.truncate(next(whole.len()));
        }
        fuzz(&changed);
    }
}
