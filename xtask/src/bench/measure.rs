//! The time, memory and written bytes of a process.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// What a process has used.
#[derive(Clone, Copy, Default)]
pub(super) struct Usage {
    /// The largest resident memory in bytes; 0 if the system doesn't report it.
    pub(super) memory: u64,
    /// The number of bytes returned by read calls; 0 if the system doesn't report it.
    pub(super) read: u64,
    /// The number of bytes passed to write calls; 0 if the system doesn't report it.
    pub(super) written: u64,
    /// The number of bytes that the system has written or will write to a disk; 0 if it doesn't
    /// report it.
    pub(super) stored: u64,
    /// The processor time; zero if the system doesn't report it.
    pub(super) cpu: Duration,
    /// Exit code.
    pub(super) code: i32,
}

/// Runs a command and measures its time and nothing else.
pub(super) fn time(command: &mut Command) -> Result<(Duration, i32)> {
    quiet(command);
    let start = Instant::now();
    let status = command.status().with_context(|| format!("{command:?}"))?;
    Ok((start.elapsed(), status.code().unwrap_or(-1)))
}

/// Runs a command and watches its memory and its writes through `/proc`.
pub(super) fn usage(command: &mut Command) -> Result<Usage> {
    watch(command, Duration::from_micros(200)).map(|(_, usage)| usage)
}

/// Runs a command, reads its memory and its writes once in each `period`, and measures its time.
/// That can make the time longer by up to one period.
pub(super) fn watch(command: &mut Command, period: Duration) -> Result<(Duration, Usage)> {
    quiet(command);
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
    let process = format!("/proc/{}", child.id());
    let mut usage = Usage::default();
    loop {
        let status = std::fs::read_to_string(format!("{process}/status")).unwrap_or_default();
        usage.memory = usage.memory.max(field(&status, "VmHWM:") * 1024);
        // Until somebody waits for it, an ended process still shows what it wrote.
        if status.is_empty() || status.contains("State:\tZ") {
            let io = std::fs::read_to_string(format!("{process}/io")).unwrap_or_default();
            usage.read = field(&io, "rchar:");
            usage.written = field(&io, "wchar:");
            usage.stored = field(&io, "write_bytes:");
            usage.cpu = cpu(child.id());
            break;
        }
        std::thread::sleep(period);
    }
    usage.code = child.wait()?.code().unwrap_or(-1);
    Ok((start.elapsed(), usage))
}

/// The processor time of a process.
pub(super) fn cpu(process: u32) -> Duration {
    // The fields after the program's name, which is in parentheses and may contain spaces. The unit
    // is a tick of 10 ms on every machine that this runs on.
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let (user, system) = (11, 12);
    let ticks = fields.split_whitespace().enumerate();
    let ticks = ticks.filter(|(number, _)| [user, system].contains(number));
    let ticks: u64 = ticks
        .filter_map(|(_, field)| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(10 * ticks)
}

fn quiet(command: &mut Command) {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
}

/// The number after a label.
fn field(text: &str, label: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(label))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// The median.
pub(super) fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
