//! The recipes that come with the program.

/// Name of the file, and its text.
pub(super) const FILES: [(&str, &str); 4] = [
    (
        "rdp-internal-error.toml",
        include_str!("../../recipes/rdp-internal-error.toml"),
    ),
    ("tls.toml", include_str!("../../recipes/tls.toml")),
    ("nla.toml", include_str!("../../recipes/nla.toml")),
    (
        "crash-dump.toml",
        include_str!("../../recipes/crash-dump.toml"),
    ),
];
