//! The conditions of a recipe: evidence on which its faults and notes may depend.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::DeTable;

use super::name::recipe_name;
use crate::evidence::{self, Evidence, Looked};
use crate::facts::Facts;
use crate::progress::Interrupted;
use crate::written::{Wrong, document, wrong, wrong_at};

/// The greatest number of conditions in a recipe, and of pieces of evidence in a condition.
const MOST: usize = 50;
/// The table of a condition.
pub(crate) const TABLE: &str = "condition";

/// A condition.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Its name.
    pub name: String,
    /// How much of the evidence must be seen.
    pub quantity: Quantity,
    evidence: Vec<Evidence>,
}

/// How much of the evidence must be seen for a condition to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// All of it.
    All,
    /// At least one piece.
    Any,
    /// None of it.
    None,
}

/// Says if a condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Yes,
    No,
    /// The reason why that isn't known, for display.
    Unknown(String),
}

impl Quantity {
    pub(crate) const ALL: [Self; 3] = [Self::All, Self::Any, Self::None];

    /// The field with the evidence.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
            Self::None => "none",
        }
    }

    /// What follows from a piece of evidence alone, if anything does.
    fn decides(self, seen: bool) -> Option<bool> {
        match (self, seen) {
            (Self::All, false) | (Self::None, true) => Some(false),
            (Self::Any, true) => Some(true),
            _ => None,
        }
    }
}

/// The fields of a condition besides its evidence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConditionFile {
    name: Spanned<String>,
}

impl Condition {
    /// Takes the conditions out of a recipe's file.
    ///
    /// # Errors
    /// What is wrong, with its place in the file.
    pub(super) fn take_all(recipe: &mut DeTable<'_>) -> Result<Vec<Self>, Wrong> {
        let at = document::place(recipe, TABLE).unwrap_or(0..0);
        let tables = document::take_tables(recipe, TABLE)?;
        few(tables.len(), &at)?;
        let mut conditions: Vec<Self> = Vec::new();
        for table in tables {
            let at = wrong_at(table.span());
            let condition = Self::read(table)?;
            if conditions.iter().any(|other| other.name == condition.name) {
                return Err(at("another condition has this name"));
            }
            conditions.push(condition);
        }
        Ok(conditions)
    }

    fn read(mut written: Spanned<DeTable<'_>>) -> Result<Self, Wrong> {
        let span = written.span();
        let table = written.get_mut();
        let mut lists = Quantity::ALL
            .into_iter()
            .filter_map(|quantity| Some((quantity, table.remove(quantity.field())?)));
        let (list, second) = (lists.next(), lists.next());
        let (quantity, evidence) = match (list, second) {
            (None, _) => (Quantity::All, vec![evidence::take(table, &span)?]),
            (Some((quantity, list)), None) => (quantity, all_of(list)?),
            (Some(_), Some((_, second))) => {
                let fields = Quantity::ALL.map(Quantity::field).join(", ");
                return Err(wrong(&second)(format!(
                    "only one of these can be given: {fields}"
                )));
            }
        };
        let file: ConditionFile = document::read(document::rest(written))?;
        recipe_name(file.name.get_ref()).map_err(wrong(&file.name))?;
        Ok(Self {
            name: file.name.into_inner(),
            quantity,
            evidence,
        })
    }

    /// Says if the condition holds on a disk.
    ///
    /// # Errors
    /// If the caller interrupts.
    pub(crate) fn look(&self, facts: &Facts<'_>) -> Result<Holds, Interrupted> {
        let mut unknown = None;
        for evidence in &self.evidence {
            let seen = match evidence.look(facts)? {
                Looked::Seen(_) => true,
                Looked::NotSeen => false,
                Looked::Unknown(reason) => {
                    unknown.get_or_insert(reason);
                    continue;
                }
            };
            match self.quantity.decides(seen) {
                Some(true) => return Ok(Holds::Yes),
                Some(false) => return Ok(Holds::No),
                None => {}
            }
        }
        Ok(match (unknown, self.quantity) {
            (Some(reason), _) => Holds::Unknown(reason),
            (None, Quantity::Any) => Holds::No,
            (None, Quantity::All | Quantity::None) => Holds::Yes,
        })
    }

    /// What it looks for, in a few words.
    #[must_use]
    pub fn shown(&self) -> String {
        let evidence: Vec<String> = self.evidence.iter().map(Evidence::shown).collect();
        match (self.quantity, evidence.as_slice()) {
            (Quantity::All, [one]) => one.clone(),
            (quantity, all) => format!("{} of: {}", quantity.field(), all.join("; ")),
        }
    }

    /// The kinds of its evidence.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.evidence.iter().map(Evidence::kind).collect()
    }
}

fn all_of(list: Spanned<toml::de::DeValue<'_>>) -> Result<Vec<Evidence>, Wrong> {
    let at = list.span();
    let tables = document::tables(list)?;
    if tables.is_empty() {
        return Err(wrong_at(at)("name at least one piece of evidence"));
    }
    few(tables.len(), &at)?;
    let read = |mut table: Spanned<DeTable<'_>>| {
        let span = table.span();
        let evidence = evidence::take(table.get_mut(), &span)?;
        let other = table.get_ref().keys().next();
        match other {
            None => Ok(evidence),
            Some(name) => Err(wrong(name)(format!("unknown field `{}`", name.get_ref()))),
        }
    };
    tables.into_iter().map(read).collect()
}

