//! What the Windows on a disk is, as text.

use std::io::{self, Write};

use diskmend_base::escape::Visible;
use diskmend_repair::documents::SkippedHive;
use diskmend_repair::{
    Agent, BitLocker, BitLockerState, Membership, Platform, ServiceStart, WindowsIdentity,
    WindowsVolume,
};

use super::style;
use crate::disk_map::size;

/// What is known, in a few lines. A hive that couldn't be read is named with the reason, unless it
/// is in `skipped`, which is shown elsewhere.
pub(crate) fn identity(
    out: &mut dyn Write,
    identity: &WindowsIdentity,
    skipped: &[SkippedHive],
) -> io::Result<()> {
    lines(out, identity, skipped)?;
    writeln!(out)
}

/// What [`identity`] shows, without the empty line at its end.
pub(crate) fn lines(
    out: &mut dyn Write,
    identity: &WindowsIdentity,
    skipped: &[SkippedHive],
) -> io::Result<()> {
    let elsewhere = |hive| skipped.iter().any(|skipped| skipped.hive == hive);
    let unread = identity.unread.iter();
    let unread: Vec<_> = unread.filter(|unread| !elsewhere(unread.hive)).collect();
    let facts = [
        [
            labelled("computer", identity.computer_name.as_deref()),
            identity.membership.as_ref().map(membership),
            labelled("time zone", identity.time_zone.as_deref()),
        ],
        [
            labelled("installed", identity.installed.as_deref()),
            labelled("last shutdown", identity.last_shutdown.as_deref()),
            last_boot(identity),
        ],
        [
            identity.control_sets.map(control_sets),
            identity.agents.as_deref().and_then(agents),
            pending(identity),
        ],
        [
            labelled(
                "volume",
                identity.volume.as_ref().and_then(volume).as_deref(),
            ),
            labelled(
                "BitLocker",
                identity.bitlocker.as_ref().map(bitlocker).as_deref(),
            ),
            None,
        ],
    ];
    let facts = facts.map(|line| line.into_iter().flatten().collect::<Vec<_>>().join(", "));
    let version = version(identity);
    let (heading, warning) = (style::HEADING, style::WARNING);
    let product = Visible(identity.product_name.as_deref().unwrap_or("Windows"));
    write!(out, "{heading}{product}{heading:#}")?;
    match version.as_str() {
        "" => writeln!(out, "  version unknown")?,
        version => writeln!(out, "  {}", Visible(version))?,
    }
    for line in facts.iter().filter(|line| !line.is_empty()) {
        writeln!(out, "  {}", Visible(line))?;
    }
    for unread in unread {
        let (hive, reason) = (unread.hive, Visible(&unread.reason));
        writeln!(out, "  {warning}{hive} can't be read{warning:#}: {reason}")?;
    }
    Ok(())
}

/// What is known, each with its label.
pub(crate) fn facts(identity: &WindowsIdentity) -> Vec<(&'static str, String)> {
    let text = |text: &Option<String>| text.clone();
    let version = Some(version(identity)).filter(|version| !version.is_empty());
    let (joined, name) = match &identity.membership {
        Some(Membership::Domain(name)) => ("domain", Some(name.clone())),
        Some(Membership::Workgroup(name)) => ("workgroup", Some(name.clone())),
        None => ("domain", None),
    };
    let facts = [
        ("product", text(&identity.product_name)),
        ("version", version),
        ("computer", text(&identity.computer_name)),
        (joined, name),
        ("time zone", text(&identity.time_zone)),
        ("installed", text(&identity.installed)),
        ("last shutdown", text(&identity.last_shutdown)),
        (
            "last boot",
            identity.last_boot.as_ref().map(ToString::to_string),
        ),
        ("last boot on", identity.last_boot_on.as_ref().map(machine)),
        (
            "control sets",
            identity.control_sets.map(|count| count.to_string()),
        ),
        ("updates", pending(identity)),
        ("agents", identity.agents.as_deref().and_then(agent_list)),
        ("volume", identity.volume.as_ref().and_then(volume)),
        ("BitLocker", identity.bitlocker.as_ref().map(bitlocker)),
    ];
    let known = facts.into_iter();
    known
        .filter_map(|(label, text)| Some((label, text?)))
        .collect()
}

