//! The check over real hives, of which it is known which are sound and what is wrong with the
//! others.

use diskmend_hive::check::{Report, check};
use diskmend_hive::{Opened, open};
use std::path::{Path, PathBuf};

fn hives(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("corpus folder") {
        let path = entry.expect("corpus entry").path();
        if path.is_dir() {
            hives(&path, found);
        } else if !path
            .extension()
            .is_some_and(|e| e.to_string_lossy().starts_with("LOG"))
        {
            found.push(path);
        }
    }
}

#[test]
fn the_corpus_has_the_known_faults_only() {
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS") else {
        println!("SKIPPED: DISKMEND_CORPUS is not set, no real hive is checked");
        return;
    };
    let corpus = PathBuf::from(corpus);
    let mut files = Vec::new();
    hives(&corpus.join("hives"), &mut files);
    hives(&corpus.join("bcd"), &mut files);
    files.sort();
    for file in files {
        let bytes = std::fs::read(&file).expect("corpus file");
        let name = file
            .strip_prefix(&corpus)
            .expect("below the corpus")
            .display();
        let hive = match open(Box::new(bytes)) {
            Ok(Opened::Clean(hive)) => hive,
            Ok(Opened::Dirty(dirty)) => {
                println!("{name}: dirty");
                match dirty.assume_clean() {
                    Ok(h) => h,
                    Err(e) => {
                        println!("{name}: {e}");
                        continue;
                    }
                }
            }
            Err(error) => {
                println!("{name}: {error}");
                continue;
            }
        };
        let report: Report = check(&hive);
        println!(
            "{name}: 1.{} {} errors {} warnings {:?}",
            hive.minor_version(),
            report.errors,
            report.warnings,
            report.content
        );
        for p in report.problems.iter().take(8) {
            println!("    {p}");
        }
    }
}
