//! Boot stores, listed, checked and exported.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| diskmend_fuzz::bcd(data));
