//! Every kind of problem is found. Each test damages one field, and expects this problem and those
//! that follow from it.

use super::*;
use ProblemKind as Kind;

/// Damages the sample hive, and compares the kinds of problems that the check finds.
fn expect(spoil: impl FnOnce(&mut Bytes), expected: &[Kind]) {
    let mut bytes = Bytes::sample();
    spoil(&mut bytes);
    expect_in(&bytes, expected);
}

fn expect_in(bytes: &Bytes, expected: &[Kind]) {
    let report = bytes.check();
    let expected: BTreeSet<Kind> = expected.iter().copied().collect();
    assert_eq!(kinds(&report), expected, "{:#?}", report.problems);
}

#[test]
fn every_kind_is_expected_somewhere_here() {
    let tests = include_str!("faults.rs");
    for kind in Kind::ALL {
        let name = format!("Kind::{kind:?}");
        let rest = tests.split(&name).skip(1);
        let named = rest.filter(|rest| !rest.starts_with(char::is_alphanumeric));
        assert!(named.count() > 0, "no test expects {name}");
    }
}

#[test]
fn base_block() {
    let mut hive = Bytes::sample().hive();
    hive.image.base_block_mut().major_version = 2.into();
    let report = check_with(&hive, 1);
    assert_eq!(kinds(&report), BTreeSet::from([Kind::BaseBlock]));
}

#[test]
fn bins() {
    // The last bin begins 32 bytes before its cell, and 36 before the cell's payload.
    let header = |b: &Bytes| b.free() - 36;
    expect(|b| b.put(header(b), 0, b"hbim"), &[Kind::BinSignature]);
    expect(|b| b.put_number(header(b), 4, 4096), &[Kind::BinOffset]);
    expect(|b| b.put_number(header(b), 8, 8192), &[Kind::BinSize]);
    expect(|b| b.put_number(header(b), 8, 0), &[Kind::BinSize]);
    expect(|b| b.put_number(header(b), 8, 4095), &[Kind::BinSize]);
}

#[test]
fn cells() {
    for size in [0, 12, -12, 8192, -8192, i32::MIN] {
        expect(|b| b.resize_cell(b.free(), size), &[Kind::CellSize]);
    }
    expect(
        |b| {
            b.resize_cell(b.free(), 64);
            b.resize_cell(b.free() + 64, 4096 - 32 - 64);
        },
        &[Kind::FreeNotCoalesced],
    );
    expect(|b| b.resize_cell(b.free(), -4064), &[Kind::CellLeaked]);
}

/// Windows refuses every hive with a reference to a larger cell, and accepts other large cells.
#[test]
fn large_cells() {
    const LIMIT: i32 = 1 << 20;
    let mut bytes = Bytes::sample();
    let cell = bytes.add_bin(LIMIT as u32 + 8192);
    expect_in(&bytes, &[]);
    let rest = LIMIT + 8192 - 32;
    let refer = |b: &mut Bytes, size: i32| {
        b.resize_cell(cell, -size);
        b.resize_cell(cell + size as u32, rest - size);
        b.put_number(b.value("two"), 8, cell);
    };
    refer(&mut bytes, LIMIT);
    expect_in(&bytes, &[Kind::CellLeaked]);
    refer(&mut bytes, LIMIT + 8);
    expect_in(&bytes, &[Kind::CellLeaked, Kind::CellTooLong]);
}

