//! A recipe's file: the checks of the file as a whole. The checks of each row are in `rows`.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::condition::{self, Condition};
use super::name::recipe_name;
use super::parameter::{self, Given, Parameter};
use crate::recipe::{Origin, Recipe, RecipeError, SCHEMA};
use crate::rows::{FolderPath, RecipeFile, Row, TABLES, Terms, Wrong, sentence, wrong, wrong_at};
use crate::written::document;

/// The greatest length of a recipe file in bytes.
pub const MAX_LEN: u64 = 256 * 1024;
/// What follows `diskmend recipes` and is no name of a recipe.
const COMMANDS: [&str; 3] = ["check", "help", "schema"];
/// The greatest number of rows in a recipe.
const MAX_ROWS: usize = 1000;

impl Recipe {
    /// Reads a recipe. `file` is its name in messages.
    ///
    /// # Errors
    /// What is wrong, with line and column.
    pub fn parse(file: &str, text: &str) -> Result<Self, RecipeError> {
        Self::parse_with(file, text, Given::new())
    }

    /// Reads a recipe with values of its parameters. The values must have been checked.
    ///
    /// # Errors
    /// What is wrong, with line and column.
    pub(super) fn parse_with(file: &str, text: &str, given: Given) -> Result<Self, RecipeError> {
        let len = text.len() as u64;
        if len > MAX_LEN {
            return Err(RecipeError::TooLong {
                file: file.to_owned(),
                len,
                limit: MAX_LEN,
            });
        }
        read(file, text, given).map_err(|wrong| {
            let (line, column) = document::line_and_column(text, wrong.span.start);
            RecipeError::Syntax {
                file: file.to_owned(),
                line,
                column,
                message: wrong.message,
            }
        })
    }
}

fn read(file: &str, text: &str, given: Given) -> Result<Recipe, Wrong> {
    let mut written = document::parse(text)?;
    let parameters = Parameter::take_all(written.get_mut(), &given)?;
    let mut recipe = {
        let mut written = written;
        let tables = TABLES.iter().copied().chain([condition::TABLE]);
        parameter::fill(written.get_mut(), tables, &parameters)?;
        let conditions = Condition::take_all(written.get_mut())?;
        let terms = take_terms(written.get_mut(), &conditions)?;
        let written: RecipeFile = document::read_all(written)?;
        let mut recipe = validated(written, &conditions, file, text)?;
        // Both are in the order of the tables, and of the rows in each.
        (recipe.terms, recipe.conditions) = (terms, conditions);
        recipe
    };
    recipe.parameters = parameters.into_iter().map(Spanned::into_inner).collect();
    recipe.given = given;
    Ok(recipe)
}

/// Checks the content of a recipe's file.
fn validated(
    mut written: RecipeFile,
    conditions: &[Condition],
    file: &str,
    text: &str,
) -> Result<Recipe, Wrong> {
    let schema = *written.schema.get_ref();
    if schema != SCHEMA {
        return Err(wrong(&written.schema)(format!(
            "schema is {schema}, this program reads {SCHEMA}"
        )));
    }
    recipe_name(written.name.get_ref()).map_err(wrong(&written.name))?;
    if COMMANDS.contains(&written.name.get_ref().as_str()) {
        let message = format!("'diskmend recipes {}' is a command", written.name.get_ref());
        return Err(wrong(&written.name)(message));
    }
    let texts = [&written.title, &written.summary].into_iter();
    for shown in texts.chain(&written.caution) {
        sentence(shown.get_ref()).map_err(wrong(shown))?;
    }
    let unsourced = written
        .sources
        .get_ref()
        .iter()
        .all(|s| s.trim().is_empty());
    if unsourced {
        return Err(wrong(&written.sources)(
            "say where the values are documented".to_owned(),
        ));
    }
    let rows = written.row_count();
    if rows == 0 && written.includes.is_empty() {
        return Err(wrong(&written.name)(format!(
            "the recipe has neither a {} row nor includes",
            tables()
        )));
    }
    if rows > MAX_ROWS {
        return Err(wrong(&written.name)(format!(
            "{rows} rows, a recipe has at most {MAX_ROWS}"
        )));
    }
    let rows = written.take_rows()?;
    apart(&rows)?;
    for other in &written.conflicts {
        recipe_name(other.get_ref()).map_err(wrong(other))?;
    }
    let note_if = match written.note_if {
        None => None,
        Some(note) => Some(note.read(|name| condition::known(conditions, name))?),
    };
    Ok(Recipe {
        name: written.name.into_inner(),
        title: written.title.into_inner().trim().to_owned(),
        summary: written.summary.into_inner().trim().to_owned(),
        sources: written.sources.into_inner(),
        includes: written.includes,
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        terms: Vec::new(),
        parameters: Vec::new(),
        given: Given::new(),
        conditions: Vec::new(),
        note_if,
        conflicts: written
            .conflicts
            .into_iter()
            .map(Spanned::into_inner)
            .collect(),
        caution: written
            .caution
            .map(|text| text.into_inner().trim().to_owned()),
        on_request: written.on_request,
        all_or_nothing: written.all_or_nothing,
        origin: Origin::File(file.to_owned()),
        text: text.to_owned(),
    })
}

