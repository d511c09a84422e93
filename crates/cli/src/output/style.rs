//! The styles of the output. The stream decides whether they reach the terminal.

use anstyle::{AnsiColor, Style};

/// Column titles and headings.
pub(crate) const HEADING: Style = Style::new().bold();
/// Everything is right.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// The user should look at this.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();
/// Something is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Less important.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// No style.
pub(crate) const PLAIN: Style = Style::new();
