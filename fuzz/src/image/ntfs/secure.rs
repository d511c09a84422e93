//! `$Secure`: security descriptors and their indexes (Linux-NTFS).

use diskmend_acl::{Domains, SecurityDescriptor};

use super::record::{BITMAP, DATA, INDEX_ALLOCATION, INDEX_ROOT};
use super::record::{Record, block, entry, last, root};
use super::volume::Maker;
use crate::image::bytes::{put, put16};

/// The id of the first descriptor.
pub(super) const FIRST_ID: u32 = 0x100;
/// The distance from an entry to its second copy.
const COPY_AT: usize = 0x4_0000;

const SDDL: [&str; 6] = [
    "O:BAG:SYD:P(A;;FA;;;SY)(A;;FA;;;BA)",
    "O:SYG:SYD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)",
    "O:S-1-5-21-1-2-3-500G:SYD:P(D;;FA;;;SY)(A;;FR;;;NS)",
    "O:BAG:SYD:P(A;;FA;;;SY)(A;;FR;;;NS)(A;;FA;;;BA)",
    "O:SYG:BAD:(A;;FR;;;WD)",
    "O:SYG:BAD:(A;OICI;FA;;;S-1-5-21-9-9-9-1001)(A;;FR;;;WD)(A;;FX;;;BU)",
];

/// Some descriptors; a new volume contains the first three.
pub(super) fn descriptors() -> Vec<Vec<u8>> {
    let read = |text: &&str| {
        let descriptor = SecurityDescriptor::from_sddl(text, &Domains::default()).ok()?;
        descriptor.to_bytes().ok()
    };
    SDDL.iter().filter_map(read).collect()
}

fn hash(descriptor: &[u8]) -> u32 {
    let (words, _) = descriptor.as_chunks::<4>();
    words.iter().fold(0_u32, |hash, word| {
        u32::from_le_bytes(*word).wrapping_add(hash.rotate_left(3))
    })
}

/// An entry of one of the indexes.
fn view(key: &[u8], header: &[u8], padding: &[u8]) -> Vec<u8> {
    let mut head = [0; 8];
    put16(&mut head, 0, 16 + key.len() as u16);
    put16(&mut head, 2, header.len() as u16);
    entry(head, key, &[header, padding].concat(), None)
}

/// Adds the attributes of `$Secure` to its record; if `indexed`, `$SDH` has an index block.
pub(super) fn add(maker: &mut Maker, record: Record, indexed: bool) -> Record {
    let mut entries = Vec::new();
    let mut by_id = Vec::new();
    let mut by_hash = Vec::new();
    for (index, descriptor) in descriptors().iter().take(3).enumerate() {
        let id = (FIRST_ID + index as u32).to_le_bytes();
        let hash = hash(descriptor);
        let at = entries.len() as u64;
        let len = 20 + descriptor.len() as u32;
        let hashed = hash.to_le_bytes();
        let header = [&hashed[..], &id, &at.to_le_bytes(), &len.to_le_bytes()].concat();
        by_id.extend(view(&id, &header, &[]));
        by_hash.push((hash, view(&[hashed, id].concat(), &header, b"I\0I\0")));
        entries.extend(header);
        entries.extend(descriptor);
        entries.resize(entries.len().next_multiple_of(16), 0);
    }
    let mut data = vec![0; COPY_AT + entries.len()];
    put(&mut data, 0, &entries);
    put(&mut data, COPY_AT, &entries);
    let stream = maker.contiguous(&data);
    maker.mark(&stream, 0..entries.len());
    by_hash.sort();
    let mut by_hash: Vec<u8> = by_hash.into_iter().flat_map(|(_, entry)| entry).collect();
    by_id.extend(last(None));
    by_hash.extend(last(None));
    let cluster = maker.cluster;
    let record = record.stream(DATA, "$SDS", &stream);
    let by_id = root(0, 0x10, cluster, &by_id, false);
    if !indexed {
        let by_hash = root(0, 0x12, cluster, &by_hash, false);
        return record
            .resident(INDEX_ROOT, "$SDH", &by_hash)
            .resident(INDEX_ROOT, "$SII", &by_id);
    }
    let stream = maker.contiguous(&block(0, &by_hash));
    maker.mark(&stream, 0..256);
    let by_hash = root(0, 0x12, cluster, &last(Some(0)), true);
    record
        .resident(INDEX_ROOT, "$SDH", &by_hash)
        .resident(INDEX_ROOT, "$SII", &by_id)
        .stream(INDEX_ALLOCATION, "$SDH", &stream)
        .resident(BITMAP, "$SDH", &[1, 0, 0, 0, 0, 0, 0, 0])
}
