//! The repairs of diskmend, and the engine that inspects a Windows volume, plans changes to it,
//! makes them so that a crash can't break it, and undoes them.
//!
//! A repair is data: a recipe says which settings are wanted. The engine finds what differs, shows
//! it as a plan, and changes the disk only if the caller applies the plan. This crate prints
//! nothing and reads no environment variables.
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//!
//! use diskmend_disk::Target;
//! use diskmend_repair::recipe::Catalogue;
//! use diskmend_repair::{Engine, Goal, Key, Keys, Options, Watch};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let catalogue = Catalogue::built_in()?;
//! let recipes = catalogue.select(&["tls", "nla"])?;
//!
//! // The key of this machine seals each run. It is kept off the disk that is repaired.
//! let key = Key::from_line(&std::fs::read_to_string("/var/lib/diskmend/key")?)?;
//! let options = Options { keys: Keys::own(key), ..Options::default() };
//! let engine = Engine::open(Target::open("/mnt/windows".as_ref())?, options)?;
//!
//! // Plan. Nothing is written yet.
//! let (mut progress, cancel) = ((), AtomicBool::new(false));
//! let mut watch = Watch::new(&mut progress, &cancel);
//! let plan = engine.plan(&recipes, Goal::Desired, &mut watch)?;
//! for change in &plan.report().changes {
//!     println!("{}\\{}", change.value.key, change.value.value);
//! }
//!
//! // Write the changes, and the undo data before them.
//! let report = plan.apply(&mut watch)?;
//! println!("{:?}", report.run);
//! # Ok(())
//! # }
//! ```
//!
//! # Where to go next
//!
//! | item | purpose |
//! |---|---|
//! | [`Engine`] | a target opened for a command: inspect, plan, undo, list and prune runs |
//! | [`Plan`] | the changes that would be made; making them |
//! | [`recipe`] | recipes: the TOML format, the built-in catalogue |
//! | [`diagnosis`] | the rules that say which evidence speaks for which cause |
//! | [`rows`] | the content of a recipe, with a file for each kind of row |
//! | [`Facts`] | what is known about the Windows on the disk: identity, control sets, build, product, services |
//! | [`hive_file`], [`boot_store`] | edit any hive file or boot store by hand, with the same safety |
//! | [`acl_edit`] | reset or restore permissions of files by hand |
//! | [`Keys`], [`Trust`] | the keys that seal runs, and whether a run on the disk is believed |
//! | [`documents`], [`json`] | the results, ready to be serialized, and written as JSON |
//! | [`Error`], [`Class`] | the reason of a refusal or failure |
//!
//! # The way of a change
//!
//! 1. `hive_on_disk` opens a hive, and recovers it in memory if it is dirty.
//! 2. `facts` reads facts about the disk.
//! 3. `rows` judge the facts and return findings.
//! 4. `changes` plans changes from the findings, makes them as one run, and rolls back if something
//!    fails.
//! 5. For that, `session` edits hives, verifies, backs up and writes them. `run` keeps the journal
//!    and the undo data; `disk_record` records the sectors of a disk that isn't mounted.
//! 6. `documents` is made from all of them, and nothing reads it back.
//!
//! docs/architecture.md in the repository has a drawing, and follows one value from the command
//! line to the disk.

#![forbid(unsafe_code)]

pub mod acl_edit;
mod beside;
pub mod boot_store;
mod boot_volume;
mod changes;
mod check_summary;
mod diagnose;
pub mod diagnosis;
mod differences;
mod digest;
mod disk_record;
pub mod documents;
mod engine;
#[cfg(test)]
mod engine_tests;
mod error;
mod events;
mod evidence;
mod examined;
mod facts;
mod file_check;
mod finding;
mod guards;
pub mod hive_file;
mod hive_on_disk;
mod hive_path;
mod identity;
mod inspect;
pub mod json;
mod names;
mod place;
mod plan;
mod plan_file;
mod planned;
mod preview;
mod progress;
mod prune;
mod reading;
pub mod recipe;
mod repair;
mod restored;
pub mod rows;
mod run;
mod run_id;
mod run_names;
mod run_state;
mod run_summary;
mod runs;
mod second_reader;
mod session;
mod show_run;
mod site;
mod state_name;
mod stop;
mod store_status;
mod survey;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod trust;
mod undo;
mod unfinished;
mod value_data;
mod volume;
mod whereabouts;
mod whole;
mod written;

pub use boot_volume::{BootChoice, LoaderChoice};
pub use engine::Engine;
pub use error::{Class, Error, PlanFileError, Refusal};
pub use facts::{
    Accounts, Agent, BitLocker, BitLockerState, Boot, BootBugCheck, BootEnd, BootFault, BootFaults,
    BootKind, BugCheck, CertificateFault, ClosedBy, ClosedPort, ControlSet, ControlSets,
    EntryFault, Errors, Event, EventQuery, Events, Facts, FaultingImage, FaultyCertificate, Field,
    FileFault, FilterFault, LogStatus, Logons, Membership, MissingFile, MissingSet, OrphanFilter,
    Platform, Product, Select, Service, ServiceFiles, ServiceStart, Since, StoreFault, TextLog,
    Unread, VolumeCondition, WindowsIdentity, WindowsVolume,
};
#[cfg(feature = "fuzzing")]
pub use facts::{read_event_log, read_evidence};
pub use plan::{Goal, Plan};
pub use plan_file::{MAX_LEN as MAX_PLAN_LEN, SavedPlan};
pub use preview::WouldChange;
pub use progress::{Interrupted, Phase, Progress, Watch};
pub use run::{STATE_FOLDER, STATE_SUFFIX};
pub use run_names::RunNames;
pub use site::Options;
pub use stop::{NotEdited, Stop};
pub use trust::{Doubt, Key, KeyError, KeyId, KeyStore, Keys, OwnKey, Trust};
pub use value_data::{Readable, ValueData};
