//! The folder of runs, forged by an attacker.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| diskmend_fuzz::forge(data));
