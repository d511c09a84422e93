//! A deserializer with made-up content, which notes what a type asks for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer, U64Deserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer as _,
    MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::Node;

/// A form of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    Bool,
    Number,
    Text,
    List,
    /// A table with fields of the type.
    Table,
    /// A table with fields of any name.
    Named,
}

impl Form {
    /// The forms that a place can have that is open to several.
    pub(super) const ALL: [Self; 5] = [
        Self::Bool,
        Self::Number,
        Self::Text,
        Self::List,
        Self::Table,
    ];

    fn next(self) -> Option<Self> {
        let mut forms = Self::ALL.into_iter();
        forms.find(|form| *form == self)?;
        forms.next()
    }
}

/// What a type says about content that it doesn't accept.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It has the wrong form.
    Form,
    /// It has a field that isn't one of these.
    UnknownField(&'static [&'static str]),
    /// It lacks a field.
    MissingField,
    /// It has the right form, and is wrong in another way.
    Content,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Told {}

impl Error for Told {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Content
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::Form
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::UnknownField(expected)
    }

    fn missing_field(_: &'static str) -> Self {
        Self::MissingField
    }
}

/// One way through a type: the form of each open place, and what is known about each place.
#[derive(Clone, Default)]
pub(super) struct Run {
    chosen: BTreeMap<String, Form>,
    /// The fields of tables at open places.
    fields: BTreeMap<String, &'static [&'static str]>,
    /// The place of a field that is left out.
    left_out: Option<String>,
    nodes: RefCell<BTreeMap<String, Node>>,
    /// The places that are open to several forms.
    open: RefCell<BTreeSet<String>>,
    /// The open place that was entered last.
    last: RefCell<String>,
}

impl Run {
    /// Lets the type read.
    pub(super) fn go<T: DeserializeOwned>(&self) -> Result<(), Told> {
        let tracer = Tracer {
            run: self,
            place: String::new(),
        };
        T::deserialize(tracer).map(|_| ())
    }

    /// Chooses another form for the open place that was refused, or learns the fields of its table.
    /// False if there is nothing to choose.
    pub(super) fn learn(&mut self, told: &Told) -> bool {
        let place = self.last.borrow().clone();
        let form = self.form(&place);
        match told {
            Told::UnknownField(fields) if form == Form::Table => {
                self.fields.insert(place, fields).is_none()
            }
            _ => match form.next() {
                Some(next) => {
                    self.chosen.insert(place, next);
                    true
                }
                None => false,
            },
        }
    }

    /// The same, but the form of this place stays.
    pub(super) fn learn_but(&mut self, fixed: &str, told: &Told) -> bool {
        let is_fixed = *self.last.borrow() == fixed;
        match told {
            Told::UnknownField(_) => self.learn(told),
            _ => !is_fixed && self.learn(told),
        }
    }

    fn form(&self, place: &str) -> Form {
        self.chosen.get(place).copied().unwrap_or(Form::Bool)
    }

    /// The form that was chosen for a place.
    pub(super) fn chosen(&self, place: &str) -> Option<Form> {
        self.chosen.get(place).copied()
    }

    /// The places that are open to several forms.
    pub(super) fn open_places(&self) -> Vec<String> {
        self.open.borrow().iter().cloned().collect()
    }

    /// A way to a place, with this form of it.
    pub(super) fn with(&self, place: &str, form: Form) -> Self {
        let mut other = self.towards(place);
        other.chosen.insert(place.to_owned(), form);
        other.nodes.take();
        other
    }

    /// True if a place is within a table that is one of several forms of its place.
    pub(super) fn is_within_open_table(&self, place: &str) -> bool {
        let open = self.open.borrow();
        let mut above = open
            .iter()
            .filter_map(|above| place.strip_prefix(above.as_str()));
        above.any(|rest| rest.starts_with('/'))
    }

    /// The same way, but each open place above this place has the form that leads to it.
    fn towards(&self, place: &str) -> Self {
        let mut run = self.clone();
        for above in self.open_places() {
            let form = match place.strip_prefix(above.as_str()) {
                Some(rest) if rest.starts_with('/') => Form::Table,
                Some(rest) if rest.starts_with("[]") => Form::List,
                _ => continue,
            };
            run.chosen.insert(above, form);
        }
        run
    }

    /// Takes what another run has learned, which gave this place this form.
    pub(super) fn take_from(&mut self, other: Self, place: &str, form: Form) {
        let found = other.nodes.take();
        if !found
            .get(place)
            .is_some_and(|node| node.forms.contains(&form))
        {
            return;
        }
        self.fields.extend(other.fields);
        self.open.get_mut().extend(other.open.take());
        for (below, chosen) in other.chosen {
            self.chosen.entry(below).or_insert(chosen);
        }
        let nodes = self.nodes.get_mut();
        for (place, node) in found {
            let known = nodes.entry(place).or_default();
            known.forms.extend(node.forms);
            if known.fields.is_empty() {
                known.fields = node.fields;
            }
        }
    }

    /// What was found.
    pub(super) fn nodes(&self) -> BTreeMap<String, Node> {
        self.nodes.borrow().clone()
    }

    /// A run that comes to a table and leaves out a field of it.
    pub(super) fn without(&self, field: &str) -> Self {
        let mut run = self.towards(field);
        run.left_out = Some(field.to_owned());
        run
    }

