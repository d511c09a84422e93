//! Finding the frames of a run file. The disk isn't trusted.

use std::collections::HashSet;
use std::io;

use diskmend_base::count::to_usize;
use diskmend_disk::File;
use xxhash_rust::xxh3::Xxh3;

use super::Part;
use super::format::{FRAME_HEADER_LEN, Frame, HEADER, Kind, Start};

/// The number of bytes in one read.
const CHUNK: usize = 1 << 16;

/// The complete frames of a run file: first the undo data, then journals. The last journal counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frames(Vec<Frame>);

/// The reason why a file isn't a run file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunFileError {
    /// The system could not read it.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It begins with something else.
    #[error("it is not a run file")]
    Unknown,
    /// It has another version of the format.
    #[error("it is a run file of version {0}, this program reads 1: use the version that wrote it")]
    Version(u32),
    /// It has more frames than may be read.
    #[error("it has more than {0} frames")]
    TooMany(usize),
    /// It has frames that no run writes.
    #[error("offset {at}: {what}")]
    Frame {
        /// The offset of the frame.
        at: u64,
        /// What is wrong.
        what: &'static str,
    },
}

impl Frames {
    /// Finds the frames of a file. They end at the first torn one. No more than `most` are read.
    pub(crate) fn of(file: &dyn File, most: usize) -> Result<Self, RunFileError> {
        let len = file.len()?;
        let mut start = [0; HEADER.len()];
        let readable = to_usize(len).min(start.len());
        let start = start.get_mut(..readable).ok_or(RunFileError::Unknown)?;
        file.read_exact_at(start, 0)?;
        match Start::of(start) {
            Start::Known => {}
            Start::Torn => return Ok(Self::default()),
            Start::OtherVersion(version) => return Err(RunFileError::Version(version)),
            Start::Unknown => return Err(RunFileError::Unknown),
        }
        let mut frames = Self::default();
        let mut parts = HashSet::new();
        let mut at = HEADER.len() as u64;
        while at.saturating_add(FRAME_HEADER_LEN as u64) <= len {
            let mut header = [0; FRAME_HEADER_LEN];
            file.read_exact_at(&mut header, at)?;
            let Some(frame) = Frame::parse(at, &header).filter(|frame| frame.end() <= len) else {
                break;
            };
            if frames.0.len() == most {
                return Err(RunFileError::TooMany(most));
            }
            let is_new = parts.insert((frame.kind, frame.number));
            frames.fits(&frame, is_new)?;
            at = frame.end();
            frames.0.push(frame);
        }
        Ok(frames)
    }

    /// Refuses a frame that no run writes after the frames before it.
    fn fits(&self, frame: &Frame, is_new: bool) -> Result<(), RunFileError> {
        let odd = |what| RunFileError::Frame { at: frame.at, what };
        match frame.kind {
            Kind::Journal if frame.number != self.journals().saturating_add(1) => {
                Err(odd("a journal out of its order"))
            }
            Kind::Journal => Ok(()),
            _ if self.journals() > 0 => Err(odd("undo data behind a journal")),
            _ if !is_new => Err(odd("undo data of one number")),
            _ => Ok(()),
        }
    }

    /// The number of frames.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The number of journals.
    pub(crate) fn journals(&self) -> u32 {
        // They are at the end and are numbered from 1.
        match self.0.last() {
            Some(last) if last.kind == Kind::Journal => last.number,
            _ => 0,
        }
    }

    /// The offset of the next frame.
    pub(crate) fn end(&self) -> u64 {
        self.0.last().map_or(0, Frame::end)
    }

    pub(crate) fn push(&mut self, frame: Frame) {
        self.0.push(frame);
    }

    /// The frame with the undo data of this kind and number.
    pub(crate) fn part(&self, kind: Kind, number: u32) -> Option<&Frame> {
        let is = |frame: &&Frame| frame.kind == kind && frame.number == number;
        self.0.iter().find(is)
    }

    /// The length of the last journal; `None` if there is none, because the run never began.
    pub(crate) fn journal_len(&self) -> Option<u64> {
        let last = self.0.last()?;
        (last.kind == Kind::Journal).then_some(last.len)
    }

    /// Reads the last journal. If it is torn it is dropped, and the one before is the last.
    pub(crate) fn read_journal(&mut self, file: &dyn File) -> io::Result<Option<Vec<u8>>> {
        let Some(last) = self.0.last().filter(|last| last.kind == Kind::Journal) else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        if is_whole(file, last, |piece| bytes.extend(piece))? {
            return Ok(Some(bytes));
        }
        self.0.pop();
        Ok(None)
    }

    /// The length of all undo data.
    pub(crate) fn parts_len(&self) -> u64 {
        let parts = self.0.iter().filter(|frame| frame.kind != Kind::Journal);
        parts.map(|frame| frame.len).fold(0, u64::saturating_add)
    }

    /// True if all undo data are complete.
    pub(crate) fn parts_are_whole(&self, file: &dyn File) -> io::Result<bool> {
        for frame in self.0.iter().filter(|frame| frame.kind != Kind::Journal) {
            if !is_whole(file, frame, |_| {})? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// True if the body of a frame fits its digest. `visit` gets the bytes.
fn is_whole(file: &dyn File, frame: &Frame, mut visit: impl FnMut(&[u8])) -> io::Result<bool> {
    let mut digest = Xxh3::new();
    let mut chunk = vec![0; CHUNK];
    let (mut at, end) = (frame.body(), frame.end());
    while at < end {
        let size = to_usize(end - at).min(CHUNK);
        let Some(piece) = chunk.get_mut(..size) else {
            break;
        };
        file.read_exact_at(piece, at)?;
        digest.update(piece);
        visit(piece);
        at = at.saturating_add(size as u64);
    }
    Ok(digest.digest() == frame.digest)
}

impl Part {
    /// The body of a frame.
    pub(crate) fn of_frame(file: Box<dyn File>, frame: &Frame) -> Self {
        Self {
            file,
            start: frame.body(),
            len: frame.len,
        }
    }
}
