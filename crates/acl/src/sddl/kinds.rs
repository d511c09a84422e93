//! The letters for types and flags of ACEs (MS-DTYP 2.5.1.1, ace-type and ace-flag-string).

use crate::ace::{AceFlags, AceType};

/// What may follow the SID in an ACE string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    Nothing,
    Condition,
    Attribute,
}

const TYPES: [(&str, AceType, Tail); 17] = [
    ("A", AceType::ACCESS_ALLOWED, Tail::Nothing),
    ("D", AceType::ACCESS_DENIED, Tail::Nothing),
    ("AU", AceType::SYSTEM_AUDIT, Tail::Nothing),
    ("AL", AceType::SYSTEM_ALARM, Tail::Nothing),
    ("OA", AceType::ACCESS_ALLOWED_OBJECT, Tail::Nothing),
    ("OD", AceType::ACCESS_DENIED_OBJECT, Tail::Nothing),
    ("OU", AceType::SYSTEM_AUDIT_OBJECT, Tail::Nothing),
    ("OL", AceType::SYSTEM_ALARM_OBJECT, Tail::Nothing),
    ("XA", AceType::ACCESS_ALLOWED_CALLBACK, Tail::Condition),
    ("XD", AceType::ACCESS_DENIED_CALLBACK, Tail::Condition),
    (
        "ZA",
        AceType::ACCESS_ALLOWED_CALLBACK_OBJECT,
        Tail::Condition,
    ),
    ("XU", AceType::SYSTEM_AUDIT_CALLBACK, Tail::Condition),
    ("ML", AceType::SYSTEM_MANDATORY_LABEL, Tail::Nothing),
    ("RA", AceType::SYSTEM_RESOURCE_ATTRIBUTE, Tail::Attribute),
    ("SP", AceType::SYSTEM_SCOPED_POLICY_ID, Tail::Nothing),
    ("TL", AceType::SYSTEM_PROCESS_TRUST_LABEL, Tail::Nothing),
    ("FL", AceType::SYSTEM_ACCESS_FILTER, Tail::Condition),
];

/// The flags, in the order in which Windows writes them.
const FLAGS: [(&str, AceFlags); 8] = [
    ("OI", AceFlags::OBJECT_INHERIT),
    ("CI", AceFlags::CONTAINER_INHERIT),
    ("NP", AceFlags::NO_PROPAGATE),
    ("IO", AceFlags::INHERIT_ONLY),
    ("ID", AceFlags::INHERITED),
    ("CR", AceFlags(0x20)),
    ("SA", AceFlags::SUCCESSFUL_ACCESS),
    ("FA", AceFlags::FAILED_ACCESS),
];

pub(super) fn type_of(letters: &str) -> Option<(AceType, Tail)> {
    TYPES
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(letters))
        .map(|&(_, ace_type, tail)| (ace_type, tail))
}

pub(super) fn letters_of(ace_type: AceType) -> Option<(&'static str, Tail)> {
    TYPES
        .iter()
        .find(|(_, known, _)| *known == ace_type)
        .map(|&(letters, _, tail)| (letters, tail))
}

pub(super) fn flags_of(letters: &str) -> Option<AceFlags> {
    let mut rest = letters;
    let mut flags = AceFlags::NONE;
    while !rest.is_empty() {
        let (pair, after) = rest.split_at_checked(2)?;
        let (_, flag) = FLAGS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(pair))?;
        flags = flags | *flag;
        rest = after;
    }
    Some(flags)
}

pub(super) fn write_flags(flags: AceFlags, out: &mut String) {
    for (letters, flag) in FLAGS {
        if flags.contains(flag) {
            out.push_str(letters);
        }
    }
}
