//! A volume that is in use: transactions and checkpoints, and what a crash leaves.

use std::collections::{BTreeMap, BTreeSet};

use super::apply;
use super::bytes::{put, put_u64, u16_at, u64_at};
use super::client::{
    self, Action, DirtyPage, InFlight, OpenAttribute, Operation, Place, RESTART_LEN, Tables,
};
use super::image::{self, DATA, INDEX_ALLOCATION, Image, LOG, MFT};
use super::lfs::{Cursor, PAGE, Pages, Record, Restart, Tail, Version};

/// A transaction: the index of its slot in the table of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transaction(usize);

impl Transaction {
    /// `TransactionId` in the log.
    const fn id(self) -> u32 {
        client::table_index(client::TRANSACTION_LEN, self.0) as u32
    }
}

/// What a record changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A FILE record.
    Record {
        /// Its number.
        number: u64,
    },
    /// An index block of 4096 bytes.
    Block {
        /// The folder's record.
        number: u64,
        /// The index.
        name: String,
        /// First cluster of the block.
        vcn: u64,
    },
    /// A cluster of another value.
    Page {
        /// The file's record.
        number: u64,
        /// The attribute's type.
        kind: u32,
        /// The attribute's name.
        name: String,
        /// The cluster.
        vcn: u64,
    },
}

/// A change: its target, and what makes and what reverses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it changes.
    pub target: Target,
    /// Offset of the attribute in the FILE record, or of the bytes in a page.
    pub record_offset: usize,
    /// Offset in the attribute, or of an entry in an index block.
    pub attribute_offset: usize,
    /// What makes the change.
    pub redo: Action,
    /// What reverses it.
    pub undo: Action,
}

/// How the log begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The version.
    pub version: Version,
    /// The number of times that the log was filled before; more than 0.
    pub round: u64,
    /// The page of the circle with the first record; modulo the number of pages.
    pub page: u64,
    /// The length of the log that is used, if not all of the file is.
    pub len: Option<u64>,
    /// The log has pages of the round before after its end.
    pub stale: bool,
}

impl Start {
    /// A log that begins at its start.
    #[must_use]
    pub const fn new(version: Version) -> Self {
        Self {
            version,
            round: 3,
            page: 0,
            len: None,
            stale: false,
        }
    }
}

/// What a crash leaves.
#[derive(Clone, Debug)]
pub struct Crashed {
    /// The volume with its log.
    pub image: Vec<u8>,
    /// The volume after the log is replayed, but with an empty log: all that is durable, without
    /// the transactions that did not end.
    pub expected: Vec<u8>,
    /// All that the log changes from the oldest needed record on, made or reversed.
    pub touched: BTreeSet<Touched>,
    /// The number of records in the log that are durable.
    pub records: usize,
}

/// A part of the volume that the log changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Touched {
    /// A FILE record, by its number.
    Record(u64),
    /// A cluster, by its position on the volume.
    Cluster(u64),
    /// Bits of $Bitmap: the first cluster and the number.
    Bits(u64, u64),
}

/// A record of the session.
#[derive(Clone, Debug)]
struct Logged {
    lfs: Record,
    place: Place,
    change: Option<Change>,
    /// The record that it reverses.
    reverses: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    in_flight: InFlight,
}

/// A volume in use.
#[derive(Clone, Debug)]
pub struct Session {
    start: Start,
    cursor: Cursor,
    /// The volume when the log began.
    base: Image,
    /// The volume in memory.
    now: Image,
    /// The volume on disk.
    disk: Image,
    log: Vec<Logged>,
    open: Vec<OpenAttribute>,
    transactions: Vec<Option<Open>>,
    /// The pages that are newer in memory than on disk, each with its oldest missing record.
    dirty: BTreeMap<(u16, u64), DirtyPage>,
    restarts: Vec<Restart>,
    /// The newest record that must be durable.
    forced: u64,
}

