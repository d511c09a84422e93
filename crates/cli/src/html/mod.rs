//! Results as one page of HTML, for a ticket.
//!
//! The page needs nothing but itself: its policy forbids scripts and every request. All text from
//! a disk is escaped twice, against hidden characters and against markup. Lists have a maximum
//! length, so that the page stays short whatever is on the disk. The same disk gives the same page:
//! nothing in it depends on the time.

mod causes;
mod events;
mod findings;
mod identity;
mod run;

pub(crate) use causes::diagnosis;
pub(crate) use events::events;
pub(crate) use findings::inspection;
pub(crate) use identity::identity;
pub(crate) use run::{details, runs};

use std::fmt::Display;

use diskmend_base::escape::Visible;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The style of every page.
const STYLE: &str = include_str!("style.css");
/// The SHA-256 of [`STYLE`], in base64: the page's policy admits this style and no other.
const STYLE_HASH: &str = "4ll/b4yzreN+il+iI7xYBxBXuL+GdQQv+ttkEj9UQ0M=";

/// The maximum number of characters of a text that are shown.
const MOST_CHARS: usize = 400;

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

/// Text that may come from a disk: hidden characters are escaped, and a long text is cut.
fn shown(text: &str) -> String {
    let cut: String = text.chars().take(MOST_CHARS).collect();
    let more = if cut.len() < text.len() { "..." } else { "" };
    format!("{}{more}", Visible(&cut))
}

/// A short text that is not broken into lines.
fn tight(text: impl Display) -> Markup {
    html! { span.tight { (maud::display(text)) } }
}

/// A table with these columns. On a narrow screen each cell shows its column's name.
fn table(columns: &[&str], rows: impl Iterator<Item = Vec<Markup>>) -> Markup {
    html! {
        div.table {
            table {
                thead { tr { @for column in columns { th scope="col" { (column) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (column, cell) in columns.iter().zip(row) {
                                td data-label=(column) { (cell) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The first items of a list, and a line that says how many more there are.
fn most<T>(items: &[T], most: usize) -> (&[T], Markup) {
    let first = items.get(..most).unwrap_or(items);
    let more = items.len() - first.len();
    let line = html! {
        @if more > 0 { p.soft { "And " (more) " more." } }
    };
    (first, line)
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
        let (first, more) = most(&items, 10);
        assert_eq!(first.len(), 10);
        assert!(more.into_string().contains("990 more"));
        assert!(most(&items, 1000).1.into_string().is_empty());
    }
}
