//! Logs that must be removed before a commit, because they could be replayed over it.

use crate::commit::edit::Edit;
use crate::commit::log_choice::is_dual;
use crate::commit::numbers::OldLog;
use crate::recover::{LogFormat, LogKind, precedes};

/// Other logs that must not exist when the hive becomes dirty: they do not come before the log to
/// be written, or they have the other format, and no rule says which of two formats counts.
pub(crate) fn to_discard(
    old: &[OldLog],
    out_of_order: &[LogKind],
    edit: Option<&Edit<'_>>,
) -> Vec<LogKind> {
    let discard = old.iter().filter(|log| {
        let other_format = edit.is_some_and(|edit| {
            is_dual(log.kind) && is_dual(edit.choice.log) && log.head.format != edit.choice.format
        });
        let is_target = edit.is_some_and(|edit| edit.choice.log == log.kind);
        !is_target && (other_format || out_of_order.contains(&log.kind))
    });
    discard.map(|log| log.kind).collect()
}

/// Logs that were not replayed, but would be replayed instead of the others if the base block were
/// torn while it is written: in that case only the latest log counts.
pub(crate) fn rivals(old: &[OldLog], replayed: &[LogKind]) -> Vec<LogKind> {
    let source = old.iter().rfind(|log| replayed.contains(&log.kind));
    let rivals = old.iter().filter(|log| {
        source.is_some_and(|source| {
            !replayed.contains(&log.kind)
                && is_dual(log.kind)
                && log.head.format == LogFormat::New
                && (source.head.format == LogFormat::Old
                    || precedes(source.head.sequence(), log.head.sequence()))
        })
    });
    rivals.map(|log| log.kind).collect()
}