    fn note(&self, place: &str, form: Form, note: impl FnOnce(&mut Node)) {
        let mut nodes = self.nodes.borrow_mut();
        let node = nodes.entry(place.to_owned()).or_default();
        node.forms.insert(form);
        note(node);
    }
}

/// The content at one place.
struct Tracer<'r> {
    run: &'r Run,
    place: String,
}

impl<'r> Tracer<'r> {
    fn at(&self, place: String) -> Self {
        Self {
            run: self.run,
            place,
        }
    }

    fn plain(&self, form: Form) {
        self.run.note(&self.place, form, |_| {});
    }

    fn fields<'f>(self, fields: impl IntoIterator<Item = &'f str>) -> Fields<'r, 'f> {
        let left_out = self.run.left_out.clone();
        let fields = fields.into_iter();
        let fields = fields.filter(|field| {
            left_out.as_deref() != Some(format!("{}/{field}", self.place).as_str())
        });
        Fields {
            rest: fields.collect::<Vec<_>>().into_iter(),
            value: None,
            tracer: self,
        }
    }
}

/// The text and the number that stand for all.
const TEXT: &str = "x";
const NUMBER: u64 = 1;
/// The name of a field that no type has.
const PROBE: &str = "\u{1}";

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Told;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        self.run.last.replace(self.place.clone());
        self.run.open.borrow_mut().insert(self.place.clone());
        let form = self.run.form(&self.place);
        let (run, place) = (self.run, self.place.clone());
        let read = match form {
            Form::Bool => visitor.visit_bool(true),
            Form::Number => visitor.visit_i64(1),
            Form::Text => visitor.visit_str(TEXT),
            Form::List => visitor.visit_seq(One(Some(self))),
            Form::Table | Form::Named => match run.fields.get(&place) {
                Some(fields) => visitor.visit_map(self.fields(fields.iter().copied())),
                None => visitor.visit_map(self.fields([PROBE])),
            },
        };
        if !matches!(read, Err(Told::Form)) {
            let fields = run.fields.get(&place).copied();
            run.note(&place, form, |node| {
                if let (Form::Table, Some(fields)) = (form, fields) {
                    node.fields = fields.to_vec();
                }
            });
        }
        read
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        self.plain(Form::Bool);
        visitor.visit_bool(true)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        self.plain(Form::Number);
        visitor.visit_u64(NUMBER)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        self.plain(Form::Text);
        visitor.visit_str(TEXT)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Told> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        self.plain(Form::List);
        visitor.visit_seq(One(Some(self)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Told> {
        self.plain(Form::Named);
        visitor.visit_map(Named(Some(self)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Told> {
        // A value with its place in the text.
        if name.starts_with("$__") {
            return visitor.visit_map(Placed {
                rest: fields.iter(),
                field: "",
                tracer: self,
            });
        }
        self.run.note(&self.place, Form::Table, |node| {
            node.fields = fields.to_vec()
        });
        visitor.visit_map(self.fields(fields.iter().copied()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Told> {
        self.run
            .note(&self.place, Form::Text, |node| node.words = words);
        let first = words.first().copied().unwrap_or(TEXT);
        let first: StrDeserializer<'_, Told> = first.into_deserializer();
        visitor.visit_enum(first)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

/// A list with one element.
struct One<'r>(Option<Tracer<'r>>);

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Told;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Told> {
        let Some(list) = self.0.take() else {
            return Ok(None);
        };
        seed.deserialize(list.at(format!("{}[]", list.place)))
            .map(Some)
    }
}

/// A table with one field of any name.
struct Named<'r>(Option<Tracer<'r>>);

impl<'de> MapAccess<'de> for Named<'_> {
    type Error = Told;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Told> {
        if self.0.is_none() {
            return Ok(None);
        }
        // The key itself is text in every file.
        let key: StrDeserializer<'_, Told> = TEXT.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Told> {
        let table = self.0.take().ok_or(Told::Content)?;
        seed.deserialize(table.at(format!("{}{{}}", table.place)))
    }
}

/// A table with these fields.
struct Fields<'r, 'f> {
    rest: std::vec::IntoIter<&'f str>,
    value: Option<&'f str>,
    tracer: Tracer<'r>,
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = Told;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Told> {
        self.value = self.rest.next();
        let Some(field) = self.value else {
            return Ok(None);
        };
        let key: StrDeserializer<'_, Told> = field.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Told> {
        let field = self.value.ok_or(Told::Content)?;
        let place = format!("{}/{field}", self.tracer.place);
        seed.deserialize(self.tracer.at(place))
    }
}

/// A value with its place in the text: its start, its end, and itself.
struct Placed<'r> {
    rest: std::slice::Iter<'static, &'static str>,
    field: &'static str,
    tracer: Tracer<'r>,
}

impl<'de> MapAccess<'de> for Placed<'_> {
    type Error = Told;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Told> {
        let Some(field) = self.rest.next() else {
            return Ok(None);
        };
        self.field = field;
        // A value with its place wants to borrow it.
        let key: BorrowedStrDeserializer<'_, Told> = BorrowedStrDeserializer::new(field);
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Told> {
        if self.field.ends_with("value") {
            return seed.deserialize(self.tracer.at(self.tracer.place.clone()));
        }
        let number: U64Deserializer<Told> = 0_u64.into_deserializer();
        seed.deserialize(number)
    }
}
