//! Recognizes the format of a file by its first and last bytes; its name does not matter.
//!
//! Signatures: MS-VHDX 2.2.1; VHD Image Format Specification, Hard Disk Footer Format; the
//! documents of the other formats.

use diskmend_base::bytes;

use super::error::ContainerError;

/// The kinds of files that can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No signature: the file is the disk.
    Raw,
    /// A VHD of any type.
    Vhd,
    /// A VHDX.
    Vhdx,
}

/// Cookie of the footer of a VHD.
pub(super) const VHD: &[u8] = b"conectix";
/// Signature of the file type identifier of a VHDX.
pub(super) const VHDX: &[u8] = b"vhdxfile";
/// The length of the footer that Virtual PC wrote before 2004.
const OLD_FOOTER_LEN: usize = 511;
/// The number of bytes at the end that are examined.
pub(super) const TAIL_LEN: usize = 512;
/// The number of bytes at the start that are examined.
pub(super) const HEAD_LEN: usize = 1024;

/// Containers of other formats: offset of the signature, signature, name.
const FOREIGN: &[(usize, &[u8], &str)] = &[
    (0, b"QFI\xfb", "a qcow2 image"),
    (0, b"QED\0", "a QED image"),
    (0, b"KDMV", "a VMDK image"),
    (0, b"COWD", "a VMDK image"),
    (
        0,
        b"# Disk DescriptorFile",
        "the descriptor of a VMDK image",
    ),
    (64, &[0x7f, 0x10, 0xda, 0xbe], "a VDI image"),
    (0, b"WithoutFreeSpace", "a Parallels image"),
    (0, b"WithouFreSpacExt", "a Parallels image"),
];

/// Compressed, archived and encrypted files.
const PACKED: &[(usize, &[u8], &str)] = &[
    (0, &[0x1f, 0x8b, 8], "compressed with gzip"),
    (0, b"\xfd7zXZ\0", "compressed with xz"),
    (0, &[0x28, 0xb5, 0x2f, 0xfd], "compressed with zstd"),
    (0, &[0x04, 0x22, 0x4d, 0x18], "compressed with lz4"),
    (4, b"1AY&SY", "compressed with bzip2"),
    (0, b"LZIP", "compressed with lzip"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a rar archive"),
    (0, b"MSWIM\0\0\0", "a WIM archive"),
    (0, b"EVF\x09\x0d\x0a\xff\0", "an EnCase image"),
    (0, b"EVF2\x0d\x0a\x81\0", "an EnCase image"),
    (0, b"AFF10\x0d\x0a\0", "an AFF image"),
    (0, b"LUKS\xba\xbe", "encrypted with LUKS"),
];

/// Recognizes the kind by the first bytes (up to [`HEAD_LEN`]) and the last [`TAIL_LEN`].
///
/// The footer of a VHD has priority over the signatures of other kinds, because the first bytes of
/// a fixed VHD belong to the virtual disk. The first bytes of a VHDX do not belong to its disk, but
/// its last bytes may.
pub(super) fn kind(head: &[u8], tail: &[u8], len: u64) -> Result<Kind, ContainerError> {
    let footer = tail.starts_with(VHD);
    if head.starts_with(VHDX) {
        return if footer {
            Err(ContainerError::Ambiguous)
        } else {
            Ok(Kind::Vhdx)
        };
    }
    if footer || head.starts_with(VHD) {
        return Ok(Kind::Vhd);
    }
    let old = tail.len().checked_sub(OLD_FOOTER_LEN);
    if old.is_some_and(|at| matches(tail, at, VHD)) {
        return Err(ContainerError::unsupported(
            "the VHD footer",
            len.saturating_sub(OLD_FOOTER_LEN as u64),
            "it has 511 bytes, as Virtual PC wrote it before 2004; convert the disk first, with \
             `qemu-img convert -f vpc -O raw IN OUT`",
        ));
    }
    if matches(head, TAIL_LEN, b"cxsparse") {
        return Err(ContainerError::corrupt(
            "the VHD footer",
            len.saturating_sub(TAIL_LEN as u64),
            "a footer there or its copy at offset 0, as the dynamic disk header is at 512",
            "neither",
        ));
    }
    if let Some(format) = find(FOREIGN, head) {
        return Err(ContainerError::Foreign { format });
    }
    if let Some(format) = find(PACKED, head) {
        return Err(ContainerError::Packed { format });
    }
    if tail.starts_with(b"koly") {
        return Err(ContainerError::Foreign {
            format: "an Apple disk image",
        });
    }
    Ok(Kind::Raw)
}

fn find(table: &[(usize, &[u8], &'static str)], head: &[u8]) -> Option<&'static str> {
    table
        .iter()
        .find(|(at, signature, _)| matches(head, *at, signature))
        .map(|(_, _, name)| *name)
}

fn matches(data: &[u8], at: usize, signature: &[u8]) -> bool {
    bytes::slice(data, at, signature.len()) == Some(signature)
}
