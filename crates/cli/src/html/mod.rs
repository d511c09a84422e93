//! Results as one page of HTML, for a ticket.
//!
//! The page needs nothing but itself: its policy forbids scripts and every request. All text from
//! a disk is escaped twice, against hidden characters and against markup. Lists have a maximum
//! length, so that the page stays short whatever is on the disk. The same disk gives the same page:
//! nothing in it depends on the time.

mod acl;
mod boot_objects;
mod causes;
mod changes;
mod check;
mod disk;
mod ending;
mod events;
mod findings;
mod identity;
mod run;
#[cfg(test)]
mod size_tests;
mod versions;

pub(crate) use acl::plan as permissions;
pub(crate) use boot_objects::boot_objects;
pub(crate) use causes::diagnosis;
pub(crate) use changes::{applied, no_plan, plan, request, undone};
pub(crate) use check::{hive_check, store_check};
pub(crate) use disk::{boot_stores, disk, disks, mounted};
pub(crate) use ending::Ending;
pub(crate) use events::events;
pub(crate) use findings::inspection;
pub(crate) use identity::identity;
pub(crate) use run::{details, pruned, runs};
pub(crate) use versions::{Versions, versions};

use std::fmt::Display;

use diskmend_base::escape::Visible;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The style of every page.
const STYLE: &str = include_str!("style.css");
/// The SHA-256 of [`STYLE`], in base64: the page's policy admits this style and no other.
const STYLE_HASH: &str = "1ngUe2DWC4SSWqri2LtMjBpvCOPoE3is4loiAGtCMkQ=";

/// The maximum number of characters of a text that are shown.
const MOST_CHARS: usize = 400;
/// The maximum number of characters of a value on one line of a table.
const MOST_CHARS_OF_LINE: usize = 18;
/// The maximum number of items of a list.
const MOST_ITEMS: usize = 500;
/// The maximum number of bytes that a list adds to a page, unless its first item is longer. The
/// longest page, that of `report`, has less than 1 MB of lists.
const MOST_BYTES_OF_LIST: usize = 60_000;
/// The same for a list that is one of several.
const FEW_BYTES: usize = 8_000;
/// The maximum number of bytes for files that are moved away.
const BYTES_OF_FILES: usize = 15_000;

/// A page with this title and content.
pub(crate) fn page(title: &str, content: &Markup) -> Markup {
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'"
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (shown(title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (shown(title)) }
                    (content)
                    p.soft { "Written by diskmend " (env!("CARGO_PKG_VERSION")) ". All times are UTC." }
                }
            }
        }
    }
}

/// The page of a command that has ended, with what it found or did.
pub(crate) fn page_of(title: &str, ending: &Ending<'_>, parts: [Option<&Markup>; 2]) -> Markup {
    let content = html! {
        (self::ending::ending(ending))
        @for part in parts.into_iter().flatten() { (part) }
    };
    page(title, &content)
}

/// Text that may come from a disk: hidden characters are escaped, and a long text is cut.
fn shown(text: &str) -> String {
    let start: String = text.chars().take(MOST_CHARS).collect();
    // An escaped character is longer.
    let visible = Visible(&start).to_string();
    let cut: String = visible.chars().take(MOST_CHARS).collect();
    let is_cut = start.len() < text.len() || cut.len() < visible.len();
    let more = if is_cut { "..." } else { "" };
    format!("{cut}{more}")
}

/// A short text that is not broken into lines.
fn tight(text: impl Display) -> Markup {
    html! { span.tight { (maud::display(text)) } }
}

/// A value, or its name: a short one is not broken into lines.
fn value(text: &str) -> Markup {
    let text = shown(text);
    if text.chars().count() <= MOST_CHARS_OF_LINE {
        tight(text)
    } else {
        html! { (text) }
    }
}

/// A command to copy, and what it does.
fn command(what: &str, command: &str) -> Markup {
    html! {
        p { (what) }
        pre { (command) }
    }
}

/// How a list is shown. However long it is, it takes only so much room on the page.
#[derive(Clone, Copy)]
struct List<'a> {
    columns: &'a [&'a str],
    /// The maximum number of items.
    most: usize,
    /// The maximum number of bytes on the page.
    bytes: usize,
    /// The number of all items, if it is more than there are.
    total: Option<u64>,
    /// What follows the number of items that are left out.
    rest: &'a str,
}

