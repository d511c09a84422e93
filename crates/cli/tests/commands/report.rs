//! `diskmend report`: the page for a ticket.

use std::fs;

use crate::fixture::{Volume, hive_file, utf16};
use crate::program::diskmend;
use diskmend_hive::ValueType;

fn page(args: &[&str]) -> String {
    diskmend(args).ends(3).stdout
}

#[test]
fn the_page_says_what_is_wrong_what_was_done_and_how_to_take_it_back() {
    let volume = Volume::new();
    let root = volume.root();
    let before = page(&["report", root]);
    for part in [
        "<h1>diskmend report: ",
        "The Remote Desktop listener contradicts itself and accepts no connection",
        "SecurityLayer is 0",
        "<span class=\"bad\">certain</span>",
        "diskmend has changed nothing on this disk.",
    ] {
        assert!(before.contains(part), "{part}: {before}");
    }
    assert_eq!(page(&["report", root]), before);

    diskmend(["repair", root, "tls", "--yes"]).ends(0);
    let runs = diskmend(["runs", root, "--json"]).ends(0).json();
    let run = runs["runs"][0]["run"].as_str().expect("a name");
    let after = page(&["report", root, run]);
    for part in [
        format!("<h2 id=\"run\">Run {run}</h2>"),
        format!("diskmend undo {root} {run}"),
        r"Protocols\TLS 1.2\Server".to_owned(),
    ] {
        assert!(after.contains(&part), "{part}: {after}");
    }
}

#[test]
fn the_page_is_inert_whatever_the_disk_contains() {
    let volume = Volume::new();
    hive_file(&volume.system(), |editor| {
        let dword = |editor: &mut diskmend_hive::Editor, key: &str, name: &str, number: u32| {
            editor.create_key(key).expect("valid");
            let set = editor.set_value(key, name, ValueType::DWORD, &number.to_le_bytes());
            set.expect("valid");
        };
        dword(editor, "Select", "Current", 1);
        let listener = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
        dword(editor, listener, "SecurityLayer", 0);
        dword(editor, listener, "UserAuthentication", 1);
        let computer = r"ControlSet001\Control\ComputerName\ComputerName";
        editor.create_key(computer).expect("valid");
        let name = utf16("<script src=x></script>\"'>&\u{202e}\u{1b}[31m\0");
        let set = editor.set_value(computer, "ComputerName", ValueType::SZ, &name);
        set.expect("valid");
    });
    let page = page(&["report", volume.root()]);
    assert!(page.contains("&lt;script src=x&gt;"), "{page}");
    for hostile in ["<script", "\u{202e}", "\u{1b}", "http://", "src=\"", "url("] {
        assert!(!page.contains(hostile), "{hostile}: {page}");
    }
    assert!(
        page.contains("default-src 'none'; style-src 'sha256-"),
        "{page}"
    );
}

#[test]
fn an_existing_file_is_not_overwritten() {
    let volume = Volume::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("page.html");
    let name = file.to_str().expect("UTF-8");
    let run = diskmend(["report", volume.root(), "-o", name]).ends(3);
    assert_eq!(run.stdout, "");
    let written = fs::read_to_string(&file).expect("written");
    assert!(written.starts_with("<!DOCTYPE html>"), "{written}");
    let run = diskmend(["report", volume.root(), "-o", name]).ends(1);
    assert!(run.stderr.contains("already exists"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(&file).expect("there"), written);
    diskmend(["report", volume.root(), "2099"]).ends(1);
}

#[test]
fn boots_are_drawn_and_events_are_listed() {
    let volume = crate::events::broken();
    let page = page(&["report", volume.root()]);
    for part in [
        "<title id=\"boots-title\">2 boots between 2026-05-01T08:00:00Z and ",
        "<rect class=\"unclean\" x=\"0\"",
        "<td data-label=\"Id\"><span class=\"tight\">7000</span></td>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains('\u{1b}'), "{page}");
}
