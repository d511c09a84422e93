//! `diskmend hive export`.

use std::fs;

use diskmend_hive::{Editor, ValueType};

use crate::fixture::{Fixture, hive_file, utf16};
use crate::program::diskmend;

#[test]
fn a_key_is_written_with_its_values_and_all_below() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    let prefix = r"HKEY_LOCAL_MACHINE\SYSTEM";
    let run = diskmend([
        "hive",
        "export",
        file,
        "controlset002\\control\\crashcontrol",
        "--prefix",
        prefix,
    ])
    .ends(0);
    assert_eq!(
        run.stdout,
        "Windows Registry Editor Version 5.00\n\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002\\Control\\CrashControl]\n\
         \"CrashDumpEnabled\"=dword:00000007\n\n"
    );
    let run = diskmend(["hive", "export", file, "Setup"]).ends(0);
    for line in [
        "[Setup]",
        "@=\"the default\"",
        "\"Binary\"=hex:00,01,fe,ff",
        "\"Dword\"=dword:00000d3d",
        "\"None\"=hex(0):",
        "\"Multi\"=hex(7):6f,00,6e,00,65,00,00,00,74,00,77,00,6f,00,00,00,00,00",
        "\"Odd\"=hex(1234):01",
        "\"Short\"=hex(4):01,02",
    ] {
        assert!(
            run.stdout.lines().any(|l| l == line),
            "{line}\n{}",
            run.stdout
        );
    }
}

#[test]
fn a_file_is_utf_16_as_regedit_writes_it_and_never_overwritten() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let out = fixture.path("out.reg");
    let export = |more: &[&str]| {
        let mut args = vec![
            "hive",
            "export",
            file.to_str().expect("UTF-8"),
            "Select",
            "-o",
        ];
        args.push(out.to_str().expect("UTF-8"));
        args.extend(more);
        diskmend(args)
    };
    let said = export(&[]).ends(0).stdout;
    assert!(
        said.starts_with("wrote 1 key with 4 values of ") && said.ends_with("out.reg\n"),
        "{said}"
    );
    let bytes = fs::read(&out).expect("written");
    assert_eq!(bytes[..2], [0xff, 0xfe]);
    let (pairs, rest) = bytes.as_chunks();
    assert!(rest.is_empty());
    let text: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    let text = String::from_utf16(&text).expect("UTF-16");
    assert!(
        text.contains("[Select]\r\n\"Current\"=dword:00000001\r\n"),
        "{text}"
    );
    export(&[]).ends(1).says("already exists");
    assert_eq!(fs::read(&out).expect("still there"), bytes);
    fs::remove_file(&out).expect("removable");
    export(&["--utf8"]).ends(0);
    let text = fs::read_to_string(&out).expect("UTF-8");
    assert!(
        text.contains("[Select]\n\"Current\"=dword:00000001\n"),
        "{text}"
    );
}

#[test]
fn names_that_reg_text_can_not_express_are_reported_and_the_rest_is_written() {
    let fixture = Fixture::new();
    let file = fixture.path("odd");
    hive_file(&file, |editor| {
        editor.create_key("two\nlines").expect("valid");
        editor.create_key("zebra").expect("valid");
    });
    let run = diskmend(["hive", "export", file.to_str().expect("UTF-8")])
        .ends(1)
        .says("1 keys or values are missing in the export");
    assert!(run.stdout.contains("[zebra]"), "{}", run.stdout);
}

#[test]
fn json_says_what_was_written() {
    let fixture = Fixture::new();
    let file = fixture.path("odd");
    hive_file(&file, |editor| {
        editor.create_key("two\nlines").expect("valid");
        editor.create_key("zebra").expect("valid");
        editor
            .set_value("zebra", "stripes", ValueType::DWORD, &[9, 0, 0, 0])
            .expect("valid");
    });
    let out = fixture.path("out.reg");
    let out = out.to_str().expect("UTF-8");
    let file = file.to_str().expect("UTF-8");
    let document = diskmend(["hive", "export", file, "-o", out, "--json"])
        .ends(1)
        .json();
    let counts = ["keys", "values", "skipped"].map(|name| document[name].as_u64());
    assert_eq!(counts, [Some(2), Some(1), Some(1)]);
    assert_eq!(document["file"], out);
}

#[test]
fn json_without_a_file_is_refused_with_a_hint_to_ls() {
    let fixture = Fixture::new();
    let file = fixture.system();
    diskmend(["hive", "export", file.to_str().expect("UTF-8"), "--json"])
        .ends(2)
        .says("hint: 'diskmend hive ls");
}

/// Adds keys, values and data with half surrogate pairs, U+0000, control characters, and text that
/// looks like the escapes of these.
fn odd(editor: &mut Editor) {
    for key in [
        "k<U+DC00>",
        "<U+D800>x\\y",
        "<U+003C>U+DC00>",
        "tab<U+0009>",
        "\u{202e}",
    ] {
        editor.create_key(key).expect("valid");
        for name in [
            "C:\\t<U+D800>st.exe",
            "<U+DFFF>",
            "<U+003C>U+D800>",
            "a<U+001B>b",
            "@",
            "(default)",
        ] {
            for (suffix, data) in [
                ("", vec![0x41, 0, 0x00, 0xd8, 0x42, 0, 0, 0]),
                ("2", utf16("<U+D800>\0")),
            ] {
                let name = format!("{name}{suffix}");
                editor
                    .set_value(key, &name, ValueType::SZ, &data)
                    .expect("valid");
            }
        }
    }
}

