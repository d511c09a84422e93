//! The parameters of a recipe: values that the user may choose on the command line.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::name::recipe_name;
use super::{Origin, Recipe, RecipeError};
use crate::written::{Written, Wrong, document, sentence, wrong, wrong_at};

/// The table of the parameters.
pub(crate) const TABLE: &str = "parameters";
/// The greatest number of parameters in a recipe.
const MOST: usize = 6;
/// The greatest length of a value in bytes.
const MOST_BYTES: usize = 64;
/// What rows of some kinds write in braces, and what therefore is no name of a parameter.
const RESERVED: [&str; 4] = ["loader", "target", "store", "guid"];

/// A value that the user may choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Its name on the command line.
    pub name: String,
    /// What its value may be.
    #[serde(rename = "type")]
    pub kind: ParameterKind,
    /// The value if the user chooses none.
    pub default: String,
    /// The value.
    pub value: String,
    /// What it is for, in one sentence.
    pub about: String,
}

/// What the value of a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterKind {
    /// A number of 16 bits.
    U16,
    /// The number of a port, which isn't 0.
    Port,
    /// A short text.
    Text,
}

/// The values that the user has chosen, by the names of the parameters.
pub(crate) type Given = BTreeMap<String, String>;

/// A parameter, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParameterFile {
    #[serde(rename = "type")]
    kind: Spanned<String>,
    default: Spanned<Written>,
    about: Spanned<String>,
}

impl ParameterKind {
    pub(super) const ALL: [Self; 3] = [Self::U16, Self::Port, Self::Text];

    /// Checks a value.
    ///
    /// # Errors
    /// What is wrong with it, for display.
    pub(crate) fn check(self, value: &str) -> Result<(), String> {
        let within = |least: u16| {
            let digits = !value.is_empty() && value.bytes().all(|digit| digit.is_ascii_digit());
            let number = value.parse::<u16>().ok().filter(|_| digits);
            match number {
                // One spelling of a number only, because plans and runs compare it.
                Some(number) if number >= least && number.to_string() == value => Ok(()),
                _ => Err(format!(
                    "\"{value}\" is not a number within {least} to {}",
                    u16::MAX
                )),
            }
        };
        match self {
            Self::U16 => within(0),
            Self::Port => within(1),
            Self::Text if value.is_empty() || value.len() > MOST_BYTES => {
                Err(format!("a text has 1 to {MOST_BYTES} bytes"))
            }
            Self::Text
                if value.contains(|c: char| {
                    c.is_control() || c.is_whitespace() || "{}".contains(c)
                }) =>
            {
                Err(format!(
                    "\"{value}\" contains a character that is not accepted"
                ))
            }
            Self::Text => Ok(()),
        }
    }
}

impl fmt::Display for ParameterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::U16 => "u16",
            Self::Port => "port",
            Self::Text => "text",
        })
    }
}

impl Parameter {
    /// Takes the parameters out of a recipe's file, each with its place, and gives them these
    /// values.
    ///
    /// # Errors
    /// What is wrong, with its place in the file.
    pub(super) fn take_all(
        recipe: &mut DeTable<'_>,
        given: &Given,
    ) -> Result<Vec<Spanned<Self>>, Wrong> {
        let Some(table) = recipe.remove(TABLE) else {
            return Ok(Vec::new());
        };
        let table = document::table(table)?;
        if table.get_ref().len() > MOST {
            let message = format!("a recipe has at most {MOST} parameters");
            return Err(wrong(&table)(message));
        }
        let parameters = table.into_inner().into_iter().map(|(name, written)| {
            let parameter = Self::read(&name, document::read(written)?, given)?;
            Ok(Spanned::new(name.span(), parameter))
        });
        parameters.collect()
    }

