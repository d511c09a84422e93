//! `diskmend repair`.

use std::fs;

use crate::fixture::{Volume, copy_fixture};
use crate::program::diskmend;

const RDP: &str = r"ControlSet002\Control\Terminal Server\WinStations\RDP-Tcp";

#[test]
fn every_control_set_is_repaired_and_a_second_run_writes_nothing() {
    let volume = Volume::new();
    let run = diskmend(["repair", volume.root(), "tls", "nla", "crash-dump", "--yes"])
        .ends(0)
        .says("hint: to undo: diskmend undo ");
    assert!(
        run.stdout.contains("bytes written and read back"),
        "{}",
        run.stdout
    );
    for set in ["ControlSet001", "ControlSet002"] {
        let key = |rest: &str| format!(r"{set}\Control\{rest}");
        for version in ["1.0", "1.1", "1.2"] {
            let key = key(&format!(
                r"SecurityProviders\SCHANNEL\Protocols\TLS {version}\Server"
            ));
            assert_eq!(volume.dword(&key, "Enabled"), Some(1));
        }
        for name in [
            "SecurityLayer",
            "UserAuthentication",
            "fAllowSecProtocolNegotiation",
        ] {
            let key = key(r"Terminal Server\WinStations\RDP-Tcp");
            assert_eq!(volume.dword(&key, name), Some(1));
        }
        assert_eq!(
            volume.dword(&key("CrashControl"), "CrashDumpEnabled"),
            Some(1)
        );
        assert_eq!(volume.dword(&key("CrashControl"), "NMICrashDump"), Some(1));
    }
    assert_eq!(volume.dword("ControlSet003", ""), None);
    let repaired = volume.hives();
    let run = diskmend(["repair", volume.root(), "tls", "nla", "crash-dump", "--yes"]).ends(0);
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
    assert_eq!(volume.hives(), repaired);
    let runs = diskmend(["runs", volume.root(), "--json"]).ends(0).json();
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(1));
}

