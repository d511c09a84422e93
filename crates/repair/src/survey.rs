//! Reading the hives that recipes are about: what inspect and plan have in common. Nothing is
//! written.

use diskmend_disk::Disk;
use diskmend_hive::Corruption;
use diskmend_hive::check::check;
use diskmend_hive::name::same_name;

use crate::boot_store::{self, SurveyedStore};
use crate::descriptors::{self, Draft};
use crate::documents::{
    AclReport, Change, ChangedValue, CheckSummary, HiveStatus, Notice, Row, RunSummary,
    SkippedHint, SkippedHive, StoreStatus,
};
use crate::error::{Error, Refusal, chain};
use crate::facts::{ControlSets, Facts};
use crate::finding::RowState;
use crate::hive_on_disk::{Fingerprint, HiveOnDisk};
use crate::plan::Goal;
use crate::progress::Phase;
use crate::recipe::{HiveName, Recipe};
use crate::rows::About;
use crate::site::Site;

/// Flag of the base block: transactions of the Kernel Transaction Manager may be pending (regf
/// spec, Base block, Flags).
const KTM_PENDING: u32 = 1;

/// What reading the hives gave.
pub(crate) struct Survey {
    pub(crate) hives: Vec<Surveyed>,
    /// The boot stores that were found.
    pub(crate) stores: Vec<StoreStatus>,
    /// The boot store that starts this Windows, where a recipe is about it.
    pub(crate) store: Option<SurveyedStore>,
    /// The security descriptors that a recipe is about.
    pub(crate) acls: Vec<AclReport>,
    /// By the names of the hives, and the paths of folders.
    pub(crate) skipped: Vec<(String, Error)>,
    pub(crate) notices: Vec<Notice>,
}

/// One hive.
pub(crate) struct Surveyed {
    pub(crate) name: HiveName,
    pub(crate) status: HiveStatus,
    pub(crate) rows: Vec<Row>,
    /// What the hive and its logs were.
    pub(crate) fingerprints: Vec<Fingerprint>,
}

/// Reads all that the recipes name. Changes of security descriptors go into the draft, of which
/// there may be more than fit in memory.
///
/// # Errors
/// Where the caller interrupts, or no hive at all could be read.
pub(crate) fn survey(
    facts: &Facts<'_>,
    recipes: &[&Recipe],
    goal: Goal,
    draft: Option<&mut Draft>,
) -> Result<Survey, Error> {
    let mut survey = Survey {
        hives: Vec::new(),
        stores: Vec::new(),
        store: None,
        acls: Vec::new(),
        skipped: Vec::new(),
        notices: disk_notices(facts.site),
    };
    for name in HiveName::ALL {
        if !any_about(
            recipes,
            |about| matches!(about, About::Values(hive, _) if *hive == name),
        ) {
            continue;
        }
        facts.go_on()?;
        let read = match facts.hive(name) {
            Ok(hive) => read(facts, name, hive, recipes, &mut survey.notices),
            Err(failure) => match failure.take() {
                Some(error) => Err(error),
                None => continue,
            },
        };
        match read {
            Ok(hive) => survey.hives.push(hive),
            Err(error @ Error::Interrupted(_)) => return Err(error),
            Err(error) => survey.skipped.push((name.to_string(), error)),
        }
    }
    if any_about(recipes, |about| matches!(about, About::Elements(_))) {
        boot_store(&mut survey, facts, recipes, goal)?;
    }
    let found = descriptors::survey(facts, recipes, goal, draft)?;
    survey.acls = found.reports;
    survey.skipped.extend(found.refused);
    survey.notices.extend(found.notices);
    let nothing = survey.hives.is_empty() && survey.store.is_none() && survey.acls.is_empty();
    if nothing && !survey.skipped.is_empty() {
        return Err(survey.skipped.swap_remove(0).1);
    }
    Ok(survey)
}

