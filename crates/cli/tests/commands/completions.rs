//! `diskmend completions`.

use crate::program::diskmend;

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = diskmend(["completions", shell]).ends(0);
        assert_eq!(run.stderr, "", "{shell}");
        for command in ["inspect", "repair", "undo", "hive", "completions"] {
            assert!(run.stdout.contains(command), "{shell}: {command}");
        }
        assert!(run.stdout.contains("state-dir"), "{shell}");
    }
    diskmend(["completions", "cmd"]).ends(2).says("powershell");
    diskmend(["completions"]).ends(2);
    diskmend(["completions", "bash", "--json"])
        .ends(2)
        .says("leave --json out");
}

/// The shell itself completes with the script.
#[cfg(target_os = "linux")]
#[test]
fn bash_completes_a_command() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    let script = diskmend(["completions", "bash"]).ends(0).stdout;
    let mut shell = Command::new("bash")
        .args(["--norc", "--noprofile", "-s"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("bash");
    let complete = "COMP_WORDS=(diskmend ins); COMP_CWORD=1\n\
                    _diskmend diskmend ins diskmend\necho \"${COMPREPLY[*]}\"\n";
    let mut input = shell.stdin.take().expect("a pipe");
    input.write_all(script.as_bytes()).expect("it reads");
    input.write_all(complete.as_bytes()).expect("it reads");
    drop(input);
    let output = shell.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "inspect\n");
}
