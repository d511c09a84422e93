//! The `[[service]]` rows: when services and drivers start, and what Windows does if one fails.

use diskmend_hive::name::same_name;
use diskmend_hive::{Corruption, Hive};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault_words::FaultWords;
use super::{About, Claim, JudgeValues, KeyPattern, Kind, Shown, Wrong, sentence, wrong};
use crate::facts::{Facts, ServiceStart};
use crate::finding::{JudgedValue, RowState, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;
use crate::value_data::ValueData;

/// The bits of `Type` that a service has and a driver has not.
const SERVICE_BITS: u32 = 0x30;

/// A wanted setting of installed services or drivers. A service that isn't installed is no finding.
#[derive(Clone, Debug)]
pub struct ServiceRow {
    /// The services that the row is about.
    name: ServiceName,
    /// The wanted setting.
    setting: Setting,
    desired: Wanted,
    /// True if every other number differs; false if only the harmful ones do, because the others
    /// are choices.
    exact: bool,
    /// True if a harmful number is evidence of a fault.
    fault: bool,
    why: String,
}

/// The services that a row is about.
#[derive(Clone, Debug)]
enum ServiceName {
    /// The service with this key.
    Is(String, KeyPattern),
    /// Every service with a name that starts so.
    StartsWith(String),
}

/// A setting of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    /// When it starts.
    Start(ServiceStart),
    /// What Windows does if it doesn't start.
    ErrorControl(u32),
}

/// What the current number of a setting means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It is as wanted.
    Wanted,
    /// The service never starts, or Windows restarts if it fails.
    Harmful,
    /// Somebody can have chosen it.
    Choice,
    /// It has no meaning.
    Nonsense,
}

impl Setting {
    const fn value(self) -> &'static str {
        match self {
            Self::Start(_) => "Start",
            Self::ErrorControl(_) => "ErrorControl",
        }
    }

    const fn number(self) -> u32 {
        match self {
            Self::Start(start) => start.number(),
            Self::ErrorControl(number) => number,
        }
    }

    /// The setting in the words of recipes.
    fn words(self) -> &'static str {
        match self {
            Self::Start(start) => start_word(start),
            Self::ErrorControl(number) => ERROR_CONTROLS
                .iter()
                .find(|(_, known)| *known == number)
                .map_or("", |(word, _)| word),
        }
    }

    fn found(self, number: u32) -> Found {
        if number == self.number() {
            return Found::Wanted;
        }
        match self {
            Self::Start(_) => match ServiceStart::of(number) {
                Some(ServiceStart::Disabled) => Found::Harmful,
                Some(_) => Found::Choice,
                None => Found::Nonsense,
            },
            Self::ErrorControl(_) => match number {
                2 | 3 => Found::Harmful,
                0 | 1 => Found::Choice,
                _ => Found::Nonsense,
            },
        }
    }

    /// True if the wanted setting is itself the one that can be a fault.
    const fn is_harmful(self) -> bool {
        match self {
            Self::Start(start) => matches!(start, ServiceStart::Disabled),
            Self::ErrorControl(number) => number >= 2,
        }
    }

    /// The word for its fault.
    const fn fault(self) -> &'static str {
        match self {
            Self::Start(_) => "disabled",
            Self::ErrorControl(_) => "severe",
        }
    }
}

const STARTS: [ServiceStart; 5] = [
    ServiceStart::Boot,
    ServiceStart::System,
    ServiceStart::Automatic,
    ServiceStart::Manual,
    ServiceStart::Disabled,
];
const ERROR_CONTROLS: [(&str, u32); 4] =
    [("ignore", 0), ("normal", 1), ("severe", 2), ("critical", 3)];

/// The word for a start type in recipes.
pub(super) const fn start_word(start: ServiceStart) -> &'static str {
    match start {
        ServiceStart::Boot => "boot",
        ServiceStart::System => "system",
        ServiceStart::Automatic => "automatic",
        ServiceStart::Manual => "manual",
        ServiceStart::Disabled => "disabled",
    }
}

