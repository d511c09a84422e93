//! Reading a save file, one object at a time.

use super::{BYTE_ORDER_MARK, CARRIAGE_RETURN, LINE_FEED, foreign_mark};
use crate::descriptor::SecurityDescriptor;
use crate::sddl::SddlError;
use crate::sid::{Domains, RelativeAlias};

/// A path on NTFS has at most this number of units. A longer line isn't a path.
const MAX_PATH: usize = 32_767;

/// The greatest number of units of SDDL that is read.
const MAX_SDDL: usize = 1 << 20;

/// One object of a save file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedEntry {
    /// The number of the path's line, from 1.
    pub line: usize,
    /// The relative path as it is written, in UTF-16 that needn't be valid. It is empty if the
    /// folder itself was saved by a path that ends in a backslash; `icacls /restore` can't restore
    /// that.
    pub path: Vec<u16>,
    /// The content of the SDDL line. Parts that it doesn't have are absent.
    pub descriptor: SecurityDescriptor,
}

/// A save file that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaveReadError {
    /// The bytes aren't UTF-16LE.
    #[error("the text is not UTF-16LE, but {found}")]
    Encoding {
        /// What they are instead.
        found: &'static str,
    },
    /// A line is longer than any line of such a file.
    #[error("line {line}: {len} characters, at most {most} were expected")]
    TooLong {
        /// Its number, from 1.
        line: usize,
        /// Its length in UTF-16 units.
        len: usize,
        /// The greatest length that is accepted.
        most: usize,
    },
    /// The SDDL line after a path is missing.
    #[error("line {line}: expected sddl after the path, found the end")]
    NoSddl {
        /// The number of the missing line, from 1.
        line: usize,
    },
    /// An SDDL line isn't valid UTF-16.
    #[error("line {line}: not valid UTF-16")]
    Unpaired {
        /// Its number, from 1.
        line: usize,
    },
    /// An SDDL line names an account of a machine or domain with an unknown SID. The object can be
    /// left out.
    #[error("line {line}: {} depends on {}, which is not known", account.letters(), account.depends_on())]
    Account {
        /// Its number, from 1.
        line: usize,
        /// The object, as in [`SavedEntry`].
        path: Vec<u16>,
        /// The account.
        account: RelativeAlias,
    },
    /// A line isn't SDDL.
    #[error("line {line}")]
    Sddl {
        /// Its number, from 1.
        line: usize,
        /// The error.
        #[source]
        source: SddlError,
    },
}

/// The objects of a save file in memory, in the file's order. After an error in one object, the
/// next ones can still be read.
#[derive(Debug, Clone)]
pub struct SavedEntries<'a> {
    rest: &'a [[u8; 2]],
    line: usize,
    domains: Domains,
}

impl<'a> SavedEntries<'a> {
    /// Reads the file's bytes, with or without a byte order mark. `domains` resolves aliases of
    /// machine and domain accounts, which Windows writes for the Administrator, for example.
    ///
    /// # Errors
    /// If the bytes aren't UTF-16LE.
    pub fn new(bytes: &'a [u8], domains: Domains) -> Result<Self, SaveReadError> {
        let (units, odd) = bytes.as_chunks::<2>();
        let wrong = |found| Err(SaveReadError::Encoding { found });
        let is_marked = bytes.starts_with(&BYTE_ORDER_MARK.to_le_bytes());
        // SDDL is ASCII, so every other byte of it in UTF-16 is zero. Only a file without objects
        // has none.
        if !is_marked && !bytes.is_empty() && !bytes.contains(&0) {
            return wrong(match std::str::from_utf8(bytes) {
                Ok(_) => "UTF-8",
                Err(_) => "text of one byte a character",
            });
        }
        if !odd.is_empty() {
            return wrong("an odd number of bytes");
        }
        // No byte order mark holds U+0000.
        let unit = |at: usize| units.get(at).map_or(0, |unit| u16::from_le_bytes(*unit));
        if let Some(found) = foreign_mark([unit(0), unit(1)]) {
            return wrong(found);
        }
        let rest = match units {
            [mark, rest @ ..] if u16::from_le_bytes(*mark) == BYTE_ORDER_MARK => rest,
            rest => rest,
        };
        Ok(Self {
            rest,
            line: 0,
            domains,
        })
    }

    fn next_line(&mut self, most: usize) -> Option<Result<Vec<u16>, SaveReadError>> {
        if self.rest.is_empty() {
            return None;
        }
        self.line = self.line.saturating_add(1);
        let end = self
            .rest
            .iter()
            .position(|unit| u16::from_le_bytes(*unit) == LINE_FEED);
        let (line, rest) = match end.and_then(|end| self.rest.split_at_checked(end)) {
            Some((line, [_, rest @ ..])) => (line, rest),
            _ => (self.rest, <&[[u8; 2]]>::default()),
        };
        self.rest = rest;
        let line = match line {
            [line @ .., last] if u16::from_le_bytes(*last) == CARRIAGE_RETURN => line,
            line => line,
        };
        if line.len() > most {
            return Some(Err(SaveReadError::TooLong {
                line: self.line,
                len: line.len(),
                most,
            }));
        }
        Some(Ok(line
            .iter()
            .map(|unit| u16::from_le_bytes(*unit))
            .collect()))
    }

