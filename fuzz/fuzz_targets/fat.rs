//! FAT volumes, read and changed.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| diskmend_fuzz::fat(data));
