//! Reading and continuing a record.

use diskmend_base::bytes;
use diskmend_base::count::to_usize;
use xxhash_rust::xxh3::xxh3_64;
use zerocopy::byteorder::little_endian::{U32, U64};
use zerocopy::{FromZeros, IntoBytes};

use super::changes::Changes;
use super::format::{FRAME_SIGNATURE, FrameHeader, Header, MAX_FRAME, SEALED_SIGNATURE, SIGNATURE};
use super::seal::{KEY_LEN, SEAL_LEN, Seal, same, seal};
use super::{RecordError, RecordFile};

/// The number of bytes searched in one step.
const SCAN: usize = 64 << 10;

/// The offsets of a record's complete frames.
#[derive(Debug)]
pub(super) struct Index {
    /// The length of the medium before the first change.
    pub(super) medium_len: u64,
    /// The length of the medium after the last change.
    pub(super) len_after: u64,
    /// For each payload: its offset, its length, and the length of the medium before it.
    payloads: Vec<(u64, usize, u64)>,
    /// The end of the last complete frame.
    pub(super) end: u64,
    /// The length of a seal in bytes; 0 in a record without seals.
    seal_len: u64,
    /// The seals of the header and of each frame, if they were checked.
    seals: Vec<Seal>,
}

impl Header {
    pub(super) fn new(medium_len: u64, sealed: bool) -> Self {
        let mut header = Self {
            signature: if sealed { SEALED_SIGNATURE } else { SIGNATURE },
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
    /// The header of the frame at an offset in the record; `None` if the payload is too long.
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

/// The bytes of a record's header, and the seal that the first frame builds on.
pub(super) fn head(medium_len: u64, key: Option<&[u8; KEY_LEN]>) -> (Vec<u8>, Seal) {
    let header = Header::new(medium_len, key.is_some());
    let mut bytes = header.as_bytes().to_vec();
    let mut last = [0; SEAL_LEN];
    if let Some(key) = key {
        last = seal(key, &last, 0, &[header.as_bytes()]);
        bytes.extend_from_slice(&last);
    }
    (bytes, last)
}

impl Index {
    /// Reads the offsets of the frames. The last frame may be incomplete: then its changes were
    /// never made. An incomplete frame before other frames is damage.
    pub(super) fn of(record: &RecordFile) -> Result<Self, RecordError> {
        let len = record.file.len()?;
        let mut header = Header::new_zeroed();
        if len < size_of::<Header>() as u64 {
            return Err(damaged(0, "length", size_of::<Header>(), len));
        }
        record.file.read_exact_at(header.as_mut_bytes(), 0)?;
        let known = [SIGNATURE, SEALED_SIGNATURE].contains(&header.signature);
        if !known || header.digest.get() != header.expected() {
            let found = format!("{:02x?}", header.as_bytes());
            return Err(damaged(0, "header", "a header that fits its digest", found));
        }
        let has_seals = header.signature == SEALED_SIGNATURE;
        if record.is_sealed() && !has_seals {
            return Err(damaged(0, "seal", "one", "none"));
        }
        let seal_len = if has_seals { SEAL_LEN as u64 } else { 0 };
        let mut index = Self {
            medium_len: header.medium_len.get(),
            len_after: header.medium_len.get(),
            payloads: Vec::new(),
            end: (size_of::<Header>() as u64).saturating_add(seal_len),
            seal_len,
            seals: Vec::new(),
        };
        if index.end > len {
            return Err(damaged(0, "length", index.end, len));
        }
        if !index.fits(record, 0, &[header.as_bytes()], size_of::<Header>() as u64)? {
            return Err(damaged(
                0,
                "seal",
                "a seal that fits the key",
                "another one",
            ));
        }
        while let Some(frame) = index.frame(record, len)? {
            let at = index.end.saturating_add(size_of::<FrameHeader>() as u64);
            let payload_len = to_usize(frame.payload_len.get());
            let before = frame.len_before.get();
            index.payloads.push((at, payload_len, before));
            index.len_after = frame.len_after.get();
            index.end = at
                .saturating_add(payload_len as u64)
                .saturating_add(index.seal_len);
        }
        match index.next_header(record, len)? {
            None => Ok(index),
            Some(next) => {
                let found = format!("an incomplete frame before the one at offset {next}");
                Err(damaged(index.end, "frame", "a complete frame", found))
            }
        }
    }

    /// The offset of the first frame header after the last complete frame, except directly after
    /// it.
    fn next_header(&self, record: &RecordFile, len: u64) -> Result<Option<u64>, RecordError> {
        let mut chunk = Vec::new();
        let mut start = self.end.saturating_add(1);
        while start < len {
            let part = len.saturating_sub(start).min(SCAN as u64);
            chunk.resize(to_usize(part), 0);
            record.file.read_exact_at(&mut chunk, start)?;
            for (at, bytes) in (start..).zip(chunk.windows(size_of::<FrameHeader>())) {
                let header: Option<&FrameHeader> = bytes::view(bytes, 0);
                if bytes.starts_with(&FRAME_SIGNATURE)
                    && header.is_some_and(|header| header.digest.get() == header.expected(at))
                {
                    return Ok(Some(at));
                }
            }
            // A header may begin in this chunk and end in the next one.
            start = start.saturating_add((SCAN - size_of::<FrameHeader>()) as u64);
        }
        Ok(None)
    }

    /// Refuses a record that holds more after the last complete frame.
    pub(super) fn is_complete(&self, record: &RecordFile) -> Result<(), RecordError> {
        match record.file.len()? {
            len if len == self.end => Ok(()),
            len => Err(damaged(self.end, "end of the record", self.end, len)),
        }
    }

    /// The frame at the end of the index, if it is complete.
    fn frame(&mut self, record: &RecordFile, len: u64) -> Result<Option<FrameHeader>, RecordError> {
        let left = len.saturating_sub(self.end);
        let mut frame = FrameHeader::new_zeroed();
        let around = (size_of::<FrameHeader>() as u64).saturating_add(self.seal_len);
        let Some(left) = left.checked_sub(around) else {
            return Ok(None);
        };
        record.file.read_exact_at(frame.as_mut_bytes(), self.end)?;
        let payload_len = to_usize(frame.payload_len.get());
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
        record.file.read_exact_at(&mut payload, at)?;
        if xxh3_64(&payload) != frame.payload_digest.get() {
            return Ok(None);
        }
        let seal_at = at.saturating_add(payload.len() as u64);
        let fits = self.fits(record, self.end, &[frame.as_bytes(), &payload], seal_at)?;
        Ok(fits.then_some(frame))
    }

    /// True if the seal of these bytes fits, or if there is no key.
    fn fits(
        &mut self,
        record: &RecordFile,
        at: u64,
        parts: &[&[u8]],
        seal_at: u64,
    ) -> Result<bool, RecordError> {
        let Some(key) = &record.key else {
            return Ok(true);
        };
        let mut found = [0; SEAL_LEN];
        record.file.read_exact_at(&mut found, seal_at)?;
        let expected = seal(key, &self.last_seal(), at, parts);
        let fits = same(&found, &expected);
        if fits {
            self.seals.push(expected);
        }
        Ok(fits)
    }

    /// Refuses to continue a record with seals without the key.
    pub(super) fn can_be_continued(&self, record: &RecordFile) -> Result<(), RecordError> {
        if record.is_sealed() == (self.seal_len > 0) {
            Ok(())
        } else {
            Err(damaged(0, "seal", "the record's key", "none"))
        }
    }

    /// The seal of the last complete frame. Before the header it is zeros, where the chain of seals
    /// starts.
    pub(super) fn last_seal(&self) -> Seal {
        self.seals.last().copied().unwrap_or([0; SEAL_LEN])
    }

    /// Removes the last frame from the index.
    pub(super) fn forget_last(&mut self) {
        if let Some((at, _, len_before)) = self.payloads.pop() {
            self.len_after = len_before;
            self.end = at.saturating_sub(size_of::<FrameHeader>() as u64);
            self.seals.pop();
        }
    }

    /// The number of frames.
    pub(super) const fn frames(&self) -> usize {
        self.payloads.len()
    }

    /// The changes of a frame, as bytes.
    pub(super) fn payload(
        &self,
        record: &RecordFile,
        frame: usize,
    ) -> Result<Vec<u8>, RecordError> {
        let (at, len, _) = *self.payloads.get(frame).ok_or_else(|| {
            let frames = format!("{} frames", self.frames());
            damaged(self.end, "frame", format!("number {frame}"), frames)
        })?;
        let mut payload = vec![0; len];
        record.file.read_exact_at(&mut payload, at)?;
        let mut changes = Changes::of(&payload);
        let count = changes.by_ref().count();
        if changes.is_at_end() {
            Ok(payload)
        } else {
            Err(damaged(at, "changes", "complete changes", count))
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
