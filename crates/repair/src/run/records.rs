//! The file in a run's folder that holds every change of a security descriptor, with the old and
//! the new one (docs/undo-format.md describes the format). It is completely written before the
//! first change is made. With it alone, the changes can be made, completed and undone.

use std::io;

use diskmend_base::utf16;
use diskmend_disk::{Change, File, Kind, MAX_DESCRIPTOR_LEN, NtPath};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::bounded::list;
use crate::digest::Content;
use crate::trust::Mac;

const MAGIC: [u8; 8] = *b"DMENDSD\x1a";
const VERSION: u32 = 1;
/// Magic, version, four bytes of zero.
const HEADER_LEN: usize = 16;
/// Length, four bytes of zero, digest.
const FRAME_HEADER_LEN: usize = 16;

/// The number of objects in a frame.
pub(crate) const FRAME_OBJECTS: usize = 512;
/// A frame with this number of bytes is closed.
const FRAME_BYTES: usize = 1 << 20;
/// The greatest length of a path in UTF-16 units.
const MAX_PATH: usize = 32_767;
/// The greatest length of a frame: one that was nearly full, and one more object.
const MAX_FRAME: usize = FRAME_BYTES + 2 * (MAX_DESCRIPTOR_LEN + MAX_PATH) + 64;

const DESCRIPTOR: u8 = 1;
const FILE: u8 = 2;
const FOLDER: u8 = 3;

/// The journal's entry about the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordsEntry {
    /// Its name in the run's folder.
    pub(crate) file: String,
    /// Its content.
    pub(crate) content: Content,
    /// The file's MAC; absent in a run without a seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mac: Option<Mac>,
    /// The number of objects.
    pub(crate) objects: u64,
    /// The folders that the objects are, or are below: their paths below the root, with `/`.
    #[serde(default, deserialize_with = "list::<256, _, _>")]
    pub(crate) below: Vec<String>,
}

/// The first bytes of the file.
pub(crate) fn header() -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    let (magic, rest) = header.split_at_mut(MAGIC.len());
    magic.copy_from_slice(&MAGIC);
    for (byte, value) in rest.iter_mut().zip(VERSION.to_le_bytes()) {
        *byte = value;
    }
    header
}

/// A frame that is being filled. It holds each descriptor once, even if several objects have it.
#[derive(Default)]
pub(crate) struct Frame {
    body: Vec<u8>,
    descriptors: Vec<Vec<u8>>,
    objects: usize,
}

impl Frame {
    /// Adds a change. Returns true if the frame is full now.
    ///
    /// # Errors
    /// If a path or a descriptor is too long.
    pub(crate) fn push(&mut self, change: &Change) -> io::Result<bool> {
        let too_long = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
        let path = change.path.units();
        let path_len = u16::try_from(path.len()).ok();
        let path_len = path_len.filter(|len| usize::from(*len) <= MAX_PATH);
        let path_len = path_len.ok_or_else(|| too_long("a path that is too long"))?;
        let tag = match change.kind {
            Kind::File => FILE,
            Kind::Folder => FOLDER,
            Kind::Link | Kind::Other => return Err(too_long("neither a file nor a folder")),
        };
        let before = self.descriptor(&change.before)?;
        let after = self.descriptor(&change.after)?;
        self.body.push(tag);
        self.body.extend(before.to_le_bytes());
        self.body.extend(after.to_le_bytes());
        self.body.extend(path_len.to_le_bytes());
        self.body
            .extend(path.iter().flat_map(|unit| unit.to_le_bytes()));
        self.objects += 1;
        Ok(self.objects == FRAME_OBJECTS || self.body.len() >= FRAME_BYTES)
    }

    /// The number of a descriptor in the frame. A new one is added.
    fn descriptor(&mut self, bytes: &[u8]) -> io::Result<u16> {
        let known = self.descriptors.iter().position(|known| known == bytes);
        let index = known.unwrap_or(self.descriptors.len());
        if known.is_none() {
            let len = u32::try_from(bytes.len()).ok();
            let len = len.filter(|_| bytes.len() <= MAX_DESCRIPTOR_LEN);
            let len = len.ok_or_else(|| {
                let what = "a security descriptor that is too long";
                io::Error::new(io::ErrorKind::InvalidInput, what)
            })?;
            self.body.push(DESCRIPTOR);
            self.body.extend(len.to_le_bytes());
            self.body.extend(bytes);
            self.descriptors.push(bytes.to_vec());
        }
        u16::try_from(index).map_err(io::Error::other)
    }

