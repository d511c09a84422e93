//! What records do (Linux-NTFS, $LogFile, operations).

use std::fmt;

/// The operation of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation(u16);

/// The names of the operations, by their numbers.
const NAMES: [&str; 0x26] = [
    "Noop",
    "CompensationLogRecord",
    "InitializeFileRecordSegment",
    "DeallocateFileRecordSegment",
    "WriteEndOfFileRecordSegment",
    "CreateAttribute",
    "DeleteAttribute",
    "UpdateResidentValue",
    "UpdateNonresidentValue",
    "UpdateMappingPairs",
    "DeleteDirtyClusters",
    "SetNewAttributeSizes",
    "AddIndexEntryRoot",
    "DeleteIndexEntryRoot",
    "AddIndexEntryAllocation",
    "DeleteIndexEntryAllocation",
    "WriteEndOfIndexBuffer",
    "SetIndexEntryVcnRoot",
    "SetIndexEntryVcnAllocation",
    "UpdateFileNameRoot",
    "UpdateFileNameAllocation",
    "SetBitsInNonresidentBitMap",
    "ClearBitsInNonresidentBitMap",
    "HotFix",
    "EndTopLevelAction",
    "PrepareTransaction",
    "CommitTransaction",
    "ForgetTransaction",
    "OpenNonresidentAttribute",
    "OpenAttributeTableDump",
    "AttributeNamesDump",
    "DirtyPageTableDump",
    "TransactionTableDump",
    "UpdateRecordDataRoot",
    "UpdateRecordDataAllocation",
    "UpdateRelativeDataInIndex",
    "UpdateRelativeDataInIndex2",
    "ZeroEndOfFileRecord",
];

impl Operation {
    pub(super) const HOT_FIX: Self = Self(0x17);
    pub(super) const COMMIT_TRANSACTION: Self = Self(0x1A);
    pub(super) const FORGET_TRANSACTION: Self = Self(0x1B);
    pub(super) const OPEN_ATTRIBUTE: Self = Self(0x1C);

    /// True for the records of a checkpoint and of open attributes, which belong to no transaction.
    pub(super) fn is_of_checkpoint(self) -> bool {
        (0x1C..=0x20).contains(&self.0)
    }

    /// True if it changes nothing but the tables of the journal.
    pub(super) fn changes_nothing(self) -> bool {
        matches!(self.0, 0x00 | 0x01 | 0x0A | 0x18..=0x20)
    }

    /// True if it changes a single FILE record.
    pub(super) fn changes_record(self) -> bool {
        matches!(
            self.0,
            0x02..=0x07 | 0x09 | 0x0B..=0x0D | 0x11 | 0x13 | 0x21 | 0x23 | 0x25
        )
    }

    /// True if it sets or clears bits.
    pub(super) fn changes_bits(self) -> bool {
        matches!(self.0, 0x15 | 0x16)
    }

    /// The operation with a number, if it is known.
    pub(super) fn known(number: u16) -> Option<Self> {
        let operation = Self(number);
        NAMES.get(usize::from(number)).map(|_| operation)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(usize::from(self.0)) {
            Some(name) => f.write_str(name),
            None => write!(f, "operation {:#x}", self.0),
        }
    }
}
