//! A recipe's file: the fields as written, and what must hold of them.

mod acl;
mod boot;

use std::fmt;
use std::ops::Range;

use diskmend_hive::ValueType;
use diskmend_hive::name::NameBuf;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

use self::acl::AclFile;
use self::boot::BcdFile;
use crate::recipe::data::{self, Written};
use crate::recipe::{
    AclRow, Companion, Fault, HiveName, IfMissing, KeyPattern, Origin, Recipe, RecipeError,
    RegistryRow, SCHEMA,
};

/// Longest recipe file in bytes.
pub const MAX_LEN: u64 = 256 * 1024;
/// Most rows of a recipe.
const MAX_ROWS: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeFile {
    schema: Spanned<i64>,
    name: Spanned<String>,
    title: Spanned<String>,
    summary: Spanned<String>,
    sources: Spanned<Vec<String>>,
    #[serde(default)]
    includes: Vec<String>,
    #[serde(default)]
    registry: Vec<Spanned<RowFile>>,
    #[serde(default)]
    bcd: Vec<Spanned<BcdFile>>,
    #[serde(default)]
    acl: Vec<Spanned<AclFile>>,
    #[serde(default)]
    on_request: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowFile {
    hive: Spanned<String>,
    key: Spanned<String>,
    value: Spanned<String>,
    #[serde(rename = "type")]
    value_type: Spanned<String>,
    data: Spanned<Written>,
    if_missing: Option<Spanned<String>>,
    fault: Option<Spanned<FaultFile>>,
    why: Spanned<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct FaultTable {
    #[serde(default)]
    missing: bool,
    #[serde(default)]
    different: bool,
    #[serde(default)]
    equals: Vec<Spanned<Written>>,
    #[serde(rename = "where")]
    companion: Option<CompanionFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompanionFile {
    value: Spanned<String>,
    /// Its type; the row's own type where absent.
    #[serde(rename = "type")]
    value_type: Option<Spanned<String>>,
    equals: Spanned<Vec<Spanned<Written>>>,
}

/// A fault as one word or as a table.
struct FaultFile(FaultTable);

impl<'de> Deserialize<'de> for FaultFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrTable;
        impl<'de> Visitor<'de> for WordOrTable {
            type Value = FaultFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"missing\", \"different\" or a table such as { equals = [0] }")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<FaultFile, E> {
                let mut table = FaultTable::default();
                match word {
                    "missing" => table.missing = true,
                    "different" => table.different = true,
                    _ => return Err(E::invalid_value(serde::de::Unexpected::Str(word), &self)),
                }
                Ok(FaultFile(table))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FaultFile, A::Error> {
                FaultTable::deserialize(MapAccessDeserializer::new(map)).map(FaultFile)
            }
        }
        deserializer.deserialize_any(WordOrTable)
    }
}

/// What is wrong, and where in the text.
struct Wrong {
    span: Range<usize>,
    message: String,
}

fn wrong<T>(at: &Spanned<T>) -> impl Fn(String) -> Wrong + '_ {
    |message| Wrong {
        span: at.span(),
        message,
    }
}

impl Recipe {
    /// Reads a recipe. `file` is its name, for messages.
    ///
    /// # Errors
    /// What is wrong, with line and column.
    pub fn parse(file: &str, text: &str) -> Result<Self, RecipeError> {
        let len = text.len() as u64;
        if len > MAX_LEN {
            return Err(RecipeError::TooLong {
                file: file.to_owned(),
                len,
                limit: MAX_LEN,
            });
        }
        let located = |wrong: Wrong| {
            let (line, column) = line_and_column(text, wrong.span.start);
            RecipeError::Syntax {
                file: file.to_owned(),
                line,
                column,
                message: wrong.message,
            }
        };
        let raw: RecipeFile = toml::from_str(text).map_err(|error| {
            located(Wrong {
                span: error.span().unwrap_or_default(),
                message: error.message().to_owned(),
            })
        })?;
        raw.validate(file).map_err(located)
    }
}

