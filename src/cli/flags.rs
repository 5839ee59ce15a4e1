//! The library's names of settings and commands, as the command line spells them.

use super::Cli;
use clap::{Command, CommandFactory};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static NAMES: LazyLock<Names> = LazyLock::new(Names::new);

/// `text` with every setting in backticks that is a flag spelt as one, and every command in backticks as it is typed:
/// "set `skip_bad`" becomes "set --skip-bad", and "`resume runs/a`" becomes "mewgan resume runs/a". All else stays.
pub fn spelt(text: &str) -> String {
    let mut rest = text;
    let mut spelt = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once('`') {
        spelt.push_str(before);
        let typed = after.split_once('`').and_then(|(name, behind)| Some((NAMES.typed(name)?, behind)));
        rest = match typed {
            Some((typed, behind)) => {
                spelt.push_str(&typed);
                behind
            }
            None => {
                spelt.push('`');
                after
            }
        };
    }
    spelt + rest
}

/// The program's commands, and the flags of all of them.
struct Names {
    commands: BTreeSet<String>,
    flags: BTreeSet<String>,
}

impl Names {
    fn new() -> Self {
        let mut program = Cli::command();
        program.build();
        let commands = program.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let mut flags = BTreeSet::new();
        gather(&program, &mut flags);
        Self { commands, flags }
    }

    /// How a setting or a command is typed, if it is one.
    fn typed(&self, name: &str) -> Option<String> {
        let flag = name.replace('_', "-");
        let command = name.split(' ').next().is_some_and(|first| self.commands.contains(first));
        match self.flags.contains(&flag) {
            true => Some(format!("--{flag}")),
            false => command.then(|| format!("mewgan {name}")),
        }
    }
}

fn gather(command: &Command, flags: &mut BTreeSet<String>) {
    flags.extend(command.get_arguments().filter_map(|argument| argument.get_long()).map(str::to_owned));
    command.get_subcommands().for_each(|of| gather(of, flags));
}

#[cfg(test)]
mod tests {
    use super::{Names, spelt};

    #[test]
    fn settings_become_flags_and_commands_are_typed() {
        for (text, expected) in [
            ("set `skip_bad` or `d_norm` none", "set --skip-bad or --d-norm none"),
            ("or `excite`=false", "or --excite=false"),
            ("continue it: `resume a run`", "continue it: mewgan resume a run"),
            ("see `devices`; `help train dcgan` lists", "see mewgan devices; mewgan help train dcgan lists"),
            (
                "install it: `apt-get install mesa`, `nothing`",
                "install it: `apt-get install mesa`, `nothing`",
            ),
            ("a`b: a smaller `batch`", "a`b: a smaller --batch"),
            ("a lone `", "a lone `"),
            ("none", "none"),
        ] {
            assert_eq!(spelt(text), expected);
        }
    }

    #[test]
    fn no_flag_is_a_command() {
        let Names { commands, flags } = Names::new();
        assert_eq!(commands.intersection(&flags).collect::<Vec<_>>(), ["help"]);
    }
}
