//! `diskmend hive export`.

use std::fs;

use crate::fixture::{Fixture, hive_file};
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
    assert_eq!(export(&[]).ends(0).stdout, "");
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
    export(&[]).ends(1).says("exists already");
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
fn what_has_no_form_in_a_registry_file_is_said_and_the_rest_is_written() {
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
fn json_is_for_ls() {
    let fixture = Fixture::new();
    let file = fixture.system();
    diskmend(["hive", "export", file.to_str().expect("UTF-8"), "--json"])
        .ends(2)
        .says("hint: 'diskmend hive ls");
}
