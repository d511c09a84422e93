//! Values for the parameters of a recipe: on the command line, in a saved plan, and in the runs.

use std::fs;

use tempfile::TempDir;

use crate::fixture::Volume;
use crate::program::diskmend;

const RDP_TCP: &str = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";

/// A folder with a recipe that has a parameter, and a bundle of it.
struct Own(TempDir);

impl Own {
    fn new() -> Self {
        let own = Self(TempDir::new().expect("a temporary folder"));
        let head = |name: &str| {
            format!(
                "schema = 1\nname = '{name}'\ntitle = 't'\nsummary = 's'\n\
                 sources = ['https://example.org']\n"
            )
        };
        let port = format!(
            "{}\n[parameters]\nport = {{ type = 'port', default = 3389, about = 'where to listen' }}\n\n\
             [[registry]]\nhive = 'SYSTEM'\nkey = '{}'\nvalue = 'PortNumber'\ntype = 'REG_DWORD'\n\
             data = '{{port}}'\nwhy = 'clients use it'\n",
            head("our-port"),
            RDP_TCP.replace("ControlSet001", "ControlSet*")
        );
        let all = format!("{}includes = ['nla', 'our-port']\n", head("ours"));
        fs::write(own.path("port.toml"), port).expect("writable");
        fs::write(own.path("all.toml"), all).expect("writable");
        own
    }

    fn path(&self, name: &str) -> String {
        let path = self.0.path().join(name);
        path.to_str().expect("UTF-8").to_owned()
    }
}

fn port_of(report: &serde_json::Value) -> u64 {
    let changes = report["changes"].as_array().expect("a list");
    let mut changes = changes.iter();
    let port = changes.find(|change| change["value"] == "PortNumber");
    port.expect("a change")["new"]["data"]
        .as_u64()
        .expect("a number")
}

#[test]
fn a_value_is_planned_saved_carried_out_and_kept_with_the_run() {
    let (volume, own) = (Volume::new(), Own::new());
    let (root, recipe, file) = (volume.root(), own.path("port.toml"), own.path("plan.json"));
    let args = ["plan", root, "our-port", "port=33890", "--recipe", &recipe];
    let plan = diskmend([&args[..], &["--json", "--out", &file]].concat())
        .ends(3)
        .json();
    assert_eq!(port_of(&plan), 33890);
    assert_eq!(plan["recipes"][0], "our-port port=33890");

    let saved: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file).expect("a plan")).expect("JSON");
    assert_eq!(saved["recipes"][0]["name"], "our-port");
    assert_eq!(saved["recipes"][0]["parameters"]["port"], "33890");
    // The plan holds the recipe itself.
    fs::remove_file(&recipe).expect("a file");
    let done = diskmend(["repair", root, "--plan", &file, "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(port_of(&done), 33890);

    let runs = diskmend(["runs", root, "--json"]).ends(0).json();
    assert_eq!(runs["runs"][0]["recipes"][0], "our-port port=33890");
}

#[test]
fn a_bundle_passes_it_on_and_one_file_needs_no_name() {
    let (volume, own) = (Volume::new(), Own::new());
    let (port, all) = (own.path("port.toml"), own.path("all.toml"));
    let root = volume.root();
    let files = ["--recipe", &port, "--recipe", &all];
    let args = [&["plan", root, "ours", "port=4000", "--json"], &files[..]].concat();
    assert_eq!(port_of(&diskmend(args).ends(3).json()), 4000);
    let args = ["plan", root, "port=4001", "--recipe", &port, "--json"];
    assert_eq!(port_of(&diskmend(args).ends(3).json()), 4001);
    // Without a value, it is the recipe's own.
    let run = diskmend(["recipes", "our-port", "--recipe", &port]).ends(0);
    assert!(
        run.stdout.contains("port=3389  where to listen (port)"),
        "{}",
        run.stdout
    );
}

#[test]
fn bad_values_are_refused_before_anything_is_read() {
    let own = Own::new();
    let file = own.path("port.toml");
    for (words, say) in [
        (
            &["our-port", "port=0"][..],
            "port=0: \"0\" is not a number within 1 to 65535",
        ),
        (&["our-port", "port=1", "port=2"], "given twice"),
        (
            &["our-port", "prot=1"],
            "no parameter \"prot\": it has port",
        ),
        (&["tls", "port=1"], "recipe tls has no parameter \"port\""),
        (&["port=1", "our-port"], "it follows no recipe"),
        (&["our-prot", "port=1"], "our-prot"),
    ] {
        for command in ["inspect", "plan", "repair"] {
            let args = [&[command, "/nowhere", "--recipe", &file], words].concat();
            diskmend(args).ends(2).says(say);
        }
    }
}
