//! ACE strings (MS-DTYP 2.5.1.1, ace; ACE Strings in the Windows documentation).

use std::borrow::Cow;

use diskmend_base::Guid;

use super::condition;
use super::cursor::Cursor;
use super::kinds::{self, Tail};
use super::rights;
use super::{Inexpressible, SddlError};
use crate::ace::{Ace, AceBody, AceType, ObjectTypes, Trustee};
use crate::sid::{Domains, RelativeAlias, Sid};

/// Reads one ACE, from its opening parenthesis to its closing one.
pub(super) fn read(cursor: &mut Cursor<'_>, domains: &Domains) -> Result<Ace, SddlError> {
    cursor.expect("(")?;
    let letters = field(cursor);
    let (ace_type, tail) = kinds::type_of(letters)
        .ok_or_else(|| cursor.error_about(letters, "the letters of an ACE type"))?;
    cursor.expect(";")?;
    let letters = field(cursor);
    let flags = kinds::flags_of(letters)
        .ok_or_else(|| cursor.error_about(letters, "the letters of ACE flags"))?;
    cursor.expect(";")?;
    let text = field(cursor);
    let mask = rights::mask_of(text)
        .ok_or_else(|| cursor.error_about(text, "the letters of rights, or 0x and a number"))?;
    cursor.expect(";")?;
    let object_type = guid(cursor, ace_type)?;
    cursor.expect(";")?;
    let inherited_object_type = guid(cursor, ace_type)?;
    cursor.expect(";")?;
    let sid = sid(cursor, domains)?;
    let data = read_tail(cursor, tail, domains)?;
    cursor.expect(")")?;
    Ok(Ace {
        ace_type,
        flags,
        body: AceBody::Trustee(Trustee {
            mask,
            object: ace_type.is_object().then_some(ObjectTypes {
                other_flags: 0,
                object_type,
                inherited_object_type,
            }),
            sid,
            data,
        }),
    })
}

/// Reads a SID: its text or its two letters.
pub(super) fn sid(cursor: &mut Cursor<'_>, domains: &Domains) -> Result<Sid, SddlError> {
    let rest = cursor.rest();
    let text = sid_text(rest);
    if let Ok(sid) = text.parse() {
        cursor.take(text);
        return Ok(sid);
    }
    let letters = rest.get(..2).unwrap_or(rest);
    if let Some(sid) = Sid::from_sddl_alias(letters) {
        cursor.take(letters);
        return Ok(sid);
    }
    let Some(alias) = RelativeAlias::from_letters(letters) else {
        return Err(cursor.error("a SID or the two letters of one"));
    };
    let sid = alias.resolve(domains).ok_or_else(|| SddlError {
        unresolved: Some(alias),
        ..cursor.error(format!(
            "a SID, because {} depends on {}, which is not known",
            alias.letters(),
            alias.depends_on()
        ))
    })?;
    cursor.take(letters);
    Ok(sid)
}

/// The longest start of `text` that can be a SID. Hexadecimal digits count only in the authority,
/// so the `D` of a following `D:` isn't part of it.
fn sid_text(text: &str) -> &str {
    let mut dashes = 0;
    let mut in_hex = false;
    let len = text
        .char_indices()
        .find(|&(at, c)| match c {
            '-' => {
                dashes += 1;
                in_hex = false;
                false
            }
            '0'..='9' => false,
            'S' | 's' => at != 0,
            'x' | 'X' if dashes == 2 => {
                in_hex = true;
                false
            }
            _ => !(in_hex && c.is_ascii_hexdigit()),
        })
        .map_or(text.len(), |(at, _)| at);
    text.split_at(len).0
}

fn field<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    cursor.take_while(|c| !matches!(c, ';' | '(' | ')')).trim()
}

fn guid(cursor: &mut Cursor<'_>, ace_type: AceType) -> Result<Option<Guid>, SddlError> {
    let text = field(cursor);
    if text.is_empty() {
        return Ok(None);
    }
    if !ace_type.is_object() {
        return Err(cursor.error_about(text, "no GUID, because the ACE is not an object ACE"));
    }
    let guid = Guid::parse_bare(text).ok_or_else(|| cursor.error_about(text, "a GUID"))?;
    Ok(Some(guid))
}

fn read_tail(cursor: &mut Cursor<'_>, tail: Tail, domains: &Domains) -> Result<Vec<u8>, SddlError> {
    match tail {
        Tail::Nothing => Ok(Vec::new()),
        Tail::Condition => {
            cursor.expect(";")?;
            condition::read(cursor, domains)
        }
        Tail::Attribute => Err(cursor.error("an ACE without a resource attribute")),
    }
}

/// Writes one ACE.
pub(super) fn write(
    ace: &Ace,
    list: &'static str,
    index: usize,
    out: &mut String,
) -> Result<(), Inexpressible> {
    let refuse = |why: Cow<'static, str>| Inexpressible::Entry {
        list,
        index,
        ace_type: ace.ace_type.0,
        why,
    };
    let (Some((letters, tail)), Some(trustee)) = (kinds::letters_of(ace.ace_type), ace.trustee())
    else {
        return Err(refuse("the type has no letters".into()));
    };
    out.push('(');
    out.push_str(letters);
    out.push(';');
    kinds::write_flags(ace.flags, out);
    out.push(';');
    rights::write_mask(trustee.mask, ace.ace_type, out);
    out.push(';');
    let object = trustee.object.unwrap_or(ObjectTypes::NONE);
    if object.other_flags != 0 {
        let flags = object.other_flags;
        return Err(refuse(format!("unknown object flags {flags:#x}").into()));
    }
    write_guid(object.object_type, out);
    out.push(';');
    write_guid(object.inherited_object_type, out);
    out.push(';');
    if trustee.sid.sub_authorities().is_empty() {
        return Err(refuse("its SID has no sub-authority".into()));
    }
    write_sid(&trustee.sid, out);
    match tail {
        Tail::Nothing if trustee.data.is_empty() => {}
        Tail::Nothing => return Err(refuse("data follow its SID".into())),
        Tail::Condition => {
            let condition = condition::write(&trustee.data);
            out.push(';');
            out.push_str(&condition.ok_or_else(|| refuse("its condition has no words".into()))?);
        }
        Tail::Attribute => return Err(refuse("it holds a resource attribute".into())),
    }
    out.push(')');
    Ok(())
}

/// Writes a SID by its two letters, or as text.
pub(super) fn write_sid(sid: &Sid, out: &mut String) {
    match sid.sddl_alias() {
        Some(letters) => out.push_str(letters),
        None => out.push_str(&sid.to_string()),
    }
}

fn write_guid(guid: Option<Guid>, out: &mut String) {
    if let Some(guid) = guid {
        out.push_str(&guid.bare().to_string());
    }
}
