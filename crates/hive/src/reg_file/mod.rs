//! Registry text files (`.reg`).
