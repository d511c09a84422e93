//! Parses and makes run files, written from docs/undo-format.md alone, for tests that change the
//! content of a run.

use std::fs;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

const HEADER: [u8; 16] = *b"DMENDRN\x1a\x01\0\0\0\0\0\0\0";
const FRAME_HEADER_LEN: usize = 32;
/// The kind of a journal.
const JOURNAL: [u8; 4] = *b"JRNL";

/// A frame of a run file.
struct Frame {
    kind: [u8; 4],
    number: u32,
    body: Vec<u8>,
}

/// All frames of a run file; every digest is checked.
fn frames(file: &Path) -> Vec<Frame> {
    let bytes = fs::read(file).expect("a run file");
    assert_eq!(bytes[..16], HEADER);
    let mut frames = Vec::new();
    let mut at = 16;
    while at < bytes.len() {
        let header = &bytes[at..at + FRAME_HEADER_LEN];
        let number =
            |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("8 bytes"));
        let body = at + FRAME_HEADER_LEN;
        let end = body + usize::try_from(number(8)).expect("small");
        let frame = Frame {
            kind: header[..4].try_into().expect("4 bytes"),
            number: u32::from_le_bytes(header[4..8].try_into().expect("4 bytes")),
            body: bytes[body..end].to_vec(),
        };
        assert_eq!(header, &frame.header(at), "at {at}");
        frames.push(frame);
        at = end;
    }
    frames
}

impl Frame {
    fn header(&self, at: usize) -> Vec<u8> {
        let mut header = self.kind.to_vec();
        header.extend(self.number.to_le_bytes());
        header.extend((self.body.len() as u64).to_le_bytes());
        header.extend(xxh3_64(&self.body).to_le_bytes());
        let digest = xxh3_64(&[&(at as u64).to_le_bytes()[..], &header].concat());
        header.extend(digest.to_le_bytes());
        header
    }
}

/// The last journal.
pub(crate) fn journal(file: &Path) -> Vec<u8> {
    let last = frames(file).pop().expect("frames");
    assert_eq!(last.kind, JOURNAL);
    last.body
}

/// The body of a frame of undo data.
pub(crate) fn part(file: &Path, kind: [u8; 4], number: u32) -> Vec<u8> {
    let mut all = frames(file).into_iter();
    let found = all.find(|frame| frame.kind == kind && frame.number == number);
    found.expect("such a frame").body
}

fn put(file: &Path, frames: &[Frame]) {
    let mut bytes = HEADER.to_vec();
    for frame in frames {
        bytes.extend(frame.header(bytes.len()));
        bytes.extend(&frame.body);
    }
    fs::write(file, bytes).expect("writable");
}

/// The kind of each frame, in order.
pub(crate) fn names(file: &Path) -> Vec<String> {
    let all = frames(file).into_iter();
    all.map(|frame| String::from_utf8(frame.kind.to_vec()).expect("ASCII"))
        .collect()
}

/// Changes a bit in the body of a frame, and corrects the digests.
pub(crate) fn change_a_bit(file: &Path, index: usize) {
    let mut all = frames(file);
    let body = &mut all[index].body;
    let at = body.len() / 2;
    body[at] ^= 1;
    put(file, &all);
}

/// Replaces all journals by this one.
pub(crate) fn put_journal(file: &Path, journal: &[u8]) {
    let mut all = frames(file);
    all.retain(|frame| frame.kind != JOURNAL);
    all.push(Frame {
        kind: JOURNAL,
        number: 1,
        body: journal.to_vec(),
    });
    put(file, &all);
}

/// Makes a run file with the undo data of one file.
#[cfg(unix)]
pub(crate) fn make(file: &Path, undo: &[u8], journal: &[u8]) {
    let frame = |kind: &[u8; 4], body: &[u8]| Frame {
        kind: *kind,
        number: 1,
        body: body.to_vec(),
    };
    put(file, &[frame(b"UNDO", undo), frame(&JOURNAL, journal)]);
}

/// Converts a run to the format of earlier versions: a folder with a file for each part.
pub(crate) fn take_apart(file: &Path) {
    let journal = journal(file);
    let all = frames(file);
    fs::remove_file(file).expect("there");
    fs::create_dir(file).expect("writable");
    fs::write(file.join("journal.json"), journal).expect("writable");
    for frame in all {
        let name = match &frame.kind {
            b"UNDO" => format!("undo-{}.bin", frame.number),
            b"CHNG" => format!("changes-{}.jsonl", frame.number),
            _ => continue,
        };
        fs::write(file.join(name), frame.body).expect("writable");
    }
}
