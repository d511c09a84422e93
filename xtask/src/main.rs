//! `cargo xtask`: the command line of the tasks in the library.

#![expect(clippy::print_stderr, reason = "errors are for a person")]

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Compare diskmend with hivex and reged on a generated hive; build with --release
    Bench(xtask::bench::Options),
    #[cfg(target_os = "linux")]
    /// Compare repairing permissions with plain calls and with ntfssecaudit on a generated volume;
    /// needs root
    BenchDescriptors(xtask::bench::DescriptorOptions),
    #[cfg(target_os = "linux")]
    /// Measure inspecting and repairing unmounted disks; needs root
    BenchImages(xtask::bench::ImageOptions),
    #[cfg(target_os = "linux")]
    /// Count flushes, writes and reads of each command, and time it with slow flushes; needs root,
    /// ntfs-3g and strace
    BenchFlushes(xtask::bench::FlushOptions),
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    BenchDescriptorsFloor(xtask::bench::FloorOptions),
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    BenchImagesSet(xtask::bench::SetOptions),
    /// Compare adding keys to a key of 100,000 subkeys with deleting as many; build with --release
    BenchWide(xtask::bench::WideOptions),
    /// Write a generated SYSTEM-like hive
    BenchHive(xtask::bench::HiveOptions),
    #[cfg(unix)]
    /// Open reports in a headless Chromium; needs Debian's chromium
    Browser,
    #[cfg(unix)]
    /// Install what the tests need, and run all checks that must pass
    Ci(xtask::ci::Options),
    #[cfg(target_os = "linux")]
    /// Cut the power at every system call of repair and undo, on every kind of disk; needs root
    Crash(xtask::crash::Options),
    /// Show the main job from inspection to undo on a broken sample disk
    Demo {
        /// Make the sample disk anew instead; needs root, ntfs-3g and qemu-img.
        #[arg(long)]
        make_disk: bool,
    },
    #[cfg(unix)]
    /// Build the packages of the release programs for Linux and Windows
    Dist,
    /// Write the manual pages and shell completions to target/man
    Man,
    /// Diagnose a broken disk for each rule, and write the results to docs/diagnosis-results.md
    DiagnosisTable,
    /// Make the fixture hives from their recipes
    Fixtures {
        /// Only compare with the files in the repository
        #[arg(long)]
        check: bool,
    },
    /// Compare the fixtures with what hivex, chntpw and regipy read, before and after edits
    CrossCheck(xtask::cross_check::Options),
    /// Check, edit, compare and undo every hive below $DISKMEND_CORPUS/hives
    Conformance(xtask::cross_check::CorpusOptions),
    /// Build the fuzz targets and run each for a bounded time
    Fuzz(xtask::fuzz::Options),
    #[cfg(unix)]
    /// Parse the PowerShell scripts, and look for what they must not do
    Powershell,
    #[cfg(unix)]
    /// Build and test the program for Windows
    #[command(subcommand)]
    Windows(xtask::windows::Task),
    /// Write the seeds of the fuzz targets to fuzz/corpus, for cargo-fuzz
    FuzzCorpus,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A backtrace would push the failure out of the end of a log.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    match Arguments::parse().task {
        Task::Bench(options) => xtask::bench::run(&options),
        #[cfg(target_os = "linux")]
        Task::BenchDescriptors(options) => xtask::bench::compare_descriptors(&options),
        #[cfg(target_os = "linux")]
        Task::BenchImages(options) => xtask::bench::measure_images(&options),
        #[cfg(target_os = "linux")]
        Task::BenchFlushes(options) => xtask::bench::count_flushes(&options),
        #[cfg(target_os = "linux")]
        Task::BenchDescriptorsFloor(options) => xtask::bench::floor(&options),
        #[cfg(target_os = "linux")]
        Task::BenchImagesSet(options) => xtask::bench::set_on_image(&options),
        Task::BenchWide(options) => xtask::bench::compare_wide(&options),
        Task::BenchHive(options) => xtask::bench::write_hive(&options),
        #[cfg(unix)]
        Task::Browser => xtask::browser::run().map(drop),
        #[cfg(unix)]
        Task::Ci(options) => xtask::ci::run(&options),
        #[cfg(target_os = "linux")]
        Task::Crash(options) => xtask::crash::run(&options).map(drop),
        Task::Demo { make_disk: true } => xtask::demo::make(),
        Task::Demo { make_disk: false } => xtask::demo::run(),
        #[cfg(unix)]
        Task::Dist => xtask::dist::archive(),
        Task::Man => xtask::dist::write_man(&xtask::workspace::output("man")?),
        Task::DiagnosisTable => xtask::diagnosis_table::run(),
        Task::Fixtures { check } => xtask::fixtures::run(check),
        Task::CrossCheck(options) => xtask::cross_check::run(&options),
        Task::Conformance(options) => xtask::cross_check::run_corpus(&options),
        Task::Fuzz(options) => xtask::fuzz::run(&options).map(drop),
        #[cfg(unix)]
        Task::Powershell => xtask::powershell::run().map(drop),
        #[cfg(unix)]
        Task::Windows(task) => xtask::windows::run(&task).map(drop),
        Task::FuzzCorpus => xtask::fuzz::write_corpus(),
    }
}
