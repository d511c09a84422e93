//! What a row of any kind may say besides its own fields: on which Windows it counts, on which
//! conditions its fault depends, and what a person should know under a condition.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Standing;
use crate::facts::{Facts, Product};
use crate::written::{Wrong, document, sentence, wrong};

/// The fields of every row that are about the row and not about a setting.
const OWN: [&str; 4] = ["builds", "product", "note", "note_if"];
/// The field of every row that says what a fault is, and its part that names conditions.
const FAULT: &str = "fault";
const AND: &str = "and";

/// The terms of a row.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// The builds of Windows on which the row counts, both ends included; `None` for all.
    pub builds: Option<RangeInclusive<u32>>,
    /// The kind of Windows on which the row counts; `None` for all.
    pub product: Option<ProductTerm>,
    /// The names of the conditions that must hold for a fault of the row to count.
    pub and: Vec<String>,
    /// A note for a person, with every finding.
    pub note: Option<String>,
    /// A note for a person, if a condition holds.
    pub note_if: Option<NoteIf>,
}

/// The kind of Windows on which a row counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProductTerm {
    /// A Windows for workstations.
    Workstation,
    /// A server, be it a domain controller or not.
    Server,
    /// A domain controller.
    DomainController,
}

/// A note for a person, if a condition holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoteIf {
    /// The name of the condition.
    pub condition: String,
    /// The note.
    pub text: String,
}

/// The fields of a note, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteFile {
    condition: Spanned<String>,
    text: Spanned<String>,
}

/// The terms of a row, as written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct TermsFile {
    builds: Option<Spanned<String>>,
    product: Option<Spanned<String>>,
    note: Option<Spanned<String>>,
    note_if: Option<NoteFile>,
    /// Not a field of its own: it is within `fault`.
    #[serde(skip)]
    and: Vec<Spanned<String>>,
}

impl Terms {
    /// Takes the terms out of a row's table. The other fields stay. `known` says if a condition has
    /// a name.
    ///
    /// # Errors
    /// What is wrong, with its place in the file.
    pub(crate) fn take(
        row: &mut DeTable<'_>,
        known: impl Fn(&Spanned<String>) -> Result<(), Wrong>,
    ) -> Result<Self, Wrong> {
        let mut own = DeTable::new();
        for name in OWN {
            if let Some((name, value)) = row.remove_entry(name) {
                own.insert(name, value);
            }
        }
        let mut file: TermsFile = document::read(Spanned::new(0..0, DeValue::Table(own)))?;
        if let Some(fault) = row.get_mut(FAULT)
            && let DeValue::Table(fault) = fault.get_mut()
            && let Some(and) = fault.remove(AND)
        {
            file.and = document::read(and)?;
        }
        file.read(known)
    }

    /// Says if the row counts on this disk.
    ///
    /// # Errors
    /// The fact that isn't known. Then the row only looks.
    pub(crate) fn standing(&self, facts: &Facts<'_>) -> Result<Standing, UnknownWindows> {
        if let Some(builds) = &self.builds
            && !builds.contains(&facts.build().map_err(UnknownWindows::Build)?)
        {
            return Ok(Standing::DoesNot);
        }
        if let Some(wanted) = self.product
            && !wanted.includes(facts.product().map_err(UnknownWindows::Product)?)
        {
            return Ok(Standing::DoesNot);
        }
        Ok(Standing::Counts)
    }

    /// True if a row with these terms and a row with other terms may count on one Windows.
    pub(crate) fn may_meet(&self, other: &Self) -> bool {
        let builds = match (&self.builds, &other.builds) {
            (Some(one), Some(other)) => one.start() <= other.end() && other.start() <= one.end(),
            _ => true,
        };
        let product = match (self.product, other.product) {
            (Some(one), Some(other)) => one.meets(other),
            _ => true,
        };
        builds && product
    }

    /// The terms, for display; none if the row always counts.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        let builds = self
            .builds
            .as_ref()
            .map(|builds| match builds.clone().into_inner() {
                (first, u32::MAX) => format!("from build {first} on"),
                (0, last) => format!("up to build {last}"),
                (first, last) => format!("builds {first} to {last}"),
            });
        let product = self.product.map(|product| product.shown().to_owned());
        let faults = (!self.and.is_empty())
            .then(|| format!("a fault only if this holds: {}", self.and.join(", ")));
        let note = self.note_if.as_ref();
        let note = note.map(|note| format!("if {} holds: {}", note.condition, note.text));
        [builds, product, faults, self.note.clone(), note]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The terms as JSON.
    pub(crate) fn entry(&self) -> TermsEntry<'_> {
        let builds = self.builds.as_ref();
        TermsEntry {
            builds: builds.map(|builds| (*builds.start(), *builds.end())),
            product: self.product,
            and: &self.and,
            note: self.note.as_deref(),
            note_if: self.note_if.as_ref(),
        }
    }
}