/// Whether any row is about something.
fn any_about(recipes: &[&Recipe], is: impl Fn(&About<'_>) -> bool) -> bool {
    let mut rows = recipes.iter().flat_map(|recipe| &recipe.rows);
    rows.any(|row| is(&row.about()))
}

/// What is worth telling of how the disk is stored that is not mounted.
fn disk_notices(site: &Site) -> Vec<Notice> {
    let warnings = site.disk.iter().flat_map(Disk::warnings);
    let in_use = site.disk.iter().filter_map(|disk| {
        let asked = disk.fit_for_writing().and_then(|()| disk.not_in_use());
        let error = asked.err()?;
        Some(format!(
            "{}: it can be read, but not changed",
            chain(&error)
        ))
    });
    let notice = |text| Notice { kind: "disk", text };
    warnings.chain(in_use).map(notice).collect()
}

/// Reads the boot store. That there is none matters to those only who want it to be changed:
/// most disks have it on a partition of its own.
fn boot_store(
    survey: &mut Survey,
    facts: &Facts<'_>,
    recipes: &[&Recipe],
    goal: Goal,
) -> Result<(), Error> {
    let found = boot_store::survey(facts, recipes)?;
    let astray = found.stores.iter().filter(|store| store.chosen);
    let astray = astray.filter_map(|store| {
        let text = format!(
            "{}: {}: Windows does not start by it (0xc000000e) until that names its partition",
            store.shown_path(),
            store.warning.as_ref()?
        );
        Some(Notice {
            kind: "boot-store",
            text,
        })
    });
    survey.notices.extend(astray);
    survey.stores = found.stores;
    match found.chosen {
        Ok(store) => survey.store = Some(store),
        Err(Some(Error::Refused(
            ref refusal @ Refusal::NoStore {
                volume: None,
                ref beside,
                ref unread,
            },
        ))) if goal == Goal::Faults && !survey.hives.is_empty() => {
            let text = match beside.as_slice() {
                [] if unread.is_empty() => {
                    format!("{refusal}: it lies on a partition of its own, and was not looked at")
                }
                _ => refusal.to_string(),
            };
            survey.notices.push(Notice {
                kind: "no-boot-store",
                text,
            });
        }
        Err(error) => {
            let error = error.map(|error| (boot_store::NAME.to_owned(), error));
            survey.skipped.extend(error);
        }
    }
    Ok(())
}

fn read(
    facts: &Facts<'_>,
    name: HiveName,
    opened: &HiveOnDisk,
    recipes: &[&Recipe],
    notices: &mut Vec<Notice>,
) -> Result<Surveyed, Error> {
    let path = opened.path().to_owned();
    let mut status = opened.status();
    if facts.options.check {
        facts.phase(Phase::Checking, &path)?;
        status.check = Some(CheckSummary::from(&check(&opened.hive)));
    }
    facts.phase(Phase::Comparing, &path)?;
    let damaged = status.check.as_ref().is_some_and(|check| check.errors > 0);
    let (sets, rows) = match values(facts, opened, name, recipes) {
        Ok(found) => found,
        // The check tells it better, and the hive is refused for it.
        Err(_) if damaged => Default::default(),
        Err(error) => return Err(Error::corrupt(&path)(error)),
    };
    let base = opened.hive.base_block().map_err(Error::corrupt(&path))?;
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
        status.control_sets = Some(sets);
    }
    Ok(Surveyed {
        name,
        status,
        rows,
        fingerprints: opened.fingerprints(),
    })
}

