//! `cargo xtask bench-hive`: a generated SYSTEM-like hive of a given size, the same every time.

use std::path::Path;

use anyhow::{Context, Result};
use diskmend_hive::{Editor, Hive, ValueType};

use crate::fixtures::{HiveFile, WRITTEN, import, root_descriptor};
use crate::random::Random;

/// The shape of a hive's tree of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Shape {
    /// Many devices, each with subkeys and values.
    Deep,
    /// One key with all other keys directly below it.
    Wide,
}

/// What to generate.
#[derive(clap::Args)]
pub struct Options {
    /// The length of the hive in MiB, met within a few percent
    #[arg(long, default_value_t = 128)]
    pub size_mib: u64,
    /// How the keys lie
    #[arg(long, value_enum, default_value_t = Shape::Deep)]
    pub shape: Shape,
    /// Where it goes
    pub out: std::path::PathBuf,
}

/// Keys that benchmarks set values in, spread over the hive; they have no values.
pub(super) const TARGETS: usize = 20;
/// The number of devices in the sample hive. Its length determines the number for the wanted size.
const SAMPLE: usize = 2000;
/// The start of the paths of keys in [`Shape::Wide`]; a number of six digits follows.
pub(super) const WIDE: &str = r"ControlSet001\Enum\Wide\Device ";
/// The number of devices below one key: hivex can't open the children of a key with more than
/// 70,000.
const GROUP: usize = 500;
const SEED: u64 = 0xD15C;

/// The path of a key in which benchmarks set values.
pub(super) fn target(number: usize) -> String {
    format!(r"ControlSet001\Services\Target{number:02}\Parameters")
}

/// Generates a hive and writes it.
///
/// # Errors
/// If the file can't be written.
pub fn run(options: &Options) -> Result<()> {
    let bytes = generate(options.size_mib << 20, options.shape)?;
    std::fs::write(&options.out, &bytes)?;
    println!("{} bytes in {}", bytes.len(), options.out.display());
    Ok(())
}

/// A hive of about `size` bytes.
pub(super) fn generate(size: u64, shape: Shape) -> Result<Vec<u8>> {
    let none = build(0, shape)?.len() as u64;
    let sample = build(SAMPLE, shape)?.len() as u64;
    let each = (sample - none).max(1) as f64 / SAMPLE as f64;
    let count = size.saturating_sub(none) as f64 / each;
    build(count as usize, shape)
}

/// A hive with this number of devices.
pub(super) fn build(count: usize, shape: Shape) -> Result<Vec<u8>> {
    let hive = Hive::create(5, &root_descriptor(), WRITTEN)?;
    let mut editor = Editor::new(hive, WRITTEN);
    let content = crate::workspace::root()?.join("fixtures").join("content");
    import(&mut editor, &content.join("machine.reg"), "")?;
    import(&mut editor, &content.join("select-001.reg"), "")?;
    import(
        &mut editor,
        &content.join("control-set.reg"),
        "ControlSet001",
    )?;
    let mut random = Random::new(SEED);
    let apart = (count / TARGETS).max(1);
    for number in 0..count.max(TARGETS) {
        if number.is_multiple_of(apart) && number / apart < TARGETS {
            editor.create_key(&target(number / apart))?;
        }
        if number < count {
            match shape {
                Shape::Deep => device(&mut editor, number, &mut random)?,
                Shape::Wide => {
                    editor.create_key(&format!("{WIDE}{number:06}")).map(drop)?;
                }
            }
        }
    }
    let file = HiveFile::seal(editor.finish()?.hive(), "SYSTEM", 1, WRITTEN)?;
    Ok(file.0)
}

/// A device with parameters; most of a SYSTEM hive consists of these.
fn device(editor: &mut Editor, number: usize, random: &mut Random) -> Result<()> {
    // The number is scattered, so that names are created in no order.
    let scattered = (number as u64).wrapping_mul(0x9E37_79B9) & 0xFFFF_FFFF;
    let group = number / GROUP;
    let path = format!(r"ControlSet001\Enum\Bus{group:03}\Device{scattered:08x}");
    editor.create_key(&path)?;
    let text = |text: &str| -> Vec<u8> {
        text.encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect()
    };
    let dword = |number: usize| (number as u32).to_le_bytes();
    let mut set = |path: &str, name: &str, kind, data: &[u8]| {
        editor
            .set_value(path, name, kind, data)
            .with_context(|| path.to_owned())
    };
    set(&path, "Start", ValueType::DWORD, &dword(random.below(5)))?;
    set(&path, "Type", ValueType::DWORD, &dword(32))?;
    let image = text(&format!(r"%SystemRoot%\System32\drivers\svc{number}.sys"));
    set(&path, "ImagePath", ValueType::EXPAND_SZ, &image)?;
    for below in ["Parameters", "Security"]
        .into_iter()
        .take(1 + random.below(2))
    {
        let path = format!(r"{path}\{below}");
        editor.create_key(&path)?;
        for value in 0..random.below(5) {
            let data = vec![value as u8; 4 + random.below(60)];
            let name = format!("Value {value}");
            editor.set_value(&path, &name, ValueType::BINARY, &data)?;
        }
    }
    Ok(())
}

/// Writes a generated hive durably over the last copy, so that a benchmark doesn't measure the
/// writing or the discarding of its own copies.
pub(super) fn place(bytes: &[u8], path: &Path) -> Result<()> {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()?;
    Ok(())
}
