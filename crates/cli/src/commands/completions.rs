//! `diskmend completions`: prints the completions for a shell.

use clap_complete::Shell;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;

/// Print the script that lets a shell complete diskmend's commands and options
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend completions bash > /etc/bash_completion.d/diskmend
  diskmend completions zsh > /usr/local/share/zsh/site-functions/_diskmend
  diskmend completions fish > ~/.config/fish/completions/diskmend.fish
  diskmend completions powershell | Out-String | Invoke-Expression")]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    if console.json() {
        let message = "the result is a script, which can't be printed as JSON";
        return Err(Failure::new(Exit::Usage, message).hint("leave --json out"));
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command(), "diskmend", &mut script);
    console.show(Exit::Done, |console| console.out().write_all(&script))
}
