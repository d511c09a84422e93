//! Who asks for access: the SIDs in an access token (MS-DTYP 2.5.2).

use crate::sid::Sid;

/// The SIDs that an access check compares with those of the ACEs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The account.
    pub user: Sid,
    /// The groups it is a member of.
    pub groups: Vec<Sid>,
}

impl Token {
    /// A token of this account, a member of nothing but Everyone.
    #[must_use]
    pub fn of(user: Sid) -> Self {
        Self {
            user,
            groups: vec![Sid::EVERYONE],
        }
    }

    /// The operating system itself. SessionEnv, which makes the Remote Desktop certificate, runs
    /// with it.
    #[must_use]
    pub fn system() -> Self {
        Self {
            user: Sid::SYSTEM,
            groups: vec![Sid::ADMINISTRATORS, Sid::EVERYONE, Sid::AUTHENTICATED_USERS],
        }
    }

    /// A service that runs as NETWORK SERVICE, such as TermService, which opens the Remote
    /// Desktop certificate's key.
    #[must_use]
    pub fn network_service() -> Self {
        Self::service_account(Sid::NETWORK_SERVICE)
    }

    /// A service that runs as LOCAL SERVICE.
    #[must_use]
    pub fn local_service() -> Self {
        Self::service_account(Sid::LOCAL_SERVICE)
    }

    /// A member of Administrators that was elevated. `user` is the group, because what matters is
    /// what every member can do.
    #[must_use]
    pub fn administrators() -> Self {
        Self {
            user: Sid::ADMINISTRATORS,
            groups: vec![Sid::EVERYONE, Sid::AUTHENTICATED_USERS, Sid::USERS],
        }
    }

    /// The token of an account that ACEs of a repair name: with its groups for SYSTEM, NETWORK
    /// SERVICE, LOCAL SERVICE and Administrators, else as [`Token::of`].
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

    /// True if an ACE for `sid` is about this token.
    #[must_use]
    pub fn holds(&self, sid: &Sid) -> bool {
        self.user == *sid || self.groups.contains(sid)
    }
}
