//! The kinds of problems that a check can find, with their codes and severities.

use std::fmt;

/// The severity of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Windows would refuse the hive or not see part of it, or an edit could lose data.
    Error,
    /// Windows tolerates it, and edits are safe.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// Declares [`ProblemKind`] with the code, the severity and the meaning of each kind.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $code:literal, $severity:ident;)+) => {
        /// The kind of a problem, see the table at [`crate::check`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ProblemKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl ProblemKind {
            /// Every kind.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$kind),+];

            /// A short name that never changes, by which scripts distinguish kinds.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$kind => $code,)+
                }
            }

            /// The severity; it is equal for all problems of one kind.
            #[must_use]
            pub(crate) const fn severity(self) -> Severity {
                match self {
                    $(Self::$kind => Severity::$severity,)+
                }
            }
        }
    };
}

kinds! {
    /// A field of the base block.
    BaseBlock = "base-block", Error;
    /// A hive bin without its signature.
    BinSignature = "bin-signature", Error;
    /// A hive bin that states another offset than its own.
    BinOffset = "bin-offset", Error;
    /// A hive bin with a size that is not a multiple of 4096 or reaches past the end of the bins.
    BinSize = "bin-size", Error;
    /// A cell with a size that is 0, not a multiple of 8, or reaches past its bin.
    CellSize = "cell-size", Error;
    /// A cell of more than 1 MiB that something refers to.
    CellTooLong = "cell-too-long", Error;
    /// Two free cells side by side.
    FreeNotCoalesced = "free-not-coalesced", Warning;
    /// A reference to something that is not an allocated cell.
    CellNotAllocated = "cell-not-allocated", Error;
    /// A cell with a second reference.
    CellReferencedTwice = "cell-referenced-twice", Error;
    /// An allocated cell without a reference.
    CellLeaked = "cell-leaked", Warning;
    /// A key node without its signature.
    KeySignature = "key-signature", Error;
    /// A key node shorter than its structure and name, or longer than Windows accepts.
    KeySize = "key-size", Error;
    /// A key node that names another parent than its own.
    KeyParent = "key-parent", Error;
    /// A key name that is empty or ends in half a UTF-16 unit.
    KeyName = "key-name", Error;
    /// A key name longer than 255 UTF-16 units.
    KeyNameLong = "key-name-long", Warning;
    /// A key name with control characters, or with a backslash, so that no path leads to the key.
    KeyNameCharacter = "key-name-character", Warning;
    /// A key name in UTF-16 that Latin-1 could hold.
    KeyNameUncompressed = "key-name-uncompressed", Warning;
    /// Flags that do not fit the key's place: a volatile key, a root without the flag of a root,
    /// and so on.
    KeyFlags = "key-flags", Warning;
    /// A key more levels below the root than Windows loads, 511.
    KeyDepth = "key-depth", Error;
    /// A tombstone of a layered key with subkeys, values or a class.
    KeyTombstone = "key-tombstone", Warning;
    /// A layered key in a hive that is not marked to hold layered keys.
    KeyLayered = "key-layered", Error;
    /// A class name longer than its cell.
    ClassSize = "class-size", Error;
    /// A class name without a cell, or of half UTF-16 units.
    ClassName = "class-name", Warning;
    /// The stated longest subkey name is shorter than the longest.
    MaxSubkeyName = "max-subkey-name", Warning;
    /// The stated longest class name of subkeys is shorter than the longest.
    MaxClass = "max-class", Warning;
    /// The stated longest value name is shorter than the longest.
    MaxValueName = "max-value-name", Warning;
    /// The stated longest value data are shorter than the longest.
    MaxValueData = "max-value-data", Warning;
    /// A subkey list without a list's signature, or an index root below another.
    SubkeyListSignature = "subkey-list-signature", Error;
    /// A subkey list longer than its cell.
    SubkeyListSize = "subkey-list-size", Error;
    /// A subkey list without an element.
    SubkeyListEmpty = "subkey-list-empty", Error;
    /// A kind of subkey list that the minor version does not have.
    SubkeyListVersion = "subkey-list-version", Warning;
    /// The subkey lists hold another number of elements than the key has subkeys.
    SubkeyCount = "subkey-count", Error;
    /// A subkey before another one with a name that sorts lower: searches miss it.
    SubkeyOrder = "subkey-order", Error;
    /// The same, but a letter of either name has another upper case in later versions of Windows.
    SubkeyOrderVersion = "subkey-order-version", Warning;
    /// Two subkeys of one name.
    SubkeyDuplicate = "subkey-duplicate", Warning;
    /// A hash or hint in a subkey list that is not that of the subkey's name.
    SubkeyHash = "subkey-hash", Warning;
    /// A value list shorter than the number of values.
    ValueListSize = "value-list-size", Error;
    /// A key value without its signature.
    ValueSignature = "value-signature", Error;
    /// A key value shorter than its structure and name.
    ValueSize = "value-size", Error;
    /// A value name that ends in half a UTF-16 unit.
    ValueName = "value-name", Error;
    /// A value name longer than 16383 UTF-16 units.
    ValueNameLong = "value-name-long", Warning;
    /// A value name in UTF-16 that Latin-1 could hold.
    ValueNameUncompressed = "value-name-uncompressed", Warning;
    /// Two values of one name in one key.
    ValueDuplicate = "value-duplicate", Warning;
    /// More than four bytes of data in the value itself.
    ValueInline = "value-inline", Error;
    /// A data cell shorter than the data, or a data cell of a value without data.
    ValueDataSize = "value-data-size", Error;
    /// A big data record without its signature.
    BigDataSignature = "big-data-signature", Error;
    /// A big data record with another number of segments than the length of the data demands.
    BigDataCount = "big-data-count", Error;
    /// A big data record or segment list shorter than its structure.
    BigDataSize = "big-data-size", Error;
    /// A segment of big data shorter than its part of the data.
    BigDataSegment = "big-data-segment", Error;
    /// A security cell without its signature.
    SecuritySignature = "security-signature", Error;
    /// A security cell shorter than its structure and descriptor.
    SecuritySize = "security-size", Error;
    /// A security descriptor that is not valid.
    SecurityDescriptor = "security-descriptor", Error;
    /// A link of the security ring that does not lead back.
    SecurityLink = "security-link", Error;
    /// A key that uses a security cell outside the ring.
    SecurityNotOnRing = "security-not-on-ring", Error;
    /// A security cell with a reference count that is not the number of its keys.
    SecurityReferenceCount = "security-reference-count", Warning;
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