    fn entry(
        &mut self,
        path: Result<Vec<u16>, SaveReadError>,
    ) -> Result<SavedEntry, SaveReadError> {
        let line = self.line;
        // The SDDL line is read even if the path is wrong, so that the next object starts at its
        // own line.
        let sddl = self.next_line(MAX_SDDL);
        let path = path?;
        let sddl = sddl.ok_or(SaveReadError::NoSddl {
            line: line.saturating_add(1),
        })??;
        // A replaced character would silently change a condition.
        let sddl =
            String::from_utf16(&sddl).map_err(|_| SaveReadError::Unpaired { line: self.line })?;
        let descriptor = match SecurityDescriptor::from_sddl(&sddl, &self.domains) {
            Ok(descriptor) => descriptor,
            Err(SddlError {
                unresolved: Some(account),
                ..
            }) => {
                return Err(SaveReadError::Account {
                    line: self.line,
                    path,
                    account,
                });
            }
            Err(source) => {
                return Err(SaveReadError::Sddl {
                    line: self.line,
                    source,
                });
            }
        };
        Ok(SavedEntry {
            line,
            path,
            descriptor,
        })
    }
}

impl Iterator for SavedEntries<'_> {
    type Item = Result<SavedEntry, SaveReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let path = self.next_line(MAX_PATH)?;
        Some(self.entry(path))
    }
}

#[cfg(test)]
mod tests {
    use diskmend_base::utf16;

    use super::*;
    use crate::sddl::SddlParts;

    #[test]
    fn an_account_that_is_not_known_takes_its_object_along_and_no_other() {
        let text = "a\r\nD:(A;;FA;;;SY)\r\nb\\c\r\nO:EAD:(A;;FA;;;SY)\r\nd\r\nD:(A;;FR;;;LG)\r\n";
        let bytes = utf16::encode(text);
        let found = SavedEntries::new(&bytes, Domains::default()).unwrap();
        let found: Vec<_> = found.collect();
        let accounts = found.iter().map(|entry| match entry {
            Ok(_) => None,
            Err(SaveReadError::Account { line, account, .. }) => Some((*line, account.letters())),
            Err(other) => panic!("{other}"),
        });
        let accounts: Vec<_> = accounts.collect();
        assert_eq!(accounts, [None, Some((4, "EA")), Some((6, "LG"))]);
        let said = found[1].as_ref().unwrap_err().to_string();
        assert_eq!(
            said,
            "line 4: EA depends on the forest root domain's SID, which is not known"
        );
    }

    #[test]
    fn other_encodings_are_named() {
        let text = "Keys\u{e4}\r\nD:(A;;FA;;;SY)\r\n";
        let marked = format!("\u{feff}{text}");
        for (bytes, named) in [
            (text.as_bytes(), "UTF-8"),
            (marked.as_bytes(), "UTF-8"),
            (b"Keys\xe4\r\nD:P\r\n", "text of one byte a character"),
        ] {
            let error = SavedEntries::new(bytes, Domains::default()).err();
            assert_eq!(error, Some(SaveReadError::Encoding { found: named }));
        }
        assert!(SavedEntries::new(&[], Domains::default()).is_ok());
    }

    #[test]
    fn what_icacls_saved_is_read() {
        let sddl =
            "D:AI(D;;0x100116;;;AC)(A;OICI;0x1200a9;;;S-1-15-2-999-999-999)(A;OICIID;FA;;;SY)";
        let bytes = utf16::encode(&format!("keys\r\n{sddl}\r\nkeys\\a\r\nD:P(A;;FA;;;LA)\r\n"));
        let domains = Domains {
            machine: "S-1-5-21-1-2-3".parse().ok(),
            ..Domains::default()
        };
        let entries: Vec<SavedEntry> = SavedEntries::new(&bytes, domains)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let [folder, file] = entries.as_slice() else {
            panic!("{entries:?}");
        };
        assert_eq!(String::from_utf16(&folder.path).unwrap(), "keys");
        assert_eq!(folder.descriptor.to_sddl(SddlParts::All).unwrap(), sddl);
        assert_eq!((file.line, file.descriptor.owner), (3, None));
        let sddl = file.descriptor.to_sddl(SddlParts::All).unwrap();
        assert_eq!(sddl, "D:P(A;;FA;;;S-1-5-21-1-2-3-500)");
    }

    #[test]
    fn an_error_names_its_line_and_the_next_object_is_read() {
        let bytes = utf16::encode("a\r\nnonsense\r\nb\nD:\nc\r\n");
        let results: Vec<_> = SavedEntries::new(&bytes, Domains::default())
            .unwrap()
            .collect();
        assert!(matches!(
            results[0],
            Err(SaveReadError::Sddl { line: 2, .. })
        ));
        assert_eq!(results[1].as_ref().unwrap().path, [u16::from(b'b')]);
        assert_eq!(results[2], Err(SaveReadError::NoSddl { line: 6 }));
        assert_eq!(results.len(), 3);
    }

    #[test]
    fn sddl_with_half_a_surrogate_pair_is_refused() {
        let mut bytes = utf16::encode("a\r\nD:(XA;;FA;;;SY;(a == \"");
        bytes.extend([0x00, 0xD8]);
        bytes.extend(utf16::encode("\"))\r\nb\r\nD:\r\n"));
        let mut entries = SavedEntries::new(&bytes, Domains::default()).unwrap();
        let refused = SaveReadError::Unpaired { line: 2 };
        assert_eq!(entries.next(), Some(Err(refused)));
        assert_eq!(entries.next().unwrap().unwrap().line, 3);
    }

    #[test]
    fn other_encodings_are_refused() {
        for bytes in [&b"a"[..], b"\xFE\xFF\0a", b"\xEF\xBB\xBFa"] {
            assert!(SavedEntries::new(bytes, Domains::default()).is_err());
        }
        let path = "a".repeat(40_000);
        let long = utf16::encode(&format!("{path}\r\nD:\r\n"));
        let mut entries = SavedEntries::new(&long, Domains::default()).unwrap();
        assert!(matches!(
            entries.next(),
            Some(Err(SaveReadError::TooLong {
                line: 1,
                len: 40_000,
                ..
            }))
        ));
        assert!(entries.next().is_none());
    }
}
