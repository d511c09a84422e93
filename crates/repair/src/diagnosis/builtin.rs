//! The rules that come with the program.

/// A file in the folder `rules`: its name, and its text.
macro_rules! rules {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../rules/", $name)))),+]
    };
}

/// The name of each file, and its text.
pub(super) const FILES: &[(&str, &str)] = &rules![
    "remote-desktop.toml",
    "services.toml",
    "files.toml",
    "firewall-certificate.toml",
    "boot.toml",
    "firewall.toml",
    "logon.toml",
    "stops.toml",
    "updates.toml",
    "volume.toml",
    "events.toml",
    "logon-events.toml",
    "machine-events.toml",
    "left-behind.toml",
    "network.toml",
];