fn labelled(label: &str, text: Option<&str>) -> Option<String> {
    Some(format!("{label} {}", text?))
}

pub(crate) fn version(identity: &WindowsIdentity) -> String {
    let build = match (identity.build, identity.ubr) {
        (Some(build), Some(ubr)) => Some(format!("build {build}.{ubr}")),
        (Some(build), None) => Some(format!("build {build}")),
        (None, _) => None,
    };
    let edition = labelled("edition", identity.edition.as_deref());
    let parts: Vec<_> = [edition, build].into_iter().flatten().collect();
    parts.join(", ")
}

fn membership(membership: &Membership) -> String {
    match membership {
        Membership::Domain(name) => format!("domain {name}"),
        Membership::Workgroup(name) => format!("workgroup {name}"),
    }
}

fn last_boot(identity: &WindowsIdentity) -> Option<String> {
    let time = identity.last_boot.as_ref().map(|time| format!(" {time}"));
    let platform = identity.last_boot_on.as_ref().map(platform);
    let parts: Vec<_> = [time, platform].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("last boot{}", parts.concat()))
}

fn platform(platform: &Platform) -> String {
    format!(" on {}", machine(platform))
}

fn machine(platform: &Platform) -> String {
    let parts = [&platform.manufacturer, &platform.product];
    let parts: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
    parts.join(" ")
}

fn pending(identity: &WindowsIdentity) -> Option<String> {
    let text = "an update waits for the next start";
    identity.update_pending.then(|| text.to_owned())
}

/// The space of a volume, and what Windows finds when it starts from it.
fn volume(volume: &WindowsVolume) -> Option<String> {
    let space = match (volume.free, volume.bytes) {
        (Some(free), Some(bytes)) => Some(format!("{} of {} free", size(free), size(bytes))),
        (Some(free), None) => Some(format!("{} free", size(free))),
        (None, bytes) => bytes.map(size),
    };
    let said = |is_so: Option<bool>, text: &str| (is_so == Some(true)).then(|| text.to_owned());
    let is_open = volume.journal_closed.map(|closed| !closed);
    let parts = [
        space,
        said(volume.dirty, "marked as dirty"),
        said(is_open, "$LogFile not closed"),
        said(volume.hibernated, "hibernated"),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn bitlocker(bitlocker: &BitLocker) -> String {
    let volume = match bitlocker.volume {
        Some(BitLockerState::Off) => "off",
        Some(BitLockerState::Unlocked) => "on, unlocked",
        None => "unknown",
    };
    if bitlocker.locked.is_empty() {
        volume.to_owned()
    } else {
        format!("{volume}; locked: {}", bitlocker.locked.join(", "))
    }
}

fn control_sets(count: usize) -> String {
    match count {
        1 => "1 control set".to_owned(),
        count => format!("{count} control sets"),
    }
}

fn agents(agents: &[Agent]) -> Option<String> {
    labelled("agents", agent_list(agents).as_deref())
}

fn agent_list(agents: &[Agent]) -> Option<String> {
    let shown = agents.iter().map(|agent| match agent.start {
        Some(start) => format!("{} ({})", agent.service, start_type(start)),
        None => agent.service.to_owned(),
    });
    let shown: Vec<_> = shown.collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

const fn start_type(start: ServiceStart) -> &'static str {
    match start {
        ServiceStart::Boot => "boot",
        ServiceStart::System => "system",
        ServiceStart::Automatic => "automatic",
        ServiceStart::Manual => "manual",
        ServiceStart::Disabled => "disabled",
    }
}
