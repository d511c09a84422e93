//! The recipes that come with the program.

/// The name of each file, and its text.
pub(super) const FILES: [(&str, &str); 13] = [
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
    (
        "serial-console.toml",
        include_str!("../../recipes/serial-console.toml"),
    ),
    (
        "machine-keys.toml",
        include_str!("../../recipes/machine-keys.toml"),
    ),
    (
        "machine-keys-default.toml",
        include_str!("../../recipes/machine-keys-default.toml"),
    ),
    (
        "boot-menu.toml",
        include_str!("../../recipes/boot-menu.toml"),
    ),
    (
        "boot-recovery-off.toml",
        include_str!("../../recipes/boot-recovery-off.toml"),
    ),
    (
        "safe-mode-off.toml",
        include_str!("../../recipes/safe-mode-off.toml"),
    ),
    (
        "safe-mode-on.toml",
        include_str!("../../recipes/safe-mode-on.toml"),
    ),
    (
        "safe-mode-on-network.toml",
        include_str!("../../recipes/safe-mode-on-network.toml"),
    ),
    (
        "safe-mode-on-dsrepair.toml",
        include_str!("../../recipes/safe-mode-on-dsrepair.toml"),
    ),
];
