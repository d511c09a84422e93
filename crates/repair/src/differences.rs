//! The differences from what a run left.

use serde::Serialize;

use crate::json::SCHEMA;

/// The maximum number of ranges that are listed of a place.
const MOST_RANGES: usize = 1000;

/// The bytes that are neither what a run found nor what it left.
#[derive(Clone, Debug, Serialize)]
pub struct Differences {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// The run.
    pub run: String,
    /// The whole disk, if undo restores its sectors; otherwise each file that the run has written
    /// and that differs.
    pub places: Vec<Difference>,
}

/// The differences in a file or on a disk, among the bytes that the run has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The file below the target's root, with `/`; or the image file or disk.
    pub path: String,
    /// True if it is a whole disk.
    pub is_disk: bool,
    /// Its length in bytes, if the run did not give it that length; 0 if the file is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_length: Option<u64>,
    /// The number of bytes that differ.
    pub bytes: u64,
    /// The number of ranges that differ.
    pub count: u64,
    /// The first thousand of them.
    pub ranges: Vec<ByteRange>,
}

/// A range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ByteRange {
    /// Offset of the first byte.
    pub offset: u64,
    /// The number of bytes.
    pub length: u64,
}

impl Differences {
    pub(crate) fn of(target: &str, run: &str) -> Self {
        Self {
            schema: SCHEMA,
            target: target.to_owned(),
            run: run.to_owned(),
            places: Vec::new(),
        }
    }

    /// Adds a place, if anything differs there.
    pub(crate) fn add(&mut self, place: Difference) {
        if place.count > 0 || place.other_length.is_some() {
            self.places.push(place);
        }
    }
}

impl Difference {
    pub(crate) const fn of(path: String, is_disk: bool) -> Self {
        Self {
            path,
            is_disk,
            other_length: None,
            bytes: 0,
            count: 0,
            ranges: Vec::new(),
        }
    }

    /// Adds a range.
    pub(crate) fn add(&mut self, range: &std::ops::Range<u64>) {
        let length = range.end.saturating_sub(range.start);
        self.bytes = self.bytes.saturating_add(length);
        self.count = self.count.saturating_add(1);
        if self.ranges.len() < MOST_RANGES {
            let offset = range.start;
            self.ranges.push(ByteRange { offset, length });
        }
    }
}