#[test]
fn references() {
    // A free cell, a place inside a cell, not a multiple of 8, an offset past the end, a volatile
    // cell, none.
    let free = Bytes::sample().free();
    for offset in [free, 40, 44, 0x00FF_FFF8, 0x8000_0020, u32::MAX] {
        expect(
            |b| b.put_number(b.value("two"), 8, offset),
            &[Kind::CellNotAllocated, Kind::CellLeaked],
        );
    }
    expect(
        |b| {
            let other = b.number(b.value("\u{414}"), 8);
            b.put_number(b.value("two"), 8, other);
            // So short that it fits the other's cell.
            b.put_number(b.value("two"), 4, 8);
        },
        &[Kind::CellReferencedTwice, Kind::CellLeaked],
    );
    // A subkey that is also its own ancestor.
    expect(
        |b| {
            let list = b.number(b.key("A\\sub"), 28);
            assert_eq!(list, u32::MAX);
            let (sub, parents) = (b.key("A\\sub"), b.number(b.key("A"), 28));
            b.put_number(sub, 20, 1);
            b.put_number(sub, 28, parents);
        },
        &[Kind::CellReferencedTwice],
    );
    expect_in(
        &{
            let mut b = Bytes::edited(|_| {});
            b.0[36..40].copy_from_slice(&u32::MAX.to_le_bytes());
            b
        },
        &[Kind::CellNotAllocated, Kind::CellLeaked],
    );
}

#[test]
fn key_nodes() {
    expect(
        |b| b.put(b.key("C"), 0, b"kn"),
        &[Kind::KeySignature, Kind::SecurityReferenceCount],
    );
    expect(|b| b.put(b.key("C"), 72, &[200]), &[Kind::KeySize]);
    expect(|b| b.put_number(b.key("C"), 16, 8), &[Kind::KeyParent]);
    expect(|b| b.put(b.key("C"), 2, &[0]), &[Kind::KeyName]);
    expect(
        |b| b.put(b.key("B"), 72, &[0]),
        &[Kind::KeyName, Kind::SubkeyOrder, Kind::SubkeyHash],
    );
    expect(
        |b| b.put(b.key("C"), 76, b"\\"),
        &[Kind::KeyNameCharacter, Kind::SubkeyHash],
    );
    expect(
        |b| b.put(b.key("\u{414}"), 76, b"Z\0"),
        &[Kind::KeyNameUncompressed, Kind::SubkeyHash],
    );
    expect(|b| b.put(b.key("C"), 2, &[0x21]), &[Kind::KeyFlags]);
    expect(|b| b.put(b.key("C"), 2, &[0x24]), &[Kind::KeyFlags]);
    for flag in [2, 8] {
        expect(|b| b.put(b.key("C"), 2, &[0x20 | flag]), &[Kind::KeyFlags]);
    }
    for flag in [2, 0x10] {
        expect(|b| b.put(b.key(""), 2, &[0x2C | flag]), &[Kind::KeyFlags]);
    }
    // Windows rejects layered keys if the base block does not announce them.
    for semantics in 1..4 {
        let layered = |b: &mut Bytes| b.put(b.key("C"), 13, &[semantics]);
        expect(layered, &[Kind::KeyLayered]);
        expect(
            |b| {
                layered(b);
                b.0[144..148].copy_from_slice(&2u32.to_le_bytes());
            },
            &[],
        );
        expect(|b| b.put(b.key("C"), 13, &[semantics << 2]), &[]);
    }
    let tombstone = |b: &mut Bytes| b.put(b.key("A"), 13, &[1]);
    expect(tombstone, &[Kind::KeyLayered, Kind::KeyTombstone]);
}

#[test]
fn long_key_names() {
    let name = "\u{4E4E}".repeat(254);
    let mut bytes = Bytes::edited(|editor| {
        editor.create_key(&name).expect("created");
    });
    bytes.put(bytes.key(&name), 2, &[0x20]);
    expect_in(
        &bytes,
        &[Kind::KeyNameLong, Kind::SubkeyHash, Kind::MaxSubkeyName],
    );
}

#[test]
fn oversized_key_nodes() {
    expect(
        |b| {
            // The key node moves to a cell that is longer than Windows accepts.
            let (old, new) = (b.key("\u{414}"), b.free());
            let node: Vec<u8> = b.0[BASE_BLOCK_LEN + old as usize + 4..][..78].to_vec();
            b.resize_cell(new, -4064);
            b.put(new, 0, &node);
            let list = b.number(b.key(""), 28);
            b.put_number(list, 4 + 3 * 8, new);
            let size = b.number(old - 4, 0);
            b.resize_cell(old, -(size as i32));
        },
        &[Kind::KeySize],
    );
}

