//! Behaviour on a terminal only: the question, an interrupt at the question, and wrapped lines.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::process::{Child, Stdio};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::fixture::{Fixture, Volume, hive_file, utf16};
use crate::program::command;

/// The program on its own terminal.
pub(crate) struct Session {
    child: Child,
    terminal: File,
}

impl Session {
    /// Starts the program with all three streams on a terminal of 60 columns.
    pub(crate) fn start(args: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("a terminal");
        unlockpt(&master).expect("a terminal");
        let size = Winsize {
            ws_row: 24,
            ws_col: 60,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).expect("a terminal");
        let name = ptsname(&master, Vec::new()).expect("a terminal");
        let name = name.to_str().expect("UTF-8");
        let slave = || {
            let file = OpenOptions::new().read(true).write(true).open(name);
            Stdio::from(file.expect("the terminal's other side"))
        };
        let child = command(args)
            .env("TERM", "xterm")
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .spawn()
            .expect("the program starts");
        Self {
            child,
            terminal: File::from(master),
        }
    }

    /// Reads until the program has printed this text.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let mut seen = Vec::new();
        let mut byte = [0];
        while !String::from_utf8_lossy(&seen).contains(text) {
            match self.terminal.read(&mut byte) {
                Ok(1) => seen.push(byte[0]),
                _ => panic!("ended with {:?}", String::from_utf8_lossy(&seen)),
            }
        }
        String::from_utf8_lossy(&seen).into_owned()
    }

    pub(crate) fn types(&mut self, text: &str) {
        use std::io::Write as _;
        self.terminal
            .write_all(text.as_bytes())
            .expect("the terminal");
    }

    /// Reads to the end; returns the exit code and the output.
    pub(crate) fn ends(mut self) -> (Option<i32>, String) {
        let mut terminal = self.terminal;
        let reader: JoinHandle<Vec<u8>> = std::thread::spawn(move || {
            let mut seen = Vec::new();
            // Linux reports EIO after the other side is closed.
            let _ = terminal.read_to_end(&mut seen);
            seen
        });
        let status = self.child.wait().expect("the program ends");
        let seen = reader.join().expect("read");
        (status.code(), String::from_utf8_lossy(&seen).into_owned())
    }
}

#[test]
fn repair_shows_the_plan_and_asks() {
    for (answer, code, written) in [
        ("y\n", 0, true),
        ("yes\n", 0, true),
        ("\n", 3, false),
        ("n\n", 3, false),
        ("yellow\n", 3, false),
        ("\u{4}", 3, false),
    ] {
        let volume = Volume::new();
        let before = volume.hives();
        let mut session = Session::start(&["repair", volume.root(), "nla"]);
        let shown = session.wait_for("Apply these 4 changes? [y/N]");
        assert!(shown.contains("RDP-Tcp"), "{shown}");
        session.types(answer);
        let (ended, rest) = session.ends();
        assert_eq!(ended, Some(code), "{answer:?}: {rest}");
        assert_eq!(volume.hives() != before, written, "{answer:?}");
    }
}

#[test]
fn an_interrupt_at_the_question_ends_with_130_and_nothing_is_written() {
    for signal in [Signal::INT, Signal::TERM] {
        let volume = Volume::new();
        let before = volume.hives();
        let mut session = Session::start(&["repair", volume.root(), "nla"]);
        session.wait_for("[y/N]");
        kill_process(Pid::from_child(&session.child), signal).expect("it runs");
        let (ended, _) = session.ends();
        assert_eq!(ended, Some(130));
        assert_eq!(volume.hives(), before);
        assert!(!volume.folder.path().join("diskmend").exists());
    }
}

#[test]
fn edits_and_undo_ask_too() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    let mut session = Session::start(&["hive", "set", file, "Select", "Current", "REG_DWORD", "2"]);
    session.wait_for("Set value Current of key Select to REG_DWORD 0x2? [y/N]");
    session.types("y\n");
    assert_eq!(session.ends().0, Some(0));
    let mut session = Session::start(&["hive", "delete", file, "Select"]);
    session.wait_for("Delete key Select with everything below it? [y/N]");
    session.types("n\n");
    assert_eq!(session.ends().0, Some(3));
    let folder = fixture.folder.path().to_str().expect("UTF-8");
    let mut session = Session::start(&["undo", folder]);
    session.wait_for("Undo run ");
    session.wait_for("[y/N]");
    session.types("y\n");
    assert_eq!(session.ends().0, Some(0));
}

#[test]
fn long_lines_are_wrapped_and_colored_on_a_terminal() {
    let fixture = Fixture::new();
    let file = fixture.path("long");
    let text = "x".repeat(500);
    hive_file(&file, |editor| {
        let data = utf16(&format!("{text}\0"));
        editor
            .set_value("", "A", diskmend_hive::ValueType::SZ, &data)
            .expect("valid");
    });
    let session = Session::start(&["hive", "get", file.to_str().expect("UTF-8"), "\\"]);
    let (code, shown) = session.ends();
    assert_eq!(code, Some(0));
    assert!(!shown.contains(&text), "{shown}");
    assert_eq!(shown.matches('x').count(), text.len(), "{shown}");
    assert!(shown.contains("\u{1b}["), "{shown:?}");
}
