//! SDDL aliases that stand for a SID of one machine or domain (MS-DTYP 2.5.1.1).

use super::Sid;

/// The SIDs on which the SIDs of machine and domain accounts build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Domains {
    /// The machine's own SID, S-1-5-21 and three numbers.
    pub machine: Option<Sid>,
    /// The SID of the machine's domain, if it is a member of one.
    pub domain: Option<Sid>,
    /// The SID of the forest's root domain.
    pub root: Option<Sid>,
}

/// An SDDL alias that stands for another SID on each machine, such as `LA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelativeAlias {
    alias: &'static str,
    base: Base,
    relative: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    Machine,
    Domain,
    Root,
}

impl RelativeAlias {
    /// The alias with these two letters.
    #[must_use]
    pub(crate) fn from_letters(letters: &str) -> Option<Self> {
        ALIASES
            .iter()
            .find(|(alias, ..)| alias.eq_ignore_ascii_case(letters))
            .map(|&(alias, base, relative)| Self {
                alias,
                base,
                relative,
            })
    }

    /// The SID that the alias stands for, if the machine's or domain's SID is known.
    #[must_use]
    pub(crate) fn resolve(self, domains: &Domains) -> Option<Sid> {
        let base = match self.base {
            Base::Machine => domains.machine,
            Base::Domain => domains.domain,
            Base::Root => domains.root,
        };
        base?.with_relative(self.relative)
    }

    /// Its two letters.
    #[must_use]
    pub(crate) const fn letters(self) -> &'static str {
        self.alias
    }

    /// The thing that its SID depends on.
    #[must_use]
    pub(crate) const fn depends_on(self) -> &'static str {
        match self.base {
            Base::Machine => "the machine's SID",
            Base::Domain => "the domain's SID",
            Base::Root => "the forest root domain's SID",
        }
    }
}

const ALIASES: &[(&str, Base, u32)] = &[
    ("LA", Base::Machine, 500),
    ("LG", Base::Machine, 501),
    ("DA", Base::Domain, 512),
    ("DU", Base::Domain, 513),
    ("DG", Base::Domain, 514),
    ("DC", Base::Domain, 515),
    ("DD", Base::Domain, 516),
    ("CA", Base::Domain, 517),
    ("PA", Base::Domain, 520),
    ("CN", Base::Domain, 522),
    ("AP", Base::Domain, 525),
    ("KA", Base::Domain, 526),
    ("RS", Base::Domain, 553),
    ("RO", Base::Root, 498),
    ("SA", Base::Root, 518),
    ("EA", Base::Root, 519),
    ("EK", Base::Root, 527),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_needs_the_sid_it_is_relative_to() {
        let local = RelativeAlias::from_letters("la").unwrap();
        assert_eq!(local.resolve(&Domains::default()), None);
        let machine = "S-1-5-21-1-2-3".parse().unwrap();
        let known = Domains {
            machine: Some(machine),
            ..Domains::default()
        };
        let administrator = local.resolve(&known).unwrap();
        assert_eq!(administrator.to_string(), "S-1-5-21-1-2-3-500");
        let domain = RelativeAlias::from_letters("DA").unwrap();
        assert_eq!(domain.resolve(&known), None);
        assert_eq!(domain.depends_on(), "the domain's SID");
    }

    #[test]
    fn no_letters_mean_two_things() {
        for (letters, ..) in ALIASES {
            assert_eq!(Sid::from_sddl_alias(letters), None, "{letters}");
        }
    }
}
