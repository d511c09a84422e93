//! The types of ACEs (MS-DTYP 2.4.4.1).

/// The type in an ACE's header; numbers without a name are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AceType(pub u8);

/// What an ACE does in an access check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Effect {
    /// It gives rights.
    Allow,
    /// It takes rights away.
    Deny,
}

impl AceType {
    /// ACCESS_ALLOWED_ACE_TYPE.
    pub(crate) const ACCESS_ALLOWED: Self = Self(0x00);
    /// ACCESS_DENIED_ACE_TYPE.
    pub(crate) const ACCESS_DENIED: Self = Self(0x01);
    /// SYSTEM_AUDIT_ACE_TYPE.
    pub(crate) const SYSTEM_AUDIT: Self = Self(0x02);
    /// SYSTEM_ALARM_ACE_TYPE, reserved.
    pub(crate) const SYSTEM_ALARM: Self = Self(0x03);
    /// ACCESS_ALLOWED_COMPOUND_ACE_TYPE, reserved; its layout is not specified.
    pub(crate) const ACCESS_ALLOWED_COMPOUND: Self = Self(0x04);
    /// ACCESS_ALLOWED_OBJECT_ACE_TYPE.
    pub(crate) const ACCESS_ALLOWED_OBJECT: Self = Self(0x05);
    /// ACCESS_DENIED_OBJECT_ACE_TYPE.
    pub(crate) const ACCESS_DENIED_OBJECT: Self = Self(0x06);
    /// SYSTEM_AUDIT_OBJECT_ACE_TYPE.
    pub(crate) const SYSTEM_AUDIT_OBJECT: Self = Self(0x07);
    /// SYSTEM_ALARM_OBJECT_ACE_TYPE, reserved.
    pub(crate) const SYSTEM_ALARM_OBJECT: Self = Self(0x08);
    /// ACCESS_ALLOWED_CALLBACK_ACE_TYPE.
    pub(crate) const ACCESS_ALLOWED_CALLBACK: Self = Self(0x09);
    /// ACCESS_DENIED_CALLBACK_ACE_TYPE.
    pub(crate) const ACCESS_DENIED_CALLBACK: Self = Self(0x0A);
    /// ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE.
    pub(crate) const ACCESS_ALLOWED_CALLBACK_OBJECT: Self = Self(0x0B);
    /// SYSTEM_AUDIT_CALLBACK_ACE_TYPE.
    pub(crate) const SYSTEM_AUDIT_CALLBACK: Self = Self(0x0D);
    /// SYSTEM_MANDATORY_LABEL_ACE_TYPE.
    pub(crate) const SYSTEM_MANDATORY_LABEL: Self = Self(0x11);
    /// SYSTEM_RESOURCE_ATTRIBUTE_ACE_TYPE.
    pub(crate) const SYSTEM_RESOURCE_ATTRIBUTE: Self = Self(0x12);
    /// SYSTEM_SCOPED_POLICY_ID_ACE_TYPE.
    pub(crate) const SYSTEM_SCOPED_POLICY_ID: Self = Self(0x13);
    /// SYSTEM_PROCESS_TRUST_LABEL_ACE_TYPE.
    pub(crate) const SYSTEM_PROCESS_TRUST_LABEL: Self = Self(0x14);
    /// SYSTEM_ACCESS_FILTER_ACE_TYPE.
    pub(crate) const SYSTEM_ACCESS_FILTER: Self = Self(0x15);

    /// True if this crate knows the type's layout: every type up to SYSTEM_ACCESS_FILTER_ACE_TYPE
    /// except the reserved compound type.
    #[must_use]
    pub(crate) const fn is_known(self) -> bool {
        self.0 <= Self::SYSTEM_ACCESS_FILTER.0 && self.0 != Self::ACCESS_ALLOWED_COMPOUND.0
    }

    /// True if the ACE holds flags and GUIDs between its mask and its SID.
    #[must_use]
    pub const fn is_object(self) -> bool {
        matches!(self.0, 0x05..=0x08 | 0x0B | 0x0C | 0x0F | 0x10)
    }

    /// True if application data, such as a condition, may follow the ACE's SID.
    #[must_use]
    pub(crate) const fn is_callback(self) -> bool {
        matches!(self.0, 0x09..=0x10)
    }

    /// The ACE's effect in an access check, if it has one.
    #[must_use]
    pub(crate) const fn effect(self) -> Option<Effect> {
        match self.0 {
            0x00 | 0x05 | 0x09 | 0x0B => Some(Effect::Allow),
            0x01 | 0x06 | 0x0A | 0x0C => Some(Effect::Deny),
            _ => None,
        }
    }
}