impl Session {
    /// Begins a log on a volume that mkntfs has made, and writes a first checkpoint.
    #[must_use]
    pub fn begin(bytes: Vec<u8>, start: Start) -> Self {
        let base = Image::new(bytes);
        let log = base.read_record(LOG);
        let at = image::find(&log, DATA, "").expect("a log");
        let file_len = u64_at(&log, at.offset + 0x30);
        let len = start.len.unwrap_or(file_len).min(file_len) / PAGE as u64 * PAGE as u64;
        let mut session = Self {
            start,
            cursor: Cursor::new(start.version, len, start.round, start.page),
            now: base.clone(),
            disk: base.clone(),
            base,
            log: Vec::new(),
            open: Vec::new(),
            transactions: Vec::new(),
            dirty: BTreeMap::new(),
            restarts: Vec::new(),
            forced: 0,
        };
        session.idle_page();
        session.checkpoint();
        session
    }

    /// Fills a page with transactions that do nothing: a log never begins with what is needed.
    fn idle_page(&mut self) {
        let page = self.cursor.page();
        while self.cursor.page() == page {
            let transaction = self.transaction();
            let noop = Action::bare(Operation::Noop);
            self.note(transaction, noop.clone(), noop);
            self.commit(transaction);
        }
    }

    /// The volume as it is in memory.
    pub(super) fn now(&self) -> &Image {
        &self.now
    }

    /// Starts a transaction.
    pub fn transaction(&mut self) -> Transaction {
        let used: BTreeSet<usize> = (0..self.transactions.len())
            .filter(|slot| self.transactions[*slot].is_some())
            .collect();
        let slot = (0..).find(|slot| !used.contains(slot)).expect("a slot");
        if slot == self.transactions.len() {
            self.transactions.push(None);
        }
        self.transactions[slot] = Some(Open {
            in_flight: InFlight {
                first: 0,
                previous: 0,
                undo_next: 0,
                undo_records: 0,
            },
        });
        Transaction(slot)
    }

    /// Makes a change.
    pub fn change(&mut self, transaction: Transaction, change: Change) {
        let place = self.place(transaction, &change);
        self.append(transaction, place, Some(change), None);
    }

    /// Logs an operation that changes nothing.
    pub fn note(&mut self, transaction: Transaction, redo: Action, undo: Action) {
        let change = None;
        let place = Place {
            attribute: client::table_index(client::open_entry_len(self.start.version), 0),
            block_len: 2,
            ..Place::default()
        };
        self.append_actions(transaction, place, change, (&redo, &undo), None);
    }

    /// Ends a transaction whose changes stay.
    pub fn commit(&mut self, transaction: Transaction) {
        self.note(
            transaction,
            Action::bare(Operation::ForgetTransaction),
            Action::bare(Operation::CompensationLogRecord),
        );
        self.transactions[transaction.0] = None;
    }

    /// Reverses the last `count` changes of a transaction, and leaves it open.
    pub fn reverse(&mut self, transaction: Transaction, count: usize) {
        for _ in 0..count {
            let next = self.transactions[transaction.0]
                .map(|open| open.in_flight.undo_next)
                .unwrap_or(0);
            let Some(record) = self.log.iter().find(|it| it.lfs.lsn == next && next != 0) else {
                return;
            };
            let (place, change, after) =
                (record.place, record.change.clone(), record.lfs.undo_next);
            let compensation = Action::bare(Operation::CompensationLogRecord);
            let Some(change) = change else {
                let open = self.transactions[transaction.0].as_mut().expect("open");
                open.in_flight.undo_next = after;
                continue;
            };
            let reversal = Change {
                redo: change.undo,
                undo: compensation,
                ..change
            };
            self.append(transaction, place, Some(reversal), Some(next));
            self.log.last_mut().expect("a record").lfs.undo_next = after;
            let open = self.transactions[transaction.0].as_mut().expect("open");
            open.in_flight.undo_next = after;
        }
    }

    /// Reverses all changes of a transaction, and ends it.
    pub fn roll_back(&mut self, transaction: Transaction) {
        self.reverse(transaction, usize::MAX);
        self.commit(transaction);
    }

