//! Judging the values of a hive of Windows.

use diskmend_hive::Corruption;
use diskmend_hive::check::check;

use super::{Survey, SurveyedHive};
use crate::changes::Findings;
use crate::check_summary::CheckSummary;
use crate::error::Error;
use crate::examined::Examined;
use crate::facts::{ControlSets, Facts};
use crate::finding::{Goal, JudgedValue, Notice};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::{HiveId, HiveName, Place};
use crate::progress::Phase;
use crate::recipe::{Asked, Asking, Recipe};
use crate::rows::JudgeValues;

/// A row about values.
type ValueRow<'r> = Asked<'r, &'r dyn JudgeValues>;

/// Flag of the base block: transactions of the Kernel Transaction Manager may be pending (regf
/// spec, Base block, Flags).
const KTM_PENDING: u32 = 1;

/// Checks the hives of Windows that rows are about, and judges their values.
pub(super) fn survey(
    survey: &mut Survey,
    facts: &Facts<'_>,
    asking: &Asking<'_, '_>,
    recipes: &[&Recipe],
    goal: Goal,
) -> Result<(), Error> {
    for name in HiveName::ALL {
        let rows = asking.rows(recipes, |about| about.values(name));
        if rows.is_empty() {
            continue;
        }
        facts.go_on()?;
        let read = match facts.hive(name) {
            Ok(hive) => read(facts, asking, name, hive, &rows, &mut survey.notices),
            Err(failure) => match failure.take() {
                // Without it, no recipe can find a fault in it, and `diagnose` tells that it is
                // missing. Old Windows have no COMPONENTS.
                Some(Error::NoHive { path }) if goal == Goal::Faults && !name.makes_a_windows() => {
                    survey.notices.push(Notice {
                        kind: "no-hive",
                        text: format!("{path}: not found; what recipes say about it is left out"),
                    });
                    continue;
                }
                Some(error) => Err(error),
                None => continue,
            },
        };
        match read {
            Ok(hive) => survey.hives.push(hive),
            Err(error @ Error::Interrupted(_)) => return Err(error),
            Err(error) => {
                let place = Place::Hive(HiveId::Windows(name));
                survey.skipped.push((place, error));
            }
        }
    }
    Ok(())
}

fn read(
    facts: &Facts<'_>,
    asking: &Asking<'_, '_>,
    name: HiveName,
    opened: &HiveOnDisk,
    rows: &[ValueRow<'_>],
    notices: &mut Vec<Notice>,
) -> Result<SurveyedHive, Error> {
    let path = opened.path().to_owned();
    let mut examined = Examined::from(opened);
    if facts.options.check {
        facts.phase(Phase::Checking, &path)?;
        examined.check = Some(CheckSummary::from(&check(&opened.hive)));
    }
    facts.phase(Phase::Comparing, &path)?;
    let damaged = examined
        .check
        .as_ref()
        .is_some_and(|check| check.errors > 0);
    let (sets, found) = match values(facts, opened, name, rows) {
        Ok(found) => found,
        // The check describes the damage better, and the hive is refused because of it.
        Err(_) if damaged => Default::default(),
        Err(error) => return Err(Error::corrupt(&path)(error)),
    };
    let found = found
        .into_iter()
        .map(|(row, judged)| asking.finding(row, judged));
    let found = found.collect::<Result<_, _>>()?;
    let base = opened.hive.base_block();
    if opened.dirty.is_none() && base.flags.get() & KTM_PENDING != 0 {
        notices.push(Notice {
            kind: "transactions-pending",
            text: format!(
                "{path}: its base block says that registry transactions may be pending in \
                 .regtrans-ms files; Windows would carry them out after this repair"
            ),
        });
    }
    if name == HiveName::System {
        notices.extend(set_notices(&path, &sets));
        examined.control_sets = Some(sets);
    }
    Ok(SurveyedHive {
        examined,
        findings: Findings::Values(found),
        fingerprints: opened.fingerprints(),
    })
}

/// The control sets, and what the rows say.
type Judgements<'a, 'r> = (ControlSets, Vec<(&'a ValueRow<'r>, JudgedValue)>);

fn values<'a, 'r>(
    facts: &Facts<'_>,
    opened: &HiveOnDisk,
    name: HiveName,
    rows: &'a [ValueRow<'r>],
) -> Result<Judgements<'a, 'r>, Corruption> {
    let sets = match name {
        HiveName::System => facts.control_sets_in(opened)?.clone(),
        _ => ControlSets::default(),
    };
    let mut found = Vec::new();
    for row in rows {
        let judged = row.judge.judge(opened, facts)?.into_iter();
        found.extend(judged.map(|judged| (row, judged)));
    }
    Ok((sets, found))
}

fn set_notices(path: &str, sets: &ControlSets) -> Vec<Notice> {
    let mut notices: Vec<Notice> = sets
        .missing
        .iter()
        .map(|missing| Notice {
            kind: "select-names-missing-set",
            text: format!(
                "{path}: Select\\{} names {}, which does not exist; it is not created",
                missing.named_by, missing.name
            ),
        })
        .collect();
    if sets.sets.is_empty() {
        notices.push(Notice {
            kind: "no-control-set",
            text: format!("{path}: there is no control set"),
        });
    }
    notices
}
