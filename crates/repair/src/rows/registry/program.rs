//! Command lines that are right because of the program that they run.

use diskmend_base::utf16;
use diskmend_hive::ValueType;
use toml::Spanned;

use crate::value_data::ValueData;
use crate::written::{Wrong, wrong};

/// True if a command line runs one of these programs. Case and arguments don't matter.
pub(super) fn runs_one_of(data: &ValueData, programs: &[String]) -> bool {
    if programs.is_empty() || !is_text(data.value_type) {
        return false;
    }
    let Some(line) = utf16::decode_to_nul(&data.bytes) else {
        return false;
    };
    let Some(first) = line.split_whitespace().next() else {
        return false;
    };
    let first = first.to_lowercase();
    programs.iter().any(|one| one.to_lowercase() == first)
}

/// Checks the programs of a row.
pub(super) fn read(
    written: &Spanned<Vec<Spanned<String>>>,
    value_type: Option<ValueType>,
) -> Result<Vec<String>, Wrong> {
    if !value_type.is_some_and(is_text) {
        let said = "only a row with a string has command lines".to_owned();
        return Err(wrong(written)(said));
    }
    if written.get_ref().is_empty() {
        return Err(wrong(written)("name at least one".to_owned()));
    }
    let programs = written.get_ref().iter().map(|program| {
        let text = program.get_ref();
        if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c == '\0') {
            let said = format!("\"{text}\" is not a program without spaces");
            return Err(wrong(program)(said));
        }
        Ok(text.clone())
    });
    programs.collect()
}

fn is_text(value_type: ValueType) -> bool {
    matches!(value_type, ValueType::SZ | ValueType::EXPAND_SZ)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::test_support::refused;

    #[test]
    fn a_command_line_is_known_by_its_first_word() {
        let programs = [r"%SystemRoot%\system32\csrss.exe".to_owned()];
        let runs =
            |text: &str, value_type| runs_one_of(&ValueData::text(value_type, text), &programs);
        for (line, expected) in [
            (r"%SystemRoot%\system32\csrss.exe", true),
            (r"%systemroot%\SYSTEM32\csrss.exe SharedSection=1", true),
            (
                r"%SystemRoot%\system32\csrss.exe.bad SharedSection=1",
                false,
            ),
            (r"C:\Temp\a.exe %SystemRoot%\system32\csrss.exe", false),
            ("", false),
        ] {
            assert_eq!(runs(line, ValueType::EXPAND_SZ), expected, "{line}");
            assert_eq!(runs(line, ValueType::SZ), expected, "{line}");
            assert!(!runs(line, ValueType::BINARY));
        }
    }

    const GOOD: &str = "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\n\
        sources = ['https://example.org']\n\n[[registry]]\nhive = 'SYSTEM'\nkey = 'Setup'\n\
        value = 'V'\ntype = 'REG_SZ'\ndata = 'a.exe'\naccept_program = ['b.exe']\nwhy = 'w'\n";

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (from, to, place, say) in [
            ("['b.exe']", "[]", "13:18", "at least one"),
            ("'b.exe'", "'b.exe /x'", "13:19", "without spaces"),
            (
                "'REG_SZ'\ndata = 'a.exe'",
                "'REG_DWORD'\ndata = 1",
                "13:18",
                "command lines",
            ),
        ] {
            refused(GOOD, (from, to), place, say);
        }
    }
}
