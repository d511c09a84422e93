//! Finding out, before a commit, what each of its steps will overwrite.

use diskmend_base::count::to_usize;
use std::collections::BTreeMap;
use std::io;

use diskmend_hive::Storage;
use diskmend_hive::commit::{self, HiveFileKind};

use crate::run::undo_data::{Images, MAX_RECORD, PostImage, PreImage};
use crate::run::{self};

/// The undo data of one file that a commit writes.
#[derive(Debug)]
pub(crate) struct FileUndo<'a> {
    pub(crate) images: Images<'a>,
    pub(crate) created: bool,
}

/// The undo data of a commit.
pub(crate) struct CommitUndo<'a> {
    /// The files to write, in the order of their first writes.
    pub(crate) files: Vec<(HiveFileKind, FileUndo<'a>)>,
    /// The steps, in the journal's terms.
    pub(crate) steps: Vec<run::Step>,
}

/// A file as it will be at a step of the commit.
struct Shadow<'a> {
    storage: Option<&'a dyn Storage>,
    /// The file's present length on disk.
    on_disk: u64,
    /// Its length at this step.
    len: u64,
    /// What earlier steps have written or cut off, by offset. Later entries win.
    written: Vec<(u64, Written<'a>)>,
    /// The written or cut-off ranges. They neither touch nor overlap.
    covered: BTreeMap<u64, u64>,
}

enum Written<'a> {
    Bytes(&'a [u8]),
    Cut(u64),
}

impl Written<'_> {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Cut(len) => *len,
        }
    }
}

impl<'a> Shadow<'a> {
    fn new(storage: Option<&'a dyn Storage>) -> io::Result<Self> {
        let len = storage.map_or(Ok(0), Storage::len)?;
        Ok(Self {
            storage,
            on_disk: len,
            len,
            written: Vec::new(),
            covered: BTreeMap::new(),
        })
    }

    /// The bytes from `start` to `end` at this step, as records; none after the end of the file.
    fn records(&self, start: u64, end: u64) -> io::Result<Vec<PreImage>> {
        let end = end.min(self.len);
        let mut records = Vec::new();
        let mut at = start;
        while at < end {
            let next = end.min(at.saturating_add(MAX_RECORD as u64));
            records.push(PreImage {
                offset: at,
                bytes: self.bytes(at, next)?,
            });
            at = next;
        }
        Ok(records)
    }

    fn bytes(&self, start: u64, end: u64) -> io::Result<Vec<u8>> {
        let readable = end.min(self.on_disk).saturating_sub(start);
        let mut bytes = vec![0; to_usize(readable)];
        if let Some(storage) = self.storage {
            storage.read_exact_at(&mut bytes, start)?;
        }
        // The rest was written by the steps before.
        bytes.resize(to_usize(end - start), 0);
        if self.is_covered(start, end) {
            for (offset, written) in &self.written {
                overlay(&mut bytes, start, *offset, written);
            }
        }
        Ok(bytes)
    }

    fn is_covered(&self, start: u64, end: u64) -> bool {
        self.covered
            .range(..end)
            .next_back()
            .is_some_and(|(_, covered_end)| *covered_end > start)
    }

    fn note(&mut self, start: u64, written: Written<'a>) {
        let end = start.saturating_add(written.len());
        self.written.push((start, written));
        let (mut low, mut high) = (start, end);
        while let Some((&from, &to)) = self.covered.range(..=high).next_back() {
            if to < low {
                break;
            }
            low = low.min(from);
            high = high.max(to);
            self.covered.remove(&from);
        }
        self.covered.insert(low, high);
    }
}

/// Copies the bytes that both ranges have.
fn overlay(bytes: &mut [u8], start: u64, offset: u64, written: &Written<'_>) {
    let end = start + bytes.len() as u64;
    let from = offset.max(start);
    let to = offset.saturating_add(written.len()).min(end);
    if from >= to {
        return;
    }
    let Some(target) = bytes.get_mut(to_usize(from - start)..to_usize(to - start)) else {
        return;
    };
    match written {
        Written::Cut(_) => target.fill(0),
        Written::Bytes(source) => {
            if let Some(source) = source.get(to_usize(from - offset)..to_usize(to - offset)) {
                target.copy_from_slice(source);
            }
        }
    }
}

/// The undo data of a commit. `open` returns the files as they are on disk.
pub(crate) fn undo_of<'a: 'f, 'f>(
    steps: &'a [commit::Step<'a>],
    open: impl Fn(HiveFileKind) -> Option<&'f dyn Storage>,
) -> io::Result<CommitUndo<'a>> {
    let mut undo = CommitUndo {
        files: Vec::new(),
        steps: Vec::new(),
    };
    let mut shadows: Vec<Shadow<'f>> = Vec::new();
    for step in steps {
        let kind = match step {
            commit::Step::Create { file }
            | commit::Step::SetLen { file, .. }
            | commit::Step::Write { file, .. } => *file,
            commit::Step::Sync { .. } => {
                undo.steps.push(run::Step::Flush);
                continue;
            }
            commit::Step::SyncFolder => continue,
        };
        let file = match undo.files.iter().position(|(known, _)| *known == kind) {
            Some(file) => file,
            None => {
                let shadow = Shadow::new(open(kind))?;
                let images = Images {
                    before: Vec::new(),
                    after: Vec::new(),
                    lengths: shadow.len..=shadow.len,
                };
                let created = false;
                undo.files.push((kind, FileUndo { images, created }));
                shadows.push(shadow);
                undo.files.len() - 1
            }
        };
        let (Some((_, data)), Some(shadow)) = (undo.files.get_mut(file), shadows.get_mut(file))
        else {
            continue;
        };
        match step {
            commit::Step::Create { .. } => {
                data.created = true;
                undo.steps.push(run::Step::Create { file });
            }
            commit::Step::SetLen { len, .. } => {
                if *len < shadow.len {
                    let cut = shadow.records(*len, shadow.len)?;
                    push(&mut undo.steps, data, file, cut);
                    shadow.note(*len, Written::Cut(shadow.len - *len));
                }
                undo.steps.push(run::Step::Length {
                    file,
                    before: shadow.len,
                });
                shadow.len = *len;
            }
            commit::Step::Write {
                offset, data: new, ..
            } => {
                let end = offset.saturating_add(new.len() as u64);
                if end > shadow.len {
                    undo.steps.push(run::Step::Length {
                        file,
                        before: shadow.len,
                    });
                }
                let records = shadow.records(*offset, end)?;
                push(&mut undo.steps, data, file, records);
                shadow.note(*offset, Written::Bytes(new));
                shadow.len = shadow.len.max(end);
                data.images.after.push(PostImage {
                    offset: *offset,
                    bytes: new,
                });
            }
            commit::Step::Sync { .. } | commit::Step::SyncFolder => {}
        }
        let (least, greatest) = data.images.lengths.clone().into_inner();
        data.images.lengths = least.min(shadow.len)..=greatest.max(shadow.len);
    }
    Ok(undo)
}

/// Adds records, and the step with their number.
fn push(steps: &mut Vec<run::Step>, data: &mut FileUndo<'_>, file: usize, records: Vec<PreImage>) {
    if records.is_empty() {
        return;
    }
    let more = records.len();
    data.images.before.extend(records);
    match steps.last_mut() {
        Some(run::Step::Write {
            file: last,
            records,
        }) if *last == file => *records += more,
        _ => steps.push(run::Step::Write {
            file,
            records: more,
        }),
    }
}
