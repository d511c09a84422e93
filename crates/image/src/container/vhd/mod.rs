//! VHD (Virtual Hard Disk Image Format Specification 1.0): the footers, and which of them counts.
//!
//! A fixed disk consists of the disk's bytes and a footer. A dynamic disk has the footer at the end
//! and a copy of it at offset 0, so that one of them may be lost.

mod dynamic;
mod fixed;
mod format;
#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

use zerocopy::FromBytes;

use self::format::{DynamicHeader, Footer, SECTOR, checksum};
use super::error::ContainerError;
use super::notice::Notice;
use super::pieces::shown;
use super::signature::VHD;
use crate::device::Medium;

pub(super) use self::dynamic::Dynamic;
pub(super) use self::fixed::Fixed;

/// The type of a VHD.
#[derive(Debug)]
pub(super) enum Vhd {
    /// The disk is everything except the footer.
    Fixed(Box<Fixed>),
    /// The disk is in blocks.
    Dynamic(Box<Dynamic>),
}

/// Opens a VHD. Its cookie was found at one of its ends.
pub(super) fn open(medium: &Arc<dyn Medium>) -> Result<(Vhd, Vec<Notice>), ContainerError> {
    let len = medium.len();
    let end = len.saturating_sub(Footer::LEN);
    let last = read_footer(medium, end)?;
    match last {
        Ok(footer) if footer.disk_type.get() == Footer::TYPE_FIXED => {
            let expected = footer.current_size.get();
            if expected != end {
                return Err(ContainerError::corrupt(
                    "the current size of the VHD footer",
                    end.saturating_add(48),
                    format_args!("{end}, as the file has {len} bytes with the footer"),
                    expected,
                ));
            }
            let disk = Fixed::new(medium.clone(), footer);
            Ok((Vhd::Fixed(Box::new(disk)), Vec::new()))
        }
        Ok(footer) => match read_footer(medium, 0)? {
            Ok(copy) => {
                same(&footer, &copy)?;
                dynamic(medium, footer, true, true, Vec::new())
            }
            Err(error) => {
                let notices = vec![Notice::FooterCopyDamaged(error.to_string())];
                dynamic(medium, footer, true, false, notices)
            }
        },
        Err(error) => match read_footer(medium, 0)? {
            Ok(copy) if copy.disk_type.get() != Footer::TYPE_FIXED => {
                let notices = vec![Notice::FooterDamaged(error.to_string())];
                dynamic(medium, copy, false, true, notices)
            }
            _ => Err(error),
        },
    }
}

fn dynamic(
    medium: &Arc<dyn Medium>,
    footer: Footer,
    last_is_sound: bool,
    first_is_sound: bool,
    notices: Vec<Notice>,
) -> Result<(Vhd, Vec<Notice>), ContainerError> {
    let at = footer.data_offset.get();
    let header = read_header(medium, at)?;
    if footer.disk_type.get() == Footer::TYPE_DIFFERENCING {
        let name = header.parent_unicode_name.iter().map(|unit| unit.get());
        return Err(ContainerError::Differencing {
            format: "VHD",
            parent: format!("\"{}\"", shown(name)),
        });
    }
    let state = dynamic::Footers {
        last_is_sound,
        first_is_sound,
    };
    let disk = Dynamic::new(medium.clone(), footer, &header, state)?;
    Ok((Vhd::Dynamic(Box::new(disk)), notices))
}

/// The footer at `at`; the inner error says that it is not sound.
fn read_footer(
    medium: &Arc<dyn Medium>,
    at: u64,
) -> Result<Result<Footer, ContainerError>, ContainerError> {
    let mut raw = [0; size_of::<Footer>()];
    medium.read_exact_at(&mut raw, at)?;
    Ok(parse_footer(&raw, at))
}

