//! The metadata of a VHDX: sizes, and the parent of a differencing disk (MS-VHDX 2.6).

use std::num::NonZeroU64;
use std::ops::Range;

use diskmend_base::Guid;
use diskmend_base::bytes;
use diskmend_base::utf16;

use super::format::{
    FileParameters, MIB, MetadataTableEntry, MetadataTableHeader, ParentLocatorEntry,
    ParentLocatorHeader,
};
use crate::container::error::ContainerError;
use crate::container::pieces::shown;
use crate::device::Device;

/// The largest virtual disk.
const MAX_DISK: u64 = 64 << 40;
/// The smallest offset of items, from the start of the region.
const ITEMS_AT: u32 = 64 << 10;
/// The maximum length of an item.
const MAX_ITEM: u32 = 1 << 20;
/// The maximum length of a parent locator that is read for the message.
const MAX_LOCATOR: usize = 64 << 10;

/// Properties of the virtual disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metadata {
    /// Size in bytes.
    pub(super) disk_size: u64,
    /// Bytes in a block.
    pub(super) block_size: NonZeroU64,
    /// Bytes in a logical sector: 512 or 4096.
    pub(super) logical_sector_size: u32,
}

/// Reads the needed items, and refuses unknown required ones.
pub(super) fn read(file: &dyn Device, region: &Range<u64>) -> Result<Metadata, ContainerError> {
    let items = Items::read(file, region)?;
    let (raw, at) = items.fixed::<8>(
        MetadataTableEntry::FILE_PARAMETERS,
        "the file parameters of the VHDX",
    )?;
    let parameters: FileParameters = zerocopy::transmute!(raw);
    if parameters.flags.get() & FileParameters::HAS_PARENT != 0 {
        return Err(ContainerError::Differencing {
            format: "VHDX",
            parent: items.parent(),
        });
    }
    let block_size = NonZeroU64::new(parameters.block_size.get().into())
        .filter(|size| size.is_power_of_two() && (MIB..=256 * MIB).contains(&size.get()))
        .ok_or_else(|| {
            ContainerError::corrupt(
                "the block size of the VHDX",
                at,
                "a power of two from 1 MiB to 256 MiB",
                parameters.block_size.get(),
            )
        })?;
    let logical_sector_size = items.sector_size(
        MetadataTableEntry::LOGICAL_SECTOR_SIZE,
        "the logical sector size of the VHDX",
    )?;
    items.sector_size(
        MetadataTableEntry::PHYSICAL_SECTOR_SIZE,
        "the physical sector size of the VHDX",
    )?;
    items.fixed::<16>(
        MetadataTableEntry::VIRTUAL_DISK_ID,
        "the disk id of the VHDX",
    )?;
    let (raw, at) = items.fixed::<8>(
        MetadataTableEntry::VIRTUAL_DISK_SIZE,
        "the virtual disk size of the VHDX",
    )?;
    let disk_size = u64::from_le_bytes(raw);
    if disk_size > MAX_DISK || !disk_size.is_multiple_of(logical_sector_size.into()) {
        return Err(ContainerError::corrupt(
            "the virtual disk size of the VHDX",
            at,
            format_args!("a multiple of {logical_sector_size}, at most 64 TiB"),
            disk_size,
        ));
    }
    Ok(Metadata {
        disk_size,
        block_size,
        logical_sector_size,
    })
}

/// The table.
struct Items<'a> {
    file: &'a dyn Device,
    start: u64,
    entries: Vec<MetadataTableEntry>,
}

impl<'a> Items<'a> {
    fn read(file: &'a dyn Device, region: &Range<u64>) -> Result<Self, ContainerError> {
        let start = region.start;
        let mut table = vec![0; MetadataTableHeader::TABLE_LEN];
        file.read_exact_at(&mut table, start)?;
        let header: &MetadataTableHeader =
            bytes::view(&table, 0).ok_or(ContainerError::TooShort { len: 0 })?;
        if header.signature != MetadataTableHeader::SIGNATURE {
            return Err(ContainerError::corrupt(
                "the VHDX metadata table",
                start,
                "the signature \"metadata\"",
                format_args!("\"{}\"", header.signature.escape_ascii()),
            ));
        }
        let count = header.entry_count.get();
        if count > MetadataTableHeader::MAX_ENTRIES {
            return Err(ContainerError::corrupt(
                "the entry count of the VHDX metadata table",
                start.saturating_add(10),
                format_args!("at most {}", MetadataTableHeader::MAX_ENTRIES),
                count,
            ));
        }
        let mut items = Self {
            file,
            start,
            entries: Vec::new(),
        };
        let region_len = region.end.saturating_sub(start);
        for index in 1..=usize::from(count) {
            let at = index.saturating_mul(size_of::<MetadataTableEntry>());
            if let Some(entry) = bytes::view::<MetadataTableEntry>(&table, at) {
                check(entry, start.saturating_add(at as u64), region_len)?;
                items.entries.push(entry.clone());
            }
        }
        Ok(items)
    }

