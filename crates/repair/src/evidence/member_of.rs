//! Evidence of the kind `member_of`: whether the computer belongs to a domain.

use toml::Spanned;

use super::{EvidenceKind, Looked, Sighting};
use crate::facts::{Facts, Membership};
use crate::progress::Interrupted;
use crate::written::{Wrong, wrong};

/// The computer belongs to a domain, or to a workgroup.
#[derive(Clone, Debug)]
pub(crate) struct MemberOfEvidence {
    domain: bool,
}

impl EvidenceKind for MemberOfEvidence {
    type Written = Spanned<String>;

    fn read(written: Spanned<String>) -> Result<Self, Wrong> {
        match written.get_ref().as_str() {
            "domain" => Ok(Self { domain: true }),
            "workgroup" => Ok(Self { domain: false }),
            other => Err(wrong(&written)(format!(
                "\"{other}\" is neither \"domain\" nor \"workgroup\""
            ))),
        }
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let identity = facts.identity();
        let (domain, found) = match &identity.membership {
            Some(Membership::Domain(name)) => (true, format!("a member of the domain {name}")),
            Some(Membership::Workgroup(name)) => {
                (false, format!("a member of the workgroup {name}"))
            }
            None => {
                let mut unread = identity.unread.iter();
                let reason = match unread.find(|unread| unread.hive == "SECURITY") {
                    Some(unread) => unread.reason.clone(),
                    None => "SECURITY does not say whether it belongs to a domain".to_owned(),
                };
                return Ok(Looked::Unknown(reason));
            }
        };
        Ok(if domain == self.domain {
            Looked::Seen(vec![Sighting::new(r"SECURITY, Policy", found)])
        } else {
            Looked::NotSeen
        })
    }

    fn shown(&self) -> String {
        let what = if self.domain { "domain" } else { "workgroup" };
        format!("the computer is a member of a {what}")
    }
}
