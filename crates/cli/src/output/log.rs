//! The log: what the libraries report while they work, on stderr.

use tracing::level_filters::LevelFilter;

/// Starts the log: warnings only, each `-v` one level more.
pub(crate) fn start(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    // Only the first call in a process can succeed, and the program makes just one.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(anstream::stderr)
        .with_target(verbose > 1)
        .without_time()
        .try_init();
}
