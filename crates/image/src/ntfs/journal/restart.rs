//! The two restart pages, of which the newer one says how the journal is laid out.

use diskmend_base::bytes;
use diskmend_base::count::{to_u64, to_usize};

use super::super::error::VolumeError;
use super::super::fixup;
use super::error::{JournalError, odd};
use super::format::{Client, RestartArea, RestartPage};
use super::source::Source;

/// The distance of the restart pages, unless the first one says otherwise.
const PAGE: u64 = 4096;
/// The longest page that is accepted.
const MAX_PAGE: u32 = 64 << 10;
/// "NTFS" in UTF-16.
const NTFS: &[u8; 8] = b"N\0T\0F\0S\0";
/// The pages before those with records that hold copies of the last page, in version 1 ...
const COPIES_1: u64 = 2;
/// ... and in version 2.
const COPIES_2: u64 = 32;
/// The restart pages.
const RESTART_PAGES: u64 = 2;

/// The content of a restart page.
pub(in super::super) struct Restart {
    /// The length of a page with records.
    pub page_len: u64,
    /// The version of the journal.
    pub version: (u16, u16),
    /// The last record when it was written.
    pub current_lsn: u64,
    /// True if everything is in the volume.
    pub is_closed: bool,
    offset: u64,
    page: Vec<u8>,
    area_at: usize,
}

/// How the records are laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub version: (u16, u16),
    pub page_len: u64,
    /// The bytes that are used.
    pub len: u64,
    /// Offset of the records in a page.
    pub data_offset: u64,
    /// The number of bits of an LSN that are a position.
    position_bits: u32,
    /// The last record when the restart page was written.
    pub current_lsn: u64,
    /// The oldest record that may be needed.
    pub oldest_lsn: u64,
    /// The last checkpoint.
    pub checkpoint_lsn: u64,
}

impl Restart {
    /// The newer of the two pages; `None` if neither can be read.
    pub(in super::super) fn newest(source: &Source<'_>) -> Result<Option<Self>, VolumeError> {
        let first = Self::read(source, 0)?;
        let second_at = first
            .as_ref()
            .map_or(PAGE, |first| to_u64(first.page.len()));
        let second = Self::read(source, second_at)?;
        Ok(match (first, second) {
            (Some(first), Some(second)) if second.current_lsn > first.current_lsn => Some(second),
            (Some(restart), _) | (None, Some(restart)) => Some(restart),
            (None, None) => None,
        })
    }

    /// The page at `at`, unless it is invalid or torn.
    fn read(source: &Source<'_>, at: u64) -> Result<Option<Self>, VolumeError> {
        let mut start = [0; size_of::<RestartPage>()];
        if !source.has(at, start.len()) {
            return Ok(None);
        }
        source.read(&mut start, at)?;
        let Some(header) = bytes::view::<RestartPage>(&start, 0) else {
            return Ok(None);
        };
        let page_len = header.system_page_size.get();
        let is_valid = (512..=MAX_PAGE).contains(&page_len) && page_len.is_power_of_two();
        if !is_valid || !source.has(at, to_usize(page_len)) {
            return Ok(None);
        }
        let mut page = vec![0; to_usize(page_len)];
        source.read(&mut page, at)?;
        Ok(Self::parse(page, at))
    }

    fn parse(mut page: Vec<u8>, offset: u64) -> Option<Self> {
        let magic = bytes::view::<RestartPage>(&page, 0)?.protected.magic;
        if magic != *b"RSTR" && magic != *b"CHKD" {
            return None;
        }
        fixup::unprotect(&mut page, magic, offset).ok()?;
        let header = bytes::view::<RestartPage>(&page, 0)?;
        let area_at = usize::from(header.restart_area_offset.get());
        let area = bytes::view::<RestartArea>(&page, area_at)?;
        Some(Self {
            page_len: header.log_page_size.get().into(),
            version: (header.major_version.get(), header.minor_version.get()),
            current_lsn: area.current_lsn.get(),
            is_closed: area.client_in_use_list.get() == RestartArea::NO_CLIENT
                || area.flags.get() & RestartArea::VOLUME_IS_CLEAN != 0,
            offset,
            page,
            area_at,
        })
    }

