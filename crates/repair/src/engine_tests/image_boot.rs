//! A boot store that is not on the unmounted disk, so that the record of that disk does not restore
//! it.

use diskmend_disk::testing::{Fault, FaultyDisk};

use super::boot_fixture::{EFI, efi};
use super::image::{options, repair_at, same_image, site, with_image};
use super::image_fixture::{Boot, Container, image};
use super::support::{ended, with_watch};
use crate::boot_volume::BootPlace;
use crate::error::Class;
use crate::site::Site;
use crate::undo::undo_site;
use crate::volume::BootVolume;

struct Case {
    image: FaultyDisk,
    boot: FaultyDisk,
}

impl Case {
    /// `None` if the image can't be made on this machine.
    fn new() -> Option<Self> {
        let image = image("dirty-hvle-both", Boot::Fat, Container::Raw)?;
        let boot = FaultyDisk::new();
        boot.put(EFI, efi().bytes());
        Some(Self {
            image: with_image(image),
            boot,
        })
    }

    fn fork(&self) -> Self {
        Self {
            image: self.image.fork(),
            boot: self.boot.fork(),
        }
    }

    fn site(&self) -> Site {
        let mut site = site(&self.image).expect("an image");
        site.boot = BootPlace {
            volume: Some(BootVolume::in_memory("/mnt/esp", self.boot.root())),
            ..site.boot
        };
        site
    }

    #[track_caller]
    fn has_bytes_of(&self, other: &Self) {
        same_image(&self.image, &other.image, "the image");
        assert_eq!(self.boot.files()[EFI], other.boot.files()[EFI], "the store");
    }
}

#[test]
fn undo_restores_a_store_elsewhere_too() {
    let Some(pristine) = Case::new() else { return };
    let case = pristine.fork();
    repair_at(&case.site()).expect("repair");
    let repaired = case.boot.files();
    assert_ne!(repaired[EFI], pristine.boot.files()[EFI]);

    // The volume is missing: nothing is undone, and no undo is reported.
    let before = case.image.fork();
    let mut gone = site(&case.image).expect("an image");
    let error = with_watch(|watch| undo_site(&mut gone, None, &options(), watch));
    assert_eq!(error.expect_err("not there").class(), Class::Refused);
    same_image(&case.image, &before, "the image");

    with_watch(|watch| undo_site(&mut case.site(), None, &options(), watch)).expect("undo");
    assert_eq!(case.boot.files()[EFI], pristine.boot.files()[EFI]);
}

#[test]
fn a_rollback_restores_a_store_elsewhere_too() {
    let Some(pristine) = Case::new() else { return };
    let counted = pristine.fork();
    counted.image.fail_at(usize::MAX, Fault::Once);
    repair_at(&counted.site()).expect("repair");
    let case = pristine.fork();
    let last = ended(&counted.image.log());
    case.image.fail_at(last, Fault::Once);
    let error = repair_at(&case.site()).expect_err("fails");
    assert_eq!(error.class(), Class::RolledBack, "{error}");
    case.has_bytes_of(&pristine);
}
