//! VHDX (MS-VHDX): opens and reads it. Everything is read through a view of the file in which the
//! log has been replayed.

mod bat;
mod format;
mod header;
mod log;
mod metadata;
mod overlay;
mod region;
#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;
mod write;

use std::io;
use std::sync::{Arc, Mutex};

use zerocopy::FromZeros;

use self::bat::{Layout, Place};
use self::metadata::Metadata;
use self::overlay::View;
use self::region::Regions;
use self::write::{Stage, State};
use super::error::ContainerError;
use super::notice::Notice;
use super::pages::Pages;
use super::pieces::pieces;
use crate::device::{Device, Medium, range};

/// The disk in a VHDX.
#[derive(Debug)]
pub(super) struct Vhdx {
    medium: Arc<dyn Medium>,
    /// The medium with the changes of its log.
    view: View,
    pages: Pages,
    regions: Regions,
    metadata: Metadata,
    layout: Layout,
    state: Mutex<State>,
}

impl Vhdx {
    /// Opens a file that starts as a VHDX.
    pub(super) fn open(medium: &Arc<dyn Medium>) -> Result<(Self, Vec<Notice>), ContainerError> {
        let (header, notice) = header::read(&**medium)?;
        let mut notices: Vec<Notice> = notice.into_iter().collect();
        let overlay = match header.log_guid() {
            Some(guid) => {
                let (overlay, replay) = log::replay(&**medium, &header.log(), guid)?;
                notices.push(Notice::LogReplayed(replay));
                Some(overlay)
            }
            None => None,
        };
        let view = View::new(medium.clone(), overlay);
        let (regions, notice) = region::read(&view, header.log())?;
        notices.extend(notice);
        let metadata = metadata::read(&view, &regions.metadata)?;
        let grown = view.len();
        let layout = Layout::new(
            metadata.disk_size,
            metadata.block_size,
            metadata.logical_sector_size,
        );
        let bat = regions.bat.end.saturating_sub(regions.bat.start);
        if layout.len() > bat {
            return Err(ContainerError::corrupt(
                "the VHDX block allocation table",
                regions.bat.start,
                format_args!("{} bytes, for {} blocks", layout.len(), layout.blocks),
                format_args!("{bat} bytes"),
            ));
        }
        let needed = longest(&regions, &metadata, layout).max(medium.len());
        if grown > needed {
            return Err(ContainerError::Log {
                offset: header.log().start,
                reason: format!(
                    "it would lengthen the file to {grown} bytes, but a disk of {} bytes needs \
                     {needed} at most",
                    metadata.disk_size
                ),
            });
        }
        let disk = Self {
            medium: medium.clone(),
            view,
            pages: Pages::default(),
            regions,
            metadata,
            layout,
            state: Mutex::new(State {
                header,
                stage: Stage::Opened,
            }),
        };
        Ok((disk, notices))
    }

    /// Size of the disk, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.metadata.disk_size
    }

    /// Bytes in a logical sector: 512 or 4096.
    pub(super) fn logical_sector_size(&self) -> u32 {
        self.metadata.logical_sector_size
    }

    /// Fills `buf` from `offset` of the disk on.
    pub(super) fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        range(offset, buf.len(), self.metadata.disk_size)?;
        for piece in pieces(offset, buf.len(), self.metadata.block_size.get()) {
            let part = buf
                .get_mut(piece.range.clone())
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            match self.place(piece.block)? {
                Place::Zero | Place::Undefined => part.zero(),
                Place::File(start) => {
                    let at = start.0.saturating_add(piece.within);
                    self.view.read_exact_at(part, at)?;
                }
            }
        }
        Ok(())
    }

    /// Takes bytes of the disk into the record of changes, as far as the file has them.
    pub(super) fn keep(&self, offset: u64, len: usize) -> io::Result<()> {
        range(offset, len, self.metadata.disk_size)?;
        for piece in pieces(offset, len, self.metadata.block_size.get()) {
            if let Place::File(start) = self.place(piece.block)? {
                let at = start.0.saturating_add(piece.within);
                self.view.keep(at, piece.range.len())?;
            }
        }
        Ok(())
    }
}

/// The maximum length of a file for a disk: its regions, all its blocks, and one more block,
/// because an added block may leave the place of another empty. No log makes a file longer than
/// that.
fn longest(regions: &Regions, metadata: &Metadata, layout: Layout) -> u64 {
    let ends = regions.taken.iter().map(|region| region.end);
    // The regions start after the headers.
    let regions = ends
        .fold(format::MIB, u64::max)
        .next_multiple_of(format::MIB);
    let blocks = layout.blocks.saturating_add(1);
    regions.saturating_add(blocks.saturating_mul(metadata.block_size.get()))
}
