//! Reads the records of one chunk with `evtx`: only those that a filter wants are rendered.

use std::collections::HashMap;

use diskmend_base::bytes::{array, u32_at, view};
use diskmend_base::count::to_usize;
use evtx::{EvtxChunkData, EvtxRecord, ParserSettings};
use jiff::Timestamp;

use super::event::Rendered;
use super::filter::Filter;
use super::format::{CHUNK_HEADER_LEN, RECORD_MAGIC, RECORD_TRAILER_LEN, RecordHeader};
use super::limits::{Budget, Spent};

/// The number of templates of a log that are remembered.
const MOST_TEMPLATES: usize = 4096;
/// The place of `EventID` among the values of a record that Windows writes.
const EVENT_ID_VALUE: usize = 3;
/// The type of an unsigned 16-bit number.
const TYPE_U16: u8 = 6;

/// The result of reading a chunk.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The number of records, wanted or not.
    pub(super) records: u64,
    /// The number of records that can't be read.
    pub(super) unreadable: u64,
    /// True if a checksum of the chunk is wrong.
    pub(super) checksum: bool,
    /// The number of records behind the last one that the chunk's header knows.
    pub(super) behind: u64,
    /// The time of its newest record.
    pub(super) newest: Option<Timestamp>,
}

/// True for the templates, by their GUID, whose value 3 is the event's ID, as far as they are
/// known. Real templates all are such. The record in which a template is first met is rendered in
/// any case, and tells.
#[derive(Default)]
pub(super) struct Templates(HashMap<[u8; 16], bool>);

/// Reads a chunk and passes the wanted records on. `None` if it can't be read at all.
///
/// # Errors
/// The bound that ended the reading.
pub(super) fn read(
    data: Vec<u8>,
    filter: &Filter<'_>,
    templates: &mut Templates,
    budget: &mut Budget,
    keep: &mut dyn FnMut(Rendered),
) -> Result<Option<Report>, Spent> {
    let mut report = Report::default();
    let Ok(mut chunk) = EvtxChunkData::new(data, false) else {
        return Ok(None);
    };
    report.checksum = !chunk.validate_checksum();
    report.behind = extend(&mut chunk);
    let settings = ParserSettings::default().indent(false);
    let Ok(mut chunk) = chunk.parse(settings.into()) else {
        return Ok(None);
    };
    let data = chunk.data;
    for record in chunk.iter() {
        budget.time()?;
        let Ok(record) = record else {
            report.unreadable += 1;
            continue;
        };
        report.records += 1;
        let Some(time) = time(&record) else {
            report.unreadable += 1;
            continue;
        };
        report.newest = report.newest.max(Some(time));
        if filter.since.is_some_and(|since| time < since) {
            continue;
        }
        let probed = Probed::of(data, &record);
        if probed.is_some_and(|probed| templates.tells(&probed) && !filter.wants_id(probed.id)) {
            continue;
        }
        let (id, recovered) = (record.event_record_id, record.into_json_bytes());
        let Some(rendered) = recovered
            .ok()
            .and_then(|json| Rendered::read(&json.data, id, time))
        else {
            report.unreadable += 1;
            continue;
        };
        if let Some(probed) = probed {
            templates.learn(&probed, rendered.id);
        }
        if filter.wants(&rendered) {
            budget.keep()?;
            keep(rendered);
        }
    }
    Ok(Some(report))
}

fn time(record: &EvtxRecord<'_>) -> Option<Timestamp> {
    Timestamp::from_nanosecond(record.timestamp.as_nanosecond()).ok()
}

/// Lets the header of a chunk include the records behind the last one that it knows: Windows writes
/// records first. They are only those that go on with the IDs without a gap; what else lies there
/// is left over from the last round of the ring. Returns their number.
fn extend(chunk: &mut EvtxChunkData) -> u64 {
    let known_end = chunk.header.free_space_offset;
    let (mut offset, mut last_id, mut behind) = (CHUNK_HEADER_LEN, None, 0);
    while let Some((id, end)) = whole_record(&chunk.data, offset) {
        if last_id.is_some_and(|last: u64| last.checked_add(1) != Some(id)) {
            break;
        }
        let (Ok(start), Ok(end32)) = (u32::try_from(offset), u32::try_from(end)) else {
            break;
        };
        if end32 > known_end {
            behind += 1;
            chunk.header.last_event_record_id = id;
            chunk.header.last_event_record_data_offset = start;
            chunk.header.free_space_offset = end32;
        }
        (offset, last_id) = (end, Some(id));
    }
    behind
}

/// The ID of the record at `offset` and its end, if it lies in the chunk as a whole.
fn whole_record(data: &[u8], offset: usize) -> Option<(u64, usize)> {
    let header: &RecordHeader = view(data, offset)?;
    let size = to_usize(header.size.get());
    let smallest = size_of::<RecordHeader>() + RECORD_TRAILER_LEN;
    if header.magic != RECORD_MAGIC || size < smallest {
        return None;
    }
    let end = offset.checked_add(size)?;
    let copy = u32_at(data, end.checked_sub(RECORD_TRAILER_LEN)?)?;
    (copy == header.size.get()).then(|| (header.id.get(), end))
}

/// What can be seen of a record without rendering it.
#[derive(Clone, Copy)]
struct Probed {
    template: [u8; 16],
    id: u32,
}

impl Probed {
    /// `None` if the record is no instance of a template with an event's ID at its place.
    fn of(data: &[u8], record: &EvtxRecord<'_>) -> Option<Self> {
        /// The fragment's header, and the token of a template's instance with its version.
        const START: [u8; 6] = [0x0f, 1, 1, 0, 0x0c, 1];
        /// The first bytes of the template's definition: the next one, its GUID, its length.
        const DEFINITION_LEN: usize = 24;
        let start = usize::try_from(record.binxml_offset).ok()?;
        if array(data, start)? != START {
            return None;
        }
        let definition = to_usize(u32_at(data, start.checked_add(10)?)?);
        let template = array(data, definition.checked_add(4)?)?;
        let mut at = start.checked_add(14)?;
        // The definition is in the record that uses it first.
        if definition == at {
            let len = to_usize(u32_at(data, at.checked_add(20)?)?);
            at = at.checked_add(DEFINITION_LEN)?.checked_add(len)?;
        }
        let count = to_usize(u32_at(data, at)?);
        if count <= EVENT_ID_VALUE {
            return None;
        }
        let descriptors = at.checked_add(4)?;
        let mut value = descriptors.checked_add(count.checked_mul(4)?)?;
        for index in 0..EVENT_ID_VALUE {
            let [l0, l1, _, _] = array(data, descriptors.checked_add(4 * index)?)?;
            value = value.checked_add(u16::from_le_bytes([l0, l1]).into())?;
        }
        let descriptor: [u8; 4] = array(data, descriptors.checked_add(4 * EVENT_ID_VALUE)?)?;
        if descriptor != [2, 0, TYPE_U16, 0] {
            return None;
        }
        let id = u16::from_le_bytes(array(data, value)?).into();
        Some(Self { template, id })
    }
}

impl Templates {
    fn tells(&self, probed: &Probed) -> bool {
        self.0.get(&probed.template).is_some_and(|tells| *tells)
    }

    fn learn(&mut self, probed: &Probed, id: u32) {
        if self.0.len() < MOST_TEMPLATES || self.0.contains_key(&probed.template) {
            let tells = self.0.entry(probed.template).or_insert(true);
            *tells &= probed.id == id;
        }
    }
}
