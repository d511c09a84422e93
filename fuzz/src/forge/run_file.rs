//! Makes run files, written from docs/undo-format.md alone.

use xtask::run_file::{Frame, HEADER, JOURNAL, frames, journal};
use xxhash_rust::xxh3::xxh3_64;

fn put(frames: &[Frame<'_>]) -> Vec<u8> {
    let mut file = HEADER.to_vec();
    for frame in frames {
        let mut header = frame.kind.to_vec();
        header.extend(frame.number.to_le_bytes());
        header.extend((frame.body.len() as u64).to_le_bytes());
        header.extend(xxh3_64(frame.body).to_le_bytes());
        let at = (file.len() as u64).to_le_bytes();
        let digest = xxh3_64(&[&at[..], &header].concat());
        file.extend(header);
        file.extend(digest.to_le_bytes());
        file.extend(frame.body);
    }
    file
}

/// The run file with this journal in place of all its journals.
pub(super) fn with_journal(file: &[u8], journal: &[u8]) -> Vec<u8> {
    let mut all = frames(file);
    all.retain(|frame| frame.kind != *JOURNAL);
    all.push(Frame {
        kind: *JOURNAL,
        number: 1,
        body: journal,
    });
    put(&all)
}

/// The files, by name, in which earlier versions kept the same data.
pub(super) fn apart(file: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for frame in frames(file) {
        let name = match &frame.kind {
            b"UNDO" => format!("undo-{}.bin", frame.number),
            b"CHNG" => format!("changes-{}.jsonl", frame.number),
            _ => continue,
        };
        files.push((name, frame.body.to_vec()));
    }
    let journal = journal(file).unwrap_or_default();
    files.push(("journal.json".to_owned(), journal.to_vec()));
    files
}