/// Reads the word for a start type.
pub(super) fn start_of(word: &str) -> Result<ServiceStart, String> {
    let known = STARTS.into_iter().find(|start| start_word(*start) == word);
    known.ok_or_else(|| {
        format!("no start \"{word}\": expected boot, system, automatic, manual or disabled")
    })
}

impl Kind for ServiceRow {
    type Written = ServiceFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: ServiceFile) -> Result<Self, Wrong> {
        written.read()
    }

    fn about(&self) -> About<'_> {
        About::Values(HiveName::System, self)
    }

    fn claim(&self) -> Option<Claim<'_>> {
        match &self.name {
            ServiceName::Is(_, key) => Some(Claim::Value {
                hive: HiveName::System,
                key,
                value: self.setting.value(),
                desired: &self.desired,
            }),
            // The services that it will be about aren't known before the disk is read.
            ServiceName::StartsWith(_) => None,
        }
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            service: self.name.written(),
            value: self.setting.value(),
            desired: &self.desired,
            exact: self.exact,
            can_be_fault: self.fault,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        let what = match self.setting {
            Setting::Start(_) => "start",
            Setting::ErrorControl(_) => "error control",
        };
        let only = match (self.setting, self.is_strict()) {
            (_, true) => "",
            (Setting::Start(_), false) => ", if it is disabled",
            (Setting::ErrorControl(_), false) => ", if it is severe or critical",
        };
        Shown {
            place: format!("Service {}", self.name.written()),
            lines: vec![format!(
                "{what} = {} ({}){only}",
                self.setting.words(),
                self.setting.number()
            )],
        }
    }
}

impl ServiceName {
    fn written(&self) -> String {
        match self {
            Self::Is(name, _) => name.clone(),
            Self::StartsWith(beginning) => format!("{beginning}*"),
        }
    }

    const fn is_one(&self) -> bool {
        matches!(self, Self::Is(..))
    }

    /// The names of the services of a control set that it stands for.
    fn of_set(&self, hive: &Hive, services: &str) -> Result<Vec<String>, Corruption> {
        let beginning = match self {
            Self::Is(name, _) => {
                let key = hive.key(&format!(r"{services}\{name}"))?;
                return Ok(key.map(|_| name.clone()).into_iter().collect());
            }
            Self::StartsWith(beginning) => beginning,
        };
        let Some(services) = hive.key(services)? else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        let units = beginning.encode_utf16().count();
        for service in services.subkeys()? {
            let name = service?.name().in_path().to_string();
            let head: Vec<u16> = name.encode_utf16().take(units).collect();
            if String::from_utf16(&head).is_ok_and(|head| same_name(&head, beginning)) {
                names.push(name);
            }
        }
        Ok(names)
    }
}

impl JudgeValues for ServiceRow {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let mut judged = Vec::new();
        for set in &facts.control_sets_in(hive)?.sets {
            let services = format!(r"{}\Services", set.name);
            for name in self.name.of_set(&hive.hive, &services)? {
                let key = format!(r"{services}\{name}");
                let one = self.judge_service(&hive.hive, key, set.current)?;
                // Of the hundreds of services of a Windows, only those that aren't right are shown.
                let shown = |one: &JudgedValue| self.name.is_one() || one.state != RowState::Ok;
                judged.extend(one.filter(shown));
            }
        }
        Ok(judged)
    }
}

impl ServiceRow {
    /// True if every number but the wanted one differs.
    const fn is_strict(&self) -> bool {
        self.exact || self.setting.is_harmful()
    }

