//! The space that a repair requires before it begins.

use std::cell::Cell;
use std::rc::Rc;

use super::image::{repair_at, site, with_image};
use super::image_fixture::{Boot, Container, image};

#[test]
fn room_for_the_record_of_the_disk_is_required_too() {
    let Some(image) = image("dirty-hvle-both", Boot::Ntfs, Container::Raw) else {
        return;
    };
    let disk = with_image(image);
    let mut site = site(&disk).expect("an image");
    let asked = Rc::new(Cell::new(0));
    let noted = Rc::clone(&asked);
    site.room = Box::new(move |need| {
        noted.set(need.state);
        Ok(())
    });
    let report = repair_at(&site).expect("repair");
    let files = disk.files();
    let len = |suffix: &str| {
        let found = files.iter().find(|(path, _)| path.ends_with(suffix));
        found.expect("of the run").1.len() as u64
    };
    let record = len("sectors.bin");
    let written = report.hives.iter().map(|hive| hive.bytes_written).sum();
    let objects = report.descriptors.expect("keys").changed;
    assert!(site.record_room(written, objects) >= record);
    site.disk = None;
    assert_eq!(site.record_room(written, objects), 0);

    let run = report.run.expect("a run");
    let others: u64 = ["descriptors.bin", &run].into_iter().map(len).sum();
    // The two hives and the descriptors each add their share of the journal.
    let journals = 3 * (256 << 10);
    assert!(asked.get() >= journals + others + record, "{}", asked.get());
}
