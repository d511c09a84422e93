//! What is wrong with a script: that it can't be parsed, and what Windows PowerShell would do with it
//! that nobody meant.

use std::collections::HashMap;

use anyhow::Result;
use tree_sitter::Node;

use super::script::{Script, child, children, find};

/// The line by which 'az vm repair run' knows success, wherever it stands in what a script writes.
const SUCCESS: &str = "[STATUS]::SUCCESS";

/// Commands of Windows PowerShell 5.1 that the scripts use.
const COMMANDS: &[&str] = &[
    "ConvertFrom-Json",
    "Expand-Archive",
    "ForEach-Object",
    "Get-ChildItem",
    "Get-Disk",
    "Get-FileHash",
    "Get-Partition",
    "Get-Variable",
    "Invoke-WebRequest",
    "Join-Path",
    "New-Item",
    "Out-Null",
    "Select-Object",
    "Set-Disk",
    "Set-StrictMode",
    "Sort-Object",
    "Split-Path",
    "Start-Process",
    "Start-Sleep",
    "Where-Object",
    "Write-Output",
];

/// Variables of PowerShell's own, which a script must not give a value.
const AUTOMATIC: &[&str] = &[
    "_",
    "args",
    "error",
    "event",
    "false",
    "foreach",
    "home",
    "host",
    "input",
    "matches",
    "myinvocation",
    "null",
    "pid",
    "profile",
    "psitem",
    "pshome",
    "pwd",
    "sender",
    "switch",
    "this",
    "true",
];

/// Something that is wrong, with its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    line: usize,
    column: usize,
    what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

/// What is wrong with a script, in the order of its lines.
///
/// # Errors
/// If the parser itself fails.
pub(super) fn check(text: &str) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut at = |what: &str| {
            findings.push(Finding {
                line: index + 1,
                column: 1,
                what: what.to_owned(),
            });
        };
        if !line.is_ascii() {
            at("not ASCII: Windows PowerShell reads it in the machine's code page");
        }
        if line.contains(SUCCESS) {
            at("the line that tells success stands in the script's text");
        }
    }
    let script = Script::parse(text)?;
    syntax(&script, &mut findings);
    errors(&script, &mut findings);
    commands(&script, &mut findings);
    variables(&script, &mut findings);
    findings.sort_by_key(|finding| (finding.line, finding.column));
    Ok(findings)
}

fn report(findings: &mut Vec<Finding>, node: Node<'_>, what: impl Into<String>) {
    let start = node.start_position();
    findings.push(Finding {
        line: start.row + 1,
        column: start.column + 1,
        what: what.into(),
    });
}

/// What can't be parsed, or only by PowerShell 7.
fn syntax(script: &Script<'_>, findings: &mut Vec<Finding>) {
    for node in find(script.root(), &|node| node.is_error() || node.is_missing()) {
        let what = match node.is_missing() {
            true => format!("{} is missing", node.kind()),
            false => "syntax error".to_owned(),
        };
        report(findings, node, what);
    }
    for operator in script.all(&["pipeline_chain_tail"]) {
        report(findings, operator, "only PowerShell 7 knows && and ||");
    }
    // 'az vm repair run' appends the script to its own, where a second block is a syntax error.
    let block = children(script.root())
        .into_iter()
        .find(|node| node.kind() == "param_block");
    if let Some(block) = block {
        report(findings, block, "a custom script can't have parameters");
    }
}

/// Errors that nobody hears of.
fn errors(script: &Script<'_>, findings: &mut Vec<Finding>) {
    for clause in script.all(&["catch_clause"]) {
        let block = child(clause, "statement_block");
        if block.is_none_or(|block| child(block, "statement_list").is_none()) {
            report(findings, clause, "an error is caught and not told");
        }
    }
    for attempt in script.all(&["try_statement"]) {
        if child(attempt, "catch_clauses").is_none() && child(attempt, "finally_clause").is_none() {
            report(findings, attempt, "try without catch or finally");
        }
    }
    for parameter in script.all(&["command_parameter"]) {
        let silent = parameter
            .next_named_sibling()
            .and_then(|separator| separator.next_named_sibling())
            .is_some_and(|value| script.words(value) == "SilentlyContinue");
        if silent {
            report(findings, parameter, "errors are silenced");
        }
    }
}

