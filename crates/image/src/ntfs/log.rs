//! $LogFile: whether there are pending changes in the journal (Linux-NTFS, $LogFile).
//!
//! Only the two restart pages at its start are read, and if they are empty, samples of the other
//! pages; nothing is ever replayed.

use diskmend_base::count::to_u64;

use super::bitmap::Bitmap;
use super::error::VolumeError;
use super::format::{attribute_type, system};
use super::journal::{Ground, Journal, JournalError, Restart, Source};
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

/// The length of a page.
const PAGE: usize = 4096;

/// Reads the state of the journal.
pub(crate) fn state(mft: &Mft) -> Result<Log, VolumeError> {
    let stream = stream(mft)?;
    let mut page = vec![0; PAGE];
    if stream.len() < to_u64(PAGE) {
        return Ok(Log::NotUnderstood("it is too short"));
    }
    stream.read(mft.disk(), &mut page, 0)?;
    if is_empty(&page) {
        return of_samples(mft, &stream);
    }
    let source = Source::Volume(mft.disk(), &stream);
    let Some(newest) = Restart::newest(&source)? else {
        return Ok(Log::NotUnderstood(
            "neither of its restart pages can be read",
        ));
    };
    Ok(match newest.version {
        (1, 0 | 1) if newest.is_closed => Log::Clean,
        version @ ((1, 0 | 1) | (2, 0)) => Log::Pending { version },
        _ => Log::NotUnderstood("its version is not known"),
    })
}

/// Reads what is pending in the journal; `None` if there is nothing.
pub(crate) fn journal(mft: &Mft) -> Result<Option<Journal>, JournalError> {
    if let Log::Clean | Log::Empty = state(mft)? {
        return Ok(None);
    }
    let stream = stream(mft)?;
    let source = Source::Volume(mft.disk(), &stream);
    let records = Records::read_system(mft, system::MFT)?;
    let records_in_use = Stream::of(mft.disk(), &records, attribute_type::BITMAP, "")?;
    let clusters_in_use = Bitmap::open(mft)?;
    let layouts = [
        Some(mft.layout()),
        records_in_use.as_ref().and_then(Stream::layout),
        clusters_in_use.stream().layout(),
    ];
    let ground = Ground::new(&mft.disk().geometry, layouts);
    Journal::read(&source, &ground).map(Some)
}

pub(super) fn stream(mft: &Mft) -> Result<Stream, VolumeError> {
    let records = Records::read_system(mft, system::LOG_FILE)?;
    let stream = Stream::of(mft.disk(), &records, attribute_type::DATA, "")?;
    Ok(stream.ok_or_else(|| records.lacks("data of $LogFile"))?)
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