fn few(count: usize, at: &Range<usize>) -> Result<(), Wrong> {
    if count > MOST {
        return Err(wrong_at(at.clone())(&format!(
            "{count}, at most {MOST} are accepted"
        )));
    }
    Ok(())
}

/// Checks that a condition with this name exists.
///
/// # Errors
/// There is none, with the names that exist.
pub(super) fn known(conditions: &[Condition], name: &Spanned<String>) -> Result<(), Wrong> {
    let mut all = conditions.iter().map(|condition| condition.name.as_str());
    if all.any(|known| known == name.get_ref()) {
        return Ok(());
    }
    let names: Vec<&str> = conditions.iter().map(|known| known.name.as_str()).collect();
    let names = match names.as_slice() {
        [] => "the recipe has none".to_owned(),
        names => format!("the recipe has {}", names.join(", ")),
    };
    Err(wrong(name)(format!(
        "no [[condition]] is called \"{}\": {names}",
        name.get_ref()
    )))
}

#[cfg(test)]
mod tests {
    use super::super::Recipe;
    use super::super::test_support::refused;
    use super::*;

    const GOOD: &str = "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\n\
        sources = ['https://example.org']\nnote_if = { condition = 'cloud', text = 'n' }\n\n\
        [[condition]]\nname = 'wanted'\nany = [\n\
        { service = { names = ['RdAgent'], start = ['automatic'] } },\n\
        { file = { path = 'Windows\\on', is = 'present' } },\n]\n\n\
        [[condition]]\nname = 'cloud'\nplatform = ['azure', 'ec2']\n\n\
        [[registry]]\nhive = 'SYSTEM'\nkey = 'ControlSet*\\Control\\A'\nvalue = 'V'\n\
        type = 'REG_DWORD'\ndata = 0\nbuilds = '9200..'\nproduct = 'server'\n\
        fault = { equals = [1], and = ['wanted', 'cloud'] }\n\
        note_if = { condition = 'wanted', text = 'look again' }\nwhy = 'w'\n";

    #[test]
    fn conditions_and_the_terms_of_rows_are_read() {
        let recipe = Recipe::parse("own.toml", GOOD).expect("valid");
        let shown: Vec<String> = recipe.conditions.iter().map(Condition::shown).collect();
        assert_eq!(
            shown,
            [
                "any of: RdAgent is automatic; Windows\\on is present",
                "Windows was started last on azure or ec2"
            ]
        );
        let [terms] = recipe.terms.as_slice() else {
            panic!("{:?}", recipe.terms);
        };
        assert_eq!(terms.and, ["wanted", "cloud"]);
        assert_eq!(terms.builds, Some(9200..=u32::MAX));
        assert_eq!(
            terms.shown(),
            [
                "from build 9200 on",
                "only on servers",
                "a fault only if this holds: wanted, cloud",
                "if wanted holds: look again"
            ]
        );
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (from, to, place, say) in [
            (
                "name = 'wanted'",
                "name = 'Wanted'",
                "9:8",
                "can't be a name",
            ),
            ("name = 'cloud'", "name = 'wanted'", "15:1", "has this name"),
            (
                "any = [",
                "some = [",
                "8:1",
                "exactly one of these is needed: registry",
            ),
            (
                "name = 'cloud'\n",
                "name = 'cloud'\nall = []\n",
                "17:7",
                "at least one",
            ),
            (
                "]\n\n[[cond",
                "]\nall = []\n\n[[cond",
                "10:7",
                "only one of these",
            ),
            (
                "'present' } },",
                "'present' }, hive = { name = 'SYSTEM', is = 'dirty' } },",
                "12:1",
                "exactly one",
            ),
            (
                "'present' } },",
                "'present' }, say = 'x' },",
                "12:51",
                "unknown field `say`",
            ),
            ("'present'", "'there'", "12:38", "\"present\""),
            ("names =", "name =", "11:15", "name"),
            ("{ service", "{ recipe", "11:1", "exactly one"),
            ("'ec2'", "'aws'", "17:22", "\"aws\" is none of azure"),
            (
                "'cloud'] }",
                "'clouds'] }",
                "27:42",
                "no [[condition]] is called \"clouds\": the recipe has wanted, cloud",
            ),
            (
                "condition = 'cloud'",
                "condition = 'cloud2'",
                "6:25",
                "no [[condition]]",
            ),
            (
                "text = 'look again'",
                "text = ' '",
                "28:42",
                "say something",
            ),
            ("'9200..'", "'9200'", "25:10", "range of builds"),
            ("'9200..'", "'3..2'", "25:10", "range of builds"),
            ("'server'", "'servers'", "26:11", "\"workstation\""),
            (
                "and = ['wanted', 'cloud']",
                "and = 'wanted'",
                "27:31",
                "sequence",
            ),
        ] {
            refused(GOOD, (from, to), place, say);
        }
    }
}
