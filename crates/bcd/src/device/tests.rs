use super::*;

const DISK: Guid = Guid::new(1, 2, 3, [4; 8]);
const PART: Guid = Guid::new(5, 6, 7, [8; 8]);

fn encoded(target: Target) -> Vec<u8> {
    let device = Device {
        options: None,
        target,
    };
    device.encode().unwrap()
}

fn gpt() -> Target {
    Target::Partition(Partition::Gpt {
        disk: DISK,
        partition: PART,
    })
}

/// A memory disk as the recovery environment's loader names it.
fn ram_disk(depth: usize) -> Vec<u8> {
    let mut on = encoded(gpt()).split_off(OPTIONS_LEN);
    for _ in 0..depth {
        let mut path = on;
        path.extend(diskmend_base::utf16::encode_terminated("\\x.wim"));
        let mut body = vec![3, 0, 0, 0];
        body.resize(LOCAL_LEN, 0);
        body.extend(1u32.to_le_bytes());
        body.extend(((PATH_HEADER_LEN + path.len()) as u32).to_le_bytes());
        body.extend(5u32.to_le_bytes());
        body.extend(path);
        on = Vec::new();
        on.extend(0u32.to_le_bytes());
        on.extend(1u32.to_le_bytes());
        on.extend(((HEADER_LEN + body.len()) as u32).to_le_bytes());
        on.extend(0u32.to_le_bytes());
        on.extend(body);
    }
    let mut data = DISK.0.to_vec();
    data.extend(on);
    data
}

#[test]
fn a_device_is_read_as_written_and_has_windows_lengths() {
    let mbr = Target::Partition(Partition::Mbr {
        signature: 0xddba_6bbb,
        offset: 0x10_0000,
    });
    let locate = Target::Locate {
        path: Located::Element(ElementId::APPLICATION_PATH),
        parent: None,
    };
    for (target, len) in [(Target::Boot, 88), (gpt(), 88), (mbr, 88), (locate, 46)] {
        let data = encoded(target.clone());
        assert_eq!(data.len(), len);
        let device = Device::decode(&data).unwrap();
        assert_eq!(device.target, target);
        assert_eq!(device.options, None);
    }
}

#[test]
fn a_memory_disk_names_its_file_the_partition_and_the_options() {
    let device = Device::decode(&ram_disk(1)).unwrap();
    assert_eq!(
        device.to_string(),
        format!("ramdisk=[gpt disk {DISK} partition {PART}]\\x.wim,{DISK}")
    );
    assert!(device.is_ram_disk());
    assert_eq!(
        device.partition(),
        Some(Partition::Gpt {
            disk: DISK,
            partition: PART
        })
    );
    assert_eq!(device.encode(), None);
}

#[test]
fn devices_inside_devices_end_somewhere() {
    assert!(Device::decode(&ram_disk(3)).unwrap().partition().is_some());
    let text = Device::decode(&ram_disk(100)).unwrap().to_string();
    assert!(
        text.starts_with("ramdisk=") && text.contains("unknown"),
        "{text}"
    );
}

#[test]
fn every_cut_and_every_wrong_length_is_an_answer_not_a_panic() {
    let whole = ram_disk(2);
    for len in 0..whole.len() {
        let _ = Device::decode(&whole[..len]).map(|device| device.to_string());
    }
    for at in 0..whole.len() {
        for byte in [0, 1, 5, 6, 8, 0x7f, 0xff] {
            let mut data = whole.clone();
            data[at] = byte;
            let _ = Device::decode(&data).map(|device| device.to_string());
        }
    }
}

#[test]
fn a_locate_whose_parent_is_itself_is_unknown() {
    let mut data = encoded(Target::Locate {
        path: Located::Element(ElementId::APPLICATION_PATH),
        parent: None,
    });
    data[OPTIONS_LEN + HEADER_LEN + 8] = 1;
    let device = Device::decode(&data).unwrap();
    assert!(matches!(
        device.target,
        Target::Unknown { device_type: 8, .. }
    ));
}