    /// Writes a page from memory to disk, which is possible after its changes are in the log.
    pub fn flush(&mut self, target: &Target) {
        let (attribute, vcn, _) = self.page_of(target);
        let Some(index) = self.find_open(&attribute) else {
            return;
        };
        if self.dirty.remove(&(index, vcn)).is_some() {
            self.write_out(target);
        }
    }

    /// The pages that are newer in memory than on disk.
    #[must_use]
    pub fn dirty(&self) -> Vec<Target> {
        let mut targets: Vec<Target> = Vec::new();
        for logged in &self.log {
            let Some(change) = &logged.change else {
                continue;
            };
            let key = (logged.place.attribute, logged.place.vcn);
            if self.dirty.contains_key(&key) && !targets.contains(&change.target) {
                targets.push(change.target.clone());
            }
        }
        targets
    }

    /// Writes the cluster of `target` to disk, and the log up to its newest record before that.
    fn write_out(&mut self, target: &Target) {
        let (_, _, lcn) = self.page_of(target);
        let cluster = self.now.cluster;
        let at = lcn as usize * cluster;
        let page = self.now.bytes[at..at + cluster].to_vec();
        put(&mut self.disk.bytes, at, &page);
        let newest = self.log.iter().rev();
        let newest = newest.into_iter().find(|it| it.place.lcn == Some(lcn));
        self.forced = self.forced.max(newest.map_or(0, |logged| logged.lfs.lsn));
    }

    /// Writes a checkpoint: the tables, and a restart record.
    pub fn checkpoint(&mut self) {
        let version = self.start.version;
        if self.open.is_empty() {
            self.restart_record(0, &Tables::default(), 0);
            return;
        }
        let start = self.log.last().map_or(0, |logged| logged.lfs.lsn);
        let mut tables = Tables::default();
        let dirty: Vec<DirtyPage> = self.dirty.values().copied().collect();
        let slots: Vec<Option<InFlight>> = self
            .transactions
            .iter()
            .map(|slot| slot.map(|open| open.in_flight).filter(|it| it.first != 0))
            .collect();
        let oldest = dirty.iter().map(|page| page.oldest);
        let oldest = oldest.chain(slots.iter().flatten().map(|it| it.first));
        let oldest = oldest.min().unwrap_or(start).min(start);
        // The tables are in a transaction that is never listed.
        let (mut previous, slot) = (0, self.transactions.len());
        let mut dump = |session: &mut Self, operation, data: Vec<u8>| {
            let len = data.len() as u32;
            let lsn =
                session.append_table(Transaction(slot), previous, Action::new(operation, data));
            previous = lsn;
            (lsn, len)
        };
        let open = client::open_dump(version, &self.open);
        tables.open = dump(self, Operation::OpenAttributeTableDump, open);
        let names = client::names_dump(version, &self.open);
        if !names.is_empty() {
            tables.names = dump(self, Operation::AttributeNamesDump, names);
        }
        if !dirty.is_empty() {
            let dirty = client::dirty_dump(version, PAGE as u32, &dirty);
            tables.dirty = dump(self, Operation::DirtyPageTableDump, dirty);
        }
        if slots.iter().any(Option::is_some) {
            let transactions = client::transaction_dump(&slots);
            tables.transactions = dump(self, Operation::TransactionTableDump, transactions);
        }
        self.restart_record(start, &tables, oldest);
    }

    fn restart_record(&mut self, start: u64, tables: &Tables, oldest: u64) {
        let cluster = self.base.cluster as u32;
        let (lsn, span) = self.cursor.take(RESTART_LEN);
        let oldest = if oldest == 0 { lsn } else { oldest };
        let data = client::restart(self.start.version, start, tables, oldest, cluster);
        self.log.push(Logged {
            lfs: Record {
                lsn,
                previous: 0,
                undo_next: 0,
                transaction: None,
                flags: 0,
                data,
                span,
            },
            place: Place::default(),
            change: None,
            reverses: None,
        });
        self.restarts.push(Restart {
            lsn,
            len: RESTART_LEN,
            oldest,
        });
        self.forced = lsn;
    }

