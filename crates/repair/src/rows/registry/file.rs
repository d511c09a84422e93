//! The fields of a `[[registry]]` row in a recipe.

use diskmend_hive::ValueType;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

use super::super::fault::{FaultFile, FaultTable};
use super::super::written::{
    BitsFile, CompanionFile, Expected, Written, encode, is_one_of, value_name, value_type,
};
use super::super::{Fault, KeyPattern, Wrong, sentence, wrong, wrong_at};
use super::{Aim, IfMissing, RegistryRow, program};
use crate::finding::Wanted;
use crate::place::HiveName;
use crate::value_data::Bits;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegistryFile {
    hive: Spanned<String>,
    key: Spanned<String>,
    value: Spanned<String>,
    #[serde(rename = "type")]
    value_type: Option<Spanned<String>>,
    data: Option<Spanned<Written>>,
    bits: Option<Spanned<BitsFile>>,
    delete: Option<Spanned<bool>>,
    report: Option<Spanned<ReportFile>>,
    accept: Option<Spanned<Vec<Spanned<Written>>>>,
    accept_program: Option<Spanned<Vec<Spanned<String>>>>,
    if_missing: Option<Spanned<String>>,
    /// The row is only about keys in which this holds.
    #[serde(rename = "where")]
    only_if: Option<CompanionFile>,
    if_service: Option<Spanned<String>>,
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
                self.visit_str("exists")
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
enum Change {
    Set(Spanned<Written>),
    Bits(Spanned<BitsFile>),
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
        let (aim, report) = match self.aim()? {
            Change::Set(data) => {
                let value_type = value_type.ok_or_else(|| {
                    wrong(&data)("data need a type, such as type = \"REG_DWORD\"".to_owned())
                })?;
                let data = encode(value_type, data.get_ref()).map_err(wrong(&data))?;
                (Aim::Value(Wanted::Data(data)), None)
            }
            Change::Bits(bits) => {
                let value_type = value_type.ok_or_else(|| {
                    wrong(&bits)("bits need a type, such as type = \"REG_DWORD\"".to_owned())
                })?;
                let bits = BitsFile::read(&bits, Some(value_type))?;
                (Aim::Bits(value_type, bits), None)
            }
            Change::Delete => (Aim::Value(Wanted::NoValue), None),
            Change::Report(report) => {
                let report = report.into_inner().0.read(value_type)?;
                (Aim::Value(Wanted::Anything), Some(Box::new(report)))
            }
        };
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        let accept = self.accept(value_type, &aim)?;
        let programs = match &self.accept_program {
            None => Vec::new(),
            Some(programs) => program::read(programs, value_type)?,
        };
        let if_missing = self.if_missing(&aim)?;
        let only_if = match self.only_if.take() {
            None => None,
            Some(other) => Some(Box::new(other.read(value_type)?)),
        };
        let if_service = match self.if_service.take() {
            None => None,
            Some(name) if !key.every_control_set() => {
                return Err(wrong(&name)(
                    "only a row about every control set can depend on a service of it".to_owned(),
                ));
            }
            Some(name) => {
                let services = format!(r"ControlSet*\Services\{}", name.get_ref());
                let one = KeyPattern::parse(hive, &services).map_err(wrong(&name))?;
                if name.get_ref().contains('\\') || !one.is_exact() {
                    return Err(wrong(&name)("name one service".to_owned()));
                }
                Some(name.into_inner())
            }
        };
        let fault = match self.fault {
            None => None,
            Some(fault) => {
                let fault = read_fault(fault, value_type, &aim, &accept, if_missing)?;
                Some(Box::new(fault))
            }
        };
        Ok(RegistryRow {
            hive,
            key,
            value: self.value.into_inner(),
            aim,
            accept,
            programs,
            if_missing,
            only_if,
            if_service,
            fault,
            report,
            why: self.why.into_inner(),
        })
    }

    fn aim(&mut self) -> Result<Change, Wrong> {
        let expected = "expected one of data, bits, delete = true and report";
        let data = self.data.take();
        let bits = self.bits.take();
        let delete = self.delete.take();
        let report = self.report.take();
        let spans = [
            data.as_ref().map(Spanned::span),
            bits.as_ref().map(Spanned::span),
            delete.as_ref().map(Spanned::span),
            report.as_ref().map(Spanned::span),
        ];
        if let Some(second) = spans.into_iter().flatten().nth(1) {
            return Err(wrong_at(second)(expected));
        }
        match (data, bits, delete, report) {
            (Some(data), ..) => Ok(Change::Set(data)),
            (_, Some(bits), ..) => Ok(Change::Bits(bits)),
            (_, _, Some(delete), _) if !*delete.get_ref() => {
                Err(wrong(&delete)("expected true, or no such field".to_owned()))
            }
            (_, _, Some(_), _) => Ok(Change::Delete),
            (_, _, _, Some(report)) => Ok(Change::Report(report)),
            (None, None, None, None) => Err(wrong(&self.value)(expected.to_owned())),
        }
    }

    fn accept(&self, value_type: Option<ValueType>, aim: &Aim) -> Result<Vec<Expected>, Wrong> {
        let Some(list) = &self.accept else {
            return Ok(Vec::new());
        };
        let accept = Expected::read_all(value_type, list.get_ref())?;
        match aim.data() {
            _ if accept.is_empty() => Err(wrong(list)("name at least one".to_owned())),
            Some(data) if accept.iter().all(|one| one.is_only(data)) => Err(wrong(list)(
                "name other data than the desired data".to_owned(),
            )),
            _ => Ok(accept),
        }
    }

    fn if_missing(&self, aim: &Aim) -> Result<IfMissing, Wrong> {
        let Some(word) = &self.if_missing else {
            return Ok(match aim {
                // Nothing is known about the other bits.
                Aim::Bits(..) => IfMissing::Leave,
                Aim::Value(_) => IfMissing::Create,
            });
        };
        match word.get_ref().as_str() {
            _ if aim.data().is_none() => Err(wrong(word)(
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
    aim: &Aim,
    accept: &[Expected],
    if_missing: IfMissing,
) -> Result<Fault, Wrong> {
    let at = wrong_at(fault.span());
    let table = fault.into_inner().0;
    if table.unresolved {
        return Err(at("only a device of the boot store can be \"unresolved\""));
    }
    let fault = table.read(value_type)?;
    let wanted = aim.data();
    let holds_for = |one: &Expected| fault.equals.iter().any(|bad| bad.meets(one));
    if wanted.is_some_and(|data| is_one_of(data, &fault.equals)) {
        return Err(at("the desired data cannot be a fault"));
    }
    if accept.iter().any(holds_for) {
        return Err(at("accepted data cannot be a fault"));
    }
    if let Some(bits) = fault.bits {
        if wanted.is_some_and(|data| bits.hold(data)) {
            return Err(at("the desired data cannot be a fault"));
        }
        if let Aim::Bits(_, Bits { set, clear }) = aim
            && (bits.set & !clear != 0 || bits.clear & !set != 0)
        {
            return Err(at(
                "only bits that the row clears can be a fault if they are set, and only bits that \
                 it sets if they are clear",
            ));
        }
    }
    if !matches!(aim, Aim::Value(Wanted::NoValue | Wanted::Anything)) && fault.exists {
        return Err(at(
            "a value that is set cannot be a fault because it exists; \"different\" means other \
             data",
        ));
    }
    if fault.missing && if_missing == IfMissing::Leave {
        return Err(at("a missing value cannot be a fault that is left"));
    }
    if fault.missing && aim.deletes() {
        return Err(at("a missing value cannot be a fault if it is deleted"));
    }
    Ok(fault)
}
