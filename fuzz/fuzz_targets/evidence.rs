//! Crash dumps, certificates, rules of the firewall, logs in text and paths of services.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| diskmend_fuzz::evidence(data));
