//! Words that a rule may use for what it looks for.

use toml::Spanned;

use crate::rows::{Wrong, wrong};

/// A list of words, each of which stands for something.
pub(super) type Words = Spanned<Vec<Spanned<String>>>;

/// What the words of a list stand for.
///
/// # Errors
/// If the list is empty, or a word is not known.
pub(super) fn read<T: Copy>(written: &Words, known: &[(&str, T)]) -> Result<Vec<T>, Wrong> {
    if written.get_ref().is_empty() {
        return Err(wrong(written)("name at least one".to_owned()));
    }
    let meaning = |word: &Spanned<String>| -> Result<T, Wrong> {
        let found = known.iter().find(|(known, _)| known == word.get_ref());
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(|(known, _)| *known).collect();
            wrong(word)(format!(
                "{:?} is none of {}",
                word.get_ref(),
                known.join(", ")
            ))
        })
    };
    written.get_ref().iter().map(meaning).collect()
}

/// The words for these meanings, for display.
pub(super) fn shown<T: PartialEq>(meanings: &[T], known: &[(&str, T)]) -> String {
    let words = known.iter().filter(|(_, known)| meanings.contains(known));
    let words: Vec<&str> = words.map(|(word, _)| *word).collect();
    words.join(" or ")
}
