//! Finding the cause on a large disk with long event logs.

use std::path::Path;

use anyhow::Result;
use diskmend_repair::testing::evtx::{Closed, LogWriter, Record};

use super::{Options, mib, table};
use crate::bench::descriptors::files::CONFIG;
use crate::bench::descriptors::volume::Volume;
use crate::bench::hive::{Shape, generate};

/// The logs, with a provider, its event and a field of it. None tells of a cause.
const LOGS: [(&str, &str, u16, &str); 5] = [
    ("System", "Service Control Manager", 7036, "param1"),
    ("Application", "MsiInstaller", 1033, "Product"),
    (
        "Security",
        "Microsoft-Windows-Security-Auditing",
        4634,
        "TargetUserName",
    ),
    (
        "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
        "Microsoft-Windows-TerminalServices-LocalSessionManager",
        23,
        "User",
    ),
    (
        "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational",
        "Microsoft-Windows-TerminalServices-RemoteConnectionManager",
        261,
        "listenerName",
    ),
];
/// The length of a chunk of a log in bytes.
const CHUNK: usize = 1 << 16;
/// The seconds between two events.
const SECONDS: usize = 10;
const DAY: usize = 24 * 60 * 60;

pub(super) fn run(options: &Options, diskmend: &Path) -> Result<()> {
    let mut volume = Volume::new(options.size_gib << 30)?;
    let config = volume.root().join(CONFIG);
    std::fs::create_dir_all(&config)?;
    let hive = generate(options.hive_mib << 20, Shape::Deep)?;
    std::fs::write(config.join("SYSTEM"), &hive)?;
    let logs = volume.root().join("Windows/System32/winevt/Logs");
    std::fs::create_dir_all(&logs)?;
    let chunks = (options.logs_mib << 20) / CHUNK / LOGS.len();
    let mut len = 0;
    for (channel, provider, event, field) in LOGS {
        let log = log(channel, provider, event, field, chunks);
        len += log.len() as u64;
        std::fs::write(logs.join(channel.replace('/', "%4") + ".evtx"), log)?;
    }
    volume.detach()?;
    let (hive, len) = (mib(hive.len() as u64), mib(len));
    let title = format!("with a SYSTEM hive of {hive:.1} MiB and {len:.1} MiB of event logs");
    let disks = [("raw", volume.image())];
    table("diagnose", &title, &disks, options, diskmend)
}

fn log(channel: &str, provider: &str, event: u16, field: &str, chunks: usize) -> Vec<u8> {
    let mut log = LogWriter::new(channel);
    for number in 0.. {
        if log.chunks() > chunks {
            break;
        }
        let second = number * SECONDS % (28 * DAY);
        let (day, hour) = (second / DAY + 1, second / 3600 % 24);
        let (minute, second) = (second / 60 % 60, second % 60);
        let time = format!("2026-08-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
        let value = format!("{field} {number}");
        log.add(&Record::new(provider, event, &time).field(field, &value));
    }
    log.finish(Closed::Clean)
}
