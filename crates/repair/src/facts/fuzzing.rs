//! For fuzzing, with the feature `fuzzing`: reads untrusted bytes as the kinds of evidence.

use super::{certificates, dumps, events, firewall, service_files, text_logs};

/// Reads untrusted bytes as one kind of evidence; every number stands for a kind.
///
/// # Panics
/// If what is read breaks a rule of this crate, such as a path that leads out of the target.
pub fn read_evidence(kind: u8, data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match kind % 5 {
        0 => dumps::fuzz(data),
        1 => certificates::fuzz(data),
        2 => firewall::fuzz(&text),
        3 => text_logs::fuzz(data),
        _ => service_files::fuzz(&text),
    }
}

/// Reads untrusted bytes as the event log System.
///
/// # Panics
/// If more is kept than the bounds allow.
pub fn read_event_log(bytes: Vec<u8>) {
    events::fuzz(&bytes);
}