#[test]
fn depth() {
    let path = vec!["k"; MAX_LEVELS].join("\\");
    let mut bytes = Bytes::edited(|editor| {
        editor.create_key(&path).expect("created");
    });
    expect_in(&bytes, &[]);
    bytes.put_number(bytes.key(&path), 20, 1);
    expect_in(&bytes, &[Kind::KeyDepth]);
}

const MAX_LEVELS: usize = path::MAX_DEPTH as usize;

#[test]
fn classes() {
    let with_class = |len: u8, cell_len: i32| {
        move |b: &mut Bytes| {
            let cell = b.free();
            b.resize_cell(cell, -cell_len);
            b.resize_cell(cell + cell_len as u32, 4064 - cell_len);
            b.put_number(b.key("C"), 48, cell);
            b.put(b.key("C"), 74, &[len]);
            b.put_number(b.key(""), 56, 1000);
        }
    };
    expect(with_class(12, 16), &[]);
    expect(with_class(14, 16), &[Kind::ClassSize]);
    expect(with_class(11, 16), &[Kind::ClassName]);
    expect(
        |b| {
            with_class(12, 16)(b);
            b.put_number(b.key(""), 56, 11);
        },
        &[Kind::MaxClass],
    );
    expect(
        |b| {
            b.put(b.key("C"), 74, &[2]);
            b.put_number(b.key(""), 56, 2);
        },
        &[Kind::ClassName],
    );
}

#[test]
fn maxima() {
    expect(|b| b.put(b.key(""), 52, &[1]), &[Kind::MaxSubkeyName]);
    expect(|b| b.put_number(b.key("A"), 60, 7), &[Kind::MaxValueName]);
    expect(
        |b| b.put_number(b.key("A"), 64, 19_999),
        &[Kind::MaxValueData],
    );
}

#[test]
fn subkey_lists() {
    let lost = [
        Kind::SubkeyCount,
        Kind::CellLeaked,
        Kind::SecurityReferenceCount,
    ];
    let and = |kind| [&[kind], &lost[..]].concat();
    let list = |b: &Bytes| b.number(b.key("A"), 28);
    expect(
        |b| b.put(list(b), 0, b"xx"),
        &and(Kind::SubkeyListSignature),
    );
    expect(|b| b.put(list(b), 2, &[0xFF]), &and(Kind::SubkeyListSize));
    expect(|b| b.put(list(b), 2, &[0]), &and(Kind::SubkeyListEmpty));
    expect(|b| b.put_number(b.key("A"), 20, 2), &[Kind::SubkeyCount]);
    expect(|b| b.put_number(list(b), 8, 1), &[Kind::SubkeyHash]);
    expect(|b| b.put(list(b), 0, b"lf"), &[Kind::SubkeyHash]);
    // An index root with an index root as its first leaf.
    expect(
        |b| {
            let (inner, outer) = (list(b), b.free());
            b.resize_cell(outer, -16);
            b.resize_cell(outer + 16, 4064 - 16);
            b.put(outer, 0, b"ri\x01\0");
            b.put_number(outer, 4, inner);
            b.put_number(b.key("A"), 28, outer);
            b.put(inner, 0, b"ri");
        },
        &and(Kind::SubkeyListSignature),
    );
}

#[test]
fn subkey_order() {
    expect(
        |b| b.put(b.key("C"), 76, b"b"),
        &[Kind::SubkeyDuplicate, Kind::SubkeyHash],
    );
    expect(
        |b| {
            let list = b.number(b.key(""), 28);
            let at = BASE_BLOCK_LEN + list as usize + 8;
            b.0[at..at + 16].rotate_left(8);
        },
        &[Kind::SubkeyOrder],
    );
}