    /// The only system entry for `id`.
    fn find(&self, id: Guid, what: &'static str) -> Result<&MetadataTableEntry, ContainerError> {
        let mut found = self.entries.iter().filter(|entry| {
            entry.item_id == id && entry.flags.get() & MetadataTableEntry::IS_USER == 0
        });
        match (found.next(), found.next()) {
            (Some(entry), None) => Ok(entry),
            (first, _) => {
                let found = if first.is_some() { "several" } else { "none" };
                Err(ContainerError::corrupt(
                    what,
                    self.start,
                    "one metadata item",
                    found,
                ))
            }
        }
    }

    /// An item of `N` bytes, and its offset in the file.
    fn fixed<const N: usize>(
        &self,
        id: Guid,
        what: &'static str,
    ) -> Result<([u8; N], u64), ContainerError> {
        let entry = self.find(id, what)?;
        let at = self.start.saturating_add(entry.offset.get().into());
        if usize::try_from(entry.length.get()).ok() != Some(N) {
            let found = format_args!("{} bytes", entry.length.get()).to_string();
            let expected = format_args!("{N} bytes").to_string();
            return Err(ContainerError::corrupt(what, at, expected, found));
        }
        let mut item = [0; N];
        self.file.read_exact_at(&mut item, at)?;
        Ok((item, at))
    }

    fn sector_size(&self, id: Guid, what: &'static str) -> Result<u32, ContainerError> {
        let (raw, at) = self.fixed::<4>(id, what)?;
        let size = u32::from_le_bytes(raw);
        if size != 512 && size != 4096 {
            return Err(ContainerError::corrupt(what, at, "512 or 4096", size));
        }
        Ok(size)
    }

    /// The parent, for a message.
    fn parent(&self) -> String {
        self.parent_path().map_or_else(
            || "that it does not name".to_owned(),
            |path| format!("\"{path}\""),
        )
    }

    fn parent_path(&self) -> Option<String> {
        let entry = self.find(MetadataTableEntry::PARENT_LOCATOR, "").ok()?;
        let len = usize::try_from(entry.length.get()).ok()?.min(MAX_LOCATOR);
        let mut item = vec![0; len];
        let at = self.start.checked_add(entry.offset.get().into())?;
        self.file.read_exact_at(&mut item, at).ok()?;
        let header: &ParentLocatorHeader = bytes::view(&item, 0)?;
        let string = |at: u32, len: u16| {
            let raw = bytes::slice(&item, usize::try_from(at).ok()?, len.into())?;
            Some(shown(utf16::whole_units(raw)))
        };
        let pairs: Vec<(String, String)> = (0..usize::from(header.key_value_count.get()))
            .map_while(|index| {
                let at = index
                    .checked_mul(size_of::<ParentLocatorEntry>())?
                    .checked_add(size_of::<ParentLocatorHeader>())?;
                bytes::view::<ParentLocatorEntry>(&item, at)
            })
            .filter_map(|entry| {
                let key = string(entry.key_offset.get(), entry.key_length.get())?;
                let value = string(entry.value_offset.get(), entry.value_length.get())?;
                Some((key, value))
            })
            .take(16)
            .collect();
        ["absolute_win32_path", "relative_path", "volume_path"]
            .iter()
            .find_map(|key| pairs.iter().find(|pair| pair.0 == *key))
            .map(|pair| pair.1.clone())
    }
}

fn check(entry: &MetadataTableEntry, at: u64, region_len: u64) -> Result<(), ContainerError> {
    let (offset, len) = (entry.offset.get(), entry.length.get());
    let end = u64::from(offset).saturating_add(len.into());
    let empty = offset == 0 && len == 0;
    if !empty && (offset < ITEMS_AT || len == 0 || len > MAX_ITEM || end > region_len) {
        return Err(ContainerError::corrupt(
            "an entry of the VHDX metadata table",
            at,
            format_args!("an item of at most 1 MiB from {ITEMS_AT} to {region_len}"),
            format_args!("offset {offset}, length {len}"),
        ));
    }
    let system = entry.flags.get() & MetadataTableEntry::IS_USER == 0;
    let known = system
        && [
            MetadataTableEntry::FILE_PARAMETERS,
            MetadataTableEntry::VIRTUAL_DISK_SIZE,
            MetadataTableEntry::VIRTUAL_DISK_ID,
            MetadataTableEntry::LOGICAL_SECTOR_SIZE,
            MetadataTableEntry::PHYSICAL_SECTOR_SIZE,
            MetadataTableEntry::PARENT_LOCATOR,
        ]
        .contains(&entry.item_id);
    if !known && entry.flags.get() & MetadataTableEntry::IS_REQUIRED != 0 {
        return Err(ContainerError::unsupported(
            "a required metadata item of the VHDX",
            at,
            entry.item_id,
        ));
    }
    Ok(())
}