/// Takes the terms of all rows, in the order in which the rows are read.
fn take_terms(written: &mut DeTable<'_>, conditions: &[Condition]) -> Result<Vec<Terms>, Wrong> {
    let mut terms = Vec::new();
    for table in TABLES {
        // A table of another type is refused when the recipe is read.
        let Some(rows) = written.get_mut(*table).map(Spanned::get_mut) else {
            continue;
        };
        let DeValue::Array(rows) = rows else {
            continue;
        };
        for row in rows.iter_mut().map(Spanned::get_mut) {
            if let DeValue::Table(row) = row {
                terms.push(Terms::take(row, |name| condition::known(conditions, name))?);
            }
        }
    }
    Ok(terms)
}

/// The names of the tables of rows, for display.
fn tables() -> String {
    let names: Vec<String> = TABLES.iter().map(|table| format!("[[{table}]]")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// Checks that no folder is in another one. An object belongs to only one folder, so no two changes
/// of it are planned.
fn apart(rows: &[(Range<usize>, Row)]) -> Result<(), Wrong> {
    let folders = rows
        .iter()
        .filter_map(|(span, row)| Some((span, row.about().folder()?)));
    let mut before: Vec<&FolderPath> = Vec::new();
    for (span, path) in folders {
        let meets = |other: &&&FolderPath| other.may_meet(path) && !other.is(path);
        if let Some(other) = before.iter().find(meets) {
            return Err(wrong_at(span.clone())(&format!(
                "one of {other} and {path} is in the other: make a recipe for each"
            )));
        }
        before.push(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::test_support::refused;
    use super::*;
    use crate::rows::{Expected, RegistryRow};
    use diskmend_hive::ValueType;

    const GOOD: &str = "schema = 1\nname = \"own\"\ntitle = \"Title\"\nsummary = \"Summary\"\n\
        sources = [\"https://example.org\"]\n\n[[registry]]\nhive = \"SYSTEM\"\n\
        key = 'ControlSet*\\Services\\Tcpip'\nvalue = \"Start\"\ntype = \"REG_DWORD\"\ndata = 0\n\
        fault = { equals = [4] }\nwhy = \"because\"\n";

    fn registry(recipe: &Recipe) -> &RegistryRow {
        match recipe.rows.as_slice() {
            [Row::Registry(row)] => row,
            rows => panic!("{rows:?}"),
        }
    }

    #[test]
    fn the_fields_are_read() {
        let recipe = Recipe::parse("own.toml", GOOD).expect("valid");
        assert_eq!(recipe.name, "own");
        assert_eq!(recipe.origin, Origin::File("own.toml".to_owned()));
        let row = registry(&recipe);
        assert_eq!(row.key.to_string(), r"ControlSet*\Services\Tcpip");
        assert_eq!(row.aim.data(), Some(&crate::ValueData::dword(0)));
        let fault = row.fault.as_ref().expect("a fault");
        assert_eq!(fault.equals, [Expected::Data(crate::ValueData::dword(4))]);
        assert!(!fault.missing && !fault.different && fault.companion.is_none());
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (from, to, place, say) in [
            ("schema = 1", "schema = 2", "1:10", "this program reads 1"),
            ("name = \"own\"", "name = \"Own\"", "2:8", "can't be a name"),
            ("name = \"own\"", "name = \"check\"", "2:8", "is a command"),
            ("title = \"Title\"\n", "", "1:1", "title"),
            ("\"Summary\"", "\" \"", "4:11", "say something"),
            ("[\"https://example.org\"]", "[]", "5:11", "documented"),
            ("[[registry]]", "[[servise]]", "7:3", "servise"),
            ("\"SYSTEM\"", "\"DRIVERS\"", "8:8", "SYSTEM, SOFTWARE"),
            ("Services\\Tcpip", "..\\Tcpip", "9:7", "no meaning"),
            ("value = \"Start\"", "valeu = \"Start\"", "10:1", "valeu"),
            ("\"REG_DWORD\"", "\"DWORD\"", "11:8", "REG_DWORD"),
            ("data = 0", "data = \"0\"", "12:8", "a number"),
            ("data = 0", "data = 4294967296", "12:8", "4294967295"),
            ("data = 0", "data = 4", "13:9", "cannot be a fault"),
            ("{ equals = [4] }", "\"absent\"", "13:9", "\"missing\""),
            ("equals = [4]", "equal = [4]", "13:11", "equal"),
            ("equals = [4]", "equals = [-4]", "13:21", "-4"),
            ("why = \"because\"", "", "7:1", "why"),
            (
                "data = 0",
                "data = 0\nif_missing = \"skip\"",
                "13:14",
                "\"leave\"",
            ),
        ] {
            refused(GOOD, (from, to), place, say);
        }
    }

    #[test]
    fn mistakes_of_rows_that_delete_or_look_are_named() {
        let delete = GOOD.replace("data = 0", "delete = true");
        let report = GOOD.replace("data = 0", "report = true");
        let accept = GOOD.replace("data = 0", "data = 0\naccept = [0, 1]");
        for good in [&delete, &report, &accept] {
            Recipe::parse("own.toml", good).expect("valid");
        }
        for (good, from, to, place, say) in [
            (
                GOOD,
                "data = 0\n",
                "",
                "10:9",
                "one of data, bits, delete = true and report",
            ),
            (
                GOOD,
                "data = 0",
                "data = 0\ndelete = true",
                "13:10",
                "one of data",
            ),
            (
                &delete,
                "delete = true",
                "delete = false",
                "12:10",
                "true, or no such field",
            ),
            (
                &delete,
                "delete = true",
                "delete = true\nreport = true",
                "13:10",
                "one of data",
            ),
            (
                &delete,
                "delete",
                "if_missing = \"leave\"\ndelete",
                "12:14",
                "with data",
            ),
            (
                &delete,
                "{ equals = [4] }",
                "\"missing\"",
                "13:9",
                "if it is deleted",
            ),
            (
                &delete,
                "type = \"REG_DWORD\"\n",
                "",
                "12:21",
                "the row's type",
            ),
            (GOOD, "type = \"REG_DWORD\"\n", "", "11:8", "need a type"),
            (
                GOOD,
                "{ equals = [4] }",
                "\"exists\"",
                "13:9",
                "means other data",
            ),
            (
                &report,
                "report = true",
                "report = false",
                "12:10",
                "expected true",
            ),
            (
                &report,
                "report = true",
                "report = \"absent\"",
                "12:10",
                "absent",
            ),
            (
                &report,
                "report = true",
                "report = { equal = [1] }",
                "12:12",
                "equal",
            ),
            (&accept, "[0, 1]", "[]", "13:10", "at least one"),
            (&accept, "[0, 1]", "[0]", "13:10", "other data"),
            (&accept, "[0, 1]", "[\"1\"]", "13:11", "a number"),
            (&accept, "[0, 1]", "[1, 4]", "14:9", "accepted data"),
        ] {
            refused(good, (from, to), place, say);
        }
    }

    #[test]
    fn a_fault_may_be_a_word_or_depend_on_another_value() {
        let word = GOOD.replace("{ equals = [4] }", "\"missing\"");
        let recipe = Recipe::parse("own.toml", &word).expect("valid");
        assert!(registry(&recipe).fault.as_ref().expect("fault").missing);

        let other = "{ different = true, where = { value = \"ImagePath\", type = \"REG_SZ\", \
                     equals = [\"x\"] } }";
        let text = GOOD.replace("{ equals = [4] }", other);
        let recipe = Recipe::parse("own.toml", &text).expect("valid");
        let fault = registry(&recipe).fault.as_ref().expect("fault");
        let companion = fault.companion.as_ref().expect("companion");
        assert!(fault.different);
        assert_eq!(companion.value, "ImagePath");
        assert_eq!(
            companion.equals,
            [Expected::Data(crate::ValueData::text(ValueType::SZ, "x"))]
        );
    }

    #[test]
    fn an_endless_file_is_refused() {
        let text = format!("{GOOD}#{}", "x".repeat(MAX_LEN as usize));
        let error = Recipe::parse("own.toml", &text);
        assert!(matches!(error, Err(RecipeError::TooLong { .. })));
    }
}
