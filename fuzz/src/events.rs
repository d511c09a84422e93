//! Reading event logs that are damaged, cut, or made to keep a reader busy.

use std::sync::LazyLock;

use diskmend_repair::testing::evtx::{Closed, LogWriter, Record};

/// The number of bytes of a change: what to do, where, and with what.
const CHANGE_LEN: usize = 8;

/// A sound log of two chunks with every form of record.
static LOG: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut log = LogWriter::new("System");
    let time = "2026-05-01T10:00:00Z";
    for number in 0..300_u16 {
        let record = match number % 4 {
            0 => {
                Record::new("Microsoft-Windows-Kernel-General", 12, time).field("BuildVersion", "1")
            }
            1 => Record::new("Service Control Manager", 7000, time)
                .source("Service Control Manager")
                .field("param1", "x")
                .field("param2", "%%1058")
                .service("TermService"),
            2 => Record::new("EventLog", 6008, time).data("a").data("b"),
            _ => Record::new("Vendor", number, time)
                .user_data()
                .field("a", "b"),
        };
        log.add(&record);
    }
    log.finish(Closed::Dirty(3))
});

/// Reads a log: the bytes themselves if they begin with the signature of a log, or else a sound log
/// with the changes that they say.
///
/// # Panics
/// If what is read exceeds its bounds.
pub fn events(data: &[u8]) {
    if data.starts_with(b"ElfFile") {
        diskmend_repair::read_event_log(data.to_vec());
        return;
    }
    let mut log = LOG.clone();
    for change in data.chunks_exact(CHANGE_LEN) {
        let [kind, o0, o1, o2, value @ ..] = change else {
            continue;
        };
        let at = u32::from_le_bytes([*o0, *o1, *o2, 0]) as usize % log.len().max(1);
        match kind % 4 {
            0 => replace(&mut log, at, value.get(..1).unwrap_or_default()),
            1 => replace(&mut log, at, value.get(..2).unwrap_or_default()),
            2 => replace(&mut log, at, value),
            _ if *kind > 250 => log.truncate(at),
            _ => {
                // Structures that are shared, or lead back to themselves.
                let mut from = [0; 4];
                from.copy_from_slice(value);
                let from = u32::from_le_bytes(from) as usize % log.len().max(1);
                let copied: Vec<u8> = log.iter().skip(from).take(64).copied().collect();
                replace(&mut log, at, &copied);
            }
        }
    }
    diskmend_repair::read_event_log(log);
}

fn replace(log: &mut [u8], at: usize, bytes: &[u8]) {
    let places = log.iter_mut().skip(at);
    for (place, byte) in places.zip(bytes) {
        *place = *byte;
    }
}
