//! Edits of sound and corrupt hives, and commits of sound ones.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| diskmend_fuzz::edit(data));
