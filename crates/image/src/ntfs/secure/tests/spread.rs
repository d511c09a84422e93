//! `$SDS` with its runs in several records, as on a volume with many thousand descriptors.

use super::*;
use crate::ntfs::bitmap::Bitmap;
use crate::ntfs::format::system;
use crate::ntfs::place::Lcn;
use crate::ntfs::runs::{self, Run};
use crate::ntfs::testing::{RecordBuilder, non_resident};

/// The record with the remaining runs of `$SDS`; it is not used otherwise.
const HOLDER: u64 = 16;

/// Runs as they are in a record.
fn pairs(runs: &[Run]) -> Vec<u8> {
    runs::encode(runs).expect("fits")
}

/// Moves the runs of the later half of `$SDS` to another record; the data stay in place. The
/// attribute list gets a cluster of its own.
fn spread(secure: &Secure) {
    let mft = &secure.volume.inner.mft;
    let mut base = mft.read_system(system::SECURE).expect("sound");
    let sds = base
        .find(attribute_type::DATA, "$SDS")
        .expect("one")
        .place();
    let stored = Store::open(mft).expect("sound").sds.layout;
    let clusters = stored.clusters();
    let half = clusters / 2;
    let cut = |from: u64, to: u64| -> Vec<Run> {
        let part = |run: &Run| {
            let (start, end) = (run.vcn.max(from), run.end().min(to));
            Some(Run {
                vcn: start,
                lcn: run.lcn?.after(start - run.vcn),
                len: end.checked_sub(start).filter(|len| *len > 0)?,
            })
        };
        stored.runs().iter().filter_map(part).collect()
    };
    let mut part = non_resident(
        attribute_type::DATA,
        "$SDS",
        clusters,
        &pairs(&cut(half, clusters)),
    );
    part[16..24].copy_from_slice(&half.to_le_bytes());
    let mut holder = RecordBuilder::new(u32::try_from(HOLDER).expect("small"));
    let own = u64::from(base.id().sequence) << 48 | system::SECURE;
    holder.bytes_mut()[32..40].copy_from_slice(&own.to_le_bytes());
    let holder = holder.attribute(part).protected();
    let disk = mft.disk();
    let place = mft.layout().position(HOLDER * 1024).expect("there");
    disk.write(&holder, place).expect("inside");

    base.set_mapping_pairs(sds, &pairs(&cut(0, half)), half - 1)
        .expect("shorter");
    let mut entries: Vec<(u32, Vec<u16>, u64, u64, u16)> = base
        .attributes()
        .map(|one| (one.kind(), one.name().collect(), 0, own, one.instance()))
        .collect();
    let name: Vec<u16> = "$SDS".encode_utf16().collect();
    entries.push((attribute_type::DATA, name, half, HOLDER | 1 << 48, 0));
    entries.sort();
    let mut list = Vec::new();
    for (kind, name, lowest, record, instance) in entries {
        let len = (26 + name.len() * 2).next_multiple_of(8);
        let mut entry = vec![0; len];
        entry[..4].copy_from_slice(&kind.to_le_bytes());
        entry[4] = u8::try_from(len).expect("short");
        entry[6] = u8::try_from(name.len()).expect("short");
        entry[7] = 26;
        entry[8..16].copy_from_slice(&lowest.to_le_bytes());
        entry[16..24].copy_from_slice(&record.to_le_bytes());
        entry[24..26].copy_from_slice(&instance.to_le_bytes());
        for (place, unit) in entry[26..].chunks_mut(2).zip(name) {
            place.copy_from_slice(&unit.to_le_bytes());
        }
        list.extend(entry);
    }
    let bitmap = Bitmap::open(mft).expect("sound");
    let found = bitmap.find(Lcn(100), 1, &[]).expect("sound");
    let extent = found.expect("room")[0];
    bitmap.take(&[extent]).expect("written");
    let offset = disk.geometry.offset(extent.start).expect("inside");
    disk.write(&list, offset).expect("inside");
    let one = pairs(&[Run {
        vcn: 0,
        lcn: Some(extent.start),
        len: 1,
    }]);
    base.add_non_resident(attribute_type::ATTRIBUTE_LIST, "", one.len())
        .expect("room");
    let at = base
        .find(attribute_type::ATTRIBUTE_LIST, "")
        .expect("added");
    let at = at.place();
    base.set_mapping_pairs(at, &one, 0).expect("room");
    let header = base.non_resident_mut(at).expect("in clusters");
    header.allocated_size = u64::from(disk.geometry.cluster_len).into();
    header.data_size = (list.len() as u64).into();
    header.initialized_size = (list.len() as u64).into();
    mft.write(&mut base).expect("written");
}

/// Descriptors could be read but not added, because the record with the sizes had to be the one
/// with the last runs.
#[test]
fn a_stream_with_runs_in_several_records_grows() {
    let old: Vec<Vec<u8>> = (0..30).map(|number| descriptor(number, 0)).collect();
    let Some((image, records)) = made(16, &old) else {
        return;
    };
    let (memory, secure) = open(&image.device().bytes());
    spread(&secure);
    let (memory, secure) = open(&memory.bytes());
    let before = Store::open(&secure.volume.inner.mft).expect("sound");
    let new: Vec<Vec<u8>> = (0..400)
        .map(|number| descriptor(1000 + number, 60))
        .collect();
    let mut ids = Vec::new();
    for some in new.chunks(150) {
        ids.extend(secure.add(&slices(some)).expect("room"));
    }
    let (memory, secure) = open(&memory.bytes());
    let after = Store::open(&secure.volume.inner.mft).expect("sound");
    let grown = after.sds.layout.clusters() - before.sds.layout.clusters();
    assert!(grown > 16, "{grown} clusters");
    for (id, bytes) in ids.iter().zip(&new) {
        assert_eq!(*secure.descriptor(*id).expect("added"), **bytes);
    }
    let files = files(&secure, &records);
    set(&secure, &files, &ids[ids.len() - files.len()..]);
    store(&image, &memory);
    check(&image);
    compare(&image, &slices(&new)[new.len() - files.len()..]);
}
