//! The time of a full check, by the length of the hive.

use std::hint::black_box;

use diskmend_hive::check::check;
use diskmend_hive::{Hive, Opened, open};

#[expect(clippy::indexing_slicing, reason = "it indexes only what it made")]
#[path = "../tests/support/system_like.rs"]
mod system_like;

fn main() {
    divan::main();
}

fn hive(len: usize) -> Hive {
    match open(Box::new(system_like::system_like(len))) {
        Ok(Opened::Clean(hive)) => hive,
        _ => unreachable!("the hive is made clean"),
    }
}

#[divan::bench(args = [10, 50, 128], sample_count = 40)]
fn megabytes(bencher: divan::Bencher<'_, '_>, len: usize) {
    let hive = hive(len * 1_000_000);
    let report = check(&hive);
    assert_eq!(report.problems, []);
    bencher
        .counter(divan::counter::ItemsCount::new(report.content.cells))
        .bench_local(|| check(black_box(&hive)));
}
