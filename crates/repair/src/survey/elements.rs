//! Judging the elements of the boot store that starts this Windows.

use diskmend_bcd::Store;
use diskmend_hive::check::check;

use super::{Survey, SurveyedHive};
use crate::changes::Findings;
use crate::check_summary::CheckSummary;
use crate::error::{Error, Refusal};
use crate::examined::Examined;
use crate::facts::boot_stores::Chosen;
use crate::facts::{Facts, StoreStatus};
use crate::finding::{Goal, Notice, OpenStore};
use crate::place::on_volume;
use crate::place::{HiveId, Place};
use crate::progress::Phase;
use crate::recipe::{Asked, Asking, Recipe};
use crate::rows::{About, JudgeElements};

/// A row about elements.
type ElementRow<'r> = Asked<'r, &'r dyn JudgeElements>;

/// Reads the boot store. A missing store only matters to a caller who wants to change it, because
/// most disks have it on a separate partition.
pub(super) fn survey(
    survey: &mut Survey,
    facts: &Facts<'_>,
    asking: &Asking<'_, '_>,
    recipes: &[&Recipe],
    goal: Goal,
) -> Result<(), Error> {
    let rows = asking.rows(recipes, About::elements);
    if rows.is_empty() {
        return Ok(());
    }
    let (stores, chosen) = look(facts, asking, &rows, goal)?;
    let astray = stores.iter().filter(|store| store.chosen);
    let astray = astray.filter_map(|store| {
        let text = format!(
            "{}: {}: Windows can't start from it (0xc000000e) until it names the right partition",
            store.shown_path(),
            store.warning.as_ref()?
        );
        Some(Notice {
            kind: "boot-store",
            text,
        })
    });
    survey.notices.extend(astray);
    survey.stores = stores;
    match chosen {
        Ok(store) => survey.hives.push(store),
        Err(Some(Error::Refused(
            ref refusal @ Refusal::NoStore {
                volume: None,
                ref beside,
                ref unread,
            },
        ))) if goal == Goal::Faults && !survey.hives.is_empty() => {
            let text = match beside.as_slice() {
                [] if unread.is_empty() => {
                    format!("{refusal}: it is on a separate partition and was not read")
                }
                _ => refusal.to_string(),
            };
            survey.notices.push(Notice {
                kind: "no-boot-store",
                text,
            });
        }
        Err(error) => {
            let error = error.map(|error| (Place::Hive(HiveId::BootStore), error));
            survey.skipped.extend(error);
        }
    }
    Ok(())
}

/// The stores that were found, and the one that starts this Windows. If there is none: the reason,
/// unless it was already reported.
type Looked = (Vec<StoreStatus>, Result<SurveyedHive, Option<Error>>);

fn look(
    facts: &Facts<'_>,
    asking: &Asking<'_, '_>,
    rows: &[ElementRow<'_>],
    goal: Goal,
) -> Result<Looked, Error> {
    let found = match facts.boot_stores()? {
        Ok(found) => found,
        Err(failure) => return Ok((Vec::new(), Err(failure.take()))),
    };
    let chosen = match &found.chosen {
        Err(failure) => Err(failure.take()),
        Ok(chosen) => match read(facts, asking, chosen, rows, goal) {
            Err(error @ Error::Interrupted(_)) => return Err(error),
            read => read.map_err(Some),
        },
    };
    Ok((found.stores.clone(), chosen))
}

fn read(
    facts: &Facts<'_>,
    asking: &Asking<'_, '_>,
    chosen: &Chosen,
    rows: &[ElementRow<'_>],
    goal: Goal,
) -> Result<SurveyedHive, Error> {
    let opened = &chosen.opened;
    let mut examined = Examined::from(opened);
    if facts.options.check {
        facts.phase(Phase::Checking, opened.path())?;
        examined.check = Some(CheckSummary::from(&check(&opened.hive)));
    }
    facts.phase(Phase::Comparing, opened.path())?;
    let unreadable = |source| Error::Store {
        path: opened.path().to_owned(),
        source,
    };
    let store = Store::open(&opened.hive).map_err(unreadable)?;
    let shown = on_volume(examined.volume.as_deref(), &examined.path);
    let store = OpenStore::new(
        (store, shown),
        (&chosen.loaders, &chosen.wanted),
        chosen.is_efi,
        goal,
    );
    let mut found = Vec::new();
    for row in rows {
        for judged in row.judge.judge(&store, facts)? {
            found.push(asking.finding(row, judged)?);
        }
    }
    Ok(SurveyedHive {
        examined,
        findings: Findings::Elements(found),
        fingerprints: opened.fingerprints(),
    })
}