impl RecipeFile {
    fn validate(self, file: &str) -> Result<Recipe, Wrong> {
        let schema = *self.schema.get_ref();
        if schema != SCHEMA {
            return Err(wrong(&self.schema)(format!(
                "schema is {schema}, this program reads {SCHEMA}"
            )));
        }
        recipe_name(self.name.get_ref()).map_err(wrong(&self.name))?;
        for text in [&self.title, &self.summary] {
            sentence(text.get_ref()).map_err(wrong(text))?;
        }
        let unsourced = self.sources.get_ref().iter().all(|s| s.trim().is_empty());
        if unsourced {
            return Err(wrong(&self.sources)(
                "say where the values are documented".to_owned(),
            ));
        }
        let rows = self.registry.len() + self.bcd.len() + self.acl.len();
        if rows == 0 && self.includes.is_empty() {
            return Err(wrong(&self.name)(
                "the recipe has neither a [[registry]], [[bcd]] or [[acl]] row nor includes"
                    .to_owned(),
            ));
        }
        if rows > MAX_ROWS {
            return Err(wrong(&self.name)(format!(
                "{rows} rows, a recipe has at most {MAX_ROWS}"
            )));
        }
        let acl = acl_rows(self.acl)?;
        Ok(Recipe {
            name: self.name.into_inner(),
            title: self.title.into_inner().trim().to_owned(),
            summary: self.summary.into_inner().trim().to_owned(),
            sources: self.sources.into_inner(),
            includes: self.includes,
            registry: self
                .registry
                .into_iter()
                .map(|row| row.into_inner().validate())
                .collect::<Result<_, _>>()?,
            bcd: self
                .bcd
                .into_iter()
                .map(|row| row.into_inner().validate())
                .collect::<Result<_, _>>()?,
            acl,
            on_request: self.on_request,
            origin: Origin::File(file.to_owned()),
        })
    }
}

/// The `[[acl]]` rows. An object is one folder's only, so that no two changes of it are planned.
fn acl_rows(files: Vec<Spanned<AclFile>>) -> Result<Vec<AclRow>, Wrong> {
    let mut rows: Vec<AclRow> = Vec::new();
    for file in files {
        let at = wrong_at(file.span());
        let row = file.into_inner().validate()?;
        let meets = |other: &&AclRow| other.path.may_meet(&row.path) && !other.path.is(&row.path);
        if let Some(other) = rows.iter().find(meets) {
            return Err(at(&format!(
                "{} and {} lie in one another: make two recipes of them",
                other.path, row.path
            )));
        }
        rows.push(row);
    }
    Ok(rows)
}

impl RowFile {
    fn validate(self) -> Result<RegistryRow, Wrong> {
        let hive = HiveName::ALL
            .into_iter()
            .find(|hive| hive.file_name().eq_ignore_ascii_case(self.hive.get_ref()))
            .ok_or_else(|| {
                let name = self.hive.get_ref();
                wrong(&self.hive)(format!("no hive {name:?}: expected SYSTEM or SOFTWARE"))
            })?;
        let key = KeyPattern::parse(hive, self.key.get_ref()).map_err(wrong(&self.key))?;
        value_name(self.value.get_ref()).map_err(wrong(&self.value))?;
        let value_type =
            data::value_type(self.value_type.get_ref()).map_err(wrong(&self.value_type))?;
        let desired = data::encode(value_type, self.data.get_ref()).map_err(wrong(&self.data))?;
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        let if_missing = match &self.if_missing {
            None => IfMissing::Create,
            Some(word) => match word.get_ref().as_str() {
                "create" => IfMissing::Create,
                "leave" => IfMissing::Leave,
                other => {
                    return Err(wrong(word)(format!(
                        "{other:?} is neither \"create\" nor \"leave\""
                    )));
                }
            },
        };
        let fault = match self.fault {
            None => None,
            Some(fault) => {
                let at = wrong_at(fault.span());
                let fault = fault.into_inner().0.validate(value_type)?;
                if fault.equals.contains(&desired) {
                    return Err(at("the desired data cannot be a fault"));
                }
                if fault.missing && if_missing == IfMissing::Leave {
                    return Err(at("a missing value cannot be a fault that is left"));
                }
                Some(fault)
            }
        };
        Ok(RegistryRow {
            hive,
            key,
            value: self.value.into_inner(),
            desired,
            if_missing,
            fault,
            why: self.why.into_inner(),
        })
    }
}

fn wrong_at(span: Range<usize>) -> impl Fn(&str) -> Wrong {
    move |message| Wrong {
        span: span.clone(),
        message: message.to_owned(),
    }
}

impl FaultTable {
    fn validate(self, value_type: ValueType) -> Result<Fault, Wrong> {
        let companion = match self.companion {
            None => None,
            Some(other) => {
                value_name(other.value.get_ref()).map_err(wrong(&other.value))?;
                let other_type = match &other.value_type {
                    None => value_type,
                    Some(name) => data::value_type(name.get_ref()).map_err(wrong(name))?,
                };
                if other.equals.get_ref().is_empty() {
                    return Err(wrong(&other.equals)("name at least one".to_owned()));
                }
                Some(Companion {
                    value: other.value.into_inner(),
                    equals: encode_all(other_type, other.equals.get_ref())?,
                })
            }
        };
        Ok(Fault {
            missing: self.missing,
            different: self.different,
            equals: encode_all(value_type, &self.equals)?,
            companion,
        })
    }
}

