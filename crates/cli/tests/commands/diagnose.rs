//! `diskmend diagnose`, and the causes that `diskmend recipes` shows.

use std::fs;

use crate::fixture::{Volume, hive_file, utf16};
use crate::program::diskmend;
use diskmend_hive::{Editor, ValueType};

const TERMINAL_SERVER: &str = r"ControlSet001\Control\Terminal Server";

fn number(editor: &mut Editor, key: &str, name: &str, number: u32) {
    editor.create_key(key).expect("valid");
    let set = editor.set_value(key, name, ValueType::DWORD, &number.to_le_bytes());
    set.expect("valid");
}

fn text(editor: &mut Editor, key: &str, name: &str, text: &str) {
    editor.create_key(key).expect("valid");
    let data = utf16(&format!("{text}\0"));
    let set = editor.set_value(key, name, ValueType::SZ, &data);
    set.expect("valid");
}

/// A Windows of this kind on which Remote Desktop is switched off, and nothing else is wrong.
fn switched_off(product: &str) -> Volume {
    let volume = Volume::new();
    hive_file(&volume.system(), |editor| {
        number(editor, "Select", "Current", 1);
        number(editor, TERMINAL_SERVER, "fDenyTSConnections", 1);
        let key = r"ControlSet001\Control\ProductOptions";
        text(editor, key, "ProductType", product);
    });
    volume
}

