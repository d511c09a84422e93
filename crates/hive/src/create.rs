//! A new, empty hive: a root key without subkeys or values.

use zerocopy::{FromBytes, IntoBytes};

use crate::base_block::MINOR_VERSIONS;
use crate::error::Corruption;
use crate::format::{BaseBlock, HiveBin, KeyNode, KeySecurity};
use crate::hive::Hive;
use crate::image::Image;
use crate::offset::{BASE_BLOCK_LEN, CellOffset, FileOffset, PAGE_LEN};
use crate::time::Filetime;

const ROOT_NAME: &[u8] = b"ROOT";
const ROOT_CELL: usize = HiveBin::LEN;
const ROOT_CELL_LEN: usize = (4 + KeyNode::LEN + ROOT_NAME.len()).next_multiple_of(8);
const SECURITY_CELL: usize = ROOT_CELL + ROOT_CELL_LEN;

impl Hive {
    /// Creates an empty hive of the given minor version. `descriptor` is the self-relative security
    /// descriptor (MS-DTYP 2.4.6) of the root key; keys that are created below share it.
    ///
    /// # Errors
    /// If the minor version is not 3 to 6 or the descriptor does not fit one page.
    pub fn create(minor: u32, descriptor: &[u8], now: Filetime) -> Result<Self, Corruption> {
        let mut file = vec![0; BASE_BLOCK_LEN + PAGE_LEN];
        let mut put = |at: usize, bytes: &[u8]| {
            file.get_mut(at..at + bytes.len())
                .map(|place| place.copy_from_slice(bytes))
        };
        let refused = |what, expected: &'static str, actual: usize| {
            Corruption::new(what, FileOffset(0), expected, actual.to_string())
        };
        if !MINOR_VERSIONS.contains(&minor) {
            return Err(refused("minor version", "3 to 6", minor as usize));
        }
        let security_len = (4 + KeySecurity::LEN + descriptor.len()).next_multiple_of(8);
        let free = SECURITY_CELL + security_len;
        if free + 8 > PAGE_LEN {
            return Err(refused(
                "security descriptor length",
                "a descriptor that fits one page",
                descriptor.len(),
            ));
        }
        let parts = [
            put(0, &base_block(minor, now)?),
            put(BASE_BLOCK_LEN, bin_header(now).as_bytes()),
            put(
                BASE_BLOCK_LEN + ROOT_CELL,
                &cell(ROOT_CELL_LEN, &[root(now).as_bytes(), ROOT_NAME]),
            ),
            put(
                BASE_BLOCK_LEN + SECURITY_CELL,
                &cell(
                    security_len,
                    &[security(descriptor.len()).as_bytes(), descriptor],
                ),
            ),
            put(
                BASE_BLOCK_LEN + free,
                &((PAGE_LEN - free) as i32).to_le_bytes(),
            ),
        ];
        let image = if parts.iter().all(Option::is_some) {
            Image::new(Box::new(file), PAGE_LEN).ok()
        } else {
            None
        };
        let mut image = image.ok_or_else(|| refused("new hive", "two pages", descriptor.len()))?;
        // Everything is new: a commit has to write every page.
        let _ = image.zero(PAGE_LEN - 1, 1);
        Ok(Self { image })
    }
}

fn cell(len: usize, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = (-(len as i32)).to_le_bytes().to_vec();
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes.resize(len, 0);
    bytes
}

fn base_block(minor: u32, now: Filetime) -> Result<Vec<u8>, Corruption> {
    let mut bytes = vec![0; BASE_BLOCK_LEN];
    let base = BaseBlock::mut_from_bytes(&mut bytes)
        .map_err(|_| Corruption::new("base block", FileOffset(0), "4096 bytes", "fewer"))?;
    base.signature = BaseBlock::SIGNATURE;
    base.primary_sequence = 1.into();
    base.secondary_sequence = 1.into();
    base.last_written = now.0.into();
    base.major_version = 1.into();
    base.minor_version = minor.into();
    base.file_format = 1.into();
    base.root_cell = (ROOT_CELL as u32).into();
    base.bins_len = (PAGE_LEN as u32).into();
    base.clustering_factor = 1.into();
    base.seal();
    Ok(bytes)
}

fn bin_header(now: Filetime) -> HiveBin {
    HiveBin {
        signature: HiveBin::SIGNATURE,
        offset: 0.into(),
        size: (PAGE_LEN as u32).into(),
        reserved: [0; 8],
        timestamp: now.0.into(),
        spare: 0.into(),
    }
}

fn root(now: Filetime) -> KeyNode {
    let nil = CellOffset::NIL.get();
    KeyNode {
        signature: KeyNode::SIGNATURE,
        flags: (KeyNode::FLAG_HIVE_ENTRY | KeyNode::FLAG_NO_DELETE | KeyNode::FLAG_COMPRESSED_NAME)
            .into(),
        last_written: now.0.into(),
        access_bits: 0,
        layered: 0,
        reserved: [0; 2],
        parent: nil.into(),
        subkey_count: 0.into(),
        volatile_subkey_count: 0.into(),
        subkey_list: nil.into(),
        volatile_subkey_list: nil.into(),
        value_count: 0.into(),
        value_list: nil.into(),
        security: (SECURITY_CELL as u32).into(),
        class: nil.into(),
        max_subkey_name_len: 0.into(),
        user_flags: 0,
        debug: 0,
        max_class_len: 0.into(),
        max_value_name_len: 0.into(),
        max_value_data_len: 0.into(),
        work_var: 0.into(),
        name_len: (ROOT_NAME.len() as u16).into(),
        class_len: 0.into(),
    }
}

fn security(descriptor_len: usize) -> KeySecurity {
    KeySecurity {
        signature: KeySecurity::SIGNATURE,
        reserved: 0.into(),
        flink: (SECURITY_CELL as u32).into(),
        blink: (SECURITY_CELL as u32).into(),
        reference_count: 1.into(),
        descriptor_len: (descriptor_len as u32).into(),
    }
}
