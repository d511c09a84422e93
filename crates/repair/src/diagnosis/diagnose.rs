//! Looking for the evidence that rules name, and ranking their causes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::disk::Disk;
use super::{Certainty, Rule, Rules, Weighed};
use crate::evidence::{Looked, Sighting};
use crate::facts::Facts;
use crate::progress::Interrupted;
use crate::recipe::Catalogue;

/// The greatest number of sightings that are kept of one piece of evidence.
const MOST_SIGHTINGS: usize = 10;
/// The greatest number of reasons for ignorance that are kept.
const MOST_REASONS: usize = 50;

/// The causes that the evidence speaks for.
pub(crate) struct Diagnosis<'r> {
    /// The most likely one is first.
    pub(crate) causes: Vec<Cause<'r>>,
    /// What couldn't be read, each reason once.
    pub(crate) unread: Vec<String>,
}

/// A cause that the evidence speaks for.
pub(crate) struct Cause<'r> {
    pub(crate) rule: &'r Rule,
    pub(crate) score: i64,
    pub(crate) certainty: Certainty,
    pub(crate) supporting: Vec<Found<'r>>,
    pub(crate) opposing: Vec<Found<'r>>,
    /// The recipes of the rule that would change something on this disk.
    pub(crate) repair: Vec<String>,
}

/// Evidence that was seen.
pub(crate) struct Found<'r> {
    pub(crate) weighed: &'r Weighed,
    pub(crate) sightings: Vec<Sighting>,
    /// The number of sightings that weren't kept.
    pub(crate) more: usize,
}

/// Judges every rule.
///
/// # Errors
/// If the caller interrupts. What can't be read is in the result.
pub(crate) fn diagnose<'r>(
    facts: &Facts<'_>,
    rules: &'r Rules,
    recipes: &Catalogue,
) -> Result<Diagnosis<'r>, Interrupted> {
    // In the order of the catalogue, which is the order of inspect.
    let is_named = |name: &&str| {
        let asks = |rule: &Rule| rule.asks().any(|asked| asked == *name);
        let repairs = |rule: &Rule| rule.recipes.iter().any(|repair| repair == name);
        rules.iter().any(|rule| asks(rule) || repairs(rule))
    };
    let named = recipes.iter().map(|recipe| recipe.name.as_str());
    let named = named.filter(is_named).map(str::to_owned).collect();
    let disk = Disk::new(facts, recipes, named);
    let disk = &disk;
    let mut unread = Vec::new();
    let mut causes = Vec::new();
    for rule in rules.iter() {
        disk.facts.go_on()?;
        causes.extend(judge(disk, rule, &mut unread)?);
    }
    // The sort is stable: of two causes with the same score, the rule that was added first wins.
    causes.sort_by_key(|cause: &Cause<'_>| Reverse(cause.score));
    Ok(Diagnosis { causes, unread })
}

/// The cause, if the evidence speaks for it.
fn judge<'r>(
    disk: &Disk<'_, '_>,
    rule: &'r Rule,
    unread: &mut Vec<String>,
) -> Result<Option<Cause<'r>>, Interrupted> {
    // The needed evidence first: without it, nothing else has to be read.
    let (needed, other): (Vec<_>, Vec<_>) = rule.supporting.iter().partition(|one| one.needed);
    let mut supporting = Vec::new();
    for weighed in &needed {
        match look(disk, weighed, unread)? {
            Some(found) => supporting.push(found),
            // Other evidence may tell the same.
            None if weighed.alike.is_some() => {}
            None => return Ok(None),
        }
    }
    let is_told = |weighed: &&Weighed| {
        let mut told = supporting.iter();
        told.any(|found: &Found<'_>| weighed.alike == found.weighed.alike)
    };
    if !needed.iter().filter(|one| one.alike.is_some()).all(is_told) {
        return Ok(None);
    }
    for weighed in other {
        supporting.extend(look(disk, weighed, unread)?);
    }
    if supporting.is_empty() {
        return Ok(None);
    }
    let mut opposing = Vec::new();
    for weighed in &rule.opposing {
        opposing.extend(look(disk, weighed, unread)?);
    }
    let score = sum(&supporting) - sum(&opposing);
    let Some(certainty) = Certainty::of(score) else {
        return Ok(None);
    };
    let mut repair = Vec::new();
    for recipe in &rule.recipes {
        if disk.is_changed_by(recipe)? {
            repair.push(recipe.clone());
        }
    }
    Ok(Some(Cause {
        rule,
        score,
        certainty,
        supporting,
        opposing,
        repair,
    }))
}

/// The sum of the weights. Of evidence that tells the same, the greatest weight counts.
fn sum(found: &[Found<'_>]) -> i64 {
    let mut alike: BTreeMap<&str, i64> = BTreeMap::new();
    let mut sum = 0;
    for one in found {
        let weight = i64::from(one.weighed.weight);
        match &one.weighed.alike {
            None => sum += weight,
            Some(word) => {
                let greatest = alike.entry(word).or_insert(0);
                *greatest = weight.max(*greatest);
            }
        }
    }
    sum + alike.values().sum::<i64>()
}

fn look<'r>(
    disk: &Disk<'_, '_>,
    weighed: &'r Weighed,
    unread: &mut Vec<String>,
) -> Result<Option<Found<'r>>, Interrupted> {
    match weighed.evidence.look(disk)? {
        Looked::Seen(mut sightings) => {
            let more = sightings.len().saturating_sub(MOST_SIGHTINGS);
            sightings.truncate(MOST_SIGHTINGS);
            Ok(Some(Found {
                weighed,
                sightings,
                more,
            }))
        }
        Looked::NotSeen => Ok(None),
        Looked::Unknown(reason) => {
            if unread.len() < MOST_REASONS && !unread.contains(&reason) {
                unread.push(reason);
            }
            Ok(None)
        }
    }
}
