//! Adding frames to a run file.

use std::io;

use diskmend_disk::File;
use xxhash_rust::xxh3::Xxh3;

use super::format::{FRAME_HEADER_LEN, Frame, HEADER, Kind};

/// The number of bytes that are collected before they are written.
const PIECE: usize = 1 << 20;

/// Frames that are being added to a file. None of them counts until a journal follows them and
/// everything is flushed.
pub(crate) struct Append {
    file: Box<dyn File>,
    /// The offset in the file of the collected bytes.
    at: u64,
    /// The collected bytes.
    buffer: Vec<u8>,
}

impl Append {
    /// Starts at an offset of a file. Everything after it is cut off.
    pub(crate) fn at(mut file: Box<dyn File>, at: u64) -> io::Result<Self> {
        if file.len()? > at {
            file.set_len(at)?;
        }
        let buffer = match at {
            0 => HEADER.to_vec(),
            _ => Vec::new(),
        };
        Ok(Self { file, at, buffer })
    }

    /// Adds a frame. `body` passes its bytes piece by piece.
    pub(crate) fn frame(
        &mut self,
        kind: Kind,
        number: u32,
        body: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
    ) -> io::Result<Frame> {
        let at = self.at.saturating_add(self.buffer.len() as u64);
        self.push(&[0; FRAME_HEADER_LEN])?;
        let (mut len, mut digest) = (0u64, Xxh3::new());
        body(&mut |piece| {
            len = len.saturating_add(piece.len() as u64);
            digest.update(piece);
            self.push(piece)
        })?;
        let digest = digest.digest();
        let frame = Frame {
            kind,
            number,
            at,
            len,
            digest,
        };
        let header = frame.header();
        if Frame::parse(at, &header).is_none() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let collected = at.checked_sub(self.at);
        let collected = collected.and_then(|start| usize::try_from(start).ok());
        let room = collected.and_then(|start| {
            self.buffer
                .get_mut(start..start.checked_add(FRAME_HEADER_LEN)?)
        });
        match room {
            Some(room) => room.copy_from_slice(&header),
            None => self.file.write_all_at(&header, at)?,
        }
        Ok(frame)
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.buffer.len().saturating_add(bytes.len()) > PIECE {
            self.write()?;
        }
        self.buffer.extend(bytes);
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.file.write_all_at(&self.buffer, self.at)?;
        self.at = self.at.saturating_add(self.buffer.len() as u64);
        self.buffer.clear();
        Ok(())
    }

    /// Makes all frames durable.
    pub(crate) fn flush(mut self) -> io::Result<()> {
        self.write()?;
        self.file.sync()
    }
}
