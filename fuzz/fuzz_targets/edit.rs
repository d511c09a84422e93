//! Edits of hives, corrupt or not, and commits.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| diskmend_fuzz::edit(data));