#[test]
fn json_has_the_run_and_the_proofs() {
    let volume = Volume::new();
    let document = diskmend(["repair", volume.root(), "nla", "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(document["outcome"], "done");
    assert!(document["run"].is_string());
    assert_eq!(document["changes"].as_array().map(Vec::len), Some(4));
    let hive = &document["hives"][0];
    assert_eq!(hive["check"]["errors"], 0);
    assert!(hive["bytes_written"].as_u64() > Some(0));
    let document = diskmend(["repair", volume.root(), "nla", "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(document["outcome"], "nothing-to-do");
    assert_eq!(document["run"], serde_json::Value::Null);
}

#[test]
fn without_a_terminal_it_must_be_allowed() {
    let volume = Volume::new();
    let before = volume.hives();
    diskmend(["repair", volume.root(), "tls"])
        .ends(2)
        .says("there is no terminal to ask on")
        .says("hint: add --yes");
    diskmend(["repair", volume.root(), "tls", "--dry-run"]).ends(3);
    diskmend(["repair", volume.root(), "--yes"]).ends(2);
    assert_eq!(volume.hives(), before);
    assert!(!volume.folder.path().join("diskmend").exists());
}

#[test]
fn a_dirty_hive_is_recovered_first() {
    for name in [
        "dirty-hvle-both",
        "dirty-hvle-log1",
        "dirty-dirt",
        "dirty-torn-header",
    ] {
        let volume = Volume::of_fixture(name);
        let before = volume.hives();
        let document = diskmend(["repair", volume.root(), "tls", "--yes", "--json"])
            .ends(0)
            .json();
        let recovery = &document["hives"][0]["recovery"];
        assert!(recovery["pages"].as_u64() > Some(0), "{name}: {recovery}");
        let file = volume.system();
        diskmend(["hive", "check", file.to_str().expect("UTF-8")]).ends(0);
        diskmend(["undo", volume.root(), "--yes"]).ends(0);
        assert_eq!(volume.hives(), before, "{name}");
    }
}

#[test]
fn auto_leaves_choices_alone() {
    let volume = Volume::new();
    diskmend(["repair", volume.root(), "--auto", "--yes"]).ends(0);
    assert_eq!(volume.dword(RDP, "SecurityLayer"), Some(1));
    assert_eq!(
        volume.dword(r"ControlSet001\Control\CrashControl", "CrashDumpEnabled"),
        Some(7)
    );
    let repaired = volume.hives();
    diskmend(["repair", volume.root(), "--auto", "--yes"]).ends(0);
    assert_eq!(volume.hives(), repaired);
}

#[test]
fn a_hive_with_errors_is_refused_with_5() {
    let volume = Volume::of_fixture("broken-order");
    let before = volume.hives();
    diskmend(["repair", volume.root(), "tls", "--yes"])
        .ends(5)
        .says("structural errors")
        .says("hint: 'diskmend hive check FILE'");
    assert_eq!(volume.hives(), before);
}

#[test]
fn a_dirty_hive_without_its_logs_is_refused_with_5() {
    let volume = Volume::of_fixture("broken-dirty-no-log");
    let before = volume.hives();
    diskmend(["repair", volume.root(), "tls", "--yes"])
        .ends(5)
        .says("not closed cleanly and cannot be recovered")
        .says("hint: ");
    assert_eq!(volume.hives(), before);
}

#[test]
fn a_hibernated_windows_is_refused_with_5() {
    let volume = Volume::new();
    let before = volume.hives();
    fs::write(volume.folder.path().join("hiberfil.sys"), b"hibr\0\0\0\0").expect("writable");
    diskmend(["repair", volume.root(), "tls", "--yes"])
        .ends(5)
        .says("hibernated")
        .says("hint: start that Windows");
    assert_eq!(volume.hives(), before);
    assert!(!volume.folder.path().join("diskmend").exists());
}

#[test]
fn some_hives_may_be_left_alone_with_4() {
    let volume = Volume::new();
    let broken = volume.folder.path().join("broken");
    fs::create_dir(&broken).expect("writable");
    copy_fixture("broken-order", &broken);
    fs::rename(broken.join("SYSTEM"), volume.config().join("SOFTWARE")).expect("movable");
    let recipe = volume.folder.path().join("own.toml");
    let text = "schema = 1\nname = \"own\"\ntitle = \"Own\"\nsummary = \"Mine\"\n\
                sources = [\"https://example.org\"]\n\
                [[registry]]\nhive = \"SOFTWARE\"\nkey = 'A'\nvalue = \"A\"\n\
                type = \"REG_DWORD\"\ndata = 1\nwhy = \"because\"\n";
    fs::write(&recipe, text).expect("writable");
    let recipe = recipe.to_str().expect("UTF-8");
    let run = diskmend([
        "repair",
        volume.root(),
        "nla",
        "own",
        "--recipe",
        recipe,
        "--yes",
    ])
    .ends(4);
    assert!(
        run.stderr.contains("SOFTWARE is left alone"),
        "{}",
        run.stderr
    );
    assert_eq!(volume.dword(RDP, "SecurityLayer"), Some(1));
}

#[test]
fn the_hive_of_an_export_is_found_too() {
    let volume = Volume::new();
    fs::rename(volume.system(), volume.config().join("system.HIV")).expect("movable");
    diskmend(["repair", volume.root(), "nla", "--yes"]).ends(0);
}

#[cfg(unix)]
#[test]
fn a_link_is_never_followed() {
    let volume = Volume::new();
    let other = Volume::new();
    let outside = other.hives();
    fs::remove_file(volume.system()).expect("removable");
    std::os::unix::fs::symlink(other.system(), volume.system()).expect("a link");
    diskmend(["repair", volume.root(), "nla", "--yes"]).says("link");
    assert_eq!(other.hives(), outside);
}

#[test]
fn undo_data_may_be_kept_elsewhere() {
    let volume = Volume::new();
    let before = volume.hives();
    let elsewhere = tempfile::TempDir::new().expect("a temporary folder");
    let state = elsewhere.path().join("state");
    let state = state.to_str().expect("UTF-8");
    diskmend([
        "repair",
        volume.root(),
        "nla",
        "--yes",
        "--state-dir",
        state,
    ])
    .ends(0)
    .says(&format!("--state-dir {state}"));
    assert!(!volume.folder.path().join("diskmend").exists());
    diskmend(["undo", volume.root(), "--yes"]).ends(1);
    diskmend(["undo", volume.root(), "--yes", "--state-dir", state]).ends(0);
    assert_eq!(volume.hives(), before);
}

/// Without a terminal, `repair` once asked for --yes before it said anything else, so that a wrong
/// recipe was only found with --yes.
#[test]
fn without_a_terminal_everything_else_is_said_before_yes_is_asked_for() {
    let volume = Volume::new();
    diskmend(["repair", volume.root(), "tsl"])
        .ends(2)
        .says("no recipe is called \"tsl\"")
        .says("did you mean tls");
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let root = folder.path().to_str().expect("UTF-8");
    let run = diskmend(["repair", root, "tls"]).ends(5);
    assert!(!run.stderr.contains("--yes"), "{}", run.stderr);
    let before = volume.hives();
    diskmend(["repair", volume.root(), "tls"])
        .ends(2)
        .says("no terminal to ask on")
        .says("hint: add --yes");
    assert_eq!(volume.hives(), before);
    assert!(!volume.folder.path().join("diskmend").exists());
    // If there is nothing to do, there is nothing to ask.
    diskmend(["repair", volume.root(), "tls", "--yes"]).ends(0);
    diskmend(["repair", volume.root(), "tls"]).ends(0);
}
