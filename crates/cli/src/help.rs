//! Help texts that are longer than a sentence, and the command reference that is generated from all
//! help texts.

use std::fmt::Write as _;

use crate::exit::Exit;

/// Text after the short help of the program.
pub(crate) const PROGRAM: &str = "\
Begin with:
  diskmend diagnose /mnt/f                        what is wrong, and what repairs it
  diskmend repair /mnt/f rdp-internal-error       shows what it would change, then asks
  diskmend undo /mnt/f                            undoes the last repair

'diskmend help COMMAND' shows more, with examples.";

/// Text after the long help of the program.
pub(crate) fn program_long() -> String {
    format!(
        "{PROGRAM}\n\n\
         TARGET is the mount point of the attached disk's Windows volume (on Windows, its drive \
         letter, such as F:), or an unmounted disk: an image file (raw, VHD, VHDX) or a block \
         device.\n\n\
         Exit codes:\n{}",
        Exit::table().trim_end()
    )
}

/// Width of the lines in the command reference.
const WIDTH: usize = 100;

/// The help of every command as one Markdown page.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# Commands\n\n\
         This page is for people who look up an option or an exit code. It is the program's own\n\
         help, as `diskmend help COMMAND` prints it.\n",
    );
    let mut root = crate::command()
        .term_width(WIDTH)
        .color(clap::ColorChoice::Never);
    root.build();
    section(&mut page, &mut root, "diskmend");
    page
}

fn section(page: &mut String, command: &mut clap::Command, name: &str) {
    let help = command.render_long_help();
    let depth = name.split(' ').count() + 1;
    let _ = write!(page, "\n{} {name}\n\n```text\n", "#".repeat(depth));
    for line in help.to_string().trim_end().lines() {
        page.push_str(line.trim_end());
        page.push('\n');
    }
    page.push_str("```\n");
    for child in command.get_subcommands_mut() {
        if child.get_name() != "help" {
            let name = format!("{name} {}", child.get_name());
            section(page, child, &name);
        }
    }
}
