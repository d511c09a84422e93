//! The error for a corrupt hive, with the place, what was expected and what was found.

use crate::offset::FileOffset;

/// A structure of the hive that violates the format.
pub type Corruption = diskmend_base::Corruption<FileOffset>;
