//! diskmend-disk
