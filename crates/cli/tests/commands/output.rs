//! Rules for the output of all commands: streams, colors, escapes, closed pipes.

use std::io::{BufRead as _, BufReader, Read as _, Seek as _};
use std::process::Stdio;

use crate::fixture::{Fixture, Volume, hive_file, utf16};
use crate::program::{Run, command, diskmend};

use diskmend_hive::ValueType;

#[test]
fn nothing_off_the_disk_can_command_the_terminal() {
    let fixture = Fixture::new();
    let file = fixture.path("hostile");
    let hostile = "a\u{1b}]0;title\u{7}\u{9b}31m\u{202e}b";
    hive_file(&file, |editor| {
        editor.create_key(hostile).expect("valid");
        let text = utf16(&format!("{hostile}\r\n\0"));
        editor
            .set_value(hostile, hostile, ValueType::SZ, &text)
            .expect("valid");
    });
    let file = file.to_str().expect("UTF-8");
    for args in [
        vec!["hive", "ls", file],
        vec!["hive", "ls", file, "-r", "--values"],
        vec!["hive", "get", file, hostile],
        vec!["hive", "get", file, hostile, hostile],
        vec!["hive", "get", file, hostile, "no\u{1b}[31m"],
        vec!["hive", "get", file, "no\u{1b}[31m"],
        vec!["hive", "check", file],
        vec!["hive", "check", "no\u{1b}[31m"],
    ] {
        let run = diskmend(&args);
        for text in [&run.stdout, &run.stderr] {
            let commands = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(commands), "{args:?}: {text:?}");
        }
        assert!(run.stdout.contains("<U+001B>") || run.stderr.contains("<U+001B>"));
    }
}

#[test]
fn color_is_for_terminals_unless_asked_for() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let args = ["hive", "ls", file.to_str().expect("UTF-8")];
    let colored = |run: Run| run.ends(0).stdout.contains('\u{1b}');
    assert!(!colored(diskmend(args)));
    assert!(colored(diskmend(args.iter().chain(&["--color=always"]))));
    assert!(!colored(diskmend(args.iter().chain(&["--color=never"]))));
    let forced = |name: &str, value: &str| {
        let mut command = command(args);
        command.env("CLICOLOR_FORCE", "1").env(name, value);
        colored(Run::of(command.output().expect("it starts")))
    };
    assert!(forced("DISKMEND_TEST", ""));
    assert!(!forced("NO_COLOR", "1"));
}

#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    let fixture = Fixture::new();
    let file = fixture.path("large");
    hive_file(&file, |editor| {
        for index in 0..2000 {
            let key = format!("a key with a long name, number {index:06}");
            editor.create_key(&key).expect("valid");
        }
    });
    let file = file.to_str().expect("UTF-8");
    for args in [vec!["hive", "ls", file, "-r"], vec!["hive", "export", file]] {
        let mut child = command(&args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let mut stdout = BufReader::with_capacity(64, child.stdout.take().expect("piped"));
        stdout.read_line(&mut line).expect("a line");
        drop(stdout);
        let run = Run::of(child.wait_with_output().expect("it ends"));
        assert_eq!(run.stderr, "", "{args:?}");
        run.ends(0);
    }
}

#[test]
fn verbose_logs_to_stderr_only() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let args = [
        "hive",
        "get",
        file.to_str().expect("UTF-8"),
        "Select",
        "Current",
    ];
    let plain = diskmend(args).ends(0);
    let verbose = diskmend(args.iter().chain(&["-vv"])).ends(0);
    assert_eq!(plain.stdout, verbose.stdout);
}

/// With `-v 2>&1 | head`, the log once made the program panic when its reader had ended.
#[test]
fn a_closed_pipe_does_not_stop_the_log() {
    let volume = Volume::new();
    let args = ["inspect", volume.root(), "nla"];
    let expected = diskmend(args).code;
    let mut child = command(args.iter().chain(&["-vvv"]))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stderr.take());
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(expected));
}

/// The hint how to undo a repair once came before the changes, because results were kept back.
#[test]
fn results_and_messages_keep_their_order_in_one_log() {
    let volume = Volume::new();
    let log = tempfile::tempfile().expect("a file");
    let status = command(["repair", volume.root(), "nla", "--yes"])
        .stdout(log.try_clone().expect("another handle"))
        .stderr(log.try_clone().expect("another handle"))
        .status()
        .expect("it starts");
    assert_eq!(status.code(), Some(0));
    let mut text = String::new();
    let mut log = log;
    log.rewind().expect("a file");
    log.read_to_string(&mut text).expect("UTF-8");
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
    assert!(place("SecurityLayer") < place("read back"), "{text}");
    assert!(place("read back") < place("hint: to undo"), "{text}");
}

/// `-v` once printed nothing at all for most commands.
#[test]
fn verbose_names_steps_files_bytes_and_times() {
    let volume = Volume::new();
    let run = diskmend(["repair", volume.root(), "nla", "--yes", "-v"]).ends(0);
    let file = "Windows/System32/config/SYSTEM";
    let timed = |line: &str| line.contains(" ms") && line.contains("verifying");
    for (what, line) in [
        ("read", format!("read {file}: ")),
        ("written", format!("write {file}: ")),
        ("bytes", " bytes".to_owned()),
        ("a step", format!("comparing {file}")),
    ] {
        assert!(run.stderr.contains(&line), "{what}: {}", run.stderr);
    }
    assert!(run.stderr.lines().any(timed), "{}", run.stderr);
    let more = diskmend(["inspect", volume.root(), "nla", "-vv"]);
    let less = diskmend(["inspect", volume.root(), "nla", "-v"]);
    assert!(more.stderr.lines().count() > less.stderr.lines().count());
    let plain = diskmend(["inspect", volume.root(), "nla"]);
    assert!(!plain.stderr.contains("read "), "{}", plain.stderr);
}