/// Commands that are not known, and parameters that a function of the script does not have.
fn commands(script: &Script<'_>, findings: &mut Vec<Finding>) {
    let functions = functions(script);
    for command in script.all(&["command"]) {
        if let Some(operator) = child(command, "command_invokation_operator") {
            report(findings, operator, "runs what is not named in the script");
            continue;
        }
        let Some(name) = child(command, "command_name") else {
            continue;
        };
        let words = script.words(name);
        let Some(parameters) = functions.get(words) else {
            if !COMMANDS.contains(&words) {
                report(findings, name, format!("unknown command {words}"));
            }
            continue;
        };
        let elements = child(command, "command_elements");
        let given = elements.map(children).unwrap_or_default();
        for node in given {
            let given = script.words(node).trim_start_matches('-');
            if node.kind() == "command_parameter" && !parameters.contains(&given) {
                report(findings, node, format!("{words} has no parameter {given}"));
            }
        }
    }
}

/// The script's functions, with the names of their parameters.
fn functions<'a>(script: &Script<'a>) -> HashMap<&'a str, Vec<&'a str>> {
    let mut functions = HashMap::new();
    for function in script.all(&["function_statement"]) {
        let Some(name) = child(function, "function_name") else {
            continue;
        };
        let parameters = find(function, &|node| node.kind() == "script_parameter");
        let names = parameters
            .into_iter()
            .filter_map(|parameter| child(parameter, "variable"))
            .map(|variable| script.words(variable).trim_start_matches('$'))
            .collect();
        functions.insert(script.words(name), names);
    }
    functions
}

/// Values for PowerShell's own variables, and names that differ in case only, which are one variable.
fn variables(script: &Script<'_>, findings: &mut Vec<Finding>) {
    for node in script.all(&["left_assignment_expression", "foreach_statement"]) {
        // What is assigned to: the whole of one side, or what 'foreach' counts with.
        let target = match node.kind() {
            "foreach_statement" => child(node, "variable"),
            _ => find(node, &|node| node.kind() == "variable")
                .into_iter()
                .find(|variable| variable.byte_range() == node.byte_range()),
        };
        let Some(target) = target else { continue };
        let name = script.words(target).trim_start_matches('$');
        if AUTOMATIC.contains(&name.to_ascii_lowercase().as_str()) {
            report(findings, target, format!("${name} is PowerShell's own"));
        }
    }
    for function in script.all(&["function_statement"]) {
        let mut spellings: HashMap<String, &str> = HashMap::new();
        for variable in find(function, &|node| node.kind() == "variable") {
            let name = script.words(variable);
            let first = spellings.entry(name.to_ascii_lowercase()).or_insert(name);
            if *first != name {
                report(findings, variable, format!("{name} is {first}"));
            }
        }
    }
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
        let text = include_str!("../../../packaging/az-vm-repair/win-diskmend.ps1");
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
            ("Get-Dsik\n", "1:1: unknown command Get-Dsik"),
            ("iex 'x'\n", "1:1: unknown command iex"),
            ("& $x\n", "1:1: runs what is not named in the script"),
            (
                "Get-Disk && Get-Disk\n",
                "1:10: only PowerShell 7 knows && and ||",
            ),
            (
                "try { Get-Disk } catch { }\n",
                "1:18: an error is caught and not told",
            ),
            ("try { Get-Disk }\n", "1:1: try without catch or finally"),
            (
                "Get-Disk -ErrorAction SilentlyContinue\n",
                "1:10: errors are silenced",
            ),
            ("$home = 1\n", "1:1: $home is PowerShell's own"),
            (
                "foreach ($input in 1) { Get-Disk }\n",
                "1:10: $input is PowerShell's own",
            ),
            (
                "function A {\nparam($Given)\nforeach ($given in 1) { Get-Disk }\n}\n",
                "3:10: $given is $Given",
            ),
            (
                "function A {\nparam($X)\nGet-Disk\n}\nA -Y 1\n",
                "5:3: A has no parameter Y",
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
