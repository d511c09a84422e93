//! The log: events that the libraries report while they work, on stderr.

use std::io::{self, Write};

use diskmend_base::escape::Visible;
use tracing::level_filters::LevelFilter;

/// Starts the log. It shows only warnings; each `-v` adds one level.
pub(crate) fn start(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    // Only the first call in a process can succeed, and the program makes only one.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        // Colours are escape sequences too, and the log's lines must not contain any.
        .with_ansi(false)
        .with_writer(|| Events(anstream::stderr()))
        // Otherwise a line that can't be written is reported by `eprintln`, which panics if the
        // reader of stderr has ended.
        .log_internal_errors(false)
        .with_target(verbose > 1)
        .without_time()
        .try_init();
}

/// Receives whole events, and writes each as one line.
struct Events<W>(W);

impl<W: Write> Write for Events<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        writeln!(self.0, "{}", Visible(text))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_it_contains() {
        let mut out = Vec::new();
        let written = Events(&mut out).write(b"WARN a\x1b[2J\nhint: run this\n");
        assert_eq!(written.ok(), Some(26));
        assert_eq!(out, b"WARN a<U+001B>[2J<U+000A>hint: run this\n");
    }
}
