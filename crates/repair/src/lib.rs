//! diskmend-repair
