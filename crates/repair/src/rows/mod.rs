//! The content of a recipe: a file for each kind of row.
//!
//! A new kind of row is a file in this folder, with a type that is a `Kind`, and a line in `kinds!`
//! below. docs/adding-a-row.md shows how.

mod acl;
mod bcd;
mod binding;
mod boot_store;
mod certificate;
mod claim;
mod driver;
mod fault;
mod fault_words;
mod file;
mod firewall_rule;
mod judge;
#[macro_use]
mod kinds;
mod list;
mod profile;
mod registry;
mod registry_acl;
mod registry_key;
mod route;
mod select;
mod service;
mod terms;
mod values;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::finding::Grants;
pub use crate::value_data::{AnyBits, Bits};
use crate::written;
pub use crate::written::{Companion, Expected, FolderPath, KeyPattern, NamePattern, Numbers};
pub(crate) use crate::written::{Wrong, sentence, wrong, wrong_at};
pub use acl::{AclFault, AclRow, AppliesTo, DesiredAcl};
pub use bcd::{BcdFault, BcdObject, BcdRow, BcdWanted};
pub use binding::BindingRow;
pub use boot_store::BootStoreRow;
pub use certificate::CertificateRow;
pub(crate) use claim::Claim;
pub use driver::DriverRow;
pub use fault::Fault;
pub use file::{CopyFrom, FileCheck, FileRow, IfFileMissing};
pub use firewall_rule::FirewallRuleRow;
pub(crate) use judge::{About, JudgeDescriptors, JudgeElements, JudgeFiles, JudgeValues, Standing};
pub use list::ListRow;
pub use profile::ProfileRow;
pub use registry::{Aim, IfMissing, RegistryRow};
pub use registry_acl::RegistryAclRow;
pub use registry_key::RegistryKeyRow;
pub use route::RouteRow;
pub use select::SelectRow;
pub use service::ServiceRow;
pub(crate) use terms::{NoteFile, TermsEntry, TermsFile, UnknownWindows};
pub use terms::{NoteIf, ProductTerm, Terms};
pub use values::ValuesRow;

/// A kind of row: how it is written in a recipe, what it is about, and how it is shown.
///
/// The trait that [`about`](Self::about) returns says how the row judges what is found: one of
/// [`JudgeValues`], [`JudgeElements`], [`JudgeFiles`] and [`JudgeDescriptors`].
pub(crate) trait Kind: Sized {
    /// Its fields in a recipe's file. An unknown field must be an error
    /// (`#[serde(deny_unknown_fields)]`).
    type Written: DeserializeOwned;

    /// The row in the JSON of `diskmend recipes`.
    type Entry<'a>: Serialize
    where
        Self: 'a;

    /// Checks the fields.
    ///
    /// # Errors
    /// What is wrong, with its place in the file.
    fn read(written: Self::Written) -> Result<Self, Wrong>;

    /// The things that the row is about.
    fn about(&self) -> About<'_>;

    /// The setting that the row wants; `None` if it only reports. Two recipes that want different
    /// settings of the same thing are refused.
    fn claim(&self) -> Option<Claim<'_>>;

    /// One sentence for a person.
    fn why(&self) -> &str;

    /// The row as JSON.
    fn entry(&self) -> Self::Entry<'_>;

    /// The row for display.
    fn shown(&self) -> Shown;
}

/// A row for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The place that it is about, such as a key. Consecutive rows about the same place are shown
    /// together.
    pub place: String,
    /// The settings. The first line stands for the row.
    pub lines: Vec<String>,
}

kinds! {
    /// A wanted registry value.
    Registry(RegistryRow) in registry,
    /// A registry key that should not exist, or should be a copy of another one.
    RegistryKey(RegistryKeyRow) in registry_key,
    /// Wanted permissions of registry keys.
    RegistryAcl(RegistryAclRow) in registry_acl,
    /// A wanted element of the boot store.
    Bcd(BcdRow) in bcd,
    /// A boot store that is missing or can't be read.
    BootStore(BootStoreRow) in boot_store,
    /// Wanted permissions of a folder or its content.
    Acl(AclRow) in acl,
    /// A wanted setting of services.
    Service(ServiceRow) in service,
    /// A list that loses the entries that lead nowhere.
    List(ListRow) in list,
    /// Drivers whose file is missing.
    Driver(DriverRow) in driver,
    /// Rules of the firewall.
    FirewallRule(FirewallRuleRow) in firewall_rule,
    /// A certificate that Windows can't use.
    Certificate(CertificateRow) in certificate,
    /// The control set from which Windows starts.
    Select(SelectRow) in select,
    /// Parts of the network whose driver is missing.
    Binding(BindingRow) in binding,
    /// Routes that were set by hand.
    Route(RouteRow) in route,
    /// Users who get their own profile back.
    Profile(ProfileRow) in profile,
    /// Files that are moved out of the way.
    File(FileRow) in file,
    /// Values of a key that all have one form.
    Values(ValuesRow) in values,
}