    fn append_table(&mut self, transaction: Transaction, previous: u64, redo: Action) -> u64 {
        let place = Place {
            attribute: client::table_index(client::open_entry_len(self.start.version), 0),
            block_len: 2,
            ..Place::default()
        };
        let data = client::encode(&place, &redo, &Action::bare(Operation::Noop));
        let (lsn, span) = self.cursor.take(data.len());
        self.log.push(Logged {
            lfs: Record {
                lsn,
                previous,
                undo_next: previous,
                transaction: Some(transaction.id()),
                flags: self.flags(&redo, &Action::bare(Operation::Noop)),
                data,
                span,
            },
            place,
            change: None,
            reverses: None,
        });
        lsn
    }

    fn append(
        &mut self,
        transaction: Transaction,
        place: Place,
        change: Option<Change>,
        reverses: Option<u64>,
    ) {
        let Some(change) = change else {
            return;
        };
        let (redo, undo) = (change.redo.clone(), change.undo.clone());
        self.append_actions(transaction, place, Some(change), (&redo, &undo), reverses);
    }

    fn append_actions(
        &mut self,
        transaction: Transaction,
        place: Place,
        change: Option<Change>,
        (redo, undo): (&Action, &Action),
        reverses: Option<u64>,
    ) {
        let data = client::encode(&place, redo, undo);
        let (lsn, span) = self.cursor.take(data.len());
        let flags = self.flags(redo, undo);
        let open = self.transactions[transaction.0].as_mut().expect("open");
        let (previous, undo_next) = (open.in_flight.previous, open.in_flight.undo_next);
        if open.in_flight.first == 0 {
            open.in_flight.first = lsn;
        }
        open.in_flight.previous = lsn;
        if reverses.is_none() {
            open.in_flight.undo_next = lsn;
            open.in_flight.undo_records += 1;
        }
        let ends = redo.operation == Operation::ForgetTransaction;
        let logged = Logged {
            lfs: Record {
                lsn,
                previous,
                undo_next: if ends { 0 } else { undo_next },
                transaction: Some(transaction.id()),
                flags,
                data,
                span,
            },
            place,
            change,
            reverses,
        };
        if let Some(change) = &logged.change {
            let (attribute, vcn, lcn) = self.page_of(&change.target);
            let index = self.find_open(&attribute).expect("open");
            self.dirty.entry((index, vcn)).or_insert(DirtyPage {
                attribute: index,
                vcn,
                lcn,
                oldest: lsn,
            });
        }
        apply_to(&mut self.now, &logged);
        self.log.push(logged);
    }

    /// `LFS_RECORD_HEADER.Flags` as version 2.0 sets them: no bytes to make, none to reverse.
    fn flags(&self, redo: &Action, undo: &Action) -> u16 {
        if self.start.version != Version::V2 {
            return 0;
        }
        let none = |action: &Action, flag| u16::from(action.data.is_empty()) * flag;
        match redo.operation {
            Operation::ForgetTransaction => 2,
            _ => none(redo, 2) | none(undo, 4),
        }
    }

    /// The attribute with the page of a target, the page's cluster in it and on the volume.
    fn page_of(&self, target: &Target) -> ((u64, u32, String), u64, u64) {
        match target {
            Target::Record { number } => {
                let (vcn, lcn, _) = self.base.record_place(*number);
                ((MFT, DATA, String::new()), vcn, lcn)
            }
            Target::Block { number, name, vcn } => {
                let key = (*number, INDEX_ALLOCATION, name.clone());
                let lcn = self.lcn_of(&key, *vcn);
                (key, *vcn, lcn)
            }
            Target::Page {
                number,
                kind,
                name,
                vcn,
            } => {
                let key = (*number, *kind, name.clone());
                let lcn = self.lcn_of(&key, *vcn);
                (key, *vcn, lcn)
            }
        }
    }

    fn lcn_of(&self, (number, kind, name): &(u64, u32, String), vcn: u64) -> u64 {
        let record = self.now.read_record(*number);
        let at = image::find(&record, *kind, name).expect("the attribute");
        Image::lcn(&self.now.runs(&record, at), vcn).expect("a cluster")
    }