    /// The frame's bytes, if it holds any object. The frame is empty afterwards.
    #[expect(
        clippy::expect_used,
        reason = "a frame has at most MAX_FRAME bytes, because a full one is closed"
    )]
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        let Self { body, objects, .. } = std::mem::take(self);
        if objects == 0 {
            return None;
        }
        let mut bytes = Vec::with_capacity(FRAME_HEADER_LEN + body.len());
        let len = u32::try_from(body.len()).expect("a frame within MAX_FRAME");
        bytes.extend(len.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(xxh3_64(&body).to_le_bytes());
        bytes.extend(body);
        Some(bytes)
    }
}

/// Reads the changes, frame by frame. The file is on an untrusted disk, so every length is checked,
/// and an impossible value is an error.
pub(crate) struct RecordsReader<'a> {
    file: &'a dyn File,
    at: u64,
    len: u64,
}

impl<'a> RecordsReader<'a> {
    /// Begins to read.
    ///
    /// # Errors
    /// The system's error, or that the file isn't a file of this kind.
    pub(crate) fn new(file: &'a dyn File) -> io::Result<Self> {
        let len = file.len()?;
        let mut start = [0; HEADER_LEN];
        if len < HEADER_LEN as u64 {
            return Err(damaged("no header", 0));
        }
        file.read_exact_at(&mut start, 0)?;
        if start != header() {
            return Err(damaged("the header of another format or version", 0));
        }
        let at = HEADER_LEN as u64;
        Ok(Self { file, at, len })
    }

    fn frame(&mut self) -> io::Result<Vec<Change>> {
        let at = self.at;
        let mut head = [0; FRAME_HEADER_LEN];
        if self.len - at < FRAME_HEADER_LEN as u64 {
            return Err(damaged("a frame without its head", at));
        }
        self.file.read_exact_at(&mut head, at)?;
        let [a, b, c, d, _, _, _, _, digest @ ..] = head;
        let len = u32::from_le_bytes([a, b, c, d]);
        let body = at + FRAME_HEADER_LEN as u64;
        if len as usize > MAX_FRAME || u64::from(len) > self.len - body {
            return Err(damaged("a frame that is too long", at));
        }
        let mut bytes = vec![0; len as usize];
        self.file.read_exact_at(&mut bytes, body)?;
        if xxh3_64(&bytes) != u64::from_le_bytes(digest) {
            return Err(damaged("a frame with a wrong digest", at));
        }
        self.at = body + u64::from(len);
        decode(&bytes).ok_or_else(|| damaged("a frame that can't be read", at))
    }
}

impl Iterator for RecordsReader<'_> {
    type Item = io::Result<Vec<Change>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.len {
            return None;
        }
        let frame = self.frame();
        if frame.is_err() {
            self.at = self.len;
        }
        Some(frame)
    }
}