/// Windows NT 5 upper-cases the final sigma to the capital sigma, so it sorts before tau. Later
/// versions leave it unchanged, so it sorts after tau.
#[test]
fn subkey_order_of_later_windows() {
    let mut bytes = Bytes::edited(|editor| {
        editor.create_key("\u{3a4}").expect("created");
        editor.create_key("\u{3c2}").expect("created");
    });
    let list = bytes.number(bytes.key(""), 28);
    let at = BASE_BLOCK_LEN + list as usize + 8;
    bytes.0[at..at + 16].rotate_left(8);
    expect_in(&bytes, &[]);
    // Both hashes are right in a hive of either version, and no other hash is.
    bytes.0[at + 12..at + 16].copy_from_slice(&0x3c2_u32.to_le_bytes());
    expect_in(&bytes, &[]);
    bytes.0[at + 12] ^= 1;
    expect_in(&bytes, &[Kind::SubkeyHash]);
}

/// A version between the two may have sorted in this way, but neither of the two does.
#[test]
fn subkey_order_of_no_known_windows() {
    let mut bytes = Bytes::edited(|editor| {
        editor.create_key("\u{219}").expect("created");
        editor.create_key("\u{3c2}").expect("created");
    });
    let list = bytes.number(bytes.key(""), 28);
    let at = BASE_BLOCK_LEN + list as usize + 8;
    bytes.0[at..at + 16].rotate_left(8);
    expect_in(&bytes, &[Kind::SubkeyOrderVersion]);
}

#[test]
fn lists_of_a_later_version() {
    let mut bytes = Bytes::edited(|editor| {
        editor.create_key("k").expect("created");
    });
    bytes.0[24] = 3;
    expect_in(&bytes, &[Kind::SubkeyListVersion]);
    let list = bytes.number(bytes.key(""), 28);
    bytes.put(list, 0, b"lf");
    bytes.put(list, 8, b"k\0\0\0");
    expect_in(&bytes, &[]);
}

#[test]
fn values() {
    expect(
        |b| b.put_number(b.key("A"), 36, 1000),
        &[Kind::ValueListSize, Kind::CellLeaked],
    );
    expect(|b| b.put(b.value("one"), 0, b"kv"), &[Kind::ValueSignature]);
    expect(|b| b.put(b.value("one"), 2, &[200]), &[Kind::ValueSize]);
    expect(|b| b.put(b.value("one"), 16, &[0]), &[Kind::ValueName]);
    expect(
        |b| b.put(b.value("\u{414}"), 20, b"Z\0"),
        &[Kind::ValueNameUncompressed],
    );
    expect(
        |b| b.put(b.value("two"), 20, b"ONE"),
        &[Kind::ValueDuplicate],
    );
    expect(
        |b| b.put_number(b.value("one"), 4, 0x8000_0005),
        &[Kind::ValueInline],
    );
    expect(
        |b| b.put_number(b.value("two"), 4, 200),
        &[Kind::ValueDataSize],
    );
    // A value without data, stored in the old way, has no cell.
    expect(
        |b| b.put_number(b.value("none"), 4, 0),
        &[Kind::ValueDataSize],
    );
    expect(
        |b| {
            b.put_number(b.value("none"), 4, 0);
            b.put_number(b.value("none"), 8, u32::MAX);
        },
        &[],
    );
}

#[test]
fn many_values_of_one_name() {
    let mut bytes = Bytes::edited(|editor| {
        editor.create_key("A").expect("created");
        for number in 0..40 {
            let name = format!("value{number:02}");
            editor
                .set_value("A", &name, ValueType::DWORD, &[0; 4])
                .expect("set");
        }
    });
    expect_in(&bytes, &[]);
    bytes.put(bytes.value("value33"), 20, b"VALUE07");
    expect_in(&bytes, &[Kind::ValueDuplicate]);
}

