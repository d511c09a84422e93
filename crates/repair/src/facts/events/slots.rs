//! The chunks of a log, newest first. A log is a ring: its newest chunk may be anywhere.

use std::cmp::Reverse;
use std::io;

use diskmend_base::Storage;
use diskmend_base::bytes::view;
use diskmend_base::count::to_u64;

use super::format::{
    CHUNK_HEADER_LEN, CHUNK_LEN, CHUNK_MAGIC, ChunkHeader, DIRTY, FILE_HEADER_LEN, FILE_MAGIC,
    FileHeader, RECORD_MAGIC, RecordHeader,
};
use super::limits::MOST_CHUNKS;

/// The part of a chunk that is read to find out its age.
const HEAD_LEN: usize = CHUNK_HEADER_LEN + size_of::<RecordHeader>();

/// A chunk in its place.
pub(super) struct Slot {
    /// From the start of the file.
    pub(super) offset: u64,
    /// Less than [`CHUNK_LEN`] if the file ends before.
    pub(super) len: usize,
    /// The ID of its first record: the greater, the newer.
    first_id: u64,
    /// The time of its first record, as FILETIME; `None` if it does not begin with a record.
    pub(super) begins: Option<u64>,
}

/// The places of a log's chunks.
pub(super) struct Slots {
    /// Newest first.
    pub(super) chunks: Vec<Slot>,
    /// The number of places that hold something else than a chunk or zeros.
    pub(super) damaged: u64,
    /// True if the header says that the log was not closed.
    pub(super) dirty: bool,
    /// True if the file does not begin with the header of a log.
    pub(super) no_header: bool,
    /// True if the file has more places than are looked at.
    pub(super) cut: bool,
}

/// Finds the chunks. `count` is called with the number of bytes before they are read, and can end
/// that.
///
/// # Errors
/// If the file can't be read, or the error of `count`.
pub(super) fn find<E: From<io::Error>>(
    file: &dyn Storage,
    mut count: impl FnMut(u64) -> Result<(), E>,
) -> Result<Slots, E> {
    let len = file.len()?;
    let mut header = [0; size_of::<FileHeader>()];
    if len >= to_u64(header.len()) {
        file.read_exact_at(&mut header, 0)?;
    }
    let header: Option<&FileHeader> = view(&header, 0);
    let header = header.filter(|header| header.magic == FILE_MAGIC);
    let mut slots = Slots {
        chunks: Vec::new(),
        damaged: 0,
        dirty: header.is_some_and(|header| header.flags.get() & DIRTY != 0),
        no_header: header.is_none(),
        cut: false,
    };
    let mut offset = FILE_HEADER_LEN;
    let mut places = 0;
    while let Some(left) = len.checked_sub(offset).filter(|left| *left > 0) {
        if places == MOST_CHUNKS {
            slots.cut = true;
            break;
        }
        places += 1;
        let chunk_len = usize::try_from(left).map_or(CHUNK_LEN, |left| left.min(CHUNK_LEN));
        count(to_u64(HEAD_LEN))?;
        slots.add(file, offset, chunk_len)?;
        offset = offset.saturating_add(to_u64(CHUNK_LEN));
    }
    slots.chunks.sort_by_key(|slot| Reverse(slot.first_id));
    Ok(slots)
}

impl Slots {
    fn add(&mut self, file: &dyn Storage, offset: u64, len: usize) -> io::Result<()> {
        let mut head = [0; HEAD_LEN];
        let (known, _) = head.split_at_mut(HEAD_LEN.min(len));
        file.read_exact_at(known, offset)?;
        let chunk: Option<&ChunkHeader> = view(&head, 0);
        let Some(chunk) = chunk.filter(|chunk| chunk.magic == CHUNK_MAGIC) else {
            // Places that were never used are zero.
            self.damaged += u64::from(head.iter().any(|byte| *byte != 0));
            return Ok(());
        };
        let record: Option<&RecordHeader> = view(&head, CHUNK_HEADER_LEN);
        let record = record.filter(|record| record.magic == RECORD_MAGIC);
        // The record itself is the better witness: the header of a chunk in use may be old.
        let first_id = record.map_or(chunk.first_record_id, |record| record.id);
        self.chunks.push(Slot {
            offset,
            len,
            first_id: first_id.get(),
            begins: record.map(|record| record.written.get()),
        });
        Ok(())
    }
}
