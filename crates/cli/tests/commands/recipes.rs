//! `diskmend recipes`.

use std::fs;

use tempfile::TempDir;

use crate::program::diskmend;

#[test]
fn every_recipe_is_listed_and_one_is_shown_in_full() {
    let run = diskmend(["recipes"]).ends(0);
    for name in ["tls", "nla", "crash-dump", "rdp-internal-error"] {
        let listed = |line: &str| line.split_whitespace().next() == Some(name);
        assert!(run.stdout.lines().any(listed), "{}", run.stdout);
    }
    let run = diskmend(["recipes", "crash-dump"]).ends(0);
    assert!(
        run.stdout
            .contains(r#"DumpFile = REG_EXPAND_SZ "%SystemRoot%\MEMORY.DMP""#),
        "{}",
        run.stdout
    );
}

#[test]
fn json_has_the_rows() {
    let document = diskmend(["recipes", "tls", "--json"]).ends(0).json();
    let recipe = &document["recipes"][0];
    assert_eq!(recipe["name"], "tls");
    assert_eq!(recipe["file"], serde_json::Value::Null);
    let rows = recipe["registry"].as_array().expect("a list");
    assert!(
        rows.iter()
            .any(|row| row["value"] == "Enabled" && row["desired"]["data"] == 1)
    );
}

#[test]
fn a_file_of_ones_own_is_a_recipe_too() {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("own.toml");
    let text = "schema = 1\nname = \"own\"\ntitle = \"Own\"\nsummary = \"Mine\"\nsources = [\"https://example.org\"]\n\
                [[registry]]\nhive = \"SYSTEM\"\nkey = 'Setup'\nvalue = \"A\"\n\
                type = \"REG_DWORD\"\ndata = 1\nwhy = \"because\"\n";
    fs::write(&file, text).expect("writable");
    let file = file.to_str().expect("UTF-8");
    let run = diskmend(["recipes", "own", "--recipe", file, "--json"]).ends(0);
    assert_eq!(run.json()["recipes"][0]["file"], file);
    fs::write(file, text.replace("data = 1", "data = 'x'")).expect("writable");
    diskmend(["recipes", "--recipe", file])
        .ends(2)
        .says("own.toml:");
    diskmend(["recipes", "--recipe", "missing.toml"])
        .ends(2)
        .says("missing.toml");
}

#[test]
fn an_unknown_name_is_wrong_usage_and_the_known_ones_are_said() {
    diskmend(["recipes", "nothing"])
        .ends(2)
        .says("no recipe is called \"nothing\"")
        .says("tls");
}
