//! `diskmend recipes`.

use std::fs;

use tempfile::TempDir;

use crate::fixture::Volume;
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

/// A recipe that sets one value below `Setup`.
fn own(folder: &TempDir, name: &str, more: &str) -> String {
    let file = folder.path().join(format!("{name}.toml"));
    let text = format!(
        "schema = 1\nname = '{name}'\ntitle = 'Own'\nsummary = 'Mine'\n\
         sources = ['https://example.org']\n{more}[[registry]]\nhive = 'SYSTEM'\nkey = 'Setup'\n\
         value = '{name}'\ntype = 'REG_DWORD'\ndata = 1\nwhy = 'because'\n"
    );
    fs::write(&file, text).expect("writable");
    file.to_str().expect("UTF-8").to_owned()
}

#[test]
fn the_recipe_of_a_file_is_used_without_its_name() {
    let folder = TempDir::new().expect("a temporary folder");
    let one = own(&folder, "one", "");
    let two = own(&folder, "two", "on_request = true\n");
    let volume = Volume::new();
    let used = |command: &str, list: &str, args: &[&str]| {
        let fixed = [command, volume.root(), "--json"];
        // What is missing is no fault, but a change that a plan makes.
        let faultless = command == "inspect" && !args.contains(&"nla");
        let exit = if faultless { 0 } else { 3 };
        let run = diskmend([&fixed, args].concat()).ends(exit);
        let document = run.json();
        let rows = document[list].as_array().expect("a list");
        let names = rows.iter().map(|row| row["recipe"].as_str());
        let mut names = names.collect::<Option<Vec<_>>>().expect("text");
        names.dedup();
        (names.join(" "), run.stderr)
    };
    for (command, list) in [("inspect", "rows"), ("plan", "changes")] {
        let (names, _) = used(command, list, &["--recipe", &one]);
        assert_eq!(names, "one", "{command}");
        let (names, _) = used(command, list, &["--recipe", &one, "--recipe", &two]);
        assert_eq!(names, "one two", "{command}");
        let (names, _) = used(command, list, &["one", "--recipe", &one]);
        assert_eq!(names, "one", "{command}");
        let (names, stderr) = used(command, list, &["nla", "--recipe", &one]);
        assert_eq!(names, "nla", "{command}");
        assert!(stderr.contains("recipe one is not used"), "{stderr}");
    }
    // The value is missing, which is no fault.
    diskmend(["plan", volume.root(), "--auto", "--recipe", &one]).ends(0);
    diskmend(["repair", volume.root(), "--recipe", &one, "--yes"]).ends(0);
    diskmend(["plan", volume.root(), "--recipe", &one]).ends(0);
    let runs = diskmend(["runs", volume.root(), "--json"]).ends(0).json();
    assert_eq!(runs["runs"][0]["recipes"], serde_json::json!(["one"]));
    diskmend(["plan", volume.root()]).ends(2).says("RECIPE");
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest_one() {
    let volume = Volume::new();
    let before = volume.hives();
    for (typed, meant) in [
        ("tsl", "hint: did you mean tls?"),
        ("Crashdump", "hint: did you mean crash-dump?"),
        ("rdp-internal", "hint: did you mean rdp-internal-error?"),
    ] {
        diskmend(["recipes", typed]).ends(2).says(meant);
        for command in ["inspect", "plan"] {
            diskmend([command, volume.root(), typed])
                .ends(2)
                .says(meant)
                .says("the recipes are: ");
        }
        let repair = ["repair", volume.root(), typed, "--yes"];
        diskmend(repair).ends(2).says(meant);
    }
    let folder = TempDir::new().expect("a temporary folder");
    let file = own(&folder, "keyboard", "");
    diskmend(["plan", volume.root(), "keybord", "--recipe", &file])
        .ends(2)
        .says("did you mean keyboard?");
    let run = diskmend(["recipes", "nothing"]).ends(2);
    assert!(!run.stderr.contains("did you mean"), "{}", run.stderr);
    assert_eq!(volume.hives(), before);
}

#[test]
fn files_are_checked_and_every_mistake_has_its_place() {
    let folder = TempDir::new().expect("a temporary folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("writable");
        path.to_str().expect("UTF-8").to_owned()
    };
    let head = |name: &str| {
        format!(
            "schema = 1\nname = '{name}'\ntitle = 't'\nsummary = 's'\n\
             sources = ['https://example.org']\n"
        )
    };
    let row = "[[registry]]\nhive = 'SYSTEM'\nkey = 'Setup'\nvalue = 'A'\n\
               type = 'REG_DWORD'\ndata = 1\nwhy = 'because'\n";
    let good = put("good.toml", &format!("{}{row}", head("good")));
    let bundle = put(
        "bundle.toml",
        &format!("{}includes = ['good']\n", head("bundle")),
    );
    let run = diskmend(["recipes", "check", &bundle, &good]).ends(0);
    assert!(
        run.stdout
            .contains("bundle.toml: recipe bundle has no mistake"),
        "{}",
        run.stdout
    );

    let bad = put(
        "bad.toml",
        &format!("{}{}", head("bad"), row.replace("data = 1", "data = 'x'")),
    );
    let lost = put(
        "lost.toml",
        &format!("{}includes = ['gone']\n", head("lost")),
    );
    let taken = put("taken.toml", &format!("{}{row}", head("tls")));
    let other = row.replace("data = 1", "data = 2");
    let torn = put("torn.toml", &format!("{}{row}{other}", head("torn")));
    let files = [&bad[..], &good, &lost, &taken, &torn];
    let run = diskmend([&["recipes", "check"][..], &files].concat()).ends(2);
    for say in [
        "bad.toml:11:8: the data of a REG_DWORD are a number",
        "good.toml: recipe good has no mistake",
        "lost.toml: no recipe is called \"gone\"",
        "taken.toml: there is already a recipe called \"tls\"",
        "torn.toml: recipes \"torn\" and \"torn\" want different data",
    ] {
        assert!(run.stdout.contains(say), "{say}: {}", run.stdout);
    }
    let run = diskmend([&["recipes", "check", "--json"][..], &files].concat())
        .ends(2)
        .json();
    assert_eq!(run["files"][0]["mistake"]["line"], 11);
    assert_eq!(run["files"][0]["mistake"]["column"], 8);
    assert_eq!(run["files"][1]["recipe"], "good");
    assert_eq!(run["files"][1]["mistake"], serde_json::Value::Null);
    assert_eq!(run["files"][2]["mistake"]["line"], serde_json::Value::Null);
    diskmend(["recipes", "check", "missing.toml"])
        .ends(2)
        .says("missing.toml");
    diskmend(["recipes", "check"]).ends(2);
}

#[test]
fn the_schema_is_printed() {
    let run = diskmend(["recipes", "schema"]).ends(0);
    let schema: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert!(schema["properties"]["registry"]["items"]["properties"]["builds"].is_object());
}
