//! Reading and continuing a record.

use xxhash_rust::xxh3::xxh3_64;
use zerocopy::byteorder::little_endian::{U32, U64};
use zerocopy::{FromZeros, IntoBytes};

use super::changes::Changes;
use super::format::{FRAME_SIGNATURE, FrameHeader, Header, MAX_FRAME, SIGNATURE};
use super::{RecordError, RecordFile};
use crate::bytes;

/// Bytes that are searched at once.
const SCAN: usize = 64 << 10;

/// Where the whole frames of a record lie.
#[derive(Debug)]
pub(super) struct Index {
    /// Length of the medium before the first change.
    pub(super) medium_len: u64,
    /// Length of the medium after the last.
    pub(super) len_after: u64,
    /// Offset and length of each payload, and the length of the medium before it.
    payloads: Vec<(u64, usize, u64)>,
    /// Where the last whole frame ends.
    pub(super) end: u64,
}

impl Header {
    pub(super) fn new(medium_len: u64) -> Self {
        let mut header = Self {
            signature: SIGNATURE,
            medium_len: U64::new(medium_len),
            digest: U64::ZERO,
        };
        header.digest = U64::new(header.expected());
        header
    }

    fn expected(&self) -> u64 {
        let mut fields = *self;
        fields.digest = U64::ZERO;
        xxh3_64(fields.as_bytes())
    }
}

impl FrameHeader {
    /// The header of a frame at an offset in the record; `None` where the payload is too long.
    pub(super) fn new(at: u64, payload: &[u8], len_before: u64, len_after: u64) -> Option<Self> {
        let payload_len = u32::try_from(payload.len()).ok()?;
        let mut header = Self {
            signature: FRAME_SIGNATURE,
            payload_len: U32::new(payload_len),
            len_before: U64::new(len_before),
            len_after: U64::new(len_after),
            payload_digest: U64::new(xxh3_64(payload)),
            digest: U64::ZERO,
        };
        header.digest = U64::new(header.expected(at));
        (payload.len() <= MAX_FRAME).then_some(header)
    }

    fn expected(&self, at: u64) -> u64 {
        let mut fields = *self;
        fields.digest = U64::new(at);
        xxh3_64(fields.as_bytes())
    }
}

impl Index {
    /// Reads where the frames lie, up to one at the end that is not whole: its changes were never
    /// made. One that is not whole where others follow is damage.
    pub(super) fn of(record: &dyn RecordFile) -> Result<Self, RecordError> {
        let len = record.len()?;
        let mut header = Header::new_zeroed();
        if len < size_of::<Header>() as u64 {
            return Err(damaged(0, "length", size_of::<Header>(), len));
        }
        record.read_exact_at(header.as_mut_bytes(), 0)?;
        if header.signature != SIGNATURE || header.digest.get() != header.expected() {
            let found = format!("{:02x?}", header.as_bytes());
            return Err(damaged(0, "header", "one with its digest", found));
        }
        let mut index = Self {
            medium_len: header.medium_len.get(),
            len_after: header.medium_len.get(),
            payloads: Vec::new(),
            end: size_of::<Header>() as u64,
        };
        while let Some(frame) = index.frame(record, len)? {
            let at = index.end.saturating_add(size_of::<FrameHeader>() as u64);
            let payload_len = usize::try_from(frame.payload_len.get()).unwrap_or(usize::MAX);
            let before = frame.len_before.get();
            index.payloads.push((at, payload_len, before));
            index.len_after = frame.len_after.get();
            index.end = at.saturating_add(payload_len as u64);
        }
        match index.next_header(record, len)? {
            None => Ok(index),
            Some(next) => {
                let found = format!("none, and another at offset {next}");
                Err(damaged(index.end, "frame", "a whole one", found))
            }
        }
    }

    /// The offset of the first header of a frame behind the last whole frame, other than directly
    /// behind it.
    fn next_header(&self, record: &dyn RecordFile, len: u64) -> Result<Option<u64>, RecordError> {
        let mut chunk = Vec::new();
        let mut start = self.end.saturating_add(1);
        while start < len {
            let part = len.saturating_sub(start).min(SCAN as u64);
            chunk.resize(usize::try_from(part).unwrap_or_default(), 0);
            record.read_exact_at(&mut chunk, start)?;
            for (at, bytes) in (start..).zip(chunk.windows(size_of::<FrameHeader>())) {
                let header: Option<&FrameHeader> = bytes::view(bytes, 0);
                if bytes.starts_with(&FRAME_SIGNATURE)
                    && header.is_some_and(|header| header.digest.get() == header.expected(at))
                {
                    return Ok(Some(at));
                }
            }
            // A header may begin in this chunk and end in the next.
            start = start.saturating_add((SCAN - size_of::<FrameHeader>()) as u64);
        }
        Ok(None)
    }

    /// Refuses what follows the last whole frame.
    pub(super) fn is_complete(&self, record: &dyn RecordFile) -> Result<(), RecordError> {
        match record.len()? {
            len if len == self.end => Ok(()),
            len => Err(damaged(self.end, "end of the record", self.end, len)),
        }
    }

    /// The frame at the end, where it is whole.
    fn frame(&self, record: &dyn RecordFile, len: u64) -> Result<Option<FrameHeader>, RecordError> {
        let left = len.saturating_sub(self.end);
        let mut frame = FrameHeader::new_zeroed();
        let Some(left) = left.checked_sub(size_of::<FrameHeader>() as u64) else {
            return Ok(None);
        };
        record.read_exact_at(frame.as_mut_bytes(), self.end)?;
        let payload_len = usize::try_from(frame.payload_len.get()).unwrap_or(usize::MAX);
        let whole = frame.signature == FRAME_SIGNATURE
            && frame.digest.get() == frame.expected(self.end)
            && frame.len_before.get() == self.len_after
            && payload_len <= MAX_FRAME
            && payload_len as u64 <= left;
        if !whole {
            return Ok(None);
        }
        let mut payload = vec![0; payload_len];
        let at = self.end.saturating_add(size_of::<FrameHeader>() as u64);
        record.read_exact_at(&mut payload, at)?;
        Ok((xxh3_64(&payload) == frame.payload_digest.get()).then_some(frame))
    }

    /// Leaves the last frame out.
    pub(super) fn forget_last(&mut self) {
        if let Some((at, _, len_before)) = self.payloads.pop() {
            self.len_after = len_before;
            self.end = at.saturating_sub(size_of::<FrameHeader>() as u64);
        }
    }

    /// Number of frames.
    pub(super) const fn frames(&self) -> usize {
        self.payloads.len()
    }

    /// The changes of a frame.
    pub(super) fn payload(
        &self,
        record: &dyn RecordFile,
        frame: usize,
    ) -> Result<Vec<u8>, RecordError> {
        let (at, len, _) = self.payloads.get(frame).copied().unwrap_or_default();
        let mut payload = vec![0; len];
        record.read_exact_at(&mut payload, at)?;
        let mut changes = Changes::of(&payload);
        let count = changes.by_ref().count();
        match changes.is_at_end() {
            true => Ok(payload),
            false => Err(damaged(at, "changes", "whole ones", count)),
        }
    }
}

fn damaged(
    offset: u64,
    what: &'static str,
    expected: impl ToString,
    found: impl ToString,
) -> RecordError {
    RecordError::Damaged {
        offset,
        what,
        expected: expected.to_string(),
        found: found.to_string(),
    }
}