fn parse_footer(raw: &[u8; 512], at: u64) -> Result<Footer, ContainerError> {
    let footer = Footer::read_from_bytes(raw).map_err(|_| ContainerError::TooShort { len: 512 })?;
    if footer.cookie != VHD {
        return Err(ContainerError::corrupt(
            "the VHD footer",
            at,
            "the cookie \"conectix\"",
            format_args!("\"{}\"", footer.cookie.escape_ascii()),
        ));
    }
    let expected = checksum(raw, Footer::CHECKSUM_AT);
    if footer.checksum.get() != expected {
        return Err(ContainerError::corrupt(
            "the checksum of the VHD footer",
            at.saturating_add(Footer::CHECKSUM_AT),
            format_args!("{expected:#010x}"),
            format_args!("{:#010x}", footer.checksum.get()),
        ));
    }
    let version = footer.file_format_version.get();
    if version >> 16 != u32::from(Footer::VERSION) {
        return Err(ContainerError::unsupported(
            "the version of the VHD footer",
            at.saturating_add(12),
            format_args!("{version:#010x}"),
        ));
    }
    let disk_type = footer.disk_type.get();
    match disk_type {
        Footer::TYPE_FIXED | Footer::TYPE_DYNAMIC | Footer::TYPE_DIFFERENCING => {}
        _ => {
            return Err(ContainerError::unsupported(
                "the disk type of the VHD footer",
                at.saturating_add(60),
                disk_type,
            ));
        }
    }
    if !footer.current_size.get().is_multiple_of(SECTOR) {
        return Err(ContainerError::corrupt(
            "the current size of the VHD footer",
            at.saturating_add(48),
            "a multiple of 512",
            footer.current_size.get(),
        ));
    }
    Ok(footer)
}

/// Checks whether two sound footers describe one disk; dates and similar fields may differ.
fn same(footer: &Footer, copy: &Footer) -> Result<(), ContainerError> {
    let id = |footer: &Footer| u128::from_be_bytes(footer.unique_id);
    let pairs = [
        (
            "disk type",
            60,
            footer.disk_type.get().into(),
            copy.disk_type.get().into(),
        ),
        (
            "current size",
            48,
            footer.current_size.get().into(),
            copy.current_size.get().into(),
        ),
        (
            "data offset",
            16,
            footer.data_offset.get().into(),
            copy.data_offset.get().into(),
        ),
        ("unique id", 68, id(footer), id(copy)),
    ];
    for (field, at, expected, found) in pairs {
        if expected != found {
            return Err(ContainerError::corrupt(
                "the copy of the VHD footer",
                at,
                format_args!("the {field} {expected:#x} of the footer at the end"),
                format_args!("{found:#x}"),
            ));
        }
    }
    Ok(())
}

fn read_header(medium: &Arc<dyn Medium>, at: u64) -> Result<DynamicHeader, ContainerError> {
    let end = at.checked_add(DynamicHeader::LEN);
    if at < Footer::LEN || !at.is_multiple_of(SECTOR) || end.is_none_or(|end| end > medium.len()) {
        return Err(ContainerError::corrupt(
            "the data offset of the VHD footer",
            16,
            "a multiple of 512 within the file and after the copy of the footer",
            at,
        ));
    }
    let mut raw = [0; size_of::<DynamicHeader>()];
    medium.read_exact_at(&mut raw, at)?;
    let header =
        DynamicHeader::read_from_bytes(&raw).map_err(|_| ContainerError::TooShort { len: 1024 })?;
    if header.cookie != DynamicHeader::COOKIE {
        return Err(ContainerError::corrupt(
            "the VHD dynamic disk header",
            at,
            "the cookie \"cxsparse\"",
            format_args!("\"{}\"", header.cookie.escape_ascii()),
        ));
    }
    let expected = checksum(&raw, DynamicHeader::CHECKSUM_AT);
    if header.checksum.get() != expected {
        return Err(ContainerError::corrupt(
            "the checksum of the VHD dynamic disk header",
            at.saturating_add(DynamicHeader::CHECKSUM_AT),
            format_args!("{expected:#010x}"),
            format_args!("{:#010x}", header.checksum.get()),
        ));
    }
    let version = header.header_version.get();
    if version >> 16 != u32::from(DynamicHeader::VERSION) {
        return Err(ContainerError::unsupported(
            "the version of the VHD dynamic disk header",
            at.saturating_add(24),
            format_args!("{version:#010x}"),
        ));
    }
    Ok(header)
}
