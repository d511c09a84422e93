//! Goes from record to record.

use diskmend_base::count::{to_u64, to_usize};

use super::error::{JournalError, odd};
use super::format::RecordHeader;
use super::pages::Pages;

/// The longest record that is read: as long as the longest table of a busy server.
const MAX_RECORD: u32 = 16 << 20;

/// A record.
pub(super) struct Record {
    pub lsn: u64,
    /// Its offset in $LogFile.
    pub offset: u64,
    pub kind: u32,
    pub transaction: u32,
    pub data: Vec<u8>,
    /// The offset of the first byte after it.
    end: u64,
}

/// The record with a number; `None` if it is not there as a whole.
pub(super) fn record(pages: &mut Pages<'_>, lsn: u64) -> Result<Option<Record>, JournalError> {
    let Some(header) = pages.header(lsn)? else {
        return Ok(None);
    };
    let offset = pages.shape.offset(lsn).unwrap_or(0);
    let len = header.client_data_length.get();
    let kind = header.record_type.get();
    let is_known = matches!(
        kind,
        RecordHeader::CLIENT_RECORD | RecordHeader::CLIENT_RESTART
    );
    if !is_known || header.client_index.get() != 0 {
        let found = format!("type {kind} of client {}", header.client_index.get());
        return Err(odd("record", offset, "type 1 or 2 of client 0", found));
    }
    if len > MAX_RECORD || u64::from(len) > pages.shape.len / 2 {
        let expected = format!("at most {MAX_RECORD}, and half of the journal");
        return Err(odd("length of a record", offset, expected, len));
    }
    let mut data = Vec::new();
    let start = offset.saturating_add(to_u64(size_of::<RecordHeader>()));
    let Some(end) = pages.data(lsn, start, to_usize(len), &mut data)? else {
        return Ok(None);
    };
    Ok(Some(Record {
        lsn,
        offset,
        kind,
        transaction: header.transaction_id.get(),
        data,
        end,
    }))
}

/// The record after another one; `None` if that was the last one.
pub(super) fn next(pages: &mut Pages<'_>, last: &Record) -> Result<Option<Record>, JournalError> {
    let shape = pages.shape;
    let end = last.end.next_multiple_of(8);
    let page = shape.page_of(last.end.saturating_sub(1));
    let next_page = shape.page_after(page).saturating_add(shape.data_offset);
    let rest = page.saturating_add(shape.page_len).saturating_sub(end);
    let fits = rest >= to_u64(size_of::<RecordHeader>());
    // A page that was written may keep room that the next record does not use.
    for at in fits.then_some(end).into_iter().chain([next_page]) {
        let lsn = shape.lsn_after(last.lsn, last.offset, at);
        if let Some(lsn) = lsn
            && let Some(found) = record(pages, lsn)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
