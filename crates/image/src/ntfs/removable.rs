//! Finds out whether a file can be removed from its folder, or a file or folder get another name
//! there, and what of the volume is its own.

use std::sync::Weak;

use diskmend_base::bytes;

use super::attribute::Attribute;
use super::claims;
use super::error::VolumeError;
use super::format::{AttributeHeader, FileName, StandardInformation, attribute_type, system};
use super::metadata::{Kind, Metadata};
use super::names::parse_key;
use super::open::check_extents;
use super::place::{Extent, FileId};
use super::record::Record;
use super::records::Records;
use super::runs;
use super::second;
use super::shared::Inner;
use super::stream::Stream;

/// A file that can be removed or renamed, or a folder that can be renamed.
pub(super) struct Removable {
    /// Its records.
    pub(super) records: Records,
    /// Its names: one that users see, and its short name for DOS if it has one.
    pub(super) names: Vec<Vec<u16>>,
}

impl Removable {
    /// Checks the file, or the folder if `kind` says so, with a name in a folder, which is spelled as
    /// on the disk.
    ///
    /// # Errors
    /// [`VolumeError::CannotChange`] with the reason, or a damaged volume. `what` is `removed` or
    /// `renamed`.
    pub(super) fn check(
        inner: &Inner,
        folder: FileId,
        (name, id): (&[u16], FileId),
        (kind, what): (Kind, &'static str),
    ) -> Result<Self, VolumeError> {
        let cannot = |why: &str| {
            let why = why.to_owned();
            VolumeError::CannotChange { id, what, why }
        };
        if id.record < system::FIRST_USER {
            return Err(VolumeError::OwnFile(id));
        }
        let records = Records::read(&inner.mft, id)?;
        let metadata = Metadata::of(&records)?;
        if metadata.reparse_tag.is_some() {
            return Err(cannot("it is a link or another reparse point"));
        }
        if metadata.kind != kind {
            return Err(cannot(match kind {
                Kind::Folder => "it is not a folder",
                _ => "it is not a file",
            }));
        }
        if inner
            .files()
            .get(&id.record)
            .and_then(Weak::upgrade)
            .is_some_and(|shared| shared.id() == id)
        {
            return Err(cannot("it is still open"));
        }
        for (_, attribute) in records.attributes() {
            if let Some(why) = foreign(&attribute) {
                return Err(cannot(why));
            }
        }
        let names = own_names(&records, folder).map_err(cannot)?;
        if !names.iter().any(|own| own == name) {
            return Err(cannot("its record has another name"));
        }
        Ok(Self { records, names })
    }

    /// The file.
    pub(super) fn id(&self) -> FileId {
        self.records.base().id()
    }

    /// Its clusters, after all that is known about them was checked.
    pub(super) fn extents(&self, inner: &Inner) -> Result<Vec<Extent>, VolumeError> {
        let mft = &inner.mft;
        let records = &self.records;
        let base = records.base();
        let list = base.find(attribute_type::ATTRIBUTE_LIST, "");
        let list = list.map(|list| (base, list));
        let mut extents = Vec::new();
        for (record, attribute) in records.attributes().chain(list) {
            add_extents(inner, record, &attribute, &mut extents)?;
        }
        check_extents(mft, extents.clone())?;
        let id = self.id();
        claims::check(mft, id.record, &extents, |record, _| {
            record.base().unwrap_or_else(|| record.id()) == id
        })?;
        let data = Stream::of(mft.disk(), records, attribute_type::DATA, "")?;
        if let Some(data) = data.filter(|data| !data.is_compressed()) {
            second::agree(mft, id, &data)?;
        }
        Ok(extents)
    }
}

/// The reason why a file with this attribute is left alone: something else of the volume refers to
/// it.
fn foreign(attribute: &Attribute<'_>) -> Option<&'static str> {
    match attribute.kind() {
        attribute_type::OBJECT_ID => {
            Some("it has an object id, which the volume lists: remove it in Windows")
        }
        _ if attribute.flags() & AttributeHeader::FLAG_ENCRYPTED != 0 => {
            Some("it is encrypted (EFS)")
        }
        attribute_type::LOGGED_UTILITY_STREAM if attribute.is_named("$EFS") => {
            Some("it is encrypted (EFS)")
        }
        attribute_type::STANDARD_INFORMATION => {
            let value = attribute.resident()?;
            let information: &StandardInformation = bytes::view(value, 0)?;
            let is_charged =
                information.owner_id.get() != 0 && information.quota_charged.get() != 0;
            is_charged.then_some("its length is charged to a disk quota: remove it in Windows")
        }
        _ => None,
    }
}

/// The names of a file that has only one name besides its short name, both in `folder`.
fn own_names(records: &Records, folder: FileId) -> Result<Vec<Vec<u16>>, &'static str> {
    let mut names = Vec::new();
    let mut namespaces = Vec::new();
    for (_, attribute) in records.all(attribute_type::FILE_NAME, "") {
        let value = attribute.resident().ok_or("its name can't be read")?;
        let header: &FileName = bytes::view(value, 0).ok_or("its name can't be read")?;
        let (parent, name) = parse_key(value).ok_or("its name can't be read")?;
        if parent != folder {
            return Err("it has another name elsewhere (a hard link)");
        }
        namespaces.push(header.namespace);
        names.push(name);
    }
    namespaces.sort_unstable();
    match namespaces.as_slice() {
        [] => Err("it has no name"),
        [FileName::NAMESPACE_WIN32, FileName::NAMESPACE_DOS] => Ok(names),
        [FileName::NAMESPACE_DOS] => Err("it has only a short name"),
        [_] => Ok(names),
        _ => Err("it has several names (hard links)"),
    }
}

/// Adds the clusters of an attribute.
fn add_extents(
    inner: &Inner,
    record: &Record,
    attribute: &Attribute<'_>,
    extents: &mut Vec<Extent>,
) -> Result<(), VolumeError> {
    let (Some(header), Some(pairs)) = (attribute.non_resident(), attribute.mapping_pairs()) else {
        return Ok(());
    };
    let clusters = inner.mft.disk().geometry.clusters;
    runs::each(pairs, header.lowest_vcn.get(), clusters, |run| {
        if let Some(start) = run.lcn {
            let len = run.len;
            extents.push(Extent { start, len });
        }
    })
    .map_err(|error| {
        let expected = "runs inside the volume";
        let at = attribute.place();
        record.corruption("mapping pairs", at, expected, error.to_string())
    })?;
    Ok(())
}
