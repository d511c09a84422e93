//! What an element should be, if that depends on the disk.

use std::fmt;

use diskmend_bcd::loader::{Place, Wanted};
use diskmend_bcd::{Device, ElementId, ElementValue, Format, ObjectType, Partition, Target};
use diskmend_disk::{Kind, LookupError};

use crate::error::{Error, Refusal};
use crate::facts::Facts;
use crate::finding::{Goal, OpenStore, RowState};

/// The folder of the loader, as stores name it.
const SYSTEM32: &str = r"\Windows\system32";

/// What an element should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BcdWanted {
    /// This value.
    Value(ElementValue),
    /// The partition with the target's Windows.
    Target,
    /// The partition with the store.
    StoreVolume,
    /// The loader that starts the target's Windows; for a list, a list that contains it.
    Loader,
    /// The loader's file for the firmware to which the store belongs.
    LoaderPath,
    /// The text that it has, without any of these words; nothing if no other word is left.
    Without(Vec<String>),
}

/// What an element is, compared with what it should be on this disk.
pub(super) struct Answer {
    /// The state, apart from faults.
    pub(super) state: RowState,
    /// True if the element names what doesn't exist.
    pub(super) is_unresolved: bool,
    /// What it should be. If it is `None`, an element that differs is deleted, and one that is
    /// reported stays.
    pub(super) desired: Option<ElementValue>,
}

/// An element: `None` if it doesn't exist, an inner `None` if its data aren't a value of its
/// format.
type Found<'v> = Option<Option<&'v ElementValue>>;

impl fmt::Display for BcdWanted {
    /// The word in recipes; for a value, how a log would show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value(value) => return write!(f, "{value:?}"),
            Self::Target => "{target}",
            Self::StoreVolume => "{store_volume}",
            Self::Loader => "{loader}",
            Self::LoaderPath => "{loader_path}",
            Self::Without(words) => return write!(f, "without {}", words.join(", ")),
        })
    }
}

impl BcdWanted {
    /// Says what the element should be on this disk, and compares.
    ///
    /// # Errors
    /// If that isn't known and a repair needs it, or if the store can't be read.
    pub(super) fn resolve(
        &self,
        element: ElementId,
        found: Found<'_>,
        store: &OpenStore<'_>,
        facts: &Facts<'_>,
    ) -> Result<Answer, Error> {
        let disk = store.disk();
        match self {
            Self::Value(value) => Ok(Answer::of(found, value.clone())),
            Self::Target => device(element, found, disk.partition, store),
            Self::StoreVolume => device(element, found, disk.store, store),
            Self::Loader => loader(element, found, store),
            Self::LoaderPath => loader_path(element, found, store, facts),
            Self::Without(words) => Ok(without(words, found)),
        }
    }
}

impl Answer {
    fn of(found: Found<'_>, desired: ElementValue) -> Self {
        Self {
            state: match found {
                Some(_) => RowState::Differs,
                None => RowState::Missing,
            },
            is_unresolved: false,
            desired: Some(desired),
        }
    }

    /// An element that is right as it is.
    fn right(found: Found<'_>) -> Self {
        Self {
            state: RowState::Ok,
            is_unresolved: false,
            desired: found.flatten().cloned(),
        }
    }

    /// Something that this row doesn't change.
    const fn only_reported() -> Self {
        Self {
            state: RowState::Reported,
            is_unresolved: false,
            desired: None,
        }
    }

    fn unresolved(mut self, is_unresolved: bool) -> Self {
        self.is_unresolved = is_unresolved;
        self
    }

    /// What is to be done if it isn't known what the element should be.
    fn undetermined(
        found: Found<'_>,
        element: ElementId,
        store: &OpenStore<'_>,
        reason: &str,
    ) -> Result<Self, Error> {
        match store.goal() {
            Goal::Desired => Err(Refusal::ElementUndetermined {
                path: store.path().to_owned(),
                element: diskmend_bcd::elements::display_name(element, ObjectType::LOADER),
                reason: reason.to_owned(),
            }
            .into()),
            Goal::Faults if found.is_none() => Ok(Self {
                state: RowState::Ok,
                is_unresolved: false,
                desired: None,
            }),
            Goal::Faults => Ok(Self::only_reported()),
        }
    }
}

