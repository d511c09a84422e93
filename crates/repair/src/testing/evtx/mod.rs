//! Writes event logs as Windows does: chunks with tables of names and templates, records that are
//! instances of templates, clean or not closed.
//!
//! ```
//! use diskmend_repair::testing::evtx::{Closed, LogWriter, Record};
//!
//! let mut log = LogWriter::new("System");
//! log.add(
//!     &Record::new("Service Control Manager", 7000, "2026-05-01T10:00:00Z")
//!         .field("param1", "Remote Desktop Services")
//!         .field("param2", "%%1058")
//!         .service("TermService"),
//! );
//! let file = log.finish(Closed::Clean);
//! assert!(file.starts_with(b"ElfFile\0"));
//! ```

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests make only what fits"
)]

mod binxml;
mod chunk;

use diskmend_base::utf16;
use jiff::Timestamp;

use chunk::Chunk;

pub(super) const CHUNK_LEN: usize = 1 << 16;
const FILE_HEADER_LEN: usize = 4096;
/// From 1601 to 1970, in seconds.
const EPOCH_SECONDS: i128 = 11_644_473_600;

/// How the log is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Closed.
    Clean,
    /// Not closed: the headers of the file and of its last chunk do not know the last records, as
    /// many as this number.
    Dirty(usize),
}

/// Where the values of an event are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Form {
    EventData,
    UserData,
}

/// An event to be written.
#[derive(Clone, Debug)]
pub struct Record {
    provider: String,
    source: Option<String>,
    id: u16,
    time: Timestamp,
    form: Form,
    fields: Vec<(Option<String>, String)>,
    binary: Option<Vec<u8>>,
}

impl Record {
    /// An event without values.
    ///
    /// # Panics
    /// If the time is not of RFC 3339.
    #[must_use]
    pub fn new(provider: &str, id: u16, time: &str) -> Self {
        Self::at(provider, id, time.parse().expect("a time"))
    }

    /// An event without values.
    #[must_use]
    pub fn at(provider: &str, id: u16, time: Timestamp) -> Self {
        Self {
            provider: provider.to_owned(),
            source: None,
            id,
            time,
            form: Form::EventData,
            fields: Vec::new(),
            binary: None,
        }
    }

    /// Sets the name that the provider had before it had a manifest.
    #[must_use]
    pub fn source(mut self, name: &str) -> Self {
        self.source = Some(name.to_owned());
        self
    }

    /// Adds a value with a name.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((Some(name.to_owned()), value.to_owned()));
        self
    }

    /// Adds a value without a name.
    #[must_use]
    pub fn data(mut self, value: &str) -> Self {
        self.fields.push((None, value.to_owned()));
        self
    }

    /// Puts the values into the provider's own elements (`UserData`).
    #[must_use]
    pub fn user_data(mut self) -> Self {
        self.form = Form::UserData;
        self
    }

    /// Sets the binary data.
    #[must_use]
    pub fn binary(mut self, bytes: &[u8]) -> Self {
        self.binary = Some(bytes.to_vec());
        self
    }

    /// Sets the binary data as the Service Control Manager does: the service's key.
    #[must_use]
    pub fn service(self, key: &str) -> Self {
        self.binary(&utf16::encode_terminated(&format!("{key}/4")))
    }

    fn filetime(&self) -> u64 {
        let hundreds = self.time.as_nanosecond() / 100 + EPOCH_SECONDS * 10_000_000;
        u64::try_from(hundreds).expect("a time after 1601")
    }
}

/// A log that is being written.
pub struct LogWriter {
    channel: String,
    done: Vec<Vec<u8>>,
    current: Chunk,
    /// The records that were added, with those of finished chunks.
    next_id: u64,
    pending: Vec<Record>,
}

impl LogWriter {
    /// A log whose first record has the number 1.
    #[must_use]
    pub fn new(channel: &str) -> Self {
        Self::starting_at(channel, 1)
    }

    /// A log whose first record has this number.
    #[must_use]
    pub fn starting_at(channel: &str, first_id: u64) -> Self {
        Self {
            channel: channel.to_owned(),
            done: Vec::new(),
            current: Chunk::new(),
            next_id: first_id,
            pending: Vec::new(),
        }
    }

    /// Adds an event.
    pub fn add(&mut self, record: &Record) {
        if !self.current.add(&self.channel, self.next_id, record) {
            let full = std::mem::replace(&mut self.current, Chunk::new());
            self.done.push(full.finish(0));
            self.pending.clear();
            let fits = self.current.add(&self.channel, self.next_id, record);
            assert!(fits, "a record must fit in a chunk");
        }
        self.pending.push(record.clone());
        self.next_id += 1;
    }

    /// The number of chunks so far.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.done.len() + 1
    }

    /// The whole file.
    #[must_use]
    pub fn finish(self, closed: Closed) -> Vec<u8> {
        let behind = match closed {
            Closed::Clean => 0,
            Closed::Dirty(behind) => behind,
        };
        let mut chunks = self.done;
        let known = chunks.len();
        chunks.push(self.current.finish(behind));
        let mut file = vec![0; FILE_HEADER_LEN];
        let count = match closed {
            Closed::Clean => chunks.len(),
            // The header was written when the last chunk was begun.
            Closed::Dirty(_) => known.max(1),
        };
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"ElfFile\0");
        put(16, &(count as u64 - 1).to_le_bytes());
        put(24, &(self.next_id - behind as u64).to_le_bytes());
        put(32, &128_u32.to_le_bytes());
        put(36, &1_u16.to_le_bytes());
        put(38, &3_u16.to_le_bytes());
        put(40, &(FILE_HEADER_LEN as u16).to_le_bytes());
        put(42, &(count as u16).to_le_bytes());
        put(120, &u32::from(closed != Closed::Clean).to_le_bytes());
        let checksum = crc32(&file[..120]);
        file[124..128].copy_from_slice(&checksum.to_le_bytes());
        for chunk in chunks {
            file.extend(chunk);
        }
        file
    }
}

/// The CRC-32 of IEEE 802.3, bit by bit for a table that is made once.
fn crc32(bytes: &[u8]) -> u32 {
    use std::sync::LazyLock;
    static TABLE: LazyLock<[u32; 256]> = LazyLock::new(|| {
        std::array::from_fn(|byte| {
            (0..8).fold(byte as u32, |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
            })
        })
    });
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (crc >> 8) ^ TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize]
    });
    !crc
}
