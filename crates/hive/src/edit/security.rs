//! Reference counts of security cells and their ring (regf spec, Key security).

use diskmend_base::bytes;
use zerocopy::IntoBytes;

use crate::bins::expect_signature;
use crate::error::Corruption;
use crate::format::KeySecurity;
use crate::offset::CellOffset;

use super::EditError;
use super::heap::Heap;

fn read(heap: &Heap, at: CellOffset) -> Result<KeySecurity, EditError> {
    let (raw, _) = heap.bins().structure::<KeySecurity>(at, "security cell")?;
    expect_signature(
        "security cell signature",
        at,
        KeySecurity::SIGNATURE,
        raw.signature,
    )?;
    Ok(raw.clone())
}

/// Counts one more key node that points to the security cell.
pub(super) fn share(heap: &mut Heap, at: CellOffset) -> Result<(), EditError> {
    let count = read(heap, at)?.reference_count.get();
    let count = count.checked_add(1).ok_or_else(|| {
        Corruption::new(
            "security reference count",
            at,
            "less than 4294967295",
            count.to_string(),
        )
    })?;
    set_count(heap, at, count)
}

/// The maximum number of security cells that are compared. Hives of Windows have some hundreds.
const MAX_COMPARED: usize = 1 << 16;

/// The security cell with this descriptor in the ring of `start`. If the ring is too long or
/// damaged, only its beginning counts.
pub(super) fn find(
    heap: &Heap,
    start: CellOffset,
    descriptor: &[u8],
) -> Result<Option<CellOffset>, EditError> {
    let mut at = start;
    for _ in 0..MAX_COMPARED {
        let (raw, payload) = heap.bins().structure::<KeySecurity>(at, "security cell")?;
        expect_signature(
            "security cell signature",
            at,
            KeySecurity::SIGNATURE,
            raw.signature,
        )?;
        let is_same = raw.descriptor_len.get() as usize == descriptor.len()
            && bytes::slice(payload, KeySecurity::LEN, descriptor.len()) == Some(descriptor);
        if is_same {
            return Ok(Some(at));
        }
        at = CellOffset::new(raw.flink.get());
        if at == start {
            break;
        }
    }
    Ok(None)
}

/// Adds a security cell that no key refers to yet to the ring, after another one.
pub(super) fn add(
    heap: &mut Heap,
    after: CellOffset,
    descriptor: &[u8],
) -> Result<CellOffset, EditError> {
    let next = CellOffset::new(read(heap, after)?.flink.get());
    // The cell behind must be one before anything refers to the new cell.
    read(heap, next)?;
    let head = KeySecurity {
        signature: KeySecurity::SIGNATURE,
        reserved: 0.into(),
        flink: next.get().into(),
        blink: after.get().into(),
        reference_count: 0.into(),
        descriptor_len: (descriptor.len() as u32).into(),
    };
    let cell = heap.store(&[head.as_bytes(), descriptor].concat())?;
    heap.update(after, "security cell", |raw: &mut KeySecurity| {
        raw.flink = cell.get().into();
    })?;
    heap.update(next, "security cell", |raw: &mut KeySecurity| {
        raw.blink = cell.get().into();
    })?;
    Ok(cell)
}

/// The maximum number of security cells that wait to be counted.
const MAX_WAITING: usize = 1 << 16;

/// Decrements the count for a key node. The caller must have cleared the reference in the node.
///
/// Other programs leave counts that are too low. Therefore the key nodes that refer to a cell are
/// counted before the cell is freed. This takes a pass over the whole hive, so a cell that is
/// unused according to its count waits for [`settle`].
pub(super) fn release(heap: &mut Heap, at: CellOffset) -> Result<(), EditError> {
    let count = read(heap, at)?.reference_count.get();
    if count > 1 {
        return set_count(heap, at, count - 1);
    }
    heap.unused_security.push(at);
    if heap.unused_security.len() < MAX_WAITING {
        return Ok(());
    }
    settle(heap)
}

/// Frees the waiting security cells to which no key node refers, and corrects the count of the
/// others. One pass over the hive serves all of them.
pub(super) fn settle(heap: &mut Heap) -> Result<(), EditError> {
    let mut waiting = std::mem::take(&mut heap.unused_security);
    if waiting.is_empty() {
        return Ok(());
    }
    waiting.sort_unstable();
    waiting.dedup();
    let users = heap.count_security_users(&waiting);
    for (at, users) in waiting.into_iter().zip(users) {
        if users > 0 {
            set_count(heap, at, users)?;
        } else {
            free(heap, at)?;
        }
    }
    Ok(())
}

/// Removes a security cell from the ring and frees it.
fn free(heap: &mut Heap, at: CellOffset) -> Result<(), EditError> {
    let raw = read(heap, at)?;
    let next = CellOffset::new(raw.flink.get());
    let previous = CellOffset::new(raw.blink.get());
    let (after, before) = (read(heap, next)?, read(heap, previous)?);
    if after.blink.get() != at.get() || before.flink.get() != at.get() {
        return Err(Corruption::new(
            "security ring",
            at,
            "neighbours that point back",
            format!(
                "links to {:#x} and {:#x}",
                after.blink.get(),
                before.flink.get()
            ),
        )
        .into());
    }
    heap.update(previous, "security cell", |cell: &mut KeySecurity| {
        cell.flink = next.get().into();
    })?;
    heap.update(next, "security cell", |cell: &mut KeySecurity| {
        cell.blink = previous.get().into();
    })?;
    heap.free(at)
}

fn set_count(heap: &mut Heap, at: CellOffset, count: u32) -> Result<(), EditError> {
    heap.update(at, "security cell", |cell: &mut KeySecurity| {
        cell.reference_count = count.into();
    })
}
