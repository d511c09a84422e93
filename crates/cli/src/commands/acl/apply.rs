//! Shows a plan for permissions, asks, and carries it out.

use std::io;

use diskmend_repair::acl_edit::AclPlan;
use diskmend_repair::documents::{AclPlanReport, Outcome, RepairReport};

use super::super::repair;
use super::path_arg::{Located, PathArgs};
use crate::consent::Consent;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::html;
use crate::output::console::{self, Console};
use crate::output::{acl, shell};
use crate::progress::Steps;
use crate::report_file::ReportArgs;

/// The options that decide whether a plan is carried out.
#[derive(Debug, clap::Args)]
pub(crate) struct Carry {
    #[command(flatten)]
    consent: Consent,
    /// Only show what would be changed
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pub(super) report: ReportArgs,
}

/// Shows the plan as the result.
pub(super) fn show(console: &mut Console, report: &AclPlanReport) -> Result<Exit, Failure> {
    let clean = report.acl.to_change == 0 && report.acl.failed.count == 0;
    let exit = if clean { Exit::Done } else { Exit::Pending };
    console.page(|| html::permissions(report, "What differs"));
    console.show(exit, |console| {
        if console.json() {
            console.engine_document(report)
        } else {
            acl::report(console.out(), &report.acl)?;
            let count = report.acl.to_change;
            match count {
                0 => writeln!(console.out(), "\nnothing to do"),
                _ => writeln!(
                    console.out(),
                    "\npermissions of {} to set",
                    acl::objects(count)
                ),
            }
        }
    })
}

/// Asks, and carries the plan out.
pub(super) fn carry_out(
    console: &mut Console,
    args: &PathArgs,
    located: &Located,
    plan: AclPlan<'_>,
    carry: &Carry,
) -> Result<Exit, Failure> {
    if carry.dry_run {
        return show(console, plan.report());
    }
    console.page(|| html::permissions(plan.report(), "What was planned"));
    let count = plan.report().acl.to_change;
    if count > 0 && carry.consent.asks() {
        carry.consent.can_be_had()?;
        if console.json() {
            acl::report(&mut anstream::stderr(), &plan.report().acl)?
        } else {
            acl::report(console.out(), &plan.report().acl)?;
            console.flush()?;
        }
        let question = format!("Set the permissions of {}?", acl::objects(count));
        if !carry.consent.given(&question)? {
            return Ok(Exit::Pending);
        }
    }
    let applied = Steps::while_writing(|watch| plan.apply(watch));
    let report = applied.map_err(|error| args.failure(located, &error))?;
    repair::page(console, &report, &args.option());
    console.show(report.outcome.into(), |console| {
        if console.json() {
            console.engine_document(&report)
        } else {
            print(console, &report, &args.option())
        }
    })
}

fn print(console: &mut Console, report: &RepairReport, state: &str) -> io::Result<()> {
    if let Some(applied) = &report.descriptors {
        acl::applied(console.out(), applied)?;
    }
    if report.outcome == Outcome::NothingToDo {
        writeln!(console.out(), "nothing to do: everything is as wanted")?;
    }
    if let Some(run) = &report.run {
        let target = shell::word(&report.target);
        let run = shell::word(run);
        console::hint(format_args!("to undo: diskmend undo {target} {run}{state}"));
    }
    Ok(())
}