impl Default for List<'_> {
    fn default() -> Self {
        Self {
            columns: &[],
            most: MOST_ITEMS,
            bytes: MOST_BYTES_OF_LIST,
            total: None,
            rest: "",
        }
    }
}

impl List<'_> {
    /// A table with a row for each item. On a narrow screen each cell shows its column's name.
    fn table<T>(&self, items: &[T], row: impl Fn(&T) -> Vec<Markup>) -> Markup {
        let (rows, more) = self.within(items, |item| {
            html! {
                tr {
                    @for (column, cell) in self.columns.iter().zip(row(item)) {
                        td data-label=(column) { (cell) }
                    }
                }
            }
        });
        html! {
            div.table {
                table {
                    thead { tr { @for column in self.columns { th scope="col" { (column) } } } }
                    tbody { (rows) }
                }
            }
            (more)
        }
    }

    /// A line for each item; nothing if there are no items.
    fn lines<T>(&self, items: &[T], line: impl Fn(&T) -> Markup) -> Markup {
        let (lines, more) = self.within(items, |item| html! { li { (line(item)) } });
        html! {
            @if !items.is_empty() { ul { (lines) } }
            (more)
        }
    }

    /// The first items, and how many there are besides.
    fn within<T>(&self, items: &[T], part: impl Fn(&T) -> Markup) -> (Markup, Markup) {
        let mut parts = String::new();
        let mut count = 0;
        for item in items.iter().take(self.most) {
            let part = part(item).into_string();
            if parts.len() + part.len() > self.bytes && count > 0 {
                break;
            }
            parts.push_str(&part);
            count += 1;
        }
        let total = self.total.unwrap_or(0).max(items.len() as u64);
        let more = total.saturating_sub(count);
        let line = html! { @if more > 0 { p.soft { "And " (more) " more" (self.rest) "." } } };
        (PreEscaped(parts), line)
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// Base64 (RFC 4648, section 4).
    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for three in bytes.chunks(3) {
            let mut word = [0; 3];
            word[..three.len()].copy_from_slice(three);
            let bits = u32::from_be_bytes([0, word[0], word[1], word[2]]);
            for digit in 0..4 {
                let index = (bits >> (18 - 6 * digit) & 63) as usize;
                let padding = digit > three.len();
                text.push(if padding { '=' } else { DIGITS[index].into() });
            }
        }
        text
    }

    #[test]
    fn the_policy_admits_the_style() {
        assert_eq!(STYLE_HASH, base64(&Sha256::digest(STYLE.as_bytes())));
    }

    #[test]
    fn text_of_the_disk_is_inert_and_short() {
        let page = page("<script>alert(1)</script>\u{202e}", &html! {}).into_string();
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains('\u{202e}'), "{page}");
        assert!(shown(&"x".repeat(10_000)).len() < 500);
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let items = vec![0; 1000];
        let list = List {
            most: 10,
            rest: "; see the log",
            ..List::default()
        };
        let text = |list: &List<'_>, items: &[i32]| {
            list.lines(items, |item| html! { (item) }).into_string()
        };
        let cut = text(&list, &items);
        assert_eq!(cut.matches("<li>").count(), 10);
        assert!(cut.contains("And 990 more; see the log."), "{cut}");
        let total = Some(100_000);
        let cut = text(&List { total, ..list }, &items);
        assert!(cut.contains("And 99990 more"), "{cut}");
        assert_eq!(text(&list, &[]), "");
        assert!(!text(&list, &items[..10]).contains("more"));
    }

    /// The characters that take most room on a page: markup, and characters that are escaped.
    #[test]
    fn a_list_of_the_worst_texts_is_short() {
        let worst = "\"\u{202e}".repeat(100_000);
        let items = vec![worst.as_str(); 100_000];
        let list = List {
            columns: &["A", "B", "C"],
            ..List::default()
        };
        let cell = |text: &&str| vec![html! { (shown(text)) }; 3];
        let table = list.table(&items, cell).into_string();
        assert!(table.len() < 61_000, "{}", table.len());
        assert!(table.contains("more."), "{table}");
    }
}
