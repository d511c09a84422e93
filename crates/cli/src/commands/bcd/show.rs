//! `diskmend bcd show`: lists the objects and elements of a store.

use diskmend_base::chain;
use diskmend_base::escape::Visible;
use diskmend_bcd::{Device, ElementValue, Format, Listing, Row, Section, StoreError};
use diskmend_repair::ValueData;
use serde::Serialize;

use super::reading::{self, Source};
use super::store_arg::StoreArg;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_arg::shown;
use crate::output::console::{self, Console};

/// List the objects of a boot store as 'bcdedit /enum all' does
///
/// With -v, diskmend shows only the GUIDs of objects, and also lists the templates of Windows
/// setup, as 'bcdedit /v' does. It shows devices in a form that is valid on any machine, because
/// drive letters exist only in a running Windows.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend bcd show /mnt/f
  diskmend bcd show /mnt/esp/EFI/Microsoft/Boot/BCD '{default}'
  diskmend bcd show disk.vhdx
  diskmend bcd show F: '{bootmgr}' --json")]
pub(crate) struct Args {
    #[command(flatten)]
    store: StoreArg,
    /// List only this object: a GUID, or a name such as {bootmgr} or {default}
    object: Option<String>,
}

#[derive(Serialize)]
struct Document {
    store: String,
    objects: Vec<ObjectEntry>,
    problems: Vec<String>,
}

#[derive(Serialize)]
struct ObjectEntry {
    guid: String,
    identifier: String,
    title: String,
    #[serde(rename = "type")]
    object_type: Option<String>,
    elements: Vec<ElementEntry>,
    problems: Vec<String>,
}

#[derive(Serialize)]
struct ElementEntry {
    id: String,
    name: String,
    format: String,
    /// As typed values; absent if the data are not valid for the format.
    value: Option<Typed>,
    /// As text.
    shown: Vec<String>,
    #[serde(flatten)]
    stored: ValueData,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Typed {
    Boolean(bool),
    Number(u64),
    Numbers(Vec<u64>),
    Text(String),
    Texts(Vec<String>),
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let source = Source::open_listed(&args.store)?;
    let store = source.store()?;
    let about = |failure: Failure| failure.about(&shown(&source.file));
    let mut listing = Listing::new(&store, console.verbose())
        .map_err(|error| about(reading::unreadable(&error)))?;
    if let Some(name) = &args.object {
        let guid = reading::guid(&store, name).map_err(about)?;
        reading::object(&store, guid).map_err(about)?;
        listing.sections.retain(|section| section.guid == guid);
        listing.problems.clear();
    }
    let problems: Vec<String> = listing
        .sections
        .iter()
        .flat_map(|section| &section.problems)
        .chain(&listing.problems)
        .map(|error| chain(error))
        .collect();
    let exit = if problems.is_empty() {
        Exit::Done
    } else {
        Exit::Failure
    };
    let shown = console.show(exit, |console| {
        if console.json() {
            console.document(&Document {
                store: source.file.to_string(),
                objects: listing.sections.iter().map(object_entry).collect(),
                problems: chains(&listing.problems),
            })
        } else {
            let text = listing.to_string();
            let mut lines = text.lines();
            lines.try_for_each(|line| writeln!(console.out(), "{}", Visible(line)))
        }
    });
    problems.iter().for_each(console::warn);
    if !problems.is_empty() {
        let count = problems.len();
        console::error(format_args!(
            "{count} objects or elements can't be read; 'diskmend bcd check' shows more"
        ));
    }
    shown
}

fn object_entry(section: &Section) -> ObjectEntry {
    ObjectEntry {
        guid: section.guid.to_string(),
        identifier: section.identifier.clone(),
        title: section.title.clone(),
        object_type: section.object_type.map(|number| number.to_string()),
        elements: section.rows.iter().map(element_entry).collect(),
        problems: chains(&section.problems),
    }
}

fn chains(problems: &[StoreError]) -> Vec<String> {
    let chain = |error: &StoreError| chain(error);
    problems.iter().map(chain).collect()
}

fn element_entry(row: &Row) -> ElementEntry {
    ElementEntry {
        id: format!("0x{}", row.id),
        name: row.name.clone(),
        format: match row.id.format() {
            Format::Unknown(_) => "unknown".to_owned(),
            format => format.to_string(),
        },
        value: row.value.as_ref().and_then(typed),
        shown: row.lines.clone(),
        stored: ValueData {
            value_type: row.data_type,
            bytes: row.data.clone(),
        },
    }
}

fn typed(value: &ElementValue) -> Option<Typed> {
    Some(match value {
        ElementValue::Device(data) => Typed::Text(Device::decode(data)?.to_string()),
        ElementValue::String(text) => Typed::Text(text.clone()),
        ElementValue::Object(guid) => Typed::Text(guid.to_string()),
        ElementValue::ObjectList(guids) => {
            Typed::Texts(guids.iter().map(ToString::to_string).collect())
        }
        ElementValue::Integer(number) => Typed::Number(*number),
        ElementValue::Boolean(yes) => Typed::Boolean(*yes),
        ElementValue::IntegerList(numbers) => Typed::Numbers(numbers.clone()),
        ElementValue::Unknown(_) => return None,
    })
}
