//! The language of the boot manager.

use crate::facts::Facts;
use crate::place::HiveName;
use crate::reading;
use crate::value_data::Readable;

/// The languages in which the boot manager exists, by the number of the language in which Windows
/// was installed (MS-LCID).
const LANGUAGES: [(&str, &str); 38] = [
    ("0401", "ar-SA"),
    ("0402", "bg-BG"),
    ("0404", "zh-TW"),
    ("0405", "cs-CZ"),
    ("0406", "da-DK"),
    ("0407", "de-DE"),
    ("0408", "el-GR"),
    ("0409", "en-US"),
    ("0c0a", "es-ES"),
    ("080a", "es-MX"),
    ("040b", "fi-FI"),
    ("040c", "fr-FR"),
    ("0c0c", "fr-CA"),
    ("040d", "he-IL"),
    ("040e", "hu-HU"),
    ("0410", "it-IT"),
    ("0411", "ja-JP"),
    ("0412", "ko-KR"),
    ("0413", "nl-NL"),
    ("0414", "nb-NO"),
    ("0415", "pl-PL"),
    ("0416", "pt-BR"),
    ("0418", "ro-RO"),
    ("0419", "ru-RU"),
    ("041a", "hr-HR"),
    ("041b", "sk-SK"),
    ("041d", "sv-SE"),
    ("041e", "th-TH"),
    ("041f", "tr-TR"),
    ("0422", "uk-UA"),
    ("0424", "sl-SI"),
    ("0425", "et-EE"),
    ("0426", "lv-LV"),
    ("0427", "lt-LT"),
    ("0804", "zh-CN"),
    ("0809", "en-GB"),
    ("0816", "pt-PT"),
    ("241a", "sr-Latn-RS"),
];
/// The language that every boot manager has.
const ENGLISH: &str = "en-US";

/// The language in which Windows was installed, or English if that isn't known: the boot manager
/// shows its messages in it, and nothing else depends on it.
pub(super) fn locale(facts: &Facts<'_>) -> &'static str {
    let known = number(facts).and_then(|number| {
        let mut languages = LANGUAGES.iter();
        languages.find(|(known, _)| known.eq_ignore_ascii_case(number.trim()))
    });
    known.map_or(ENGLISH, |(_, name)| name)
}

fn number(facts: &Facts<'_>) -> Option<String> {
    let system = facts.hive(HiveName::System).ok()?;
    let set = facts.control_sets_in(system).ok()?.next()?;
    let key = format!(r"{}\Control\Nls\Language", set.name);
    let found = reading::value(&system.hive, &key, "InstallLanguage").ok()??;
    match found.readable() {
        Some(Readable::Text(text)) => Some(text),
        _ => None,
    }
}
