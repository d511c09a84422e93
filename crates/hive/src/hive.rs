//! Opens a hive: clean hives can be read, dirty ones can only be recovered.

use std::borrow::Cow;

use diskmend_base::bytes;
use diskmend_base::upcase::CaseTable;

use crate::bins::Bins;
use crate::commit::{OnDisk, Settlement};
use crate::error::Corruption;
use crate::format::{BaseBlock, HiveBin};
use crate::image::Image;
use crate::key::Key;
use crate::offset::{BASE_BLOCK_LEN, CellOffset, FileOffset};
use diskmend_base::Buffer;

/// The state of a hive file.
pub enum Opened {
    /// The hive was closed cleanly: its logs do not apply, whatever they contain.
    Clean(Hive),
    /// The hive was not closed cleanly: it must be recovered from its logs first.
    Dirty(DirtyHive),
}

/// The reason why a file can't be opened as a hive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file ends before the base block does.
    #[error("the file is {len} bytes long, a hive has at least 8192")]
    TooShort {
        /// The length of the file in bytes.
        len: usize,
    },
    /// The base block or the length of the file is wrong.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
}

/// The reason why a hive counts as dirty (regf spec, Dirty state of a hive).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirtyState {
    /// The sequence numbers differ: a write was started and not finished.
    Sequences {
        /// Primary sequence number.
        primary: u32,
        /// Secondary sequence number.
        secondary: u32,
    },
    /// The base block's checksum is wrong: its write was torn.
    Checksum {
        /// The number in the base block.
        stored: u32,
        /// The checksum of the other fields.
        computed: u32,
    },
}

impl std::fmt::Display for DirtyState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sequences { primary, secondary } => {
                write!(f, "sequence numbers {primary} and {secondary} differ")
            }
            Self::Checksum { stored, computed } => write!(
                f,
                "base block checksum is {stored:#010x}, computed {computed:#010x}"
            ),
        }
    }
}

/// A hive that was not closed cleanly. It can't be read or edited, only recovered.
pub struct DirtyHive {
    pub(crate) buffer: Box<dyn Buffer>,
    pub(crate) state: DirtyState,
}

impl DirtyHive {
    /// The reason why it counts as dirty.
    #[must_use]
    pub fn state(&self) -> DirtyState {
        self.state
    }

    /// Opens the hive as it is on disk, without its logs. Changes that Windows had written only to
    /// the logs are lost, and pages of different ages may be mixed.
    ///
    /// # Errors
    /// If even the base block is invalid.
    pub fn assume_clean(self) -> Result<Hive, OpenError> {
        let file_len = self.buffer.bytes().len();
        let mut image = sized_image(self.buffer)?;
        let disk = OnDisk::unsettled(image.base_block(), file_len, Settlement::default());
        image.settle(disk);
        Ok(Hive { image })
    }
}

/// A hive that is clean on disk, or was recovered in memory.
pub struct Hive {
    pub(crate) image: Image,
}

/// Opens a hive file's bytes.
///
/// # Errors
/// If the bytes are not a hive, or the base block of a clean hive is wrong.
pub fn open(buffer: Box<dyn Buffer>) -> Result<Opened, OpenError> {
    let file = buffer.bytes();
    let too_short = OpenError::TooShort { len: file.len() };
    let Some(base) = bytes::view::<BaseBlock>(file, 0) else {
        return Err(too_short);
    };
    // A torn base block can have lost its signature too; the first bin shows that this is a hive.
    let stored = base.checksum.get();
    let computed = base.expected_checksum();
    let torn = stored != computed;
    if base.signature != BaseBlock::SIGNATURE && !(torn && starts_with_bin(file)) {
        base.validate()?;
    }
    let primary = base.primary_sequence.get();
    let secondary = base.secondary_sequence.get();
    let state = if torn {
        Some(DirtyState::Checksum { stored, computed })
    } else if primary != secondary {
        Some(DirtyState::Sequences { primary, secondary })
    } else {
        None
    };
    Ok(match state {
        Some(state) => Opened::Dirty(DirtyHive { buffer, state }),
        None => Opened::Clean(Hive {
            image: sized_image(buffer)?,
        }),
    })
}

/// True if a hive bin with the offset of the first bin follows the base block.
fn starts_with_bin(file: &[u8]) -> bool {
    bytes::view::<HiveBin>(file, BASE_BLOCK_LEN)
        .is_some_and(|bin| bin.signature == HiveBin::SIGNATURE && bin.offset.get() == 0)
}

/// Checks the base block, and that the file contains all the bins that it announces.
pub(crate) fn sized_image(buffer: Box<dyn Buffer>) -> Result<Image, OpenError> {
    let len = buffer.bytes().len();
    let base = bytes::view::<BaseBlock>(buffer.bytes(), 0).ok_or(OpenError::TooShort { len })?;
    base.validate()?;
    let bins_len = base.bins_len.get() as usize;
    Image::new(buffer, bins_len).map_err(|_| {
        Corruption::new(
            "file length",
            FileOffset(len as u64),
            Cow::Owned(format!("at least {}", bins_len + BASE_BLOCK_LEN)),
            len.to_string(),
        )
        .into()
    })
}

impl Hive {
    /// The base block.
    #[must_use]
    pub fn base_block(&self) -> &BaseBlock {
        self.image.base_block()
    }

    /// The minor version of the format, 3 to 6.
    #[must_use]
    pub fn minor_version(&self) -> u32 {
        self.base_block().minor_version.get()
    }

    /// The upper-case table of the Windows that the hive belongs to.
    pub(crate) fn case_table(&self) -> CaseTable {
        self.base_block().case_table()
    }

    /// The bytes and the pages that differ from the file.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The hive bins, for reading cells.
    #[must_use]
    pub(crate) fn bins(&self) -> Bins<'_> {
        Bins::new(self.image.bins(), self.minor_version(), self.case_table())
    }

    /// The root key.
    ///
    /// # Errors
    /// If its cell is not a key node.
    pub fn root(&self) -> Result<Key<'_>, Corruption> {
        let root = CellOffset::new(self.base_block().root_cell.get());
        Key::at(self.bins(), root)
    }

    /// The key at a path below the root; components are separated by `\`, case does not matter,
    /// an empty path is the root.
    ///
    /// # Errors
    /// If a structure on the way is corrupt.
    pub fn key(&self, path: &str) -> Result<Option<Key<'_>>, Corruption> {
        self.root()?.descendant(path)
    }
}
