//! $LogFile: whether there are pending changes in the journal (Linux-NTFS, $LogFile).
//!
//! Only the two restart pages at its start are read, and if they are empty, samples of the other
//! pages; nothing is ever replayed.

use diskmend_base::bytes;
use diskmend_base::count::{to_u64, to_usize};
use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::error::VolumeError;
use super::fixup;
use super::format::{ProtectedHeader, attribute_type, system};
use super::mft::Mft;
use super::records::Records;
use super::stream::Stream;

/// The state of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// The journal was closed: all changes are in the volume.
    Clean,
    /// The journal was never used, or another system has emptied it: its first page and samples of
    /// all others contain nothing but 0xFF.
    Empty,
    /// The volume was not dismounted: there may be changes in it that are not in the volume yet.
    Pending {
        /// The version of the journal: the parts before and after the dot. Every Windows since
        /// Windows 8 uses 2.0 while the volume is mounted, and leaves 1.1 when it dismounts it.
        version: (u16, u16),
    },
    /// It isn't known whether there are such changes in it, for this reason.
    NotUnderstood(&'static str),
}

/// The length of a page, unless the page itself says otherwise.
const PAGE: usize = 4096;
/// The longest page that is accepted.
const MAX_PAGE: u32 = 64 << 10;
/// A client number that means none.
const NO_CLIENT: u16 = 0xFFFF;
/// `restart_area.flags`: closed by a system that sets this flag.
const VOLUME_IS_CLEAN: u16 = 2;

/// Header of a restart page.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RestartPage {
    /// `RSTR`; `CHKD` if chkdsk has changed it.
    protected: ProtectedHeader,
    /// Last change that chkdsk has made.
    chkdsk_lsn: U64,
    /// The length of a restart page in bytes.
    system_page_size: U32,
    /// The length of the other pages in bytes.
    log_page_size: U32,
    /// Offset of the restart area.
    restart_area_offset: U16,
    /// Version of the journal, the part after the dot.
    minor_version: U16,
    /// The part before the dot.
    major_version: U16,
}

/// The restart area.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct RestartArea {
    /// The number of the last change; of two pages, the one with the greater number counts.
    current_lsn: U64,
    /// The number of clients; NTFS is the only one.
    log_clients: U16,
    /// First client that is free.
    client_free_list: U16,
    /// First client that uses the journal.
    client_in_use_list: U16,
    /// See [`VOLUME_IS_CLEAN`].
    flags: U16,
}

/// Reads the state of the journal.
pub(crate) fn state(mft: &Mft) -> Result<Log, VolumeError> {
    let records = Records::read_system(mft, system::LOG_FILE)?;
    let stream = Stream::of(mft.disk(), &records, attribute_type::DATA, "")?
        .ok_or_else(|| records.lacks("data of $LogFile"))?;
    let mut page = vec![0; PAGE];
    if stream.len() < to_u64(PAGE) {
        return Ok(Log::NotUnderstood("it is too short"));
    }
    stream.read(mft.disk(), &mut page, 0)?;
    if is_empty(&page) {
        return of_samples(mft, &stream);
    }
    let first = Restart::read(mft, &stream, 0)?;
    let second_at = first
        .as_ref()
        .map_or(4096, |restart| u64::from(restart.page_len));
    let second = Restart::read(mft, &stream, second_at)?;
    let newest = match (first, second) {
        (Some(first), Some(second)) if second.lsn > first.lsn => second,
        (Some(restart), _) | (None, Some(restart)) => restart,
        (None, None) => {
            return Ok(Log::NotUnderstood(
                "neither of its restart pages can be read",
            ));
        }
    };
    Ok(match newest.version {
        (1, 0 | 1) if newest.is_closed => Log::Clean,
        version @ ((1, 0 | 1) | (2, 0)) => Log::Pending { version },
        _ => Log::NotUnderstood("its version is not known"),
    })
}

fn is_empty(page: &[u8]) -> bool {
    page.iter().all(|byte| *byte == 0xFF)
}

/// The state according to samples at increasing distances, because the journal can be long.
fn of_samples(mft: &Mft, stream: &Stream) -> Result<Log, VolumeError> {
    let mut page = vec![0; PAGE];
    let mut at = to_u64(PAGE);
    let last = stream.len().saturating_sub(at);
    while at <= last {
        stream.read(mft.disk(), &mut page, at)?;
        if !is_empty(&page) {
            return Ok(Log::NotUnderstood(
                "its restart pages are gone, but not its other pages",
            ));
        }
        at = at.saturating_mul(2);
    }
    Ok(Log::Empty)
}

/// The content of a restart page.
struct Restart {
    page_len: u32,
    version: (u16, u16),
    lsn: u64,
    is_closed: bool,
}

impl Restart {
    /// The page at `at`, unless it is invalid or torn.
    fn read(mft: &Mft, stream: &Stream, at: u64) -> Result<Option<Self>, VolumeError> {
        let mut start = [0; size_of::<RestartPage>()];
        let end = u64::try_from(start.len())
            .ok()
            .and_then(|len| at.checked_add(len));
        if end.is_none_or(|end| end > stream.len()) {
            return Ok(None);
        }
        stream.read(mft.disk(), &mut start, at)?;
        let Ok(header) = RestartPage::ref_from_bytes(&start) else {
            return Ok(None);
        };
        let page_len = header.system_page_size.get();
        let fits = at
            .checked_add(page_len.into())
            .is_some_and(|end| end <= stream.len());
        if !(512..=MAX_PAGE).contains(&page_len) || !page_len.is_power_of_two() || !fits {
            return Ok(None);
        }
        let mut page = vec![0; to_usize(page_len)];
        stream.read(mft.disk(), &mut page, at)?;
        Ok(Self::parse(page, page_len))
    }

    fn parse(mut page: Vec<u8>, page_len: u32) -> Option<Self> {
        let magic = bytes::view::<RestartPage>(&page, 0)?.protected.magic;
        if magic != *b"RSTR" && magic != *b"CHKD" {
            return None;
        }
        fixup::unprotect(&mut page, magic, 0).ok()?;
        let header = bytes::view::<RestartPage>(&page, 0)?;
        let at = usize::from(header.restart_area_offset.get());
        let area = bytes::view::<RestartArea>(&page, at)?;
        Some(Self {
            page_len,
            version: (header.major_version.get(), header.minor_version.get()),
            lsn: area.current_lsn.get(),
            is_closed: area.client_in_use_list.get() == NO_CLIENT
                || area.flags.get() & VOLUME_IS_CLEAN != 0,
        })
    }
}