    fn read<'i>(
        name: &Spanned<toml::de::DeString<'i>>,
        written: ParameterFile,
        given: &Given,
    ) -> Result<Self, Wrong> {
        let text = name.get_ref().as_ref();
        recipe_name(text).map_err(wrong(name))?;
        if RESERVED.contains(&text) || text.starts_with("store-") {
            return Err(wrong(name)(format!(
                "\"{{{text}}}\" has a meaning of its own"
            )));
        }
        let kind = ParameterKind::ALL.into_iter();
        let word = written.kind.get_ref();
        let mut kind = kind.filter(|kind| kind.to_string() == *word);
        let kind = kind.next().ok_or_else(|| {
            let kinds = ParameterKind::ALL
                .map(|kind| format!("\"{kind}\""))
                .join(", ");
            wrong(&written.kind)(format!("\"{word}\" is none of {kinds}"))
        })?;
        let default = match (kind, written.default.get_ref()) {
            (ParameterKind::Text, Written::Text(text)) => text.clone(),
            (ParameterKind::U16 | ParameterKind::Port, Written::Number(number)) => {
                number.to_string()
            }
            _ => {
                return Err(wrong(&written.default)(format!(
                    "this is not a value of {kind}"
                )));
            }
        };
        kind.check(&default).map_err(wrong(&written.default))?;
        sentence(written.about.get_ref()).map_err(wrong(&written.about))?;
        Ok(Self {
            name: text.to_owned(),
            kind,
            value: given.get(text).unwrap_or(&default).clone(),
            default,
            about: written.about.into_inner().trim().to_owned(),
        })
    }

    /// The value, as a recipe's file would have it.
    fn written(&self) -> DeValue<'_> {
        let text = DeValue::String(self.value.as_str().into());
        match self.kind {
            ParameterKind::Text => text,
            ParameterKind::U16 | ParameterKind::Port => match DeValue::parse(&self.value) {
                Ok(number) => number.into_inner(),
                // A number that was checked is always one.
                Err(_) => text,
            },
        }
    }
}

impl Recipe {
    /// The recipe with a value of a parameter.
    ///
    /// # Errors
    /// It has no such parameter, or the parameter can't have this value or already has another one.
    pub(super) fn with(&self, name: &str, value: &str) -> Result<Self, RecipeError> {
        let wrong = |what: String| RecipeError::Parameter {
            name: name.to_owned(),
            value: value.to_owned(),
            what,
        };
        let mut parameters = self.parameters.iter();
        let parameter = parameters.find(|parameter| parameter.name == name);
        let parameter = parameter
            .ok_or_else(|| wrong(format!("recipe {} has no such parameter", self.name)))?;
        parameter.kind.check(value).map_err(wrong)?;
        let mut given = self.given.clone();
        match given.insert(name.to_owned(), value.to_owned()) {
            Some(other) if other != value => {
                return Err(wrong(format!("it is given twice, also as {other}")));
            }
            _ => {}
        }
        let file = match &self.origin {
            Origin::BuiltIn => &self.name,
            Origin::File(file) => file,
        };
        let recipe = Self::parse_with(file, &self.text, given)?;
        Ok(Self {
            origin: self.origin.clone(),
            ..recipe
        })
    }
}

/// Puts the values of the parameters into tables of a recipe's file: `"{name}"` becomes the value,
/// and within a longer text its digits or letters.
///
/// # Errors
/// A parameter that is used nowhere, with its place.
pub(super) fn fill<'i>(
    recipe: &mut DeTable<'i>,
    tables: impl Iterator<Item = &'static str>,
    parameters: &'i [Spanned<Parameter>],
) -> Result<(), Wrong> {
    let mut used = vec![false; parameters.len()];
    for table in tables {
        if let Some(part) = recipe.get_mut(table) {
            fill_value(part.get_mut(), parameters, &mut used);
        }
    }
    match parameters.iter().zip(used).find(|(_, used)| !used) {
        None => Ok(()),
        Some((unused, _)) => Err(wrong_at(unused.span())(&format!(
            "nothing in the recipe is \"{{{}}}\"",
            unused.get_ref().name
        ))),
    }
}

