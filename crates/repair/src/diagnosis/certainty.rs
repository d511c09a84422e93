//! How sure a cause is, by the weights of its evidence.

use std::fmt;

use serde::Serialize;

/// How sure it is that a cause keeps a machine from working.
///
/// The score of a cause is the sum of the weights of the evidence for it that was seen, less the
/// weights of the evidence against it that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// It is worth looking at.
    Possible,
    /// It explains the trouble unless somebody wanted it so.
    Likely,
    /// With this evidence, the machine can't work.
    Certain,
}

impl Certainty {
    /// The certainty that a score stands for; `None` if it is too low for a finding.
    #[must_use]
    pub const fn of(score: i64) -> Option<Self> {
        match score {
            80.. => Some(Self::Certain),
            50..80 => Some(Self::Likely),
            20..50 => Some(Self::Possible),
            _ => None,
        }
    }
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_decides() {
        for (score, certainty) in [
            (-5, None),
            (19, None),
            (20, Some(Certainty::Possible)),
            (49, Some(Certainty::Possible)),
            (50, Some(Certainty::Likely)),
            (79, Some(Certainty::Likely)),
            (80, Some(Certainty::Certain)),
            (400, Some(Certainty::Certain)),
        ] {
            assert_eq!(Certainty::of(score), certainty, "{score}");
        }
        assert!(Certainty::Certain > Certainty::Likely);
    }
}
