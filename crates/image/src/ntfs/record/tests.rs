use super::super::testing::{RecordBuilder, non_resident, resident};
use super::*;

const PAIRS: &[u8] = &[0x11, 3, 40, 0];

fn record() -> RecordBuilder {
    RecordBuilder::new(7)
        .attribute(resident(0x10, "", &[1; 72]))
        .attribute(non_resident(0x80, "", 3, PAIRS))
        .attribute(resident(0xF0, "abc", &[2; 5]))
}

fn room(record: &Record) -> usize {
    record.data.len() - record.bytes_in_use()
}

fn parse(builder: &RecordBuilder) -> Result<Record, Corruption> {
    Record::parse(7, 4096, builder.protected())
}

#[test]
fn attributes_are_found_by_type_and_name() {
    let record = parse(&record()).expect("sound");
    assert_eq!(record.attributes().count(), 3);
    assert_eq!(record.resident(0x10, ""), Some(&[1; 72][..]));
    assert_eq!(record.resident(0xF0, "abc"), Some(&[2; 5][..]));
    assert_eq!(record.resident(0xF0, "abcd"), None);
    assert_eq!(record.resident(0xF0, ""), None);
    assert_eq!(record.resident(0x80, ""), None, "it is not resident");
    let data = record.find(0x80, "").expect("there");
    assert!(
        data.mapping_pairs()
            .expect("not resident")
            .starts_with(PAIRS)
    );
    assert!(record.is_in_use() && !record.is_folder());
    assert_eq!(record.base(), None);
}

#[test]
fn a_value_is_changed_in_place_and_protected_again() {
    let mut record = parse(&record()).expect("sound");
    record.resident_mut(0x10, "").expect("there")[52] = 9;
    let protected = record.protected(&[]).expect("sound");
    let again = Record::parse(7, 4096, protected.clone()).expect("sound");
    assert_eq!(again.resident(0x10, "").expect("there")[52], 9);
    record.written(&protected);
    assert_eq!(record.data, again.data, "with the same sequence number");
}

#[test]
fn a_value_that_grows_moves_and_keeps_the_attributes_after_it() {
    let mut record = parse(&record()).expect("sound");
    let at = record.find(0x10, "").expect("there").place();
    let free = room(&record);
    record.set_value_len(at, 85).expect("fits");
    assert_eq!(room(&record), free - 16);
    let value = record.resident(0x10, "").expect("there");
    assert_eq!(value[..72], [1; 72]);
    assert_eq!(value[72..], [0; 13]);
    assert_eq!(record.resident(0xF0, "abc"), Some(&[2; 5][..]));
    let protected = record.protected(&[]).expect("sound");
    Record::parse(7, 4096, protected).expect("sound");

    record.set_value_len(at, 72).expect("shrinks");
    assert_eq!(room(&record), free);
    assert_eq!(record.resident(0xF0, "abc"), Some(&[2; 5][..]));
    let used = record.data.len() - free;
    assert!(record.data[used..].iter().all(|byte| *byte == 0));
}

#[test]
fn mapping_pairs_are_replaced_where_the_record_has_room() {
    let mut record = parse(&record()).expect("sound");
    let at = record.find(0x80, "").expect("there").place();
    let mut pairs = vec![0x11; 38];
    pairs.push(0);
    record.set_mapping_pairs(at, &pairs, 12).expect("fits");
    let data = record.find(0x80, "").expect("there");
    assert_eq!(data.mapping_pairs().expect("there")[..39], pairs);
    assert_eq!(data.non_resident().expect("there").highest_vcn.get(), 12);
    assert_eq!(record.resident(0xF0, "abc"), Some(&[2; 5][..]));
    let protected = record.protected(&[]).expect("sound");
    Record::parse(7, 4096, protected).expect("sound");
}

#[test]
fn a_value_too_long_for_the_record_leaves_it_unchanged() {
    let mut record = parse(&record()).expect("sound");
    let before = record.data.clone();
    let at = record.find(0x80, "").expect("there").place();
    assert_eq!(record.set_mapping_pairs(at, &[0; 900], 0), Err(NoRoom));
    let first = record.find(0x10, "").expect("there").place();
    assert_eq!(record.set_value_len(first, 900), Err(NoRoom));
    assert_eq!(record.set_value_len(first, usize::MAX), Err(NoRoom));
    assert_eq!(record.set_mapping_pairs(first, &[0; 9], 0), Err(NoRoom));
    assert_eq!(record.set_value_len(at, 9), Err(NoRoom));
    assert_eq!(record.data, before);
}

#[test]
fn a_record_can_be_filled_to_its_last_byte() {
    let mut record = parse(&record()).expect("sound");
    let at = record.find(0x10, "").expect("there").place();
    record.set_value_len(at, 72 + room(&record)).expect("fits");
    assert_eq!(room(&record), 0);
    assert_eq!(record.set_value_len(at, 72 + 1024), Err(NoRoom));
    let protected = record.protected(&[]).expect("sound");
    Record::parse(7, 4096, protected).expect("sound");
}

#[test]
fn an_attribute_that_is_removed_leaves_the_others_and_zeros() {
    let mut record = parse(&record()).expect("sound");
    let free = room(&record);
    let places: Vec<_> = record.attributes().map(|found| found.place()).collect();
    let len = record.attribute(places[1]).expect("there").len();
    record.remove(places[1]).expect("there");
    assert_eq!(room(&record), free + len);
    assert_eq!(record.resident(0x10, ""), Some(&[1; 72][..]));
    assert_eq!(record.resident(0xF0, "abc"), Some(&[2; 5][..]));
    assert!(record.find(0x80, "").is_none());
    let used = record.data.len() - room(&record);
    assert!(record.data[used..].iter().all(|byte| *byte == 0));
    record.remove(places[1]).expect("there");
    assert_eq!(record.remove(places[1]), None, "the attributes end there");
    let protected = record.protected(&[]).expect("sound");
    let record = Record::parse(7, 4096, protected).expect("sound");
    assert_eq!(record.attributes().count(), 1);
}

