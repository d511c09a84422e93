//! Access tokens: the SIDs of whoever asks for access (MS-DTYP 2.5.2).

use crate::sid::Sid;

/// The SIDs that an access check compares with those of the ACEs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The account.
    pub user: Sid,
    /// The groups that the account is a member of.
    pub groups: Vec<Sid>,
}

impl Token {
    /// The token of an account that is a member of Everyone only.
    #[must_use]
    pub(crate) fn of(user: Sid) -> Self {
        Self {
            user,
            groups: vec![Sid::EVERYONE],
        }
    }

    /// The operating system's token. SessionEnv, which makes the Remote Desktop certificate, runs
    /// with it.
    #[must_use]
    pub(crate) fn system() -> Self {
        Self {
            user: Sid::SYSTEM,
            groups: vec![Sid::ADMINISTRATORS, Sid::EVERYONE, Sid::AUTHENTICATED_USERS],
        }
    }

    /// The token of a service that runs as NETWORK SERVICE, such as TermService, which opens the
    /// Remote Desktop certificate's key.
    #[must_use]
    pub fn network_service() -> Self {
        Self::service_account(Sid::NETWORK_SERVICE)
    }

    /// The token of a service that runs as LOCAL SERVICE.
    #[must_use]
    pub(crate) fn local_service() -> Self {
        Self::service_account(Sid::LOCAL_SERVICE)
    }

    /// The token of an elevated member of Administrators. `user` is the group, because only what
    /// every member can do matters.
    #[must_use]
    pub(crate) fn administrators() -> Self {
        Self {
            user: Sid::ADMINISTRATORS,
            groups: vec![Sid::EVERYONE, Sid::AUTHENTICATED_USERS, Sid::USERS],
        }
    }

    /// The token of an account in a repair's ACEs: for SYSTEM, NETWORK SERVICE, LOCAL SERVICE and
    /// Administrators with their groups, for others with Everyone alone.
    #[must_use]
    pub fn for_account(sid: Sid) -> Self {
        match sid {
            Sid::SYSTEM => Self::system(),
            Sid::NETWORK_SERVICE => Self::network_service(),
            Sid::LOCAL_SERVICE => Self::local_service(),
            Sid::ADMINISTRATORS => Self::administrators(),
            other => Self::of(other),
        }
    }

    fn service_account(user: Sid) -> Self {
        Self {
            user,
            groups: vec![
                Sid::EVERYONE,
                Sid::USERS,
                Sid::SERVICE,
                Sid::AUTHENTICATED_USERS,
                Sid::LOCAL,
            ],
        }
    }

    /// True if an ACE for `sid` applies to this token.
    #[must_use]
    pub(crate) fn holds(&self, sid: &Sid) -> bool {
        self.user == *sid || self.groups.contains(sid)
    }
}
