//! Parses run files, written from docs/undo-format.md alone.

/// The first bytes of a run file.
pub const HEADER: [u8; 16] = *b"DMENDRN\x1a\x01\0\0\0\0\0\0\0";
const FRAME_HEADER_LEN: usize = 32;
/// The kind of a journal.
pub const JOURNAL: &[u8; 4] = b"JRNL";

/// A frame of a run file.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What it contains.
    pub kind: [u8; 4],
    /// The number of the frame among those of its kind, from 1.
    pub number: u32,
    /// The bytes after its header.
    pub body: &'a [u8],
}

/// The complete frames of a run file. Digests are not checked.
#[must_use]
pub fn frames(file: &[u8]) -> Vec<Frame<'_>> {
    let mut frames = Vec::new();
    let Some(mut rest) = file.strip_prefix(&HEADER) else {
        return frames;
    };
    while let Some((header, behind)) = rest.split_first_chunk::<FRAME_HEADER_LEN>() {
        let Some((kind, fields)) = header.split_first_chunk::<4>() else {
            break;
        };
        let Some((number, fields)) = fields.split_first_chunk::<4>() else {
            break;
        };
        let len = fields.first_chunk().map(|len| u64::from_le_bytes(*len));
        let len = len.and_then(|len| usize::try_from(len).ok());
        let Some((body, next)) = len.and_then(|len| behind.split_at_checked(len)) else {
            break;
        };
        frames.push(Frame {
            kind: *kind,
            number: u32::from_le_bytes(*number),
            body,
        });
        rest = next;
    }
    frames
}

/// The last journal of a run file.
#[must_use]
pub fn journal(file: &[u8]) -> Option<&[u8]> {
    let last = frames(file).pop()?;
    (last.kind == *JOURNAL).then_some(last.body)
}
