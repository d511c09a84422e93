//! Finding what somebody else has written to a file since a run wrote it.

use diskmend_base::count::to_usize;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use diskmend_disk::File;

use super::read::{Record, UndoData};

/// The number of bytes of a file that are compared at once.
const WINDOW: u64 = 1 << 20;

/// What is known about a byte of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Byte {
    /// No write of the run concerns this byte.
    Untouched,
    /// It is what the run found there, or something that the run wrote.
    Known,
    /// It is something else.
    Foreign,
}

impl UndoData {
    /// Calls `visit` with each range of the file that holds neither what the run found there nor
    /// anything that the run wrote, in ascending order, until `visit` returns `false`. Only the
    /// bytes that the run writes, and all bytes after the end of the old file, are examined.
    /// bytes that the run writes, and all from the end of the old file on.
    /// Undo data of version 1 contain only what the run found, so the bytes that the run wrote
    /// count as foreign too.
    /// too.
    pub(crate) fn foreign(
        &self,
        file: &dyn File,
        old_len: u64,
        visit: &mut dyn FnMut(Range<u64>) -> bool,
    ) -> io::Result<()> {
        let (least, greatest) = match self.lengths() {
            Some(lengths) => (*lengths.start(), *lengths.end()),
            None => (old_len, old_len.max(self.end())),
        };
        let end = file.len()?.min(greatest);
        let mut last: Option<Range<u64>> = None;
        for (number, records) in self.windows(old_len, end) {
            let start = number.saturating_mul(WINDOW);
            let stop = start.saturating_add(WINDOW).min(end);
            if start >= stop {
                continue;
            }
            let mut content = vec![0; to_usize(stop - start)];
            file.read_exact_at(&mut content, start)?;
            let mut known = vec![Byte::Untouched; content.len()];
            for record in records {
                self.compare(*record, &content, start, &mut known)?;
            }
            for ((byte, known), offset) in content.iter().zip(&mut known).zip(start..) {
                match known {
                    // New bytes of a file are zero until they are written.
                    Byte::Foreign | Byte::Untouched if *byte == 0 && offset >= least => {
                        *known = Byte::Known;
                    }
                    Byte::Untouched if offset >= old_len => *known = Byte::Foreign,
                    _ => {}
                }
            }
            for range in foreign_ranges(&known, start) {
                match &mut last {
                    Some(last) if last.end == range.start => last.end = range.end,
                    _ => {
                        if let Some(done) = last.replace(range)
                            && !visit(done)
                        {
                            return Ok(());
                        }
                    }
                }
            }
        }
        if let Some(done) = last {
            visit(done);
        }
        Ok(())
    }

    /// The records by the windows that they overlap. Windows after the end of the old file are
    /// included even if they have no records.
    fn windows(&self, old_len: u64, end: u64) -> BTreeMap<u64, Vec<&Record>> {
        let mut windows: BTreeMap<u64, Vec<&Record>> = BTreeMap::new();
        for record in self.records().filter(|record| record.len > 0) {
            for number in record.offset / WINDOW..=(record.end() - 1) / WINDOW {
                windows.entry(number).or_default().push(record);
            }
        }
        for number in old_len / WINDOW..end.div_ceil(WINDOW) {
            windows.entry(number).or_default();
        }
        windows
    }

    /// Compares the bytes of a window with those of a record.
    fn compare(
        &self,
        record: Record,
        content: &[u8],
        start: u64,
        known: &mut [Byte],
    ) -> io::Result<()> {
        let stop = start.saturating_add(content.len() as u64);
        let (from, to) = (record.offset.max(start), record.end().min(stop));
        if from >= to {
            return Ok(());
        }
        let image = self.read(record)?;
        let in_window = to_usize(from - start)..to_usize(to - start);
        let in_record = to_usize(from - record.offset)..to_usize(to - record.offset);
        let (Some(found), Some(known), Some(recorded)) = (
            content.get(in_window.clone()),
            known.get_mut(in_window),
            image.bytes.get(in_record),
        ) else {
            return Ok(());
        };
        if found == recorded {
            known.fill(Byte::Known);
            return Ok(());
        }
        for ((found, recorded), known) in found.iter().zip(recorded).zip(known) {
            if found == recorded {
                *known = Byte::Known;
            } else if *known == Byte::Untouched {
                *known = Byte::Foreign;
            }
        }
        Ok(())
    }
}

/// The ranges of foreign bytes in a window that starts at an offset.
fn foreign_ranges(known: &[Byte], start: u64) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for (byte, offset) in known.iter().zip(start..) {
        if *byte != Byte::Foreign {
            continue;
        }
        match ranges.last_mut() {
            Some(last) if last.end == offset => last.end += 1,
            _ => ranges.push(offset..offset + 1),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::run_file::Part;
    use crate::run::undo_data::{Images, PostImage, PreImage};
    const OLD_LEN: usize = 3000;

    fn old() -> Vec<u8> {
        vec![b'o'; OLD_LEN]
    }

    /// The undo data of a run that writes the bytes 1000 to 1100 twice and lengthens the file by
    /// 100.
    fn undo_data() -> UndoData {
        let before = |offset, byte, len| PreImage {
            offset,
            bytes: vec![byte; len],
        };
        let after = |offset, bytes| PostImage { offset, bytes };
        let images = Images {
            before: vec![before(1000, b'o', 100), before(1000, b'1', 100)],
            after: vec![
                after(1000, &[b'1'; 100]),
                after(1000, &[b'2'; 100]),
                after(3050, &[b'3'; 50]),
            ],
            lengths: OLD_LEN as u64..=3100,
        };
        let mut file = Vec::new();
        let collect = |piece: &[u8]| {
            file.extend(piece);
            Ok(())
        };
        images.encode(collect).expect("in memory");
        let file = Part::whole(Box::new(file));
        UndoData::open(file.expect("in memory")).expect("sound")
    }

    fn foreign(file: Vec<u8>) -> Vec<Range<u64>> {
        let mut found = Vec::new();
        undo_data()
            .foreign(&file, OLD_LEN as u64, &mut |range| {
                found.push(range);
                true
            })
            .expect("in memory");
        found
    }

    #[test]
    fn every_state_of_the_run_is_known() {
        let mut states = vec![old()];
        let mut bytes = old();
        bytes[1000..1100].fill(b'1');
        states.push(bytes.clone());
        // A write that was interrupted, and a write with a part that never reached the disk.
        bytes[1000..1050].fill(b'2');
        bytes[1090..1100].fill(b'o');
        states.push(bytes.clone());
        bytes.resize(3100, 0);
        states.push(bytes.clone());
        bytes[3060..3100].fill(b'3');
        states.push(bytes);
        for state in states {
            assert_eq!(foreign(state), []);
        }
    }

    #[test]
    fn anything_else_is_foreign() {
        let mut bytes = old();
        bytes.resize(3100, 0);
        bytes[1010] = b'x';
        bytes[1050..1060].fill(0);
        bytes[3000] = b'3';
        bytes[3090] = b'o';
        // The run has not written this byte.
        bytes[500] = b'x';
        let expected = [1010..1011, 1050..1060, 3000..3001, 3090..3091];
        assert_eq!(foreign(bytes), expected);
    }
}