fn values(
    facts: &Facts<'_>,
    opened: &HiveOnDisk,
    name: HiveName,
    recipes: &[&Recipe],
) -> Result<(ControlSets, Vec<Row>), Corruption> {
    let sets = match name {
        HiveName::System => facts.control_sets_in(opened)?.clone(),
        HiveName::Software => ControlSets::default(),
    };
    let mut rows = Vec::new();
    for recipe in recipes {
        for row in &recipe.rows {
            let judge = match row.about() {
                About::Values(hive, judge) if hive == name => judge,
                _ => continue,
            };
            let judged = judge.judge(opened, facts)?.into_iter();
            rows.extend(judged.map(|judged| Row {
                recipe: recipe.name.clone(),
                hive: name.to_string(),
                key: judged.key,
                in_current_set: judged.in_current_set,
                value: judged.value,
                desired: judged.desired,
                current: judged.current,
                state: judged.state,
                why: row.why().to_owned(),
            }));
        }
    }
    Ok((sets, rows))
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

/// The changes that the rows call for: all that are not as desired, or only the faults. A value
/// that several recipes want is changed once.
pub(crate) fn changes(rows: &[Row], auto: bool) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for row in rows {
        let wanted = match row.state {
            RowState::Ok => false,
            RowState::Fault => true,
            RowState::Differs | RowState::Missing => !auto,
        };
        let known = changes.iter().any(|change| {
            change.hive == row.hive
                && same_name(&change.value.key, &row.key)
                && same_name(&change.value.value, &row.value)
        });
        if wanted && !known {
            changes.push(Change {
                recipe: row.recipe.clone(),
                hive: row.hive.clone(),
                fault: row.state == RowState::Fault,
                why: row.why.clone(),
                element: None,
                value: ChangedValue {
                    key: row.key.clone(),
                    value: row.value.clone(),
                    old: row.current.clone(),
                    new: Some(row.desired.clone()),
                },
            });
        }
    }
    changes
}

/// Why a hive may not be edited, where it may not.
pub(crate) fn refusal(status: &HiveStatus) -> Option<Refusal> {
    let check = status.check.as_ref()?;
    (check.errors > 0).then(|| Refusal::HiveErrors {
        path: status.path.clone(),
        check: Box::new(check.clone()),
    })
}

/// How a hive that was left alone is reported.
pub(crate) fn skipped(name: &str, error: &Error) -> SkippedHive {
    SkippedHive {
        hive: name.to_owned(),
        reason: chain(error),
        hint: match error {
            Error::Refused(Refusal::NoDescriptors) => Some(SkippedHint::Descriptors),
            Error::Refused(
                Refusal::NoStore { .. }
                | Refusal::StoreUnclear { .. }
                | Refusal::LoaderUnclear { .. }
                | Refusal::SeveralWindows { .. }
                | Refusal::WrongLoader { .. }
                | Refusal::AnotherWindows { .. },
            ) => Some(SkippedHint::BootStore),
            _ => None,
        },
    }
}

/// Tells of a folder for undo data that somebody else may have written.
pub(crate) fn state_folder_open(site: &Site) -> Result<Option<Notice>, Error> {
    Ok(site.state.doubt()?.map(|doubt| Notice {
        kind: "state-folder-open",
        text: format!("{}; what is in it may be forged", Error::from(doubt)),
    }))
}

/// The runs that wait to be settled. A journal that cannot be read is told as well.
pub(crate) fn unfinished(site: &Site) -> Result<(Vec<RunSummary>, Vec<Notice>), Error> {
    let mut waiting = Vec::new();
    let mut notices = Vec::new();
    notices.extend(state_folder_open(site)?);
    for run in site.state.runs()? {
        let run = run?;
        match run.read(&site.judge) {
            Ok(Some(read)) if read.journal.state.is_unfinished() => {
                waiting.push(read.journal.summary(read.trust));
            }
            Ok(_) => {}
            Err(error) => notices.push(Notice {
                kind: "damaged-run",
                text: chain(&error),
            }),
        }
    }
    Ok((waiting, notices))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value_data::ValueData;

    fn row(recipe: &str, key: &str, state: RowState) -> Row {
        Row {
            recipe: recipe.to_owned(),
            hive: "SYSTEM".to_owned(),
            key: key.to_owned(),
            in_current_set: None,
            value: "V".to_owned(),
            desired: ValueData::dword(1),
            current: None,
            state,
            why: String::new(),
        }
    }

    #[test]
    fn a_value_is_changed_once_and_auto_changes_faults_only() {
        let rows = [
            row("a", r"K\A", RowState::Missing),
            row("b", r"k\a", RowState::Missing),
            row("a", r"K\B", RowState::Ok),
            row("a", r"K\C", RowState::Differs),
            row("a", r"K\D", RowState::Fault),
        ];
        let keys = |auto| -> Vec<_> {
            let changes = changes(&rows, auto);
            changes.into_iter().map(|change| change.value.key).collect()
        };
        assert_eq!(keys(false), [r"K\A", r"K\C", r"K\D"]);
        assert_eq!(keys(true), [r"K\D"]);
    }
}
