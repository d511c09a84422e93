//! The serial port of the console, which the user may choose.

use diskmend_bcd::{ElementId, ElementValue};

use crate::recipe::{Catalogue, Recipe};
use crate::rows::{BcdWanted, Row};

impl Catalogue {
    /// Replaces the serial port of the console in every recipe that sets it.
    pub fn set_serial_port(&mut self, port: Option<u64>, baud_rate: Option<u64>) {
        for row in self.recipes_mut().flat_map(|recipe| &mut recipe.rows) {
            let Row::Bcd(row) = row else {
                continue;
            };
            if let Some(number) = match row.serial_setting() {
                Some(ElementId::EMS_PORT) => port,
                Some(_) => baud_rate,
                None => None,
            } {
                row.desired = Some(BcdWanted::Value(ElementValue::Integer(number)));
            }
        }
    }
}

impl Recipe {
    /// The port and the baud rate of the console that it sets.
    pub(crate) fn serial_port(&self) -> (Option<u64>, Option<u64>) {
        let (mut port, mut baud_rate) = (None, None);
        for row in &self.rows {
            if let Row::Bcd(row) = row
                && let Some(setting) = row.serial_setting()
                && let Some(BcdWanted::Value(ElementValue::Integer(number))) = row.desired
            {
                if setting == ElementId::EMS_PORT {
                    port = Some(number);
                } else {
                    baud_rate = Some(number);
                }
            }
        }
        (port, baud_rate)
    }

    /// True if it sets the serial port of the console.
    #[must_use]
    pub fn sets_serial_port(&self) -> bool {
        let mut rows = self.rows.iter();
        rows.any(|row| matches!(row, Row::Bcd(row) if row.serial_setting().is_some()))
    }
}