#[test]
fn attributes_are_added_in_the_order_of_types_and_names() {
    let mut record = parse(&record()).expect("sound");
    let before = room(&record);
    record.add_resident(0xB0, "$SII", 8).expect("room");
    record.add_resident(0xB0, "$SDH", 16).expect("room");
    record.add_non_resident(0xA0, "$SII", 4).expect("room");
    record.add_non_resident(0x100, "", 0).expect("room");
    assert_eq!(before - room(&record), 40 + 48 + 80 + 72);
    let at = record.find(0xA0, "$SII").expect("there").place();
    record.set_mapping_pairs(at, PAIRS, 2).expect("room");
    for (kind, name) in [(0xB0, "$SII"), (0x10, "")] {
        assert_eq!(record.add_resident(kind, name, 8), Err(NoRoom), "is there");
    }
    assert_eq!(record.add_resident(0x90, "", 1024), Err(NoRoom));
    let protected = record.protected(&[]).expect("sound");
    let record = Record::parse(7, 4096, protected).expect("sound");
    let found: Vec<(u32, String, u16)> = record
        .attributes()
        .map(|found| {
            let name = String::from_utf16(&found.name().collect::<Vec<_>>());
            (found.kind(), name.expect("text"), found.instance())
        })
        .collect();
    let expected = [
        (0x10, "", 0),
        (0x80, "", 1),
        (0xA0, "$SII", 5),
        (0xB0, "$SDH", 4),
        (0xB0, "$SII", 3),
        (0xF0, "abc", 2),
        (0x100, "", 6),
    ];
    let expected = expected.map(|(kind, name, instance)| (kind, name.to_owned(), instance));
    assert_eq!(found, expected);
    assert_eq!(record.resident(0xB0, "$SDH"), Some(&[0; 16][..]));
    let pairs = record
        .find(0xA0, "$SII")
        .and_then(|found| found.mapping_pairs());
    assert_eq!(pairs.map(|pairs| &pairs[..4]), Some(PAIRS));
}

#[test]
fn fields_that_lead_out_of_the_record_are_refused() {
    let (first, second) = (56, 56 + 96);
    let cases: [(usize, &[u8], &str); 15] = [
        (4, &[40, 0], "update sequence array"),
        (20, &[57, 0], "bounds of the attributes"),
        (20, &[48, 0], "bounds of the attributes"),
        (24, &[0, 5, 0, 0], "bounds of the attributes"),
        (24, &[56, 0, 0, 0], "attributes"),
        (28, &[0, 8, 0, 0], "length of a FILE record"),
        (44, &[8, 0, 0, 0], "record number"),
        (first + 4, &[0; 4], "attribute"),
        (first + 4, &[4, 0, 0, 0], "attribute"),
        (first + 4, &[0xF8, 0xFF, 0xFF, 0xFF], "attribute"),
        (first + 8, &[2], "attribute"),
        (first + 16, &[73, 0, 0, 0], "attribute"),
        (first + 20, &[8, 0], "attribute"),
        (second + 9, &[200], "attribute"),
        (second + 32, &[72, 0], "attribute"),
    ];
    for (at, bytes, what) in cases {
        let mut builder = record();
        builder.bytes_mut()[at..at + bytes.len()].copy_from_slice(bytes);
        let error = parse(&builder).expect_err("refused");
        assert_eq!(error.what, what, "{bytes:?} at {at}: {error}");
    }
}

/// If the header of an attribute puts its name outside the attribute, it must not count as unnamed.
#[test]
fn a_name_outside_its_attribute_is_corruption() {
    let third = 56 + 96 + 72;
    let cases: [(usize, &[u8]); 5] = [
        (third + 10, &[0, 2]),
        (third + 10, &[0xFF, 0xFF]),
        (third + 10, &[8, 0]),
        (third + 9, &[0xFF]),
        (third + 9, &[20, 40]),
    ];
    for (at, bytes) in cases {
        let mut builder = record();
        builder.bytes_mut()[at..at + bytes.len()].copy_from_slice(bytes);
        let error = parse(&builder).expect_err("refused");
        assert_eq!(error.expected, "a name within it", "{bytes:?} at {at}");
        let used = &builder.bytes_mut()[..];
        let forged = Attribute::at(used, AttributeAt(third));
        assert!(forged.is_none_or(|it| it.has_name() && it.name().count() > 0));
    }
}

#[test]
fn every_changed_byte_gives_a_record_that_can_be_walked_or_an_error() {
    let record = record();
    for at in 0..record.clone().bytes_mut().len() {
        for value in [0, 1, 0x7F, 0x80, 0xFF] {
            let mut builder = record.clone();
            builder.bytes_mut()[at] = value;
            let Ok(mut found) = parse(&builder) else {
                continue;
            };
            for attribute in found.attributes() {
                attribute.name().count();
                attribute.resident();
                attribute.mapping_pairs();
            }
            let places: Vec<_> = found.attributes().map(|a| a.place()).collect();
            for place in places {
                let _ = found.set_mapping_pairs(place, &[0; 40], 5);
                let _ = found.set_value_len(place, 3);
            }
            let _ = found.add_resident(0xB0, "new", 8);
            let _ = found.add_non_resident(0xA0, "new", 8);
            found.attributes().count();
        }
    }
}