    /// How the records are laid out, and where they begin.
    pub(super) fn shape(&self, len: u64) -> Result<Shape, JournalError> {
        let at = self.offset.saturating_add(to_u64(self.area_at));
        let lost = || odd("restart area", at, "one in the page", "none");
        let area = bytes::view::<RestartArea>(&self.page, self.area_at).ok_or_else(lost)?;
        let page_len = self.page_len;
        if page_len != PAGE || to_u64(self.page.len()) != PAGE {
            return Err(odd("length of a page", self.offset, "4096", page_len));
        }
        if !matches!(self.version, (1, 0 | 1) | (2, 0)) {
            let (major, minor) = self.version;
            let found = format!("{major}.{minor}");
            return Err(odd("version", self.offset, "1.0, 1.1 or 2.0", found));
        }
        let used = area.file_size.get();
        let least = page_len.saturating_mul(64);
        if !(least..=len).contains(&used) || !used.is_multiple_of(page_len) {
            let expected = format!("whole pages, {least} to {len} bytes");
            return Err(odd("length of the journal", at, expected, used));
        }
        let seq_bits = area.seq_number_bits.get();
        // A position counts units of 8 bytes.
        let position_bits = 64_u32.checked_sub(seq_bits).filter(|bits| {
            (1..=60).contains(bits) && used.checked_shr(bits.saturating_add(3)) == Some(0)
        });
        let Some(position_bits) = position_bits else {
            return Err(odd(
                "bits of the sequence number",
                at,
                "64 less those of a position",
                seq_bits,
            ));
        };
        let data_offset = u64::from(area.log_page_data_offset.get());
        if !(0x40..=0x200).contains(&data_offset) || !data_offset.is_multiple_of(8) {
            return Err(odd(
                "offset of the records in a page",
                at,
                "64 to 512",
                data_offset,
            ));
        }
        let header_len = usize::from(area.record_header_length.get());
        if header_len != size_of::<super::format::RecordHeader>() {
            return Err(odd("length of a record's header", at, "48", header_len));
        }
        let (index, clients) = (area.client_in_use_list.get(), area.log_clients.get());
        if index != 0 || clients != 1 {
            let found = format!("client {index} of {clients}");
            return Err(odd("client", at, "NTFS alone", found));
        }
        let client_at = self
            .area_at
            .checked_add(area.client_array_offset.get().into());
        let client = client_at.and_then(|at| bytes::view::<Client>(&self.page, at));
        let client = client.filter(|client| client.name_length.get() == 8 && client.name == *NTFS);
        let client = client.ok_or_else(|| odd("client", at, "NTFS", "another one"))?;
        Ok(Shape {
            version: self.version,
            page_len,
            len: used,
            data_offset,
            position_bits,
            current_lsn: self.current_lsn,
            oldest_lsn: client.oldest_lsn.get(),
            checkpoint_lsn: client.client_restart_lsn.get(),
        })
    }
}

impl Shape {
    /// The pages that hold copies of others, as offsets.
    pub(super) fn copies(&self) -> std::ops::Range<u64> {
        let start = RESTART_PAGES.saturating_mul(self.page_len);
        start..self.first_page()
    }

    /// The offset of the first page with records.
    pub(super) fn first_page(&self) -> u64 {
        let copies = if self.version.0 >= 2 {
            COPIES_2
        } else {
            COPIES_1
        };
        RESTART_PAGES
            .saturating_add(copies)
            .saturating_mul(self.page_len)
    }

    /// The offset of a record; `None` if none can be there.
    pub(super) fn offset(&self, lsn: u64) -> Option<u64> {
        let mask = 1_u64.checked_shl(self.position_bits)?.checked_sub(1)?;
        let offset = (lsn & mask).checked_mul(8)?;
        let in_page = offset.checked_rem(self.page_len)?;
        let is_inside = (self.first_page()..self.len).contains(&offset);
        (is_inside && in_page >= self.data_offset).then_some(offset)
    }

    /// The number of a record at an offset that follows another one, which has the offset
    /// `before`.
    pub(super) fn lsn_after(&self, lsn: u64, before: u64, offset: u64) -> Option<u64> {
        let turn = lsn.checked_shr(self.position_bits)?;
        let turn = if offset > before {
            turn
        } else {
            turn.checked_add(1)?
        };
        let high = turn.checked_mul(1_u64.checked_shl(self.position_bits)?)?;
        high.checked_add(offset.checked_div(8)?)
    }

    /// True if a record is less than a round of the journal after another one.
    pub(super) fn is_within_a_round(&self, first: u64, lsn: u64) -> bool {
        let round = 1_u64.checked_shl(self.position_bits);
        let end = round.and_then(|round| first.checked_add(round));
        lsn >= first && end.is_none_or(|end| lsn < end)
    }

    /// The start of the page of an offset.
    pub(super) fn page_of(&self, offset: u64) -> u64 {
        offset.saturating_sub(offset.checked_rem(self.page_len).unwrap_or(0))
    }

    /// The page after one.
    pub(super) fn page_after(&self, page: u64) -> u64 {
        match page.saturating_add(self.page_len) {
            next if next < self.len => next,
            _ => self.first_page(),
        }
    }
}
