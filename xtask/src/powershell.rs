//! `cargo xtask powershell`: parses the PowerShell scripts in `packaging`, without running them,
//! because PowerShell is not available here.

use std::fmt;
use std::fs;

use anyhow::{Context, Result, bail};
use tree_sitter::{Node, Parser};
use walkdir::WalkDir;

use crate::workspace;

/// The line by which 'az vm repair run' recognizes success, anywhere in the output of a script.
const SUCCESS: &str = "[STATUS]::SUCCESS";

/// Parses every script, and returns the number of scripts.
///
/// # Errors
/// If there is no script, or one has a fault.
pub fn run() -> Result<String> {
    let root = workspace::root()?;
    let (mut scripts, mut findings) = (0, 0);
    for entry in WalkDir::new(root.join("packaging")).sort_by_file_name() {
        let entry = entry?;
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "ps1") {
            continue;
        }
        scripts += 1;
        let name = path.strip_prefix(&root).unwrap_or(path).display();
        let text = fs::read_to_string(path).with_context(|| name.to_string())?;
        for finding in check(&text)? {
            println!("{name}:{finding}");
            findings += 1;
        }
    }
    match (scripts, findings) {
        (0, _) => bail!("there is no script"),
        (_, 0) => {}
        _ => bail!("{findings} found in the scripts"),
    }
    let note = format!("{scripts} parsed, nothing found");
    println!("{note}");
    Ok(note)
}

/// A fault in a script, and its place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    line: usize,
    column: usize,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

/// The faults that keep Windows PowerShell 5.1 from parsing a script, or 'az vm repair run' from
/// running it, in the order of its lines.
fn check(text: &str) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut report = |line, column, what: String| findings.push(Finding { line, column, what });
    for (index, line) in text.lines().enumerate() {
        if !line.is_ascii() {
            let what = "not ASCII: Windows PowerShell reads it in the machine's code page";
            report(index + 1, 1, what.to_owned());
        }
        if line.contains(SUCCESS) {
            let what = "the line that tells success stands in the script's text";
            report(index + 1, 1, what.to_owned());
        }
    }
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into())?;
    let tree = parser.parse(text, None).context("the parser gave up")?;
    let mut left = vec![tree.root_node()];
    while let Some(node) = left.pop() {
        left.extend(node.children(&mut node.walk()));
        if let Some(what) = fault(node) {
            let start = node.start_position();
            report(start.row + 1, start.column + 1, what);
        }
    }
    findings.sort();
    Ok(findings)
}

/// The reason why a node can't be parsed or run, if there is one.
fn fault(node: Node<'_>) -> Option<String> {
    if node.is_missing() {
        return Some(format!("{} is missing", node.kind()));
    }
    if node.is_error() {
        return Some("syntax error".to_owned());
    }
    let what = match node.kind() {
        "pipeline_chain_tail" => "only PowerShell 7 knows && and ||",
        // 'az vm repair run' appends the script to its own, where a second block is a syntax error.
        "param_block" if node.parent()?.parent().is_none() => {
            "a custom script can't have parameters"
        }
        _ => return None,
    };
    Some(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let findings = check(text).expect("the parser works");
        findings.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_sound_script_passes() {
        let text = "function Get-It {\n    param([string]$Name)\n    \
                    try { Get-Disk | Where-Object { $_.Number -eq $Name } }\n    \
                    catch { Write-Output \"no: $_\" }\n}\nGet-It -Name 'x'\n";
        assert_eq!(findings(text), Vec::<String>::new());
    }

    #[test]
    fn a_broken_script_does_not() {
        for broken in [
            "function Get-It {\n",
            "if ($a { }\n",
            "\"abc\n",
            "$x = @{ a = \n",
            "Get-Disk | | Get-Partition\n",
            "foreach ($x of $y) { }\n",
            "$x = $a ? 1 : 2\n",
        ] {
            let found = findings(broken);
            let told = found.iter().any(|finding| finding.contains("syntax error"));
            assert!(told, "{broken:?}: {found:?}");
        }
    }

    #[test]
    fn the_shipped_script_does_not_parse_without_one_of_its_braces() {
        let text = include_str!("../../packaging/az-vm-repair/win-diskmend.ps1");
        let lines = text.lines().enumerate();
        let closing = lines.filter(|(_, line)| line.trim() == "}");
        for (index, _) in closing.step_by(7) {
            let kept = text.lines().enumerate().filter(|(at, _)| *at != index);
            let broken: Vec<&str> = kept.map(|(_, line)| line).collect();
            let found = findings(&broken.join("\n"));
            assert!(!found.is_empty(), "line {}", index + 1);
        }
    }

    #[test]
    fn what_parses_and_is_wrong_is_found() {
        for (text, expected) in [
            (
                "Get-Disk && Get-Disk\n",
                "1:10: only PowerShell 7 knows && and ||",
            ),
            (
                "param($X)\nGet-Disk\n",
                "1:1: a custom script can't have parameters",
            ),
            (
                "Write-Output '\u{e4}'\n",
                "1:1: not ASCII: Windows PowerShell reads it in the machine's code page",
            ),
            (
                "Write-Output '[STATUS]::SUCCESS'\n",
                "1:1: the line that tells success stands in the script's text",
            ),
        ] {
            assert_eq!(findings(text), [expected], "{text:?}");
        }
    }
}
