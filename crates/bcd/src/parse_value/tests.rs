use super::*;
use crate::testing::{create, empty, guid, set, store};
use crate::well_known::{BOOTMGR, EMSSETTINGS};

#[test]
fn values_are_read_as_bcdedit_reads_them() {
    let mut editor = empty();
    create(&mut editor, BOOTMGR, ObjectType::BOOT_MANAGER);
    set(
        &mut editor,
        BOOTMGR,
        ElementId::DEFAULT,
        ElementValue::Object(guid(1)),
    );
    let store = store(&editor);
    let read = |id: u32, text: &str| {
        parse_value(&store, ElementId(id), ObjectType::LOADER, text).map_err(|e| e.to_string())
    };
    assert_eq!(read(0x2600_00b0, "ON"), Ok(ElementValue::Boolean(true)));
    assert_eq!(read(0x2600_00b0, "no"), Ok(ElementValue::Boolean(false)));
    assert_eq!(
        read(0x1500_0023, "115200"),
        Ok(ElementValue::Integer(115_200))
    );
    assert_eq!(
        read(0x1500_0023, "0x1C200"),
        Ok(ElementValue::Integer(115_200))
    );
    assert_eq!(read(0x2500_0080, "dsrepair"), Ok(ElementValue::Integer(2)));
    assert_eq!(
        read(0x2500_00e0, "IgnoreAllFailures"),
        Ok(ElementValue::Integer(1))
    );
    assert_eq!(read(0x1500_0011, "1394"), Ok(ElementValue::Integer(1)));
    assert_eq!(
        read(0x1500_001a, "192.168.1.1"),
        Ok(ElementValue::Integer(0xc0a8_0101))
    );
    assert_eq!(
        read(0x2300_0003, "{default}"),
        Ok(ElementValue::Object(guid(1)))
    );
    assert_eq!(
        read(
            0x1400_0006,
            "{EMSSETTINGS} {9DEA862C-5cdd-4e70-acc1-f32b344d4795}"
        ),
        Ok(ElementValue::ObjectList(vec![EMSSETTINGS, BOOTMGR]))
    );
    assert_eq!(
        read(0x1700_0077, "0x15000075, 2"),
        Ok(ElementValue::IntegerList(vec![0x1500_0075, 2]))
    );
    assert_eq!(
        read(0x1200_0004, " a b "),
        Ok(ElementValue::String(" a b ".into()))
    );
}

#[test]
fn devices_are_read_as_they_are_shown() {
    let editor = empty();
    let store = store(&editor);
    for text in [
        "boot",
        "mbr disk 0xddba6bbb offset 0x100000",
        "gpt disk {00000001-0002-0003-0404-040404040404} partition {00000005-0002-0003-0404-040404040404}",
        "locate=custom:12000002",
    ] {
        let value = parse_value(&store, ElementId::OS_DEVICE, ObjectType::LOADER, text).unwrap();
        let ElementValue::Device(data) = value else {
            panic!("{value:?}");
        };
        assert_eq!(Device::decode(&data).unwrap().to_string(), text);
        let hex = format!("hex:{}", hex::encode(&data));
        let again = parse_value(&store, ElementId::OS_DEVICE, ObjectType::LOADER, &hex).unwrap();
        assert_eq!(again, ElementValue::Device(data));
    }
}

#[test]
fn a_wrong_value_is_refused_with_what_is_expected() {
    let editor = empty();
    let store = store(&editor);
    let refused = |id: u32, text: &str| {
        parse_value(&store, ElementId(id), ObjectType::LOADER, text)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(0x2600_00b0, "maybe"),
        "\"maybe\" for element 260000b0, which takes a value of type boolean: expected yes or no"
    );
    assert!(refused(0x2500_0080, "none").ends_with("Minimal, Network, DsRepair, or a number"));
    assert!(refused(0x2500_0004, "-1").contains("expected a number"));
    assert!(refused(0x2500_0004, "+1").contains("expected a number"));
    assert!(refused(0x2500_0004, "18446744073709551616").contains("expected a number"));
    assert!(refused(0x2300_0003, "{nobody}").contains("GUID in braces"));
    assert!(refused(0x2300_0003, "{default}").contains("GUID in braces"));
    assert!(refused(0x2100_0001, "partition=C:").contains("mbr disk"));
    assert!(refused(0x2100_0001, "hex:00").contains("mbr disk"));
    assert!(refused(0x2800_0001, "1").contains("can't be typed"));
}