    fn reference(&self, number: u64) -> u64 {
        let record = self.now.read_record(number);
        number | u64::from(u16_at(&record, 0x10)) << 48
    }

    fn find_open(&self, (number, kind, name): &(u64, u32, String)) -> Option<u16> {
        let len = client::open_entry_len(self.start.version);
        let is_it = |it: &OpenAttribute| {
            it.file << 16 >> 16 == *number && it.kind == *kind && it.name == *name
        };
        let number = self.open.iter().position(is_it)?;
        Some(client::table_index(len, number))
    }

    /// The place of a change, after its attribute was opened.
    fn place(&mut self, transaction: Transaction, change: &Change) -> Place {
        let (key, vcn, lcn) = self.page_of(&change.target);
        let attribute = match self.find_open(&key) {
            Some(index) => index,
            None => self.open_attribute(transaction, key),
        };
        let (block, block_len) = match change.target {
            Target::Record { number } => {
                let (_, _, offset) = self.base.record_place(number);
                (offset / 512, self.base.record / 512)
            }
            Target::Block { .. } => (0, 8),
            Target::Page { .. } => (0, 0),
        };
        Place {
            attribute,
            record_offset: change.record_offset as u16,
            attribute_offset: change.attribute_offset as u16,
            block: block as u16,
            block_len: block_len as u16,
            vcn,
            lcn: Some(lcn),
        }
    }

    fn open_attribute(
        &mut self,
        transaction: Transaction,
        (number, kind, name): (u64, u32, String),
    ) -> u16 {
        let version = self.start.version;
        let attribute = OpenAttribute {
            file: self.reference(number),
            kind,
            index_block: if kind == INDEX_ALLOCATION { 4096 } else { 0 },
            lsn: self.log.last().map_or(0, |logged| logged.lfs.lsn),
            name,
        };
        let index = client::table_index(client::open_entry_len(version), self.open.len());
        let entry = client::open_entry(version, index, &attribute);
        let name = client::name_bytes(&attribute.name);
        self.open.push(attribute);
        let place = Place {
            attribute: index,
            block_len: if kind == INDEX_ALLOCATION { 8 } else { 2 },
            ..Place::default()
        };
        let redo = Action::new(Operation::OpenNonresidentAttribute, entry);
        let undo = Action::new(Operation::Noop, name);
        self.append_actions(transaction, place, None, (&redo, &undo), None);
        index
    }

    /// The number of records that are durable if the system stops with `tail`.
    fn survivors(&self, tail: Tail) -> usize {
        if tail != Tail::Torn {
            return self.log.len();
        }
        let Some((last, before)) = self.log.split_last() else {
            return 0;
        };
        let page = |at: u64| at / PAGE as u64;
        let last_page = page(last.lfs.span.1 - 1);
        let begins_there = |logged: &&Logged| page(logged.lfs.span.0) >= last_page;
        if before.iter().any(|logged| begins_there(&logged)) && begins_there(&last) {
            return before.len();
        }
        let ends_before = |logged: &&Logged| page(logged.lfs.span.1 - 1) < last_page;
        self.log.iter().filter(ends_before).count()
    }

    /// True if the system can stop with a torn last page: no record in it had to be durable.
    #[must_use]
    pub fn can_tear(&self) -> bool {
        let survivors = self.log.get(..self.survivors(Tail::Torn));
        let newest = survivors.and_then(<[_]>::last);
        newest.is_some_and(|logged| logged.lfs.lsn >= self.forced)
    }

    /// Stops the system.
    #[must_use]
    pub fn crash(&self, tail: Tail) -> Crashed {
        let durable = &self.log[..self.survivors(tail)];
        let records: Vec<Record> = self.log.iter().map(|it| it.lfs.clone()).collect();
        let pages = Pages {
            cursor: &self.cursor,
            records: &records,
            stale: self.start.stale,
        };
        let log = pages.build(&self.restarts, tail, false);
        let mut image = self.disk.clone();
        image.write_value(LOG, DATA, "", &log);
        Crashed {
            image: image.bytes,
            expected: self.replayed(durable).bytes,
            touched: self.touched(durable),
            records: durable.len(),
        }
    }

