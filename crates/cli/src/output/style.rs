//! The few styles of the output. Whether they reach the terminal is decided where it is written.

use anstyle::{AnsiColor, Style};

/// Column titles and headings.
pub(crate) const HEADING: Style = Style::new().bold();
/// All is well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Something to look at.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();
/// Something is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Of lesser interest.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// Nothing special.
pub(crate) const PLAIN: Style = Style::new();
