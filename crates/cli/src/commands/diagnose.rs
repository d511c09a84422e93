//! `diskmend diagnose`: looks for the cause of trouble.

use std::io::{self, Write};

use diskmend_base::escape::Visible;
use diskmend_repair::diagnosis::{Source, SourceState};
use diskmend_repair::documents::{CauseReport, DiagnoseReport, EvidenceReport};
use maud::html;

use crate::boot_arg::BootArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::html;
use crate::output::console::Console;
use crate::output::{identity, report, shell, style, volume};
use crate::progress::Steps;
use crate::recipe_file::RecipeFiles;
use crate::report_file::ReportArgs;
use crate::rule_file::RuleFiles;
use crate::target_arg::TargetArgs;

/// The maximum number of causes that are shown as text.
const MOST_CAUSES: usize = 10;

/// Find out what keeps the Windows on a disk from working; nothing is written
///
/// diskmend first says what the Windows is. Then it says which cause is most likely, how sure that
/// is and from which evidence, and which command repairs it. 'diskmend recipes --causes' lists the
/// causes that it knows, and the evidence for and against each.
///
/// A cause is certain, likely or possible. The certainty depends on the sum of the weights of the
/// evidence that was seen, less the weights of what speaks against the cause.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 0: nothing on the disk is a fault. 3: there is a likely cause.

Examples:
  diskmend diagnose /mnt/f
  diskmend diagnose F:
  diskmend diagnose broken-os-disk.vhd --json | jq '.verdict'
  diskmend diagnose /mnt/f --rule my-causes.toml")]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    rules: RuleFiles,
    #[command(flatten)]
    files: RecipeFiles,
    #[command(flatten)]
    boot: BootArgs,
    #[command(flatten)]
    report: ReportArgs,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    args.report.about(&args.target.target, console)?;
    let recipes = args.files.load()?.catalogue;
    let rules = args.rules.load(&recipes)?;
    let engine = args.target.engine(args.boot.choice())?;
    let mut steps = Steps::start();
    let found = engine.diagnose(&rules, &recipes, &mut steps.watch());
    let found = found.map_err(|error| args.target.failure(&error))?;
    drop(steps);
    let exit = if found.has_faults() {
        Exit::Pending
    } else {
        Exit::Done
    };
    console.page(|| {
        html! {
            (html::identity(&found.identity))
            (html::diagnosis(&found, |cause| command(cause, &found.target, &args.target)))
        }
    });
    console.show(exit, |console| {
        if console.json() {
            console.engine_document(&found)
        } else {
            print(console, &found, &args.target)
        }
    })
}

fn print(console: &mut Console, found: &DiagnoseReport, target: &TargetArgs) -> io::Result<()> {
    let out = console.out();
    identity::identity(out, &found.identity, &[])?;
    match found.causes.split_first() {
        None => nothing(out, found.unread.is_empty())?,
        Some((first, others)) => {
            cause(out, "Most likely: ", first, &found.target, target)?;
            let shown = others.iter().take(MOST_CAUSES - 1);
            let more = others.len() - shown.len();
            for other in shown {
                cause(out, "Also: ", other, &found.target, target)?;
            }
            if more > 0 {
                writeln!(out, "\nand {more} more causes, which --json lists")?;
            }
        }
    }
    changes(out, found, target)?;
    sources(out, &found.sources)?;
    unread(out, &found.unread)?;
    let volume = found.identity.volume.as_ref();
    volume
        .iter()
        .for_each(|volume| volume::conditions("", &volume.conditions));
    report::remarks(&found.target, &[], &found.notices);
    report::unfinished(&found.unfinished, target);
    Ok(())
}

/// What to look at if the disk, or what could be read of it, explains nothing.
fn nothing(out: &mut dyn Write, is_whole: bool) -> io::Result<()> {
    let (style, limit) = if is_whole {
        (style::GOOD, "")
    } else {
        (style::WARNING, ", as far as it could be read")
    };
    writeln!(
        out,
        "{style}Nothing on this disk explains why the machine does not work{limit}.{style:#}"
    )?;
    writeln!(
        out,
        "  Check what is not on the disk: network security groups, routes and firewalls in front of"
    )?;
    writeln!(
        out,
        "  the machine, the state of the platform, and the screenshot of the boot."
    )
}

