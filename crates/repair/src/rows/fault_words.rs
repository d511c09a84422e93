//! Faults that a row names in words: `fault = "disabled"`, several words, or a table.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use super::Wrong;

/// The words of a fault, before they are checked.
pub(super) struct FaultWords {
    /// Each word, with its place if it has one of its own.
    words: Vec<(Option<Range<usize>>, String)>,
}

/// A fault as a table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultTable {
    is: FaultWords,
}

impl FaultWords {
    /// True if there is a fault. This word is the only one that can be given.
    ///
    /// # Errors
    /// Another word, with its place; no words, or the word twice.
    pub(super) fn only(this: Option<Spanned<Self>>, word: &str) -> Result<bool, Wrong> {
        let Some(this) = this else { return Ok(false) };
        let meaning = |written: &str| (written == word).then_some(());
        Self::read(this, meaning, &format!("\"{word}\"")).map(|_| true)
    }

    /// The meanings of the words.
    ///
    /// # Errors
    /// A word that has none, with its place; no words, or the same meaning twice.
    pub(super) fn read<W: PartialEq>(
        this: Spanned<Self>,
        meaning: impl Fn(&str) -> Option<W>,
        expected: &str,
    ) -> Result<Vec<W>, Wrong> {
        let whole = this.span();
        let mut meanings = Vec::new();
        for (span, word) in this.into_inner().words {
            let wrong = |message: String| Wrong {
                span: span.clone().unwrap_or_else(|| whole.clone()),
                message,
            };
            let Some(meaning) = meaning(&word) else {
                return Err(wrong(format!("no fault \"{word}\": expected {expected}")));
            };
            if meanings.contains(&meaning) {
                return Err(wrong(format!("\"{word}\" is named twice")));
            }
            meanings.push(meaning);
        }
        if meanings.is_empty() {
            return Err(Wrong {
                span: whole,
                message: format!("name at least one fault: {expected}"),
            });
        }
        Ok(meanings)
    }
}

impl<'de> Deserialize<'de> for FaultWords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyForm;
        impl<'de> Visitor<'de> for AnyForm {
            type Value = FaultWords;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word, a list of words or a table such as { is = \"disabled\" }")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<FaultWords, E> {
                let words = vec![(None, word.to_owned())];
                Ok(FaultWords { words })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<FaultWords, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = seq.next_element::<Spanned<String>>()? {
                    words.push((Some(word.span()), word.into_inner()));
                }
                Ok(FaultWords { words })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FaultWords, A::Error> {
                FaultTable::deserialize(MapAccessDeserializer::new(map)).map(|table| table.is)
            }
        }
        deserializer.deserialize_any(AnyForm)
    }
}
