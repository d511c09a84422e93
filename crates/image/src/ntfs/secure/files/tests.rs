use super::*;
use crate::ntfs::testing::{RecordBuilder, non_resident, resident};

const NEW: SecurityId = SecurityId(0x107);

fn information(len: usize) -> Vec<u8> {
    resident(0x10, "", &vec![1; len])
}

fn parse(builder: &RecordBuilder) -> Record {
    Record::parse(30, 4096, builder.protected()).expect("sound")
}

/// Data that fill the record of `builder` to its end.
fn filling(builder: &RecordBuilder) -> usize {
    parse(builder).free_len() - 24
}

#[test]
fn an_own_descriptor_makes_room_for_an_id_in_a_full_record() {
    let descriptors = [
        resident(0x50, "", &[3; 20]),
        non_resident(0x50, "", 1, &[0x11, 1, 40, 0]),
    ];
    for descriptor in descriptors {
        let builder = RecordBuilder::new(30)
            .attribute(information(48))
            .attribute(resident(0x30, "", &[2; 68]))
            .attribute(descriptor);
        let data = vec![4; filling(&builder)];
        let mut record = parse(&builder.attribute(resident(0x80, "", &data)));
        assert_eq!(record.free_len(), 0);
        check_old(&record).expect("as before NTFS 3.0");
        put(&mut record, NEW).expect("room");
        let protected = record.protected(&[]).expect("sound");
        let record = Record::parse(30, 4096, protected).expect("sound");
        let kinds: Vec<u32> = record.attributes().map(|found| found.kind()).collect();
        assert_eq!(kinds, [0x10, 0x30, 0x80]);
        let value = record.resident(0x10, "").expect("there");
        assert_eq!(value[..48], [1; 48]);
        assert_eq!(value[48..56], [0, 0, 0, 0, 7, 1, 0, 0], "owner, id");
        assert_eq!(value[56..], [0; 16], "quota, change journal");
        assert_eq!(record.resident(0x30, ""), Some(&[2; 68][..]));
        assert_eq!(record.resident(0x80, ""), Some(&*data));
        assert_eq!(id_of(&record), Some(NEW.0));
    }
}

#[test]
fn the_other_fields_beside_the_id_stay() {
    let builder = RecordBuilder::new(30)
        .attribute(information(72))
        .attribute(resident(0x50, "", &[3; 20]));
    let mut record = parse(&builder);
    put(&mut record, NEW).expect("room");
    let value = record.resident(0x10, "").expect("there");
    let expected = [&[1; 52][..], &[7, 1, 0, 0], &[1; 16]].concat();
    assert_eq!(value, expected);
    assert!(own(&record).is_none());
}

#[test]
fn a_full_record_without_a_descriptor_has_no_room_for_an_id() {
    let builder = RecordBuilder::new(30).attribute(information(48));
    let free = filling(&builder);
    for (left, fits) in [(0, false), (16, false), (24, true)] {
        let data = resident(0x80, "", &vec![4; free - left]);
        let mut record = parse(&builder.clone().attribute(data));
        assert_eq!(put(&mut record, NEW).is_some(), fits, "{left} bytes left");
    }
}

#[test]
fn standard_information_of_another_length_is_not_touched() {
    for len in [0, 40, 56, 64] {
        let record = parse(&RecordBuilder::new(30).attribute(information(len)));
        let error = check_old(&record).expect_err("unknown");
        assert_eq!(error.found, len.to_string());
    }
    let elsewhere = non_resident(0x10, "", 1, &[0x11, 1, 40, 0]);
    for builder in [
        RecordBuilder::new(30),
        RecordBuilder::new(30).attribute(elsewhere),
    ] {
        let mut record = parse(&builder);
        check_old(&record).expect_err("not there");
        assert!(put(&mut record, NEW).is_none());
    }
}