/// Once the export contained U+FFFD for half a pair, and its import made a second key or value.
#[test]
fn half_surrogate_pairs_survive_utf16_and_are_reported_in_utf8() {
    let fixture = Fixture::new();
    let file = fixture.path("odd");
    hive_file(&file, odd);
    let before = fs::read(&file).expect("readable");
    let (file, out) = (file.to_str().expect("UTF-8"), fixture.path("odd.reg"));
    let out = out.to_str().expect("UTF-8");
    let exported = diskmend(["hive", "export", file, "-o", out]).ends(0);
    assert_eq!(exported.stderr, "");
    let bytes = fs::read(out).expect("written");
    let units: Vec<u16> = bytes
        .as_chunks()
        .0
        .iter()
        .map(|pair| u16::from_le_bytes(*pair))
        .collect();
    let halves = |wanted: u16| units.iter().filter(|unit| **unit == wanted).count();
    assert_eq!(
        (halves(0xd800), halves(0xdfff), halves(0xfffd)),
        (2 + 2 * 5 + 6 * 5, 10, 0)
    );
    let run = diskmend(["hive", "import", file, out, "--yes"]).ends(0);
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
    assert_eq!(fs::read(file).expect("readable"), before);

    // The import into an empty hive makes the same content.
    let other = fixture.path("other");
    hive_file(&other, |_| {});
    let other = other.to_str().expect("UTF-8");
    diskmend(["hive", "import", other, out, "--yes"]).ends(0);
    let list = |file| {
        diskmend(["hive", "ls", file, "-r", "--values", "--json"])
            .ends(0)
            .json()
    };
    let without_times = |mut document: serde_json::Value| {
        for key in document["keys"].as_array_mut().expect("a list") {
            key["last_written"].take();
        }
        document
    };
    assert_eq!(without_times(list(other)), without_times(list(file)));

    let run = diskmend(["hive", "export", file])
        .ends(1)
        .says("warning: k<U+DC00>: ")
        .says("half of a surrogate pair");
    assert!(!run.stdout.contains('\u{fffd}'));
    let plain = fixture.path("plain.reg");
    fs::write(&plain, run.stdout).expect("writable");
    let run = diskmend([
        "hive",
        "import",
        file,
        plain.to_str().expect("UTF-8"),
        "--yes",
    ])
    .ends(0);
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
}

#[test]
fn every_name_is_accepted_as_it_is_shown() {
    let fixture = Fixture::new();
    let path = fixture.path("odd");
    hive_file(&path, odd);
    let before = fs::read(&path).expect("readable");
    let file = path.to_str().expect("UTF-8");
    let document = diskmend(["hive", "ls", file, "-r", "--values", "--json"])
        .ends(0)
        .json();
    let keys = document["keys"].as_array().expect("a list");
    assert_eq!(keys.len(), 6 + 1, "the root, {keys:?}");
    for key in keys {
        let path = key["path"].as_str().expect("a path");
        assert_eq!(
            diskmend(["hive", "get", file, path, "--json"])
                .ends(0)
                .json()["key"],
            path
        );
        for value in key["data"].as_array().expect("values") {
            let name = value["name"].as_str().expect("a name");
            let one = diskmend(["hive", "get", file, path, name, "--json"])
                .ends(0)
                .json();
            assert_eq!((&one["hex"], &one["name"]), (&value["hex"], &value["name"]));
        }
    }
    for name in [
        "C:\\t<U+D800>st.exe",
        "(DEFAULT)",
        "<U+0028>default)",
        "@",
        "<U+0040>",
    ] {
        diskmend([
            "hive",
            "set",
            file,
            "k<U+DC00>",
            name,
            "REG_DWORD",
            "7",
            "--yes",
        ])
        .ends(0);
        let one = diskmend(["hive", "get", file, "k<U+DC00>", name, "--json"])
            .ends(0)
            .json();
        assert_eq!(one["data"], 7, "{name}");
    }
    let document = diskmend(["hive", "get", file, "k<U+DC00>", "--json"])
        .ends(0)
        .json();
    assert_eq!(
        document["values"].as_array().expect("a list").len(),
        12 + 1,
        "the default value is new"
    );
    diskmend([
        "hive",
        "set",
        file,
        "k<U+DC00>",
        "n<U+0000>",
        "REG_DWORD",
        "7",
        "--yes",
    ])
    .ends(0);
    diskmend(["hive", "delete", file, "k<U+DC00>", "n<U+0000>", "--yes"]).ends(0);
    diskmend(["hive", "delete", file, "<U+D800>x\\y", "--yes"]).ends(0);
    diskmend(["hive", "delete", file, "k<U+DC00>", "--yes"]).ends(0);
    let check = diskmend(["hive", "check", file]);
    assert!(check.stdout.contains("0 errors"), "{}", check.stdout);
    let folder = fixture.folder.path().to_str().expect("UTF-8");
    for _ in 0..8 {
        diskmend(["undo", folder, "--yes"]).ends(0);
    }
    assert!(fs::read(&path).expect("readable") == before);
}