    /// The volume after the log is replayed.
    fn replayed(&self, durable: &[Logged]) -> Image {
        let mut image = self.base.clone();
        let mut undo_next: BTreeMap<u32, u64> = BTreeMap::new();
        for logged in durable {
            apply_to(&mut image, logged);
            let Some(id) = logged.lfs.transaction else {
                continue;
            };
            if logged
                .lfs
                .data
                .starts_with(&(Operation::ForgetTransaction as u16).to_le_bytes())
            {
                undo_next.remove(&id);
            } else if logged.reverses.is_some() {
                undo_next.insert(id, logged.lfs.undo_next);
            } else {
                undo_next.insert(id, logged.lfs.lsn);
            }
        }
        let by_lsn: BTreeMap<u64, &Logged> = durable.iter().map(|it| (it.lfs.lsn, it)).collect();
        // The newest change is reversed first.
        while let Some((&id, &lsn)) = undo_next.iter().max_by_key(|(_, lsn)| **lsn) {
            let Some(logged) = by_lsn.get(&lsn) else {
                undo_next.remove(&id);
                continue;
            };
            if let Some(change) = &logged.change {
                let other_len = change.redo.data.len();
                apply_action(&mut image, logged, &change.undo, other_len);
            }
            undo_next.insert(id, logged.lfs.undo_next);
        }
        image
    }

    fn touched(&self, durable: &[Logged]) -> BTreeSet<Touched> {
        let last = self.restarts.iter().rev();
        let newest = durable.last().map_or(0, |logged| logged.lfs.lsn);
        let restart = last.into_iter().find(|restart| restart.lsn <= newest);
        let oldest = restart.map_or(0, |restart| restart.oldest);
        let mut touched = BTreeSet::new();
        for logged in durable.iter().filter(|logged| logged.lfs.lsn >= oldest) {
            let Some(change) = &logged.change else {
                continue;
            };
            match &change.target {
                Target::Record { number } => {
                    touched.insert(Touched::Record(*number));
                }
                Target::Page { number: 6, vcn, .. } => {
                    for action in [&change.redo, &change.undo] {
                        if action.data.len() == 8 {
                            let numbers = u64_at(&action.data, 0);
                            let first = vcn * 8 * PAGE as u64 + (numbers & 0xFFFF_FFFF);
                            touched.insert(Touched::Bits(first, numbers >> 32));
                        }
                    }
                }
                Target::Page { .. } | Target::Block { .. } => {
                    if let Some(lcn) = logged.place.lcn {
                        touched.insert(Touched::Cluster(lcn));
                    }
                }
            }
        }
        touched
    }
}

/// Makes the change of a record.
fn apply_to(image: &mut Image, logged: &Logged) {
    if let Some(change) = &logged.change {
        apply_action(image, logged, &change.redo, change.undo.data.len());
    }
}

fn apply_action(image: &mut Image, logged: &Logged, action: &Action, other_len: usize) {
    let (Some(change), Some(lcn)) = (&logged.change, logged.place.lcn) else {
        return;
    };
    let lsn = logged.lfs.lsn;
    let at = lcn as usize * image.cluster;
    match &change.target {
        Target::Record { number } => {
            let mut record = image.read_record(*number);
            apply::to_record(&mut record, &logged.place, action, other_len);
            put_u64(&mut record, 8, lsn);
            image.write_record(*number, &record);
        }
        Target::Block { .. } => {
            let mut block = image.read_block(at, PAGE, *b"INDX");
            if action.operation == Operation::UpdateNonresidentValue {
                apply::to_page(&mut block, &logged.place, action);
            } else {
                apply::to_block(&mut block, &logged.place, action);
            }
            put_u64(&mut block, 8, lsn);
            image.write_block(at, &block, *b"INDX");
        }
        Target::Page { .. } => {
            let cluster = image.cluster;
            apply::to_page(&mut image.bytes[at..at + cluster], &logged.place, action);
        }
    }
}
