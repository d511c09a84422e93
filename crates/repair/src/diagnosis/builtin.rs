//! The rules that come with the program.

/// The name of each file, and its text.
pub(super) const FILES: [(&str, &str); 1] = [(
    "remote-desktop.toml",
    include_str!("../../rules/remote-desktop.toml"),
)];
