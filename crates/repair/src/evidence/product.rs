//! Evidence of the kind `product`: whether the Windows is for workstations or for servers.

use serde::Deserialize;
use toml::Spanned;

use super::{EvidenceKind, Looked, Sighting};
use crate::facts::{Facts, Product};
use crate::progress::Interrupted;
use crate::written::{Wrong, wrong};

/// The Windows is of this kind.
#[derive(Clone, Debug)]
pub(crate) struct ProductEvidence {
    server: bool,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProductFile {
    is: Spanned<String>,
}

impl EvidenceKind for ProductEvidence {
    type Written = ProductFile;

    fn read(written: ProductFile) -> Result<Self, Wrong> {
        let server = match written.is.get_ref().as_str() {
            "server" => true,
            "workstation" => false,
            other => {
                return Err(wrong(&written.is)(format!(
                    "\"{other}\" is neither \"server\" nor \"workstation\""
                )));
            }
        };
        Ok(Self { server })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let product = match facts.product() {
            Ok(product) => product,
            Err(reason) => return Ok(Looked::Unknown(format!("the kind of Windows: {reason}"))),
        };
        let (server, found) = match product {
            Product::Workstation => (false, "a Windows for workstations"),
            Product::Server => (true, "a Windows Server"),
            Product::DomainController => (true, "a domain controller"),
        };
        Ok(if server == self.server {
            let place = r"SYSTEM, Control\ProductOptions";
            Looked::Seen(vec![Sighting::new(place, found)])
        } else {
            Looked::NotSeen
        })
    }

    fn shown(&self) -> String {
        if self.server {
            "the Windows is a server".to_owned()
        } else {
            "the Windows is for workstations".to_owned()
        }
    }
}
