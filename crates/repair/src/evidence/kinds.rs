//! The items that all kinds of evidence share, generated from the list of kinds.

/// Generates from the list of kinds: evidence of any kind, and reading it.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident($kind:ty) in $key:ident,)+) => {
        /// Evidence of any kind.
        #[derive(Clone, Debug)]
        #[expect(private_interfaces, reason = "a rule shows its evidence as text")]
        pub enum Evidence {
            $($(#[$doc])* $name($kind),)+
        }

        /// The names of the kinds.
        pub(crate) const KINDS: &[&str] = &[$(stringify!($key)),+];

        /// Takes the evidence out of a table, which has one field that is named after its kind.
        /// Other fields stay.
        ///
        /// # Errors
        /// What is wrong with its fields, or that there isn't exactly one kind.
        pub(crate) fn take(table: &mut DeTable<'_>, at: &Range<usize>) -> Result<Evidence, Wrong> {
            let mut taken = Vec::new();
            $(if let Some(written) = table.remove(stringify!($key)) {
                let written = document::read(written)?;
                taken.push(<$kind as EvidenceKind>::read(written).map(Evidence::$name));
            })+
            match (taken.pop(), taken.is_empty()) {
                (Some(evidence), true) => evidence,
                _ => Err(wrong_at(at.clone())(&format!(
                    "exactly one of these is needed: {}",
                    KINDS.join(", ")
                ))),
            }
        }

        /// The JSON Schema of each kind; `None` if one can't be found out.
        pub(crate) fn schemas() -> Option<Vec<(String, serde_json::Value)>> {
            Some(vec![$((
                stringify!($key).to_owned(),
                shape::schema::<<$kind as EvidenceKind>::Written>()?,
            )),+])
        }

        impl Evidence {
            /// The name of its kind.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($key),)+
                }
            }

            /// What it looks for, in a few words.
            #[must_use]
            pub fn shown(&self) -> String {
                match self {
                    $(Self::$name(kind) => kind.shown(),)+
                }
            }

            /// Looks for it on a disk.
            ///
            /// # Errors
            /// If the caller interrupts.
            pub(crate) fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
                match self {
                    $(Self::$name(kind) => kind.look(facts),)+
                }
            }
        }
    };
}
