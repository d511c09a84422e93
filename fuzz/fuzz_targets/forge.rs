//! The folder of runs as an attacker leaves it.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| diskmend_fuzz::forge(data));
