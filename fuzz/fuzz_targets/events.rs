//! Event logs.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| diskmend_fuzz::events(data));