/// A device that should name this partition. Files, such as memory disks and virtual hard disks, and
/// devices that are looked for at the start are deliberate.
fn device(
    element: ElementId,
    found: Found<'_>,
    wanted: Option<Partition>,
    store: &OpenStore<'_>,
) -> Result<Answer, Error> {
    let current = match found.flatten() {
        Some(ElementValue::Device(data)) => Device::decode(data),
        _ => None,
    };
    if let Some(device) = &current
        && matches!(device.target, Target::File(_) | Target::Locate { .. })
    {
        return Ok(Answer::only_reported());
    }
    let Some(wanted) = wanted else {
        let reason = "the partition that it should name is not known, because diskmend does not \
                      see the partition table of this disk";
        return Answer::undetermined(found, element, store, reason);
    };
    let place = current.as_ref().map(|device| {
        let of_element = Wanted {
            partition: Some(wanted),
            ..store.disk().clone()
        };
        of_element.place_of(device)
    });
    let options = current.as_ref().and_then(|device| device.options);
    let desired = Device {
        options,
        target: Target::Partition(wanted),
    };
    let Some(data) = desired.encode() else {
        let reason = "diskmend can't write a device of this kind";
        return Answer::undetermined(found, element, store, reason);
    };
    let answer = Answer::of(found, ElementValue::Device(data));
    Ok(match place {
        Some(Place::Wanted) => Answer::right(found),
        Some(Place::InFile) => Answer::only_reported(),
        Some(Place::Nowhere { .. }) => answer.unresolved(true),
        Some(Place::Unknown | Place::Other { .. } | Place::BootManager { .. }) => answer,
        // Data that are too short for a device.
        None => answer.unresolved(found.is_some()),
    })
}

/// An object, or a list of objects, that should be or contain the loader of this Windows.
fn loader(element: ElementId, found: Found<'_>, store: &OpenStore<'_>) -> Result<Answer, Error> {
    let loaders = store.loaders();
    let named = match found.flatten() {
        Some(ElementValue::Object(guid)) => vec![*guid],
        Some(ElementValue::ObjectList(guids)) => guids.clone(),
        _ => Vec::new(),
    };
    if named.iter().any(|guid| loaders.contains(guid)) {
        return Ok(Answer::right(found));
    }
    let [loader] = loaders.as_slice() else {
        let reason = "several loaders start this Windows";
        return Answer::undetermined(found, element, store, reason);
    };
    let mut leads_somewhere = false;
    for guid in &named {
        leads_somewhere |= store.has(*guid)?;
    }
    let desired = if element.format() == Format::ObjectList {
        let list = std::iter::once(*loader).chain(named).collect();
        ElementValue::ObjectList(list)
    } else {
        ElementValue::Object(*loader)
    };
    let answer = Answer::of(found, desired);
    Ok(answer.unresolved(found.is_some() && !leads_somewhere))
}

/// The path of the loader's file, which depends on the firmware.
fn loader_path(
    element: ElementId,
    found: Found<'_>,
    store: &OpenStore<'_>,
    facts: &Facts<'_>,
) -> Result<Answer, Error> {
    let Some(is_efi) = store.is_efi() else {
        let reason = "whether the store is for EFI firmware or for a BIOS is not known, because \
                      it is in neither of the usual places";
        return Answer::undetermined(found, element, store, reason);
    };
    let end = if is_efi { "efi" } else { "exe" };
    let path = format!(r"{SYSTEM32}\winload.{end}");
    let current = match found.flatten() {
        Some(ElementValue::String(text)) => Some(text),
        _ => None,
    };
    if current.is_some_and(|text| text.eq_ignore_ascii_case(&path)) {
        return Ok(Answer::right(found));
    }
    if !is_file(facts, &path)? {
        let reason = format!("{path} is not on the disk");
        return Answer::undetermined(found, element, store, &reason);
    }
    let is_for_firmware = |text: &String| {
        let file_end = text.rsplit('.').next();
        file_end.is_some_and(|found| found.eq_ignore_ascii_case(end))
    };
    let leads_somewhere = match current {
        Some(text) => is_for_firmware(text) && is_file(facts, text)?,
        None => found.is_none(),
    };
    let answer = Answer::of(found, ElementValue::String(path));
    Ok(answer.unresolved(!leads_somewhere))
}

/// A text without words that somebody has put into it. Other words stay.
fn without(words: &[String], found: Found<'_>) -> Answer {
    let Some(ElementValue::String(text)) = found.flatten() else {
        // Windows reads no words from data that are no text.
        return Answer::right(found);
    };
    let is_dropped = |word: &&str| {
        let word = word.trim_start_matches('/');
        words.iter().any(|one| one.eq_ignore_ascii_case(word))
    };
    if !text.split_whitespace().any(|word| is_dropped(&word)) {
        return Answer::right(found);
    }
    let left: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !is_dropped(word))
        .collect();
    Answer {
        state: RowState::Differs,
        is_unresolved: false,
        desired: (!left.is_empty()).then(|| ElementValue::String(left.join(" "))),
    }
}

/// True if the target has a file with content at this path.
fn is_file(facts: &Facts<'_>, path: &str) -> Result<bool, Error> {
    let names: Vec<&str> = path.split('\\').filter(|name| !name.is_empty()).collect();
    if names.is_empty() || names.iter().any(|name| matches!(*name, "." | "..")) {
        return Ok(false);
    }
    match facts.site.root.find(&names) {
        Ok(Some(found)) => Ok(found.kind() == Kind::File && found.metadata.len > 0),
        Ok(None) | Err(LookupError::NotAFolder { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