fn encode_all(
    value_type: ValueType,
    list: &[Spanned<Written>],
) -> Result<Vec<crate::ValueData>, Wrong> {
    list.iter()
        .map(|written| data::encode(value_type, written.get_ref()).map_err(wrong(written)))
        .collect()
}

fn recipe_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let starts = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    if starts && name.len() <= 64 && name.chars().all(plain) {
        return Ok(());
    }
    Err(format!(
        "{name:?} is no recipe's name: up to 64 lower-case letters, digits and hyphens, a letter first"
    ))
}

fn sentence(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("say something".to_owned());
    }
    match text.chars().find(|c| c.is_control() && *c != '\n') {
        Some(c) => Err(format!("{c:?} is not accepted here")),
        None => Ok(()),
    }
}

fn value_name(name: &str) -> Result<(), String> {
    NameBuf::value_name(name)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// Line and column of a byte of the text, from 1, the column in characters.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "schema = 1\nname = \"own\"\ntitle = \"Title\"\nsummary = \"Summary\"\n\
        sources = [\"https://example.org\"]\n\n[[registry]]\nhive = \"SYSTEM\"\n\
        key = 'ControlSet*\\Services\\Tcpip'\nvalue = \"Start\"\ntype = \"REG_DWORD\"\ndata = 0\n\
        fault = { equals = [4] }\nwhy = \"because\"\n";

    #[test]
    fn the_fields_are_read() {
        let recipe = Recipe::parse("own.toml", GOOD).expect("valid");
        assert_eq!(recipe.name, "own");
        assert_eq!(recipe.origin, Origin::File("own.toml".to_owned()));
        let [row] = recipe.registry.as_slice() else {
            panic!("one row");
        };
        assert_eq!(row.key.to_string(), r"ControlSet*\Services\Tcpip");
        assert_eq!(row.desired, crate::ValueData::dword(0));
        let fault = row.fault.as_ref().expect("a fault");
        assert_eq!(fault.equals, [crate::ValueData::dword(4)]);
        assert!(!fault.missing && !fault.different && fault.companion.is_none());
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (from, to, place, say) in [
            ("schema = 1", "schema = 2", "1:10", "this program reads 1"),
            ("name = \"own\"", "name = \"Own\"", "2:8", "recipe's name"),
            ("title = \"Title\"\n", "", "1:1", "title"),
            ("\"Summary\"", "\" \"", "4:11", "say something"),
            ("[\"https://example.org\"]", "[]", "5:11", "documented"),
            ("[[registry]]", "[[service]]", "7:3", "service"),
            ("\"SYSTEM\"", "\"SAM\"", "8:8", "SYSTEM or SOFTWARE"),
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
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD, "{from}");
            let error = Recipe::parse("own.toml", &text).expect_err(to).to_string();
            assert!(
                error.contains(&format!("own.toml:{place}: ")),
                "{to}: {error}"
            );
            assert!(error.contains(say), "{to}: {error}");
        }
    }

    #[test]
    fn a_fault_may_be_a_word_or_depend_on_another_value() {
        let word = GOOD.replace("{ equals = [4] }", "\"missing\"");
        let recipe = Recipe::parse("own.toml", &word).expect("valid");
        assert!(recipe.registry[0].fault.as_ref().expect("fault").missing);

        let other = "{ different = true, where = { value = \"ImagePath\", type = \"REG_SZ\", \
                     equals = [\"x\"] } }";
        let text = GOOD.replace("{ equals = [4] }", other);
        let recipe = Recipe::parse("own.toml", &text).expect("valid");
        let fault = recipe.registry[0].fault.as_ref().expect("fault");
        let companion = fault.companion.as_ref().expect("companion");
        assert!(fault.different);
        assert_eq!(companion.value, "ImagePath");
        assert_eq!(
            companion.equals,
            [crate::ValueData::text(ValueType::SZ, "x")]
        );
    }

    #[test]
    fn an_endless_file_is_refused() {
        let text = format!("{GOOD}#{}", "x".repeat(MAX_LEN as usize));
        let error = Recipe::parse("own.toml", &text);
        assert!(matches!(error, Err(RecipeError::TooLong { .. })));
    }
}
