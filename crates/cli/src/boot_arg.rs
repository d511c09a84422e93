//! The options that choose the boot store, for the commands that repair a Windows.

use std::path::PathBuf;

use diskmend_bcd::Guid;
use diskmend_repair::recipe::{Catalogue, Recipe};
use diskmend_repair::{BootChoice, LoaderChoice};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::volume_root::volume_root;

const BOOT_STORE: &str = "Boot store";
const SERIAL_CONSOLE: &str = "Serial console";

/// The baud rates that 'bcdedit /emssettings' accepts, in bits per second.
const BAUD_RATES: [&str; 5] = ["9600", "19200", "38400", "57600", "115200"];

/// The boot store that starts the Windows.
#[derive(Debug, clap::Args)]
pub(crate) struct BootArgs {
    /// The mount point of the boot or EFI system partition, if the target is mounted too. By
    /// default diskmend looks for \Boot\BCD and \EFI\Microsoft\Boot\BCD on the target and, on
    /// Windows and on an unmounted disk, then on the other volumes of the target's disk
    #[arg(help_heading = BOOT_STORE, long, value_name = "DIR")]
    boot_volume: Option<PathBuf>,
    /// The boot store itself, if there are several
    #[arg(help_heading = BOOT_STORE, long, value_name = "FILE", conflicts_with = "boot_volume")]
    store: Option<PathBuf>,
    /// The loader of this Windows in the boot store, by its GUID in braces, if there are several
    #[arg(help_heading = BOOT_STORE, long, value_name = "GUID", conflicts_with = "all_loaders")]
    loader: Option<Guid>,
    /// Change every loader that starts this Windows, not only the default one
    #[arg(help_heading = BOOT_STORE, long)]
    all_loaders: bool,
}

impl BootArgs {
    /// The choice in the engine's terms.
    pub(crate) fn choice(&self) -> BootChoice {
        BootChoice {
            volume: self.boot_volume.as_deref().map(volume_root),
            store: self.store.clone(),
            loaders: match self.loader {
                Some(guid) => LoaderChoice::Named(guid),
                None if self.all_loaders => LoaderChoice::All,
                None => LoaderChoice::Plain,
            },
        }
    }
}

/// The serial port for the console.
#[derive(Debug, clap::Args)]
pub(crate) struct SerialArgs {
    /// The COM port that serial-console sets, 1 to 4, instead of 1
    #[arg(help_heading = SERIAL_CONSOLE, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4))]
    ems_port: Option<u64>,
    /// The baud rate that serial-console sets, in bits per second, instead of 115200
    #[arg(help_heading = SERIAL_CONSOLE, long, value_name = "RATE", value_parser = BAUD_RATES)]
    ems_baud_rate: Option<String>,
}

impl SerialArgs {
    /// Makes the recipes set this port and rate.
    pub(crate) fn apply(&self, catalogue: &mut Catalogue) {
        let rate = self.ems_baud_rate.as_deref();
        catalogue.set_serial_port(self.ems_port, rate.and_then(|rate| rate.parse().ok()));
    }

    /// Fails if the options are given but no chosen recipe uses them.
    pub(crate) fn must_matter(&self, recipes: &[&Recipe]) -> Result<(), Failure> {
        let given = self.ems_port.is_some() || self.ems_baud_rate.is_some();
        if !given || recipes.iter().any(|recipe| recipe.sets_serial_port()) {
            return Ok(());
        }
        let message = "--ems-port and --ems-baud-rate: none of these recipes sets a serial port";
        Err(Failure::new(Exit::Usage, message).hint("name the recipe serial-console as well"))
    }
}
