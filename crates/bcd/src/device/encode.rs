//! Encodes devices as Windows does, for those with a completely known layout.

use diskmend_base::Guid;

use super::{
    Device, HEADER_LEN, LOCAL_HARD_DISK, LOCATE_ELEMENT, LOCATE_HEADER_LEN, Located, OPTIONS_LEN,
    Partition, STYLE_GPT, STYLE_MBR, TYPE_BOOT, TYPE_LOCATE, TYPE_PARTITION, Target,
};

/// The length in bytes of the data of a descriptor without a path.
const BODY_LEN: usize = 56;

impl Device {
    /// The bytes of the element; `None` for files and for unknown devices.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let (device_type, body) = match &self.target {
            Target::Boot => (TYPE_BOOT, vec![0; BODY_LEN]),
            Target::Partition(partition) => (TYPE_PARTITION, partition_body(partition)),
            Target::Locate {
                path: Located::Element(id),
                parent: None,
            } => {
                let mut body = Vec::with_capacity(LOCATE_HEADER_LEN + 2);
                body.extend(LOCATE_ELEMENT.to_le_bytes());
                body.extend(id.0.to_le_bytes());
                // No parent, then an empty path with its terminator.
                body.extend([0; 6]);
                (TYPE_LOCATE, body)
            }
            _ => return None,
        };
        let len = u32::try_from(HEADER_LEN.checked_add(body.len())?).ok()?;
        let mut data = Vec::with_capacity(OPTIONS_LEN + HEADER_LEN + body.len());
        data.extend(self.options.unwrap_or(Guid::NIL).0);
        data.extend(device_type.to_le_bytes());
        data.extend([0; 4]);
        data.extend(len.to_le_bytes());
        data.extend([0; 4]);
        data.extend(body);
        Some(data)
    }
}

fn partition_body(partition: &Partition) -> Vec<u8> {
    let mut body = Vec::with_capacity(BODY_LEN);
    match partition {
        Partition::Gpt { disk, partition } => {
            body.extend(partition.0);
            body.extend(LOCAL_HARD_DISK.to_le_bytes());
            body.extend(STYLE_GPT.to_le_bytes());
            body.extend(disk.0);
        }
        Partition::Mbr { signature, offset } => {
            body.extend(offset.to_le_bytes());
            body.extend([0; 8]);
            body.extend(LOCAL_HARD_DISK.to_le_bytes());
            body.extend(STYLE_MBR.to_le_bytes());
            body.extend(signature.to_le_bytes());
        }
    }
    body.resize(BODY_LEN, 0);
    body
}
