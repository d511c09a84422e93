//! The reader of journals against a writer that knows nothing of it, and what single records touch.

mod collected;
#[cfg(target_os = "linux")]
mod written;