    /// Judges the setting of a service; `None` if the key is no installed service.
    fn judge_service(
        &self,
        hive: &Hive,
        key: String,
        in_current_set: bool,
    ) -> Result<Option<JudgedValue>, Corruption> {
        let value = self.setting.value();
        let current = reading::value(hive, &key, value)?;
        let service_type = reading::dword(hive, &key, "Type")?;
        let is_about = match self.setting {
            // A key may hold settings of a service that is not installed.
            Setting::Start(_) => current.is_some() || service_type.is_some(),
            // A driver without which Windows can't run is critical for good reason.
            Setting::ErrorControl(_) => {
                current.is_some() && service_type.is_some_and(|bits| bits & SERVICE_BITS != 0)
            }
        };
        if !is_about {
            return Ok(None);
        }
        let number = reading::dword(hive, &key, value)?;
        let found = number.map(|number| self.setting.found(number));
        let state = match found {
            Some(Found::Wanted) => RowState::Ok,
            Some(Found::Harmful) if self.fault => RowState::Fault,
            Some(Found::Harmful | Found::Nonsense) => RowState::Differs,
            Some(Found::Choice) if self.is_strict() => RowState::Differs,
            Some(Found::Choice) => RowState::Ok,
            None if current.is_none() => RowState::Missing,
            // It is no number.
            None => RowState::Differs,
        };
        Ok(Some(JudgedValue {
            key,
            value: value.to_owned(),
            in_current_set: Some(in_current_set),
            desired: self.desired.clone(),
            current,
            subtree: None,
            bits: None,
            state,
        }))
    }
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    service: String,
    value: &'static str,
    desired: &'a Wanted,
    exact: bool,
    can_be_fault: bool,
    why: &'a str,
}

/// The fields of a `[[service]]` row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceFile {
    name: Spanned<String>,
    start: Option<Spanned<String>>,
    error_control: Option<Spanned<String>>,
    #[serde(default)]
    exact: bool,
    fault: Option<Spanned<FaultWords>>,
    why: Spanned<String>,
}

impl ServiceFile {
    fn read(self) -> Result<ServiceRow, Wrong> {
        let name = service_name(self.name.get_ref()).map_err(wrong(&self.name))?;
        let setting = match (&self.start, &self.error_control) {
            (Some(start), None) => Setting::Start(start_of(start.get_ref()).map_err(wrong(start))?),
            (None, Some(word)) => {
                let known = ERROR_CONTROLS
                    .iter()
                    .find(|(known, _)| known == word.get_ref());
                let (_, number) = known.ok_or_else(|| {
                    wrong(word)(format!(
                        "no error control \"{}\": expected ignore, normal, severe or critical",
                        word.get_ref()
                    ))
                })?;
                Setting::ErrorControl(*number)
            }
            (Some(_), Some(control)) => {
                return Err(wrong(control)(
                    "a row sets either start or error_control: write a row for each".to_owned(),
                ));
            }
            (None, None) => {
                return Err(wrong(&self.name)(
                    "the row sets nothing: name start or error_control".to_owned(),
                ));
            }
        };
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        let fault = match self.fault {
            None => false,
            Some(fault) => {
                let span = fault.span();
                let word = setting.fault();
                let expected = format!("\"{word}\"");
                FaultWords::read(fault, |known| (known == word).then_some(()), &expected)?;
                if setting.is_harmful() {
                    let message = "the desired setting cannot be a fault".to_owned();
                    return Err(Wrong { span, message });
                }
                true
            }
        };
        Ok(ServiceRow {
            name,
            setting,
            desired: ValueData::dword(setting.number()).into(),
            exact: self.exact,
            fault,
            why: self.why.into_inner(),
        })
    }
}

fn service_name(name: &str) -> Result<ServiceName, String> {
    let beginning = name.strip_suffix('*');
    let plain = beginning.unwrap_or(name);
    if plain.contains('\\') {
        return Err(format!("\"{name}\" is no name of a service: it has a \\"));
    }
    if beginning.is_some_and(str::is_empty) {
        return Ok(ServiceName::StartsWith(String::new()));
    }
    let key = format!(r"ControlSet*\Services\{plain}");
    let key = KeyPattern::parse(HiveName::System, &key)?;
    Ok(match beginning {
        None => ServiceName::Is(name.to_owned(), key),
        Some(beginning) => ServiceName::StartsWith(beginning.to_owned()),
    })
}
