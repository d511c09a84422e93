//! One chunk: its records, and the tables of its names and templates.

use std::collections::HashMap;

use super::binxml::{self, Value};
use super::{CHUNK_LEN, Form, Record, crc32};

const HEADER_LEN: usize = 512;
const NAMES: (usize, usize) = (128, 64);
const TEMPLATES: (usize, usize) = (384, 32);

/// What makes a template: two events with the same key have the same one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum TemplateKey {
    Event(String, Option<String>),
    Data(Form, Vec<Option<String>>, bool),
}

/// A chunk that is being written.
pub(super) struct Chunk {
    pub(super) data: Vec<u8>,
    /// The offset of each name.
    pub(super) names: HashMap<String, u32>,
    templates: HashMap<TemplateKey, u32>,
    /// The ID, offset and end of each record.
    records: Vec<(u64, usize, usize)>,
}

impl Chunk {
    pub(super) fn new() -> Self {
        Self {
            data: vec![0; HEADER_LEN],
            names: HashMap::new(),
            templates: HashMap::new(),
            records: Vec::new(),
        }
    }

    /// Adds a record; false if there is no room.
    pub(super) fn add(&mut self, channel: &str, id: u64, record: &Record) -> bool {
        let start = self.data.len();
        self.data.extend(b"\x2a\x2a\0\0");
        self.data.extend(0_u32.to_le_bytes());
        self.data.extend(id.to_le_bytes());
        self.data.extend(record.filetime().to_le_bytes());
        self.body(channel, id, record);
        // Records are multiples of 8 bytes long.
        let len = (self.data.len() + 4 - start).next_multiple_of(8);
        self.data.resize(start + len - 4, 0);
        self.data.extend((len as u32).to_le_bytes());
        self.put(start + 4, &(len as u32).to_le_bytes());
        if self.data.len() > CHUNK_LEN {
            self.data.truncate(start);
            return false;
        }
        self.records.push((id, start, start + len));
        true
    }

    fn body(&mut self, channel: &str, id: u64, record: &Record) {
        let key = TemplateKey::Event(record.provider.clone(), record.source.clone());
        self.data.extend(binxml::FRAGMENT);
        self.instance(key, |chunk| binxml::event(chunk, channel, record));
        let null = Value::null;
        let values = [
            Value::byte(4),
            Value::byte(0),
            Value::word(0),
            Value::word(record.id),
            record
                .source
                .as_ref()
                .map_or_else(null, |_| Value::word(0xc000)),
            Value::hex64(0x8080_0000_0000_0000),
            Value::filetime(record.filetime()),
            null(),
            Value::dword(600),
            Value::dword(700),
            Value::qword(id),
            Value::byte(0),
            null(),
        ];
        // The last value is the event's own data, of another template. Its length is known only
        // when it is written.
        let count = values.len() + 1;
        self.data.extend((count as u32).to_le_bytes());
        for value in &values {
            self.data.extend(value.descriptor());
        }
        let own = self.data.len();
        self.data.extend([0, 0, binxml::TYPE_BINXML, 0]);
        for value in &values {
            self.data.extend(&value.bytes);
        }
        let start = self.data.len();
        self.own_data(record);
        let len = self.data.len() - start;
        self.put(own, &(len as u16).to_le_bytes());
        self.data.push(binxml::END_OF_STREAM);
    }

    fn own_data(&mut self, record: &Record) {
        let names = record.fields.iter().map(|(name, _)| name.clone()).collect();
        let key = TemplateKey::Data(record.form, names, record.binary.is_some());
        self.data.extend(binxml::FRAGMENT);
        self.instance(key, |chunk| binxml::own_data(chunk, record));
        let texts = record.fields.iter().map(|(_, text)| Value::text(text));
        let binary = record.binary.iter().map(|bytes| Value::binary(bytes));
        let values: Vec<Value> = texts.chain(binary).collect();
        self.data.extend((values.len() as u32).to_le_bytes());
        for value in &values {
            self.data.extend(value.descriptor());
        }
        for value in &values {
            self.data.extend(&value.bytes);
        }
        self.data.push(binxml::END_OF_STREAM);
    }

    /// Writes the beginning of an instance of a template, with the template if it is the first one.
    fn instance(&mut self, key: TemplateKey, write: impl FnOnce(&mut Self)) {
        let guid = guid(&key);
        self.data.extend([binxml::TEMPLATE_INSTANCE, 1]);
        self.data.extend(&guid[..4]);
        if let Some(offset) = self.templates.get(&key) {
            let offset = offset.to_le_bytes();
            self.data.extend(offset);
            return;
        }
        let offset = self.data.len() + 4;
        self.data.extend((offset as u32).to_le_bytes());
        self.data.extend(0_u32.to_le_bytes());
        self.data.extend(guid);
        self.data.extend(0_u32.to_le_bytes());
        let start = self.data.len();
        self.data.extend(binxml::FRAGMENT);
        write(self);
        self.data.push(binxml::END_OF_STREAM);
        let len = self.data.len() - start;
        self.put(start - 4, &(len as u32).to_le_bytes());
        self.templates.insert(key, offset as u32);
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.data[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// The bytes of the chunk. Its header does not know the last `behind` records.
    pub(super) fn finish(mut self, behind: usize) -> Vec<u8> {
        let known = self.records.len() - behind;
        let first = self.records.first().map_or(0, |record| record.0);
        let (last, last_offset, end) = match self.records[..known].last() {
            Some(record) => *record,
            None => (0, 0, HEADER_LEN),
        };
        self.put(0, b"ElfChnk\0");
        for (at, number) in [(8, first), (16, last), (24, first), (32, last)] {
            self.put(at, &number.to_le_bytes());
        }
        self.put(40, &128_u32.to_le_bytes());
        self.put(44, &(last_offset as u32).to_le_bytes());
        self.put(48, &(end as u32).to_le_bytes());
        let names: Vec<(u32, u32)> = self
            .names
            .iter()
            .map(|(name, offset)| (binxml::hash(name), *offset))
            .collect();
        self.table(NAMES, names, end);
        let templates = self.templates.iter();
        let templates: Vec<(u32, u32)> = templates
            .map(|(key, offset)| {
                let [a, b, c, d, ..] = guid(key);
                (u32::from_le_bytes([a, b, c, d]), *offset)
            })
            .collect();
        self.table(TEMPLATES, templates, end);
        let checksum = crc32(&self.data[HEADER_LEN..end]);
        self.put(52, &checksum.to_le_bytes());
        let header = [&self.data[..120], &self.data[128..HEADER_LEN]].concat();
        self.put(124, &crc32(&header).to_le_bytes());
        self.data.resize(CHUNK_LEN, 0);
        self.data
    }

    /// Writes a table of chains: each entry begins with the offset of the next one. What lies
    /// behind the end of the known records is not in it.
    fn table(&mut self, (at, buckets): (usize, usize), mut entries: Vec<(u32, u32)>, end: usize) {
        entries.retain(|(_, offset)| (*offset as usize) < end);
        entries.sort_unstable_by_key(|(_, offset)| *offset);
        for (hash, offset) in entries {
            let bucket = at + 4 * (hash as usize % buckets);
            let head: [u8; 4] = self.data[bucket..bucket + 4].try_into().expect("4 bytes");
            self.put(offset as usize, &head);
            self.put(bucket, &offset.to_le_bytes());
        }
    }
}

/// A GUID that depends on the key alone.
fn guid(key: &TemplateKey) -> [u8; 16] {
    let text = format!("{key:?}");
    let low = xxhash_rust::xxh3::xxh3_128(text.as_bytes());
    low.to_le_bytes()
}
