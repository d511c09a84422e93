//! The fields of a `[[registry]]` row in a recipe.

use diskmend_hive::ValueType;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

use super::super::fault::{FaultFile, FaultTable, encode_all, is_one_of};
use super::super::written::{Written, encode, value_name, value_type};
use super::super::{Fault, KeyPattern, Wrong, sentence, wrong, wrong_at};
use super::{IfMissing, RegistryRow, program};
use crate::finding::Wanted;
use crate::place::HiveName;
use crate::value_data::ValueData;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegistryFile {
    hive: Spanned<String>,
    key: Spanned<String>,
    value: Spanned<String>,
    #[serde(rename = "type")]
    value_type: Option<Spanned<String>>,
    data: Option<Spanned<Written>>,
    delete: Option<Spanned<bool>>,
    report: Option<Spanned<ReportFile>>,
    accept: Option<Spanned<Vec<Spanned<Written>>>>,
    accept_program: Option<Spanned<Vec<Spanned<String>>>>,
    if_missing: Option<Spanned<String>>,
    fault: Option<Spanned<FaultFile>>,
    why: Spanned<String>,
}

/// When a value is reported: `true` if it exists, or the forms of a fault.
struct ReportFile(FaultTable);

impl<'de> Deserialize<'de> for ReportFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyForm;
        impl<'de> Visitor<'de> for AnyForm {
            type Value = ReportFile;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("true, \"missing\" or a table such as { equals = [0] }")
            }

            fn visit_bool<E: Error>(self, yes: bool) -> Result<ReportFile, E> {
                if !yes {
                    return Err(E::invalid_value(serde::de::Unexpected::Bool(yes), &self));
                }
                Ok(ReportFile(FaultTable {
                    exists: true,
                    ..FaultTable::default()
                }))
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<ReportFile, E> {
                FaultFile::word(word)
                    .map(ReportFile)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(word), &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ReportFile, A::Error> {
                FaultTable::deserialize(MapAccessDeserializer::new(map)).map(ReportFile)
            }
        }
        deserializer.deserialize_any(AnyForm)
    }
}

/// What the row wants, as far as it is known before its data are.
enum Aim {
    Set(Spanned<Written>),
    Delete,
    Report(Spanned<ReportFile>),
}

impl RegistryFile {
    pub(super) fn read(mut self) -> Result<RegistryRow, Wrong> {
        let hive = HiveName::parse(self.hive.get_ref()).map_err(wrong(&self.hive))?;
        let key = KeyPattern::parse(hive, self.key.get_ref()).map_err(wrong(&self.key))?;
        value_name(self.value.get_ref()).map_err(wrong(&self.value))?;
        let value_type = match &self.value_type {
            None => None,
            Some(name) => Some(value_type(name.get_ref()).map_err(wrong(name))?),
        };
        let aim = self.aim()?;
        let (desired, report) = match aim {
            Aim::Set(data) => {
                let value_type = value_type.ok_or_else(|| {
                    wrong(&data)("data need a type, such as type = \"REG_DWORD\"".to_owned())
                })?;
                let data = encode(value_type, data.get_ref()).map_err(wrong(&data))?;
                (Wanted::Data(data), None)
            }
            Aim::Delete => (Wanted::NoValue, None),
            Aim::Report(report) => {
                let report = report.into_inner().0.read(value_type)?;
                (Wanted::Anything, Some(report))
            }
        };
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        let accept = self.accept(value_type, &desired)?;
        let programs = match &self.accept_program {
            None => Vec::new(),
            Some(programs) => program::read(programs, value_type)?,
        };
        let if_missing = self.if_missing(&desired)?;
        let fault = match self.fault {
            None => None,
            Some(fault) => Some(read_fault(
                fault, value_type, &desired, &accept, if_missing,
            )?),
        };
        Ok(RegistryRow {
            hive,
            key,
            value: self.value.into_inner(),
            desired,
            accept,
            programs,
            if_missing,
            fault,
            report,
            why: self.why.into_inner(),
        })
    }

    fn aim(&mut self) -> Result<Aim, Wrong> {
        let expected = "expected one of data, delete = true and report";
        match (self.data.take(), self.delete.take(), self.report.take()) {
            (Some(data), None, None) => Ok(Aim::Set(data)),
            (None, Some(delete), None) if !*delete.get_ref() => {
                Err(wrong(&delete)("expected true, or no such field".to_owned()))
            }
            (None, Some(_), None) => Ok(Aim::Delete),
            (None, None, Some(report)) => Ok(Aim::Report(report)),
            (None, None, None) => Err(wrong(&self.value)(expected.to_owned())),
            (_, Some(second), _) => Err(wrong(&second)(expected.to_owned())),
            (_, None, Some(second)) => Err(wrong(&second)(expected.to_owned())),
        }
    }

    fn accept(
        &self,
        value_type: Option<ValueType>,
        desired: &Wanted,
    ) -> Result<Vec<ValueData>, Wrong> {
        let Some(list) = &self.accept else {
            return Ok(Vec::new());
        };
        let accept = encode_all(value_type, list.get_ref())?;
        match desired.data() {
            _ if accept.is_empty() => Err(wrong(list)("name at least one".to_owned())),
            Some(data) if accept.iter().all(|one| one.is_same(data)) => Err(wrong(list)(
                "name other data than the desired data".to_owned(),
            )),
            _ => Ok(accept),
        }
    }

    fn if_missing(&self, desired: &Wanted) -> Result<IfMissing, Wrong> {
        let Some(word) = &self.if_missing else {
            return Ok(IfMissing::Create);
        };
        match word.get_ref().as_str() {
            _ if desired.data().is_none() => Err(wrong(word)(
                "only a row with data says what to do if the value is missing".to_owned(),
            )),
            "create" => Ok(IfMissing::Create),
            "leave" => Ok(IfMissing::Leave),
            other => Err(wrong(word)(format!(
                "\"{other}\" is neither \"create\" nor \"leave\""
            ))),
        }
    }
}

fn read_fault(
    fault: Spanned<FaultFile>,
    value_type: Option<ValueType>,
    desired: &Wanted,
    accept: &[ValueData],
    if_missing: IfMissing,
) -> Result<Fault, Wrong> {
    let at = wrong_at(fault.span());
    let fault = fault.into_inner().0.read(value_type)?;
    let wanted = desired.data();
    if wanted.is_some_and(|data| is_one_of(data, &fault.equals)) {
        return Err(at("the desired data cannot be a fault"));
    }
    if accept.iter().any(|data| is_one_of(data, &fault.equals)) {
        return Err(at("accepted data cannot be a fault"));
    }
    if wanted.is_some() && fault.exists {
        return Err(at(
            "a value that is set cannot be a fault because it exists; \"different\" means other \
             data",
        ));
    }
    if fault.missing && if_missing == IfMissing::Leave {
        return Err(at("a missing value cannot be a fault that is left"));
    }
    if fault.missing && desired.deletion().is_some() {
        return Err(at("a missing value cannot be a fault if it is deleted"));
    }
    Ok(fault)
}
