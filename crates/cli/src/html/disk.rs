//! The partitions of a disk as a picture and as a table.

use diskmend_disk::Target;
use diskmend_repair::documents::StoreStatus;
use maud::{Markup, html};

use super::{FEW_BYTES, List, shown, tight};
use crate::disk_map::{Document, PartitionEntry, product, size};

/// The maximum number of disks, and of partitions in a picture.
const MOST_DISKS: usize = 8;
const MOST_PARTS: usize = 20;

/// The width of the picture, in its own units.
const WIDTH: u64 = 1000;
/// The width of a part that has no length, so that its number can be read.
const LEAST_PART: u64 = 30;
const LEAST_GAP: u64 = 6;

/// A disk. `chosen` is the partition that the page is about.
pub(crate) fn disk(disk: &Document, chosen: Option<u32>) -> Markup {
    html! {
        section aria-labelledby="disk" {
            h2 id="disk" { "The disk" }
            (map(disk, chosen, "disk-1"))
        }
    }
}

/// The disks of a machine: the name of each, and its content or why it can't be read.
pub(crate) fn disks<'a>(
    disks: impl Iterator<Item = (&'a str, Option<&'a Document>, Option<&'a str>)>,
) -> Markup {
    let disks: Vec<_> = disks.collect();
    let more = disks.len().saturating_sub(MOST_DISKS);
    html! {
        section aria-labelledby="disk" {
            h2 id="disk" { "The disks" }
            @if disks.is_empty() { p { "No disks." } }
            @for (number, (name, content, problem)) in disks.into_iter().take(MOST_DISKS).enumerate() {
                h3 { (shown(name)) }
                @if let Some(disk) = content { (map(disk, None, &format!("disk-{}", number + 1))) }
                @if let Some(problem) = problem {
                    p { span.warn { "Can't be read: " } (shown(problem)) }
                }
            }
            @if more > 0 { p.soft { "And " (more) " more; 'diskmend disks' lists all." } }
        }
    }
}

/// What is known of the disk of a mounted volume.
pub(crate) fn mounted(target: &Target) -> Markup {
    let identity = target.disk_identity();
    let image = target.image_file().map(|path| path.display().to_string());
    html! {
        section aria-labelledby="disk" {
            h2 id="disk" { "The disk" }
            p { "The Windows volume is mounted, so the page shows no partitions; 'diskmend disks' does." }
            dl {
                dt { "mounted at" } dd { code { (shown(&target.display().to_string())) } }
                @if let Some(volume) = &identity.volume { dt { "volume" } dd { (shown(volume)) } }
                @if let Some(disk) = &identity.disk { dt { "disk" } dd { (shown(disk)) } }
                @if let Some(image) = &image { dt { "image" } dd { code { (shown(image)) } } }
            }
        }
    }
}

/// The boot stores that could start the Windows.
pub(crate) fn boot_stores(stores: &[StoreStatus]) -> Markup {
    let list = List {
        columns: &["Boot store", "State"],
        bytes: FEW_BYTES,
        ..List::default()
    };
    let row = |store: &StoreStatus| {
        let state = match &store.problem {
            Some(problem) => shown(problem),
            None if store.chosen && store.warning.is_some() => {
                "is meant to start this Windows, but does not".to_owned()
            }
            None if store.chosen => "starts this Windows".to_owned(),
            None => "could start this Windows".to_owned(),
        };
        vec![
            html! { code { (shown(&store.shown_path())) } },
            html! { (state) },
        ]
    };
    html! {
        @if !stores.is_empty() {
            section aria-labelledby="stores" {
                h2 id="stores" { "Boot stores" }
                (list.table(stores, row))
            }
        }
    }
}

fn map(disk: &Document, chosen: Option<u32>, id: &str) -> Markup {
    let list = List {
        columns: &[
            "Number", "Start", "Size", "Type", "Holds", "Label", "Windows", "Role",
        ],
        ..List::default()
    };
    html! {
        p {
            (shown(&disk.format)) ", " (size(disk.bytes)) ", partition table " (disk.scheme)
            ", sectors of " (disk.sector_bytes) " bytes."
        }
        (picture(disk, chosen, id))
        @if !disk.partitions.is_empty() {
            (list.table(&disk.partitions, |partition| row(partition, chosen)))
        }
        (List { bytes: FEW_BYTES, ..List::default() }.lines(&disk.warnings, |warning| html! {
            span.warn { "Mind: " } (shown(warning))
        }))
    }
}

/// A part of the picture.
struct Part<'a> {
    partition: Option<&'a PartitionEntry>,
    x: u64,
    width: u64,
}

