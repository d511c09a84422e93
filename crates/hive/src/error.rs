//! What can be wrong with a hive, with the place, what was expected and what was found.

use crate::offset::FileOffset;

/// A structure of the hive that does not hold what the format demands.
pub type Corruption = diskmend_base::Corruption<FileOffset>;