/// The terms of a row in the JSON of `diskmend recipes`.
#[derive(Serialize)]
pub(crate) struct TermsEntry<'a> {
    /// The first and last build of Windows that the row is about; absent for all builds.
    #[serde(skip_serializing_if = "Option::is_none")]
    builds: Option<(u32, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<ProductTerm>,
    /// The conditions that must hold for a fault to count.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    and: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note_if: Option<&'a NoteIf>,
}

/// What isn't known about a Windows, with the reason, for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UnknownWindows {
    /// Its build.
    Build(String),
    /// Whether it is a server.
    Product(String),
}

impl ProductTerm {
    const WORDS: [(&'static str, Self); 3] = [
        ("workstation", Self::Workstation),
        ("server", Self::Server),
        ("domain-controller", Self::DomainController),
    ];

    fn includes(self, product: Product) -> bool {
        match self {
            Self::Workstation => product == Product::Workstation,
            Self::Server => product != Product::Workstation,
            Self::DomainController => product == Product::DomainController,
        }
    }

    fn meets(self, other: Self) -> bool {
        let all = [
            Product::Workstation,
            Product::Server,
            Product::DomainController,
        ];
        all.into_iter()
            .any(|product| self.includes(product) && other.includes(product))
    }

    fn shown(self) -> &'static str {
        match self {
            Self::Workstation => "only on workstations",
            Self::Server => "only on servers",
            Self::DomainController => "only on domain controllers",
        }
    }
}

impl TermsFile {
    fn read(self, known: impl Fn(&Spanned<String>) -> Result<(), Wrong>) -> Result<Terms, Wrong> {
        let builds = match &self.builds {
            None => None,
            Some(text) => Some(builds(text.get_ref()).map_err(wrong(text))?),
        };
        let product = match &self.product {
            None => None,
            Some(word) => Some(product(word.get_ref()).map_err(wrong(word))?),
        };
        self.and.iter().try_for_each(&known)?;
        if let Some(note) = &self.note {
            sentence(note.get_ref()).map_err(wrong(note))?;
        }
        let note_if = match self.note_if {
            None => None,
            Some(note) => Some(note.read(known)?),
        };
        Ok(Terms {
            builds,
            product,
            and: self.and.into_iter().map(Spanned::into_inner).collect(),
            note: self.note.map(|note| note.into_inner().trim().to_owned()),
            note_if,
        })
    }
}

impl NoteFile {
    /// Checks the note.
    ///
    /// # Errors
    /// What is wrong, with its place in the file.
    pub(crate) fn read(
        self,
        known: impl Fn(&Spanned<String>) -> Result<(), Wrong>,
    ) -> Result<NoteIf, Wrong> {
        known(&self.condition)?;
        sentence(self.text.get_ref()).map_err(wrong(&self.text))?;
        Ok(NoteIf {
            condition: self.condition.into_inner(),
            text: self.text.into_inner().trim().to_owned(),
        })
    }
}

fn product(word: &str) -> Result<ProductTerm, String> {
    let mut words = ProductTerm::WORDS.into_iter();
    let found = words.find(|(known, _)| *known == word);
    found.map(|(_, product)| product).ok_or_else(|| {
        format!("\"{word}\" is none of \"workstation\", \"server\" and \"domain-controller\"")
    })
}

/// `17763..`, `..14393`, `14393..17763`, both ends included.
fn builds(text: &str) -> Result<RangeInclusive<u32>, String> {
    let wrong =
        || format!("\"{text}\" is not a range of builds, such as \"..14393\" or \"17763..\"");
    let (first, last) = text.split_once("..").ok_or_else(wrong)?;
    let bound = |text: &str, open: u32| match text {
        "" => Ok(open),
        number => number.parse().map_err(|_| wrong()),
    };
    let range = bound(first, 0)?..=bound(last, u32::MAX)?;
    if range.is_empty() {
        Err(wrong())
    } else {
        Ok(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rows_that_may_count_on_one_windows_meet() {
        let terms = |builds: Option<&str>, product: Option<&str>| Terms {
            builds: builds.map(|text| super::builds(text).expect(text)),
            product: product.map(|word| super::product(word).expect(word)),
            ..Terms::default()
        };
        for (one, other, meet) in [
            ((None, None), (Some("..9199"), None), true),
            ((Some("..9200"), None), (Some("9200.."), None), true),
            ((Some("..9199"), None), (Some("9200.."), None), false),
            ((None, Some("server")), (None, Some("workstation")), false),
            (
                (None, Some("server")),
                (None, Some("domain-controller")),
                true,
            ),
            ((Some("9200.."), Some("server")), (None, None), true),
        ] {
            let (a, b) = (terms(one.0, one.1), terms(other.0, other.1));
            assert_eq!(
                (a.may_meet(&b), b.may_meet(&a)),
                (meet, meet),
                "{one:?} {other:?}"
            );
        }
    }
}
