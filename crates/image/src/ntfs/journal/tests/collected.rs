//! What single records touch.

use diskmend_base::bytes;

use crate::ntfs::format::{attribute_type, system};
use crate::ntfs::journal::JournalError;
use crate::ntfs::journal::format::Change;
use crate::ntfs::journal::operation::Operation;
use crate::ntfs::journal::tables::OpenAttribute;
use crate::ntfs::journal::touches::{Collector, Ground, Seen, Touches};
use crate::ntfs::place::FileId;

/// A volume of 64 Mi clusters of 4096 bytes.
fn ground() -> Ground {
    Ground::of_sizes(4096, 1024, 64 << 20)
}

/// A record of an operation and its reverse on a cluster of an attribute.
struct Made {
    operations: [u16; 2],
    attribute: (u64, u32),
    vcn: u64,
    /// Offset in the cluster in units of 512 bytes.
    block: u16,
    lcns: Vec<u64>,
    data: Vec<u8>,
}

impl Made {
    fn touches(&self) -> Result<Touches, JournalError> {
        let [redo, undo] = self.operations;
        let lcns = u16::try_from(self.lcns.len()).expect("few");
        let at = 32 + 8 * lcns;
        let len = u16::try_from(self.data.len()).expect("short");
        let fields = [redo, undo, at, len, at, len, 24, lcns, 0, 0, self.block, 0];
        let mut record: Vec<u8> = fields.into_iter().flat_map(u16::to_le_bytes).collect();
        record.extend(self.vcn.to_le_bytes());
        record.extend(self.lcns.iter().flat_map(|lcn| lcn.to_le_bytes()));
        record.extend(&self.data);
        let (record_number, kind) = self.attribute;
        let file = FileId {
            record: record_number,
            sequence: 1,
        };
        let ground = ground();
        let mut collector = Collector::new(&ground);
        let known = |number| Operation::known(number).expect("known");
        collector.add(Seen {
            change: bytes::view::<Change>(&record, 0).expect("whole"),
            data: &record,
            operations: [known(redo), known(undo)],
            attribute: Some(OpenAttribute { file, kind }),
            offset: 0x4040,
        })?;
        Ok(collector.touches)
    }

    /// Sets bits of $Bitmap.
    fn bits(vcn: u64, first: u32, count: u32) -> Self {
        Self {
            operations: [0x15, 0x16],
            attribute: (system::BITMAP, attribute_type::DATA),
            vcn,
            block: 0,
            lcns: vec![70],
            data: [first, count]
                .into_iter()
                .flat_map(u32::to_le_bytes)
                .collect(),
        }
    }
}

/// In a journal that Windows 7 has made, bits 0x7FFE of page 7 and 4 of page 8 of $Bitmap are set
/// one after the other.
#[test]
fn bits_are_counted_from_their_page_of_the_bitmap() {
    for (vcn, first, count) in [(7, 0x7FFE, 1), (8, 4, 60), (0, 3, 5)] {
        let touches = Made::bits(vcn, first, count).touches().expect("known");
        let start = vcn * 4096 * 8 + u64::from(first);
        let end = start + u64::from(count);
        assert!(touches.owners(start..start + 1) && touches.owners(end - 1..end));
        assert!(!touches.owners(0..start) && !touches.owners(end..u64::MAX));
        assert_eq!(touches.counts(), [0, 1, u64::from(count)]);
    }
}

#[test]
fn bits_outside_their_page_are_not_understood() {
    for (first, count) in [(0x8000, 1), (0x7FFF, 2), (0, 0x8001), (u32::MAX, u32::MAX)] {
        let refused = Made::bits(3, first, count).touches();
        assert!(refused.is_err(), "{count} bits from {first}");
    }
    let long = Made {
        data: vec![0; 16],
        ..Made::bits(3, 0, 0)
    };
    assert!(long.touches().is_err(), "two ranges of bits");
}

/// Bytes that are written to a page of $Bitmap change who has its clusters, as bits do.
#[test]
fn bytes_in_a_bitmap_touch_all_bits_of_their_page() {
    let bytes = Made {
        operations: [8, 8],
        data: vec![0xFF; 64],
        ..Made::bits(2, 0, 0)
    };
    let touches = bytes.touches().expect("known");
    let page = 2 * 4096 * 8..3 * 4096 * 8;
    assert!(touches.owners(page.start..page.start + 1));
    assert!(touches.owners(page.end - 1..page.end));
    assert_eq!(touches.counts(), [0, 1, 4096 * 8]);
    let of_records = Made {
        attribute: (system::MFT, attribute_type::BITMAP),
        ..bytes
    };
    let touches = of_records.touches().expect("known");
    assert!(touches.record(2 * 4096 * 8) && touches.record(3 * 4096 * 8 - 1));
}

#[test]
fn bytes_in_mft_touch_all_records_of_their_clusters() {
    let bytes = Made {
        operations: [8, 0],
        attribute: (system::MFT, attribute_type::DATA),
        vcn: 5,
        block: 2,
        lcns: vec![900, 901],
        data: vec![1; 3000],
    };
    let touches = bytes.touches().expect("known");
    assert!((20..28).all(|number| touches.record(number)));
    assert!(!touches.record(19) && !touches.record(28));
}

#[test]
fn a_record_of_mft_is_touched_alone() {
    let change = Made {
        operations: [7, 7],
        attribute: (system::MFT, attribute_type::DATA),
        vcn: 5,
        block: 4,
        lcns: vec![900],
        data: vec![1; 8],
    };
    let touches = change.touches().expect("known");
    assert!(touches.record(22) && !touches.record(21) && !touches.record(23));
    assert_eq!(touches.counts(), [1, 1, 0]);
}

/// Such a record would be replayed where the system finds the attribute, which is not known here.
#[test]
fn a_change_without_clusters_is_not_understood() {
    for operation in [2, 7, 8, 0xE, 0x15, 0x25] {
        let change = Made {
            operations: [operation, 0],
            lcns: Vec::new(),
            ..Made::bits(0, 1, 1)
        };
        assert!(change.touches().is_err(), "operation {operation:#x}");
    }
    let end = Made {
        operations: [0x1B, 1],
        lcns: Vec::new(),
        data: Vec::new(),
        ..Made::bits(0, 1, 1)
    };
    assert_eq!(end.touches().expect("known").counts(), [0; 3]);
}
