//! The element table in docs/bcd-elements.md must match the library's.

use std::fmt::Write as _;
use std::path::Path;

use diskmend_bcd::elements::{ElementInfo, NumberStyle, Source, TABLES};
use diskmend_bcd::well_known::WELL_KNOWN;

const BEGIN: &str = "<!-- generated: elements -->\n";
const END: &str = "<!-- end -->\n";

fn source(info: &ElementInfo) -> &'static str {
    match info.source {
        Source::Reference => "reference",
        Source::BitLocker => "BitLocker",
        Source::Tables => "tables",
        Source::Unsure => "unsure",
    }
}

fn values(info: &ElementInfo) -> String {
    match info.style {
        NumberStyle::Decimal => String::new(),
        NumberStyle::Hex => "hexadecimal".into(),
        NumberStyle::Ipv4 => "IPv4 address".into(),
        NumberStyle::Names(names) => {
            let named = names.iter().enumerate();
            let named: Vec<_> = named
                .map(|(value, name)| format!("{value} {name}"))
                .collect();
            named.join(", ")
        }
    }
}

fn generated() -> String {
    let mut text = String::from("\n## Well-known objects\n\n");
    text.push_str("| name | GUID | type | heading |\n|---|---|---|---|\n");
    for object in WELL_KNOWN {
        let _ = writeln!(
            text,
            "| `{}` | `{}` | `{}` | {} |",
            object.alias, object.guid, object.object_type, object.title
        );
    }
    for table in TABLES {
        let _ = writeln!(text, "\n## {}\n", table.title);
        text.push_str("| id | bcdedit | format | Microsoft's name | values | source |\n");
        text.push_str("|---|---|---|---|---|---|\n");
        for info in table.elements {
            let alias = info
                .alias
                .map_or(String::new(), |alias| format!("`{alias}`"));
            let symbol = info
                .symbol
                .map_or(String::new(), |name| format!("`{name}`"));
            let _ = writeln!(
                text,
                "| `{:#010x}` | {alias} | {} | {symbol} | {} | {} |",
                info.id.0,
                info.id.format(),
                values(info),
                source(info)
            );
        }
    }
    text.push('\n');
    text
}

/// `DISKMEND_UPDATE=1` rewrites the table.
#[test]
fn the_documented_elements_are_those_of_the_library() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bcd-elements.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (old, after) = rest.split_once(END).unwrap();
    let new = generated();
    if std::env::var_os("DISKMEND_UPDATE").is_some() {
        std::fs::write(&path, [before, BEGIN, &new, END, after].concat()).unwrap();
        return;
    }
    assert!(
        old == new,
        "docs/bcd-elements.md is not what the tables say: run the tests with DISKMEND_UPDATE=1"
    );
}
