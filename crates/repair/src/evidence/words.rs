//! Words and values that a rule may use for what it looks for.

use toml::Spanned;

use crate::facts::Event;
use crate::written::{Numbers, Written, Wrong, wrong};

/// A list of words, each of which stands for something.
pub(super) type Words = Spanned<Vec<Spanned<String>>>;

/// A number, or the numbers of a range; `None` for other text.
///
/// # Errors
/// If it is neither, or too large.
pub(super) fn numbers(written: &Spanned<Written>) -> Result<Option<Numbers>, Wrong> {
    match written.get_ref() {
        Written::Number(number) => {
            let number = u32::try_from(*number)
                .map_err(|_| wrong(written)(format!("{number} is not within 0 to {}", u32::MAX)))?;
            let number = number.into();
            Ok(Some(Numbers {
                from: number,
                to: number,
            }))
        }
        Written::Text(text) if Numbers::is_range(text) => {
            let range = Numbers::parse(text, u32::MAX.into());
            range.map(Some).map_err(wrong(written))
        }
        Written::Text(_) => Ok(None),
        Written::Bool(_) | Written::List(_) => Err(wrong(written)(
            "expected a number or a range of numbers".to_owned(),
        )),
    }
}

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
                "\"{}\" is none of {}",
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

/// True if a value is this text, this number or one in this range, or has the text between two `*`.
pub(super) fn fits(value: &str, pattern: &str) -> bool {
    let inner = pattern.strip_prefix('*').and_then(|p| p.strip_suffix('*'));
    match inner {
        Some(part) => value.to_lowercase().contains(&part.to_lowercase()),
        None => {
            let numbers = (Event::to_number(value), Event::to_number(pattern));
            value.trim().eq_ignore_ascii_case(pattern)
                || matches!(numbers, (Some(a), Some(b)) if a == b)
                || matches!(
                    (numbers, Numbers::parse(pattern, u64::MAX)),
                    ((Some(number), None), Ok(range)) if range.has(number)
                )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn values_are_compared_as_texts_numbers_or_parts() {
        assert!(fits("%%1058", "1058"));
        assert!(fits("0x2740", "10048"));
        assert!(fits("TermService", "termservice"));
        assert!(fits("\r\nstorvsc\r\nvmbus", "*STORVSC*"));
        assert!(fits("0x0000007b (0x1, 0x2)", "*0x0000007b*"));
        assert!(fits("%%1058", "1000..1999") && fits("0x2740", "10000.."));
        assert!(!fits("2000", "1000..1999") && !fits("text", "0.."));
        assert!(!fits("storvsc2", "storvsc"));
        assert!(!fits("1059", "1058"));
        assert!(!fits("", "0"));
    }
}
