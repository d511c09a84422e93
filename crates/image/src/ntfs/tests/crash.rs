//! Crashes while the length of a file changes. Whatever subset of the writes since the last flush
//! is on the disk, the file has its old or its new content.

use std::fs;
use std::io;
use std::sync::{Arc, Mutex};

use super::image::Image;
use super::*;
use crate::device::Device;
use crate::testing::Memory;

/// An operation on a device.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Write(u64, Vec<u8>),
    Sync,
}

/// A device that records the operations.
#[derive(Debug)]
struct Recorder {
    device: Arc<Memory>,
    events: Mutex<Vec<Event>>,
}

impl Device for Recorder {
    fn len(&self) -> u64 {
        self.device.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.device.read_exact_at(buf, offset)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        let event = Event::Write(offset, data.to_vec());
        self.events.lock().expect("not poisoned").push(event);
        self.device.write_all_at(data, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.events.lock().expect("not poisoned").push(Event::Sync);
        self.device.sync()
    }
}

/// Makes a change to the file, then crashes at every operation, with several choices of the writes
/// that are kept.
fn crash_everywhere(
    image: &Image,
    before: &[u8],
    change: impl Fn(&File),
    after: &[u8],
) -> Vec<Event> {
    let start = image.device();
    let events = crashes(
        image,
        |volume| change(&open(volume, "file")),
        |crash, choice, device| {
            let volume = Volume::open(device.clone()).expect("sound");
            volume.fit_for_writing().expect("fit");
            let file = open(&volume, "file");
            let found = read(&file);
            assert!(
                found == before || found == after,
                "crash {crash} choice {choice}: {} bytes",
                found.len()
            );
            assert!(read(&open(&volume, "other")) == pattern(9000, 9));
            // The clusters of the file are marked as used, and both readers agree.
            if !found.is_empty() {
                file.write(&found[..1], 0).expect("sound");
            }
            if choice == 2 {
                image.store_and_check(device);
            }
        },
    );
    image.store_and_check(&start);
    events
}

/// Makes a change to a volume, then crashes at every operation, with several choices of the writes
/// that are kept, and shows each resulting device with the number of the operation and the choice.
pub(super) fn crashes(
    image: &Image,
    change: impl FnOnce(&Volume),
    mut show: impl FnMut(usize, usize, &Arc<Memory>),
) -> Vec<Event> {
    let start = image.device();
    let recorder = Arc::new(Recorder {
        device: Arc::new(Memory::new(start.bytes())),
        events: Mutex::default(),
    });
    let volume = Volume::open(recorder.clone()).expect("sound");
    change(&volume);
    let events = recorder.events.lock().expect("not poisoned").clone();
    for crash in 0..=events.len() {
        let flushed = events[..crash]
            .iter()
            .rposition(|event| matches!(event, Event::Sync));
        let flushed = flushed.unwrap_or(0);
        for choice in 0..4 {
            let device = Arc::new(Memory::new(start.bytes()));
            for (index, event) in events[..crash].iter().enumerate() {
                let kept = match choice {
                    0 => true,
                    1 => false,
                    2 => index % 2 == 0,
                    _ => index % 2 == 1,
                };
                if let (Event::Write(offset, data), true) = (event, kept || index < flushed) {
                    device.write_all_at(data, *offset).expect("inside");
                }
            }
            show(crash, choice, &device);
        }
    }
    events
}

/// A summary of the operations: the number of writes between the flushes.
pub(super) fn flushes(events: &[Event]) -> Vec<usize> {
    let parts = events.split(|event| matches!(event, Event::Sync));
    parts.map(<[Event]>::len).collect()
}

fn filled(data: &[u8]) -> Option<Image> {
    let image = Image::make(4, &["-c", "4096"])?;
    image.mounted("defaults", |folder| {
        fs::write(folder.join("file"), data).expect("written");
        fs::write(folder.join("other"), pattern(9000, 9)).expect("written");
    })?;
    Some(image)
}

#[test]
fn a_file_that_gets_clusters_has_its_old_or_its_new_length() {
    for len in [10_000, 8192, 300, 0] {
        let before = pattern(len, 1);
        let Some(image) = filled(&before) else {
            return;
        };
        let mut after = before.clone();
        after.resize(50_000, 0);
        let events = crash_everywhere(
            &image,
            &before,
            |file| file.set_len(50_000).expect("room"),
            &after,
        );
        let counts = flushes(&events);
        assert_eq!(
            counts.len(),
            5,
            "bitmap, data, record, index, nothing: {counts:?}"
        );
        assert_eq!(counts[2..], [1, 1, 0], "{counts:?}");
    }
}

#[test]
fn a_file_that_grows_within_its_clusters_has_its_old_or_its_new_length() {
    let before = pattern(10_000, 1);
    let Some(image) = filled(&before) else {
        return;
    };
    let mut after = before.clone();
    after.resize(12_000, 0);
    let grow = |file: &File| file.set_len(12_000).expect("room");
    assert_eq!(
        flushes(&crash_everywhere(&image, &before, grow, &after)),
        [1, 1, 1, 0]
    );
    let shorten = |file: &File| file.set_len(5000).expect("shorter");
    let events = crash_everywhere(&image, &before, shorten, &before[..5000]);
    assert_eq!(flushes(&events), [1, 1, 0]);
}

#[test]
fn a_file_whose_holes_get_clusters_reads_as_before_until_it_is_written() {
    for (len, parts) in [
        (300_000, &[(0, 70_000), (250_000, 50_000)][..]),
        (300_000, &[(100_000, 1)]),
        (300_000, &[(0, 1)]),
    ] {
        let Some((image, before)) = super::sparse::filled(&["-c", "4096"], len, parts) else {
            return;
        };
        let mut after = before.clone();
        after[200_000..200_100].copy_from_slice(&pattern(100, 3));
        let events = crash_everywhere(
            &image,
            &before,
            |file| file.write(&pattern(100, 3), 200_000).expect("room"),
            &after,
        );
        let counts = flushes(&events);
        assert_eq!(
            counts[..4],
            [1; 4],
            "bitmap, zeros, record, index: {counts:?}"
        );
        // The growth needs no further flushes.
        let mut after = before.clone();
        after.resize(500_000, 0);
        let events = crash_everywhere(
            &image,
            &before,
            |file| {
                let wanted = [(200_000, 100), (450_000, 50_000)];
                file.check_write(500_000, &wanted).expect("room");
                file.set_len(500_000).expect("promised");
            },
            &after,
        );
        assert_eq!(flushes(&events).len(), 5);
    }
}

#[test]
fn reading_and_asking_for_room_never_write() {
    let Some(image) = filled(&pattern(10_000, 1)) else {
        return;
    };
    let ask = |file: &File| {
        file.check_write(12_000, &[]).expect("room");
        file.check_write(200_000, &[]).expect("room");
        file.set_len(10_000).expect("nothing to do");
    };
    let events = crash_everywhere(&image, &pattern(10_000, 1), ask, &[]);
    assert!(events.is_empty());
}