fn damaged(what: &str, at: u64) -> io::Error {
    let text = format!("{what} at offset {at}");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// The objects of a frame; `None` if the bytes aren't a frame.
pub(crate) fn decode(mut body: &[u8]) -> Option<Vec<Change>> {
    let mut descriptors: Vec<&[u8]> = Vec::new();
    let mut changes = Vec::new();
    while let Some((tag, rest)) = body.split_first() {
        body = rest;
        if *tag == DESCRIPTOR {
            let len = u32::from_le_bytes(take(&mut body)?) as usize;
            let (bytes, rest) = body.split_at_checked(len)?;
            if len > MAX_DESCRIPTOR_LEN || descriptors.len() > 2 * FRAME_OBJECTS {
                return None;
            }
            descriptors.push(bytes);
            body = rest;
            continue;
        }
        let kind = match *tag {
            FILE => Kind::File,
            FOLDER => Kind::Folder,
            _ => return None,
        };
        let before = descriptors.get(usize::from(u16::from_le_bytes(take(&mut body)?)))?;
        let after = descriptors.get(usize::from(u16::from_le_bytes(take(&mut body)?)))?;
        let len = usize::from(u16::from_le_bytes(take(&mut body)?));
        let (path, rest) = body.split_at_checked(2 * len)?;
        body = rest;
        if changes.len() == FRAME_OBJECTS {
            return None;
        }
        changes.push(Change {
            path: NtPath::from_units(utf16::whole_units(path).collect()),
            kind,
            before: before.to_vec(),
            after: after.to_vec(),
        });
    }
    Some(changes)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    fn change(number: usize) -> Change {
        Change {
            path: NtPath::from(format!("Keys/{number}").as_str()),
            kind: match number % 2 {
                0 => Kind::File,
                _ => Kind::Folder,
            },
            before: vec![1; number % 5],
            after: vec![2; 20],
        }
    }

    fn file(changes: &[Change]) -> Vec<u8> {
        let mut bytes = header().to_vec();
        let mut frame = Frame::default();
        for change in changes {
            if frame.push(change).expect("fits") {
                bytes.extend(frame.take().expect("full"));
            }
        }
        bytes.extend(frame.take().unwrap_or_default());
        bytes
    }

    fn read(file: Vec<u8>) -> io::Result<Vec<Change>> {
        let mut changes = Vec::new();
        for frame in RecordsReader::new(&file)? {
            changes.extend(frame?);
        }
        Ok(changes)
    }

    #[test]
    fn changes_come_back_and_a_descriptor_is_stored_once_a_frame() {
        let changes: Vec<Change> = (0..1300).map(change).collect();
        let bytes = file(&changes);
        assert!(bytes.len() < 1300 * 30, "{}", bytes.len());
        assert_eq!(read(bytes).expect("sound"), changes);
        assert_eq!(read(file(&[])).expect("sound"), []);
        let large = Change {
            before: vec![1; MAX_DESCRIPTOR_LEN],
            after: vec![2; MAX_DESCRIPTOR_LEN],
            path: NtPath::from_units(vec![0xD800; MAX_PATH]),
            kind: Kind::File,
        };
        let changes = vec![large; 3];
        assert_eq!(read(file(&changes)).expect("sound"), changes);
    }

    #[test]
    fn descriptors_that_can_not_be_stored_are_refused() {
        let mut frame = Frame::default();
        let mut long = change(0);
        long.before = vec![0; MAX_DESCRIPTOR_LEN + 1];
        assert!(frame.push(&long).is_err());
        let mut long = change(0);
        long.path = NtPath::from_units(vec![0x61; MAX_PATH + 1]);
        assert!(frame.push(&long).is_err());
        let mut link = change(0);
        link.kind = Kind::Link;
        assert!(frame.push(&link).is_err());
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let bytes = file(&(0..20).map(change).collect::<Vec<_>>());
        for at in 0..bytes.len() {
            // The four bytes after a frame's length have no meaning.
            if (HEADER_LEN + 4..HEADER_LEN + 8).contains(&at) {
                continue;
            }
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x41;
            assert!(read(damaged).is_err(), "byte {at}");
        }
        for len in 0..bytes.len() {
            let cut = read(bytes[..len].to_vec());
            assert!(cut.is_err() || len == HEADER_LEN, "length {len}");
        }
    }

    #[test]
    fn any_frame_is_read_or_refused() {
        let bytes = file(&(0..40).map(change).collect::<Vec<_>>());
        let body = &bytes[HEADER_LEN + FRAME_HEADER_LEN..];
        let mut random = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random as usize
        };
        let mut read = 0;
        for _ in 0..100_000 {
            let mut hostile = body.to_vec();
            for _ in 0..1 + next() % 4 {
                let at = next() % hostile.len();
                hostile[at] = next() as u8;
            }
            hostile.truncate(1 + next() % hostile.len());
            if let Some(changes) = decode(&hostile) {
                assert!(changes.len() <= FRAME_OBJECTS);
                let size = |change: &Change| change.before.len() + change.after.len();
                assert!(
                    changes.iter().map(size).sum::<usize>() <= 2 * changes.len() * hostile.len()
                );
                read += 1;
            }
        }
        println!("{read} of 100000 frames could be read");
    }

    #[test]
    fn a_forged_frame_is_refused() {
        for body in [
            &[FILE, 0, 0, 0, 0, 0, 0][..],
            &[DESCRIPTOR, 255, 255, 255, 255],
            &[DESCRIPTOR, 0, 0, 0, 0, FILE, 0, 0, 1, 0, 0, 0],
            &[DESCRIPTOR, 0, 0, 0, 0, FILE, 0, 0, 0, 0, 9, 0],
            &[7],
        ] {
            assert_eq!(decode(body), None, "{body:?}");
        }
    }
}
