//! The `[[route]]` rows: routes that were set by hand are forgotten.

use diskmend_hive::Corruption;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{About, Claim, JudgeValues, Kind, Shown, Wrong, sentence, wrong};
use crate::facts::Facts;
use crate::facts::routes::{self, Networks, Route, SetRoute};
use crate::finding::{JudgedValue, RowState, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;

const ALL: &str = "all";
const UNREACHABLE: &str = "unreachable";

/// Routes that Windows sets at each start are deleted.
#[derive(Clone, Debug)]
pub struct RouteRow {
    drop: Dropped,
    /// It, as written.
    written: String,
    why: String,
}

/// The routes that are deleted.
#[derive(Clone, Copy, Debug)]
enum Dropped {
    All,
    /// Those to a gateway that is in no interface's network.
    Unreachable,
    One(Route),
}

impl Kind for RouteRow {
    type Written = RouteFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: RouteFile) -> Result<Self, Wrong> {
        let RouteFile { drop, why } = written;
        let dropped = match drop.get_ref().as_str() {
            ALL => Dropped::All,
            UNREACHABLE => Dropped::Unreachable,
            route => Dropped::One(Route::parse(route).ok_or_else(|| {
                wrong(&drop)(format!(
                    "no \"{route}\": expected \"{ALL}\", \"{UNREACHABLE}\", or a route such as \
                     \"0.0.0.0,0.0.0.0,10.0.0.1,-1\" (destination, mask, gateway, and maybe the \
                     metric)"
                ))
            })?),
        };
        sentence(why.get_ref()).map_err(wrong(&why))?;
        Ok(Self {
            drop: dropped,
            written: drop.into_inner(),
            why: why.into_inner(),
        })
    }

    fn about(&self) -> About<'_> {
        About::Values(HiveName::System, self)
    }

    /// The routes aren't known before the disk is read.
    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            drop: &self.written,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        let line = match self.drop {
            Dropped::All => "every route: delete".to_owned(),
            Dropped::Unreachable => {
                "routes to a gateway that is in no interface's network: delete".to_owned()
            }
            Dropped::One(_) => format!("the route {}: delete", self.written),
        };
        Shown {
            place: format!(r"SYSTEM\{}", routes::key("ControlSet*")),
            lines: vec![line],
        }
    }
}

impl JudgeValues for RouteRow {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let mut judged = Vec::new();
        for set in &facts.control_sets_in(hive)?.sets {
            let networks = Networks::of_set(&hive.hive, &set.name)?;
            for SetRoute { name, route } in routes::of_set(&hive.hive, &set.name)? {
                let is_dropped = match (self.drop, route) {
                    (Dropped::All, _) => true,
                    (Dropped::Unreachable, Some(route)) => networks.lack(route.gateway),
                    (Dropped::One(one), Some(route)) => one.is(&route),
                    (_, None) => false,
                };
                if !is_dropped {
                    continue;
                }
                let key = routes::key(&set.name);
                judged.push(JudgedValue {
                    in_current_set: Some(set.current),
                    desired: Wanted::NoValue,
                    current: reading::value(&hive.hive, &key, &name)?,
                    key,
                    value: name,
                    subtree: None,
                    bits: None,
                    state: RowState::Differs,
                });
            }
        }
        Ok(judged)
    }
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    drop: &'a str,
    why: &'a str,
}

/// The fields of a `[[route]]` row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteFile {
    drop: Spanned<String>,
    why: Spanned<String>,
}
