//! Records of the changes of a disk, made and restored.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| diskmend_fuzz::record(data));