/// The partitions in their order, and the gaps between them. A small part is drawn wider than it is.
fn parts(disk: &Document) -> Vec<Part<'_>> {
    let mut partitions: Vec<&PartitionEntry> = disk.partitions.iter().collect();
    partitions.sort_by_key(|partition| partition.start);
    partitions.truncate(MOST_PARTS);
    let mut lengths = Vec::new();
    let mut end = 0;
    for partition in partitions {
        lengths.push((None, partition.start.saturating_sub(end)));
        lengths.push((Some(partition), partition.bytes));
        end = end.max(partition.start.saturating_add(partition.bytes));
    }
    lengths.push((None, disk.bytes.saturating_sub(end)));
    // Partition tables leave a little room for alignment.
    let is_seen = |length: u64| u128::from(length) * 200 > u128::from(disk.bytes);
    lengths.retain(|(partition, length)| partition.is_some() || is_seen(*length));
    let least = |part: &Option<_>| {
        if part.is_some() {
            LEAST_PART
        } else {
            LEAST_GAP
        }
    };
    let reserved: u64 = lengths.iter().map(|(part, _)| least(part)).sum();
    let free = u128::from(WIDTH.saturating_sub(reserved));
    let total: u128 = lengths.iter().map(|(_, length)| u128::from(*length)).sum();
    let mut x = 0;
    let parts = lengths.into_iter().map(|(partition, length)| {
        let share = u128::from(length) * free / total.max(1);
        let width = least(&partition) + u64::try_from(share).unwrap_or(WIDTH);
        let part = Part {
            partition,
            x,
            width,
        };
        x += width;
        part
    });
    parts.collect()
}

fn picture(disk: &Document, chosen: Option<u32>, id: &str) -> Markup {
    let parts = parts(disk);
    let title = format!("{id}-title");
    let words: Vec<String> = parts
        .iter()
        .map(|part| match part.partition {
            Some(partition) => {
                let (number, bytes) = (partition.number, size(partition.bytes));
                let role = role(partition, chosen);
                let role = if role.is_empty() { "other" } else { role };
                format!("partition {number} of {bytes}, {role}")
            }
            None => "free space".to_owned(),
        })
        .collect();
    html! {
        svg viewBox="0 0 1000 60" role="img" aria-labelledby=(title) {
            title id=(title) { "The disk from its start to its end: " (words.join("; ")) }
            @for part in &parts {
                @let middle = part.x + part.width / 2;
                rect class=(class(part.partition, chosen)) x=(part.x) y="4" width=(part.width.saturating_sub(2)) height="52" {}
                @if let Some(partition) = part.partition {
                    text.number x=(middle) y="40" text-anchor="middle" { (partition.number) }
                }
            }
        }
        p.soft {
            span.swatch.windows {} " Windows, "
            span.swatch.boot {} " boot store, "
            span.swatch.other {} " other. Small partitions are drawn wider than they are."
        }
    }
}

fn class(partition: Option<&PartitionEntry>, chosen: Option<u32>) -> &'static str {
    match partition {
        None => "free",
        Some(partition) if partition.windows == Some(true) => {
            let is_other = chosen.is_some_and(|chosen| chosen != partition.number);
            if is_other { "other" } else { "windows" }
        }
        Some(partition) if !partition.boot_stores.is_empty() => "boot",
        Some(_) => "other",
    }
}

/// What the partition is for.
fn role(partition: &PartitionEntry, chosen: Option<u32>) -> &'static str {
    let has_store = !partition.boot_stores.is_empty();
    match (partition.windows, chosen) {
        (Some(true), Some(chosen)) if chosen != partition.number => "another Windows",
        (Some(true), _) if has_store => "Windows and boot store",
        (Some(true), _) => "Windows",
        _ if has_store => "boot store",
        (None, _) => "unknown",
        (Some(false), _) => "",
    }
}

fn row(partition: &PartitionEntry, chosen: Option<u32>) -> Vec<Markup> {
    let kind = if partition.active {
        format!("{}, active", partition.kind)
    } else {
        partition.kind.clone()
    };
    let holds = match (&partition.content, &partition.problem) {
        (Some(content), None) => html! { (shown(content)) },
        (Some(content), Some(problem)) => {
            html! { (shown(content)) ": " span.warn { (shown(problem)) } }
        }
        (None, Some(problem)) => html! { span.bad { (shown(problem)) } },
        (None, None) => html! {},
    };
    let identity = partition.identity.as_ref();
    let windows = (partition.windows == Some(true)).then(|| product(identity));
    vec![
        html! { (partition.number) },
        tight(size(partition.start)),
        tight(size(partition.bytes)),
        html! { (shown(&kind)) },
        holds,
        html! { (shown(partition.label.as_deref().unwrap_or_default())) },
        html! { (shown(&windows.unwrap_or_default())) },
        html! { (role(partition, chosen)) },
    ]
}
