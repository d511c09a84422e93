//! The two headers of a VHDX: which one is current, and how they are changed (MS-VHDX 2.2.2).

use std::ops::Range;

use diskmend_base::Guid;
use zerocopy::{FromBytes, IntoBytes};

use super::format::{Header, LOG_SECTOR, MIB, checksum};
use crate::container::error::ContainerError;
use crate::container::notice::Notice;
use crate::device::Medium;

/// The current header and its position.
#[derive(Clone, Debug)]
pub(super) struct Current {
    header: Header,
    /// Which of the two headers it is.
    slot: Slot,
}

/// Which of the two headers.
#[derive(Clone, Copy, Debug)]
enum Slot {
    First,
    Second,
}

/// Reads both headers and chooses the current one.
pub(super) fn read(medium: &dyn Medium) -> Result<(Current, Option<Notice>), ContainerError> {
    let [first, second] = Header::OFFSETS;
    let (current, notice) = match (read_one(medium, first)?, read_one(medium, second)?) {
        (Ok(header), Err(error)) => (
            Current {
                header,
                slot: Slot::First,
            },
            Some(error),
        ),
        (Err(error), Ok(header)) => (
            Current {
                header,
                slot: Slot::Second,
            },
            Some(error),
        ),
        (Err(error), Err(_)) => return Err(error),
        (Ok(one), Ok(other)) => (newer(one, other)?, None),
    };
    current.check(medium.len())?;
    let notice = notice.map(|error| Notice::HeaderDamaged(error.to_string()));
    Ok((current, notice))
}

fn newer(one: Header, other: Header) -> Result<Current, ContainerError> {
    let numbers = (one.sequence_number.get(), other.sequence_number.get());
    if numbers.0 > numbers.1 || one.as_bytes() == other.as_bytes() {
        return Ok(Current {
            header: one,
            slot: Slot::First,
        });
    }
    if numbers.0 < numbers.1 {
        return Ok(Current {
            header: other,
            slot: Slot::Second,
        });
    }
    let [_, at] = Header::OFFSETS;
    Err(ContainerError::corrupt(
        "the sequence number of the second VHDX header",
        at.saturating_add(8),
        "one that differs from that of the first header, as the headers do",
        numbers.1,
    ))
}

/// The header at `at`; the inner error says that it is not valid.
fn read_one(
    medium: &dyn Medium,
    at: u64,
) -> Result<Result<Header, ContainerError>, ContainerError> {
    let mut raw = [0; size_of::<Header>()];
    medium.read_exact_at(&mut raw, at)?;
    Ok(parse(&raw, at))
}

fn parse(raw: &[u8; 4096], at: u64) -> Result<Header, ContainerError> {
    let header =
        Header::read_from_bytes(raw).map_err(|_| ContainerError::TooShort { len: 4096 })?;
    if header.signature != Header::SIGNATURE {
        return Err(ContainerError::corrupt(
            "the VHDX header",
            at,
            "the signature \"head\"",
            format_args!("\"{}\"", header.signature.escape_ascii()),
        ));
    }
    let expected = checksum(raw);
    if header.checksum.get() != expected {
        return Err(ContainerError::corrupt(
            "the checksum of the VHDX header",
            at.saturating_add(4),
            format_args!("{expected:#010x}"),
            format_args!("{:#010x}", header.checksum.get()),
        ));
    }
    Ok(header)
}

impl Slot {
    const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    const fn offset(self) -> u64 {
        let [first, second] = Header::OFFSETS;
        match self {
            Self::First => first,
            Self::Second => second,
        }
    }
}

impl Current {
    fn at(&self, field: u64) -> u64 {
        self.slot.offset().saturating_add(field)
    }

    fn check(&self, len: u64) -> Result<(), ContainerError> {
        let header = &self.header;
        if header.version.get() != Header::VERSION {
            return Err(ContainerError::unsupported(
                "the version of the VHDX header",
                self.at(66),
                header.version.get(),
            ));
        }
        if header.log_guid != Guid::NIL && header.log_version.get() != 0 {
            return Err(ContainerError::unsupported(
                "the version of the log in the VHDX header",
                self.at(64),
                format_args!("{} in a log that is not empty", header.log_version.get()),
            ));
        }
        let log = self.log();
        if !log.start.is_multiple_of(MIB) || log.start < MIB || log.end > len {
            return Err(ContainerError::corrupt(
                "the log offset of the VHDX header",
                self.at(72),
                format_args!("a multiple of 1 MiB, at least that, and the log within {len} bytes"),
                log.start,
            ));
        }
        let log_length = u64::from(header.log_length.get());
        let in_use = header.log_guid != Guid::NIL;
        if !log_length.is_multiple_of(MIB) || (in_use && log_length < LOG_SECTOR) {
            return Err(ContainerError::corrupt(
                "the log length of the VHDX header",
                self.at(68),
                "a multiple of 1 MiB, not zero while the log is in use",
                log_length,
            ));
        }
        Ok(())
    }

    /// The position of the log in the file.
    pub(super) fn log(&self) -> Range<u64> {
        let start = self.header.log_offset.get();
        start..start.saturating_add(self.header.log_length.get().into())
    }

    /// The identifier of the valid log entries; `None` if there are none.
    pub(super) fn log_guid(&self) -> Option<Guid> {
        self.header.log_guid.non_nil()
    }

    /// Records in both headers, one after the other, that the file and the disk change from here
    /// on.
    pub(super) fn begin_writing(&mut self, medium: &dyn Medium) -> Result<(), ContainerError> {
        let mut header = self.header.clone();
        header.file_write_guid = Guid::random();
        header.data_write_guid = Guid::random();
        self.update(medium, &header)
    }

    /// Records in both headers that the log is empty.
    pub(super) fn clear_log(&mut self, medium: &dyn Medium) -> Result<(), ContainerError> {
        let mut header = self.header.clone();
        header.log_guid = Guid::NIL;
        self.update(medium, &header)
    }

    /// Overwrites the header that is not current with `header`, then the other (MS-VHDX 2.2.2.1).
    fn update(&mut self, medium: &dyn Medium, header: &Header) -> Result<(), ContainerError> {
        for _ in Header::OFFSETS {
            let mut next = Current {
                header: header.clone(),
                slot: self.slot.other(),
            };
            let number = self.header.sequence_number.get();
            let number = number.checked_add(1).ok_or_else(|| {
                ContainerError::corrupt(
                    "the sequence number of the VHDX header",
                    self.at(8),
                    "one that can be raised",
                    number,
                )
            })?;
            next.header.sequence_number = number.into();
            next.header.checksum = checksum(next.header.as_bytes()).into();
            medium.write_all_at(next.header.as_bytes(), next.at(0))?;
            medium.sync()?;
            *self = next;
        }
        Ok(())
    }
}