#[test]
fn the_most_likely_cause_comes_with_its_evidence_and_the_command() {
    let volume = Volume::new();
    let before = volume.hives();
    let run = diskmend(["diagnose", volume.root()]).ends(3);
    assert!(
        run.stdout.starts_with("Windows  version unknown\n"),
        "{}",
        run.stdout
    );
    for line in [
        "\nMost likely: The Remote Desktop listener contradicts itself and accepts no connection  certain\n",
        "\n    SYSTEM\\ControlSet001\\Control\\Terminal Server\\WinStations\\RDP-Tcp: SecurityLayer is 0\n",
        &format!("\n  Repair it: diskmend repair {} nla\n", volume.root()),
        "\nAlso: The Remote Desktop listener has no TLS version in common with its clients  certain\n",
    ] {
        assert!(run.stdout.contains(line), "{line}: {}", run.stdout);
    }
    assert_eq!(volume.hives(), before);
    assert!(!volume.folder.path().join("diskmend").exists());

    let document = diskmend(["diagnose", volume.root(), "--json"])
        .ends(3)
        .json();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["verdict"]["fault"], true);
    assert_eq!(document["verdict"]["repair"], serde_json::json!(["nla"]));
    let first = &document["causes"][0];
    assert_eq!(first["name"], "remote-desktop-security-layer");
    assert_eq!(first["certainty"], "certain");
    assert_eq!(
        first["evidence"][0]["seen"][0]["found"],
        "SecurityLayer is 0"
    );

    diskmend(["repair", volume.root(), "nla", "tls", "--yes"]).ends(0);
    let run = diskmend(["diagnose", volume.root()]).ends(0);
    assert!(
        // The volume has no SOFTWARE.
        run.stdout
            .contains("\nNothing on this disk explains why the machine does not work, as far as it could be read.\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn remote_desktop_that_is_switched_off_is_a_fault_on_a_server_only() {
    let run = diskmend(["diagnose", switched_off("ServerNT").root()]).ends(3);
    let line = "\nMost likely: Remote Desktop is switched off  likely\n";
    assert!(run.stdout.contains(line), "{}", run.stdout);
    assert!(
        run.stdout
            .contains("fDenyTSConnections is 1, 2024-01-01T00:00:00Z"),
        "{}",
        run.stdout
    );
    diskmend(["diagnose", switched_off("WinNT").root()]).ends(0);
}

#[test]
fn only_the_control_set_from_which_windows_starts_counts() {
    let volume = Volume::new();
    hive_file(&volume.system(), |editor| {
        number(editor, "Select", "Current", 1);
        number(editor, r"ControlSet001\Control", "A", 1);
        let tls = r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server";
        number(editor, &format!(r"ControlSet002\{tls}"), "Enabled", 0);
    });
    diskmend(["diagnose", volume.root()]).ends(0);
}

#[test]
fn a_rule_of_the_users_own_is_applied_and_mistakes_in_it_are_named() {
    let volume = switched_off("WinNT");
    let file = volume.folder.path().join("own.toml");
    let shown = file.to_str().expect("UTF-8");
    let rule = "schema = 1\n[[rule]]\nname = 'own'\ntitle = 'My cause'\nrecipes = ['tls']\n\
        check = 'Look.'\nsources = ['https://example.org']\n[[rule.for]]\nweight = 50\n\
        says = 'it says so'\nregistry = { hive = 'SYSTEM', key = 'ControlSet*\\Control\\Terminal \
        Server', value = 'fDenyTSConnections', equals = [1] }\n";
    fs::write(&file, rule).expect("writable");
    let args = ["diagnose", volume.root(), "--rule", shown];
    let run = diskmend(args).ends(3);
    assert!(
        run.stdout.contains("Most likely: My cause  likely"),
        "{}",
        run.stdout
    );
    let run = diskmend(["recipes", "tls", "--rule", shown]).ends(0);
    assert!(run.stdout.contains("\n  own: My cause\n"), "{}", run.stdout);
    for (from, to, say) in [
        ("weight = 50", "weight = 0", ":9:10: 0 is not a weight"),
        ("weight = 50", "wieght = 50", ":9:1: unknown field `wieght`"),
        ("equals", "equal", ":11:"),
        (
            "registry =",
            "registri =",
            ":11:1: unknown field `registri`",
        ),
        (
            "['tls']",
            "['tsl']",
            "names the recipe \"tsl\", which does not exist",
        ),
        ("'own'", "'remote-desktop-off'", "already a rule called"),
        ("'Look.'", "' '", ":6:9: say something"),
        ("schema = 1", "schema = 2", "this program reads 1"),
    ] {
        fs::write(&file, rule.replace(from, to)).expect("writable");
        diskmend(args).ends(2).says(say);
    }
    fs::write(
        &file,
        format!("{rule}file = {{ path = 'a', is = 'empty' }}\n"),
    )
    .expect("writable");
    diskmend(args)
        .ends(2)
        .says("exactly one of these is needed");
}

#[test]
fn the_causes_can_be_listed_and_shown() {
    let run = diskmend(["recipes", "--causes"]).ends(0);
    assert!(run.stdout.contains("remote-desktop-off"), "{}", run.stdout);
    let run = diskmend(["recipes", "--causes", "remote-desktop-tls"]).ends(0);
    assert!(
        run.stdout.contains("a fault that the recipe tls finds"),
        "{}",
        run.stdout
    );
    let document = diskmend(["recipes", "--causes", "--json"]).ends(0).json();
    assert_eq!(document["causes"][0]["for"][0]["needed"], true);
    diskmend(["recipes", "--causes", "remote-desktop-of"])
        .ends(2)
        .says("hint: did you mean ")
        .says("remote-desktop-off");
}

#[test]
fn the_control_set_from_which_windows_would_start_counts() {
    let volume = Volume::new();
    let listener = r"Control\Terminal Server\WinStations\RDP-Tcp";
    let with_default = |default| {
        hive_file(&volume.system(), |editor| {
            number(editor, "Select", "Current", 1);
            number(editor, "Select", "Default", default);
            for (set, layer) in [("ControlSet001", 2), ("ControlSet002", 0)] {
                let key = format!(r"{set}\{listener}");
                number(editor, &key, "SecurityLayer", layer);
                number(editor, &key, "UserAuthentication", 1);
            }
        });
    };
    with_default(2);
    let run = diskmend(["diagnose", volume.root()]).ends(3);
    let place = format!(r"SYSTEM\ControlSet002\{listener}: SecurityLayer is 0");
    assert!(run.stdout.contains(&place), "{}", run.stdout);
    with_default(1);
    let run = diskmend(["diagnose", volume.root()]).ends(0);
    assert!(!run.stdout.contains("ControlSet002"), "{}", run.stdout);
}