#[test]
fn long_value_names() {
    let name = "\u{4E4E}".repeat(10_000);
    let mut bytes = Bytes::edited(|editor| {
        editor.create_key("A").expect("created");
        editor
            .set_value("A", &name, ValueType::DWORD, &[0; 4])
            .expect("set");
    });
    bytes.put(bytes.value(&name), 16, &[1]);
    expect_in(&bytes, &[Kind::ValueNameLong, Kind::MaxValueName]);
}

#[test]
fn predefined_handles_have_no_value_list() {
    let mut bytes = Bytes::sample();
    let key = bytes.key("C");
    bytes.put(key, 2, &[0x60]);
    bytes.put_number(key, 36, 0x8000_0001);
    expect_in(&bytes, &[]);
}

#[test]
fn big_data() {
    let record = |b: &Bytes| b.number(b.value("big"), 8);
    expect(
        |b| b.put(record(b), 0, b"bd"),
        &[Kind::BigDataSignature, Kind::CellLeaked],
    );
    expect(
        |b| b.put(record(b), 2, &[1]),
        &[Kind::BigDataCount, Kind::CellLeaked],
    );
    expect(
        |b| b.put(record(b), 2, &[200]),
        &[Kind::BigDataCount, Kind::BigDataSize, Kind::CellLeaked],
    );
    expect(
        |b| {
            // The last segment moves to a cell that is too short for it.
            let segments = b.number(record(b), 4);
            let cell = b.free();
            b.resize_cell(cell, -64);
            b.resize_cell(cell + 64, 4064 - 64);
            b.put_number(segments, 4, cell);
        },
        &[Kind::BigDataSegment, Kind::CellLeaked],
    );
}

#[test]
fn security() {
    let ring = |b: &Bytes| b.number(b.key(""), 44);
    expect(
        |b| b.put(ring(b), 0, b"ks"),
        &[
            Kind::SecuritySignature,
            Kind::SecurityNotOnRing,
            Kind::CellLeaked,
        ],
    );
    expect(|b| b.put_number(ring(b), 16, 4000), &[Kind::SecuritySize]);
    expect(|b| b.put(ring(b), 20, &[2]), &[Kind::SecurityDescriptor]);
    expect(|b| b.put(ring(b), 23, &[0]), &[Kind::SecurityDescriptor]);
    expect(
        |b| b.put_number(ring(b), 16, 19),
        &[Kind::SecurityDescriptor],
    );
    expect(
        |b| b.put_number(ring(b), 24, 16),
        &[Kind::SecurityDescriptor],
    );
    expect(|b| b.put_number(ring(b), 8, 32), &[Kind::SecurityLink]);
    expect(|b| b.put_number(ring(b), 4, 32), &[Kind::SecuritySignature]);
    expect(
        |b| b.put_number(ring(b), 12, 99),
        &[Kind::SecurityReferenceCount],
    );
    let not_on_ring = [Kind::SecurityNotOnRing, Kind::SecurityReferenceCount];
    for offset in [0, 32, 40, u32::MAX] {
        expect(|b| b.put_number(b.key("C"), 44, offset), &not_on_ring);
    }
}

#[test]
fn a_broken_ring_is_followed_the_other_way_round() {
    let mut bytes = Bytes::sample();
    // A second security cell, used only by key C.
    let (first, second) = (bytes.number(bytes.key(""), 44), bytes.free());
    bytes.resize_cell(second, -48);
    bytes.resize_cell(second + 48, 4064 - 48);
    bytes.put(second, 0, b"sk");
    for (field, number) in [(4, first), (8, first), (12, 1), (16, 20)] {
        bytes.put_number(second, field, number);
    }
    bytes.put(second, 20, &DESCRIPTOR);
    bytes.put_number(bytes.key("C"), 44, second);
    for (field, number) in [(4, second), (8, second), (12, 5)] {
        bytes.put_number(first, field, number);
    }
    expect_in(&bytes, &[]);
    bytes.put_number(first, 4, u32::MAX);
    expect_in(&bytes, &[Kind::SecurityLink]);
}
