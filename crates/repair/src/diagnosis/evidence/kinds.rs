//! The items that all kinds of evidence share, generated from the list of kinds.

/// Generates from the list of kinds: evidence of any kind, and its table in a rule's file.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident($kind:ty) in $key:ident,)+) => {
        /// Evidence of any kind.
        #[derive(Clone, Debug)]
        #[expect(private_interfaces, reason = "a rule shows its evidence as text")]
        pub enum Evidence {
            $($(#[$doc])* $name($kind),)+
        }

        /// The names of the kinds.
        const KINDS: &[&str] = &[$(stringify!($key)),+];

        /// A piece of evidence in a rule's file, as written: how much it counts, and one table that
        /// is named after its kind.
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(in crate::diagnosis) struct EvidenceFile {
            pub(in crate::diagnosis) weight: toml::Spanned<u32>,
            #[serde(default)]
            pub(in crate::diagnosis) needed: bool,
            pub(in crate::diagnosis) alike: Option<String>,
            pub(in crate::diagnosis) says: toml::Spanned<String>,
            $(#[serde(default)]
            $key: Option<<$kind as EvidenceKind>::Written>,)+
        }

        impl EvidenceFile {
            /// Takes the evidence, and checks its fields.
            ///
            /// # Errors
            /// If there isn't exactly one kind, for display.
            pub(in crate::diagnosis) fn take(
                &mut self,
            ) -> Result<Result<Evidence, Wrong>, String> {
                let mut taken = Vec::new();
                $(if let Some(written) = self.$key.take() {
                    taken.push(<$kind as EvidenceKind>::read(written).map(Evidence::$name));
                })+
                match (taken.pop(), taken.is_empty()) {
                    (Some(evidence), true) => Ok(evidence),
                    _ => Err(format!("exactly one of these is needed: {}", KINDS.join(", "))),
                }
            }
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

            /// The recipe whose faults it is about, if it is about one.
            pub(in crate::diagnosis) fn recipe(&self) -> Option<&str> {
                match self {
                    $(Self::$name(kind) => kind.recipe(),)+
                }
            }

            /// Looks for it on a disk.
            ///
            /// # Errors
            /// If the caller interrupts.
            pub(in crate::diagnosis) fn look(
                &self,
                disk: &Disk<'_, '_>,
            ) -> Result<Looked, Interrupted> {
                match self {
                    $(Self::$name(kind) => kind.look(disk),)+
                }
            }
        }
    };
}