fn cause(
    out: &mut dyn Write,
    rank: &str,
    cause: &CauseReport,
    path: &str,
    target: &TargetArgs,
) -> io::Result<()> {
    let (heading, bad) = (style::HEADING, style::BAD);
    let (title, certainty) = (Visible(&cause.title), cause.certainty);
    if rank.starts_with("Also") {
        writeln!(out)?;
    }
    writeln!(
        out,
        "{heading}{rank}{title}{heading:#}  {bad}{certainty}{bad:#}"
    )?;
    for evidence in &cause.evidence {
        self::evidence(out, "", evidence)?;
    }
    for evidence in &cause.against {
        self::evidence(out, "against it: ", evidence)?;
    }
    if let Some(command) = command(cause, path, target) {
        writeln!(out, "  Repair it: {command}")?;
    }
    writeln!(out, "  By hand: {}", Visible(&cause.check))
}

fn evidence(out: &mut dyn Write, mark: &str, evidence: &EvidenceReport) -> io::Result<()> {
    let faint = style::FAINT;
    writeln!(out, "  {mark}{}", Visible(&evidence.says))?;
    for seen in &evidence.seen {
        let (place, found) = (Visible(&seen.place), Visible(&seen.found));
        write!(out, "    {faint}{place}: {found}")?;
        match &seen.time {
            Some(time) => writeln!(out, ", {}{faint:#}", Visible(time))?,
            None => writeln!(out, "{faint:#}")?,
        }
    }
    match evidence.more {
        0 => Ok(()),
        more => writeln!(out, "    {faint}and {more} more{faint:#}"),
    }
}

/// The command that repairs a cause.
pub(super) fn command(cause: &CauseReport, path: &str, target: &TargetArgs) -> Option<String> {
    if cause.repair.is_empty() {
        return None;
    }
    Some(repair_command(&cause.repair, path, target))
}

/// The command that repairs with these recipes.
pub(super) fn repair_command<S: AsRef<str>>(
    recipes: &[S],
    path: &str,
    target: &TargetArgs,
) -> String {
    let words = recipes.iter().map(|name| shell::word(name.as_ref()));
    let words: Vec<_> = words.collect();
    let (path, option) = (shell::word(path), target.option());
    format!("diskmend repair {path} {}{option}", words.join(" "))
}

/// What was changed before the trouble began.
fn changes(out: &mut dyn Write, found: &DiagnoseReport, target: &TargetArgs) -> io::Result<()> {
    if found.recent_changes.is_empty() {
        return Ok(());
    }
    let (heading, faint) = (style::HEADING, style::FAINT);
    writeln!(
        out,
        "\n{heading}Changed since somebody last logged on over the network{heading:#}"
    )?;
    for change in &found.recent_changes {
        let time = change.time.as_deref().unwrap_or("no time");
        let (time, what) = (Visible(time), Visible(&change.found));
        writeln!(out, "  {faint}{time}{faint:#}  {what}")?;
    }
    if found.more_changes > 0 {
        let (more, path) = (found.more_changes, shell::word(&found.target));
        let option = target.option();
        writeln!(out, "  and {more} older: diskmend events {path}{option}")?;
    }
    Ok(())
}

/// What evidence there is at all.
fn sources(out: &mut dyn Write, sources: &[Source]) -> io::Result<()> {
    let (heading, warning, faint) = (style::HEADING, style::WARNING, style::FAINT);
    writeln!(out, "\n{heading}The evidence on this disk{heading:#}")?;
    for source in sources {
        let (evidence, found) = (source.evidence, Visible(&source.found));
        match source.state {
            SourceState::Unknown => {
                writeln!(out, "  {evidence}: {warning}not known{warning:#}: {found}")?
            }
            SourceState::Clean => writeln!(out, "  {evidence}: {faint}{found}{faint:#}")?,
            SourceState::Found => writeln!(out, "  {evidence}: {found}")?,
            SourceState::None => {}
        }
    }
    let none = sources
        .iter()
        .filter(|source| source.state == SourceState::None);
    let none: Vec<_> = none.map(|source| source.evidence).collect();
    if none.is_empty() {
        return Ok(());
    }
    writeln!(out, "  there is none of these: {}", none.join(", "))
}

fn unread(out: &mut dyn Write, unread: &[String]) -> io::Result<()> {
    let warning = style::WARNING;
    if unread.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{warning}Could not be read{warning:#}, so this says nothing:"
    )?;
    for reason in unread {
        writeln!(out, "  {}", Visible(reason))?;
    }
    Ok(())
}
