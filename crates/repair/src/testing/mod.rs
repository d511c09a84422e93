//! What tests make for a Windows volume.

pub mod evtx;
