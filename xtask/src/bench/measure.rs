//! Time, memory and bytes written of a process.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// What a process took.
#[derive(Clone, Copy, Default)]
pub(super) struct Usage {
    /// The largest resident memory in bytes; 0 where the system does not tell.
    pub(super) memory: u64,
    /// Bytes handed to write calls; 0 where the system does not tell.
    pub(super) written: u64,
    /// Bytes that the system had to bring to a disk, or will have; 0 where it does not tell.
    pub(super) stored: u64,
    /// Time on a processor; zero where the system does not tell.
    pub(super) cpu: Duration,
    /// Exit code.
    pub(super) code: i32,
}

/// Runs a command and takes its time; nothing else is looked at meanwhile.
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

/// Runs a command, looks at its memory and its writes once in each `period`, and takes its time,
/// which that makes longer by one period at most.
pub(super) fn watch(command: &mut Command, period: Duration) -> Result<(Duration, Usage)> {
    quiet(command);
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
    let process = format!("/proc/{}", child.id());
    let mut usage = Usage::default();
    loop {
        let status = std::fs::read_to_string(format!("{process}/status")).unwrap_or_default();
        usage.memory = usage.memory.max(field(&status, "VmHWM:") * 1024);
        // Until it is waited for, an ended process still tells what it wrote.
        if status.is_empty() || status.contains("State:\tZ") {
            let io = std::fs::read_to_string(format!("{process}/io")).unwrap_or_default();
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

/// The time that a process has had on a processor.
pub(super) fn cpu(process: u32) -> Duration {
    // The fields after the program's name, which is in parentheses and may hold spaces; the kernel
    // counts in ticks of 10 ms there on every machine.
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

/// The number behind a label.
fn field(text: &str, label: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(label))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// The middle one.
pub(super) fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
