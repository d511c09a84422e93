//! The items that all kinds of rows share, generated from the list of kinds.

/// Generates from the list of kinds: a row of any kind, and a recipe's file with a table for each
/// kind.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident($row:ty) in $table:ident,)+) => {
        /// A row of a recipe, of any kind.
        #[derive(Clone, Debug)]
        pub enum Row {
            $($(#[$doc])* $name($row),)+
        }

        /// The names of the tables for rows, in the order of judging.
        pub(crate) const TABLES: &[&str] = &[$(stringify!($table)),+];

        /// A recipe's file, as written.
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct RecipeFile {
            pub(crate) schema: toml::Spanned<i64>,
            pub(crate) name: toml::Spanned<String>,
            pub(crate) title: toml::Spanned<String>,
            pub(crate) summary: toml::Spanned<String>,
            pub(crate) sources: toml::Spanned<Vec<String>>,
            #[serde(default)]
            pub(crate) includes: Vec<String>,
            $(#[serde(default)]
            $table: Vec<toml::Spanned<<$row as Kind>::Written>>,)+
            pub(crate) caution: Option<toml::Spanned<String>>,
            #[serde(default)]
            pub(crate) on_request: bool,
            #[serde(default)]
            pub(crate) all_or_nothing: bool,
            pub(crate) note_if: Option<NoteFile>,
            #[serde(default)]
            pub(crate) conflicts: Vec<toml::Spanned<String>>,
        }

        impl RecipeFile {
            /// The number of rows of all kinds.
            pub(crate) fn row_count(&self) -> usize {
                [$(self.$table.len()),+].iter().sum()
            }

            /// Takes the rows, each with its place in the file.
            pub(crate) fn take_rows(
                &mut self,
            ) -> Result<Vec<(std::ops::Range<usize>, Row)>, Wrong> {
                let mut rows = Vec::new();
                $(for written in std::mem::take(&mut self.$table) {
                    let span = written.span();
                    let row = <$row as Kind>::read(written.into_inner())?;
                    rows.push((span, Row::$name(row)));
                })+
                Ok(rows)
            }
        }

        /// A row in the JSON of `diskmend recipes`.
        #[derive(serde::Serialize)]
        #[serde(untagged)]
        pub(crate) enum Entry<'a> {
            $($name(<$row as Kind>::Entry<'a>),)+
        }

        impl Row {
            /// The things that the row is about.
            pub(crate) fn about(&self) -> About<'_> {
                match self {
                    $(Self::$name(row) => row.about(),)+
                }
            }

            /// The setting that the row wants; `None` if it only reports.
            pub(crate) fn claim(&self) -> Option<Claim<'_>> {
                match self {
                    $(Self::$name(row) => row.claim(),)+
                }
            }

            /// The name of the row's table.
            pub(crate) fn table(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($table),)+
                }
            }

            /// The row as JSON.
            pub(crate) fn entry(&self) -> Entry<'_> {
                match self {
                    $(Self::$name(row) => Entry::$name(row.entry()),)+
                }
            }

            /// One sentence for a person.
            #[must_use]
            pub fn why(&self) -> &str {
                match self {
                    $(Self::$name(row) => row.why(),)+
                }
            }

            /// The row for display.
            #[must_use]
            pub fn shown(&self) -> Shown {
                match self {
                    $(Self::$name(row) => row.shown(),)+
                }
            }
        }
    };
}