fn fill_value<'i>(
    value: &mut DeValue<'i>,
    parameters: &'i [Spanned<Parameter>],
    used: &mut [bool],
) {
    match value {
        DeValue::Array(array) => {
            for part in array.iter_mut() {
                fill_value(part.get_mut(), parameters, used);
            }
        }
        DeValue::Table(table) => {
            for (_, part) in table.iter_mut() {
                fill_value(part.get_mut(), parameters, used);
            }
        }
        DeValue::String(text) => {
            let all = parameters.iter().map(Spanned::get_ref).zip(used);
            let mut whole = None;
            for (parameter, used) in all {
                let place = format!("{{{}}}", parameter.name);
                if *text == place {
                    whole = Some(parameter.written());
                } else if text.contains(&place) {
                    *text = text.replace(&place, &parameter.value).into();
                } else {
                    continue;
                }
                *used = true;
            }
            if let Some(whole) = whole {
                *value = whole;
            }
        }
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::refused;
    use super::super::{Catalogue, Recipe, RecipeError};
    use crate::rows::Row;
    use crate::value_data::ValueData;

    const GOOD: &str = "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\n\
        sources = ['https://example.org']\n\n[parameters]\n\
        port = { type = 'port', default = 3389, about = 'where to listen' }\n\
        who = { type = 'text', default = 'us', about = 'for whom' }\n\n\
        [[registry]]\nhive = 'SYSTEM'\nkey = 'ControlSet*\\Control\\{who}'\nvalue = 'V'\n\
        type = 'REG_DWORD'\ndata = '{port}'\nwhy = 'port {port}'\n\n\
        [[registry]]\nhive = 'SYSTEM'\nkey = 'ControlSet*\\Control\\A'\nvalue = 'T'\n\
        type = 'REG_SZ'\ndata = '{who}'\nwhy = 'w'\n";

    fn given(recipe: &Recipe) -> (String, String, Option<String>) {
        let [Row::Registry(first), Row::Registry(second)] = recipe.rows.as_slice() else {
            panic!("{:?}", recipe.rows);
        };
        let second = second.aim.data().and_then(ValueData::readable);
        let second = second.map(|readable| format!("{readable:?}"));
        (first.key.to_string(), first.why.clone(), second)
    }

    #[test]
    fn values_stand_where_the_recipe_names_them() {
        let recipe = Recipe::parse("own.toml", GOOD).expect("valid");
        let (key, why, text) = given(&recipe);
        assert_eq!(key, r"ControlSet*\Control\us");
        assert_eq!(why, "port 3389");
        assert!(text.expect("text").contains("us"));
        let Row::Registry(first) = &recipe.rows[0] else {
            panic!("{:?}", recipe.rows);
        };
        assert_eq!(first.aim.data(), Some(&ValueData::dword(3389)));
        assert_eq!(recipe.label(), "own port=3389 who=us");
    }

    #[test]
    fn a_bundle_passes_values_on() {
        let mut catalogue = Catalogue::built_in().expect("valid");
        let own = Recipe::parse("own.toml", GOOD).expect("valid");
        let bundle = "schema = 1\nname = 'all'\ntitle = 't'\nsummary = 's'\n\
            sources = ['https://example.org']\nincludes = ['tls', 'own']\n";
        catalogue.add(own).expect("new");
        catalogue
            .add(Recipe::parse("all.toml", bundle).expect("valid"))
            .expect("new");
        catalogue
            .set_parameter("all", "port", "33890")
            .expect("known");
        let labels: Vec<String> = catalogue
            .select(&["all"])
            .expect("consistent")
            .into_iter()
            .map(Recipe::label)
            .collect();
        assert_eq!(labels, ["tls", "own port=33890 who=us"]);
        // Again, and with another value.
        catalogue
            .set_parameter("own", "port", "33890")
            .expect("the same");
        let twice = catalogue
            .set_parameter("own", "port", "1")
            .expect_err("twice");
        assert!(twice.to_string().contains("twice"), "{twice}");
    }

    #[test]
    fn bad_values_are_refused() {
        for (name, key, value, say) in [
            ("own", "port", "0", "not a number within 1 to 65535"),
            ("own", "port", "65536", "within 1 to 65535"),
            ("own", "port", "03389", "within 1 to 65535"),
            ("own", "port", "0x1f90", "within 1 to 65535"),
            ("own", "port", "+1", "within 1 to 65535"),
            ("own", "port", "", "within 1 to 65535"),
            (
                "own",
                "prot",
                "1",
                "no parameter \"prot\": it has port, who",
            ),
            ("tls", "port", "1", "no parameter \"port\": it has none"),
            ("own", "who", "", "1 to 64 bytes"),
            ("own", "who", "a\nb", "not accepted"),
            ("own", "who", "a b", "not accepted"),
            ("own", "who", "{port}", "not accepted"),
            ("own", "who", "..", "no meaning"),
        ] {
            let mut catalogue = Catalogue::built_in().expect("valid");
            catalogue
                .add(Recipe::parse("own.toml", GOOD).expect("valid"))
                .expect("new");
            let error = catalogue.set_parameter(name, key, value).expect_err(value);
            assert!(error.to_string().contains(say), "{value}: {error}");
        }
        let mut catalogue = Catalogue::built_in().expect("valid");
        let unknown = catalogue.set_parameter("owl", "port", "1");
        assert!(matches!(unknown, Err(RecipeError::Unknown { .. })));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (from, to, place, say) in [
            (
                "'port', d",
                "'number', d",
                "8:17",
                "\"u16\", \"port\", \"text\"",
            ),
            ("3389", "0", "8:35", "within 1"),
            ("3389", "'x'", "8:35", "not a value of port"),
            ("'where to listen'", "''", "8:49", "say something"),
            ("port =", "Port =", "8:1", "can't be a name"),
            ("port =", "loader =", "8:1", "of its own"),
            ("who =", "whom =", "9:1", "nothing in the recipe"),
            ("about = 'where", "abut = 'where", "8:41", "abut"),
            ("[parameters]", "[[parameters]]", "7:1", "table"),
            ("'{port}'", "'{who}'", "16:8", "a number"),
        ] {
            refused(GOOD, (from, to), place, say);
        }
    }
}
