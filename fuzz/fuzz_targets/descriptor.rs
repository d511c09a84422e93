//! Security descriptors, read and edited.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| diskmend_fuzz::descriptor(data));
