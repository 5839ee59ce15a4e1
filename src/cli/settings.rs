//! `mewgan settings`: the page docs/settings.md, from the flags and the presets.

use super::{Cli, Done, print};
use crate::Result;
use crate::models::{Kind, Settings, with_model};
use crate::train::config::{CommonSettings, ModelSettings, Preset, RunConfig};
use crate::train::model::Model;
use clap::builder::ValueParser;
use clap::{Arg, Command, CommandFactory};
use std::any::TypeId;
use std::fmt::Write;
use std::process::ExitCode;
use toml::{Table, Value};

const INTRODUCTION: &str = "\
# Settings

Every setting of every model, and its value in every preset. A setting comes from the preset, then from `--config FILE.toml`, then
from a flag. In TOML, a setting is named like its flag, with underscores: `--d-width 64` is `d_width = 64`. A flag that takes `true` or
`false` means `true` without a value; otherwise write `--skip-bad=false`. [Presets](presets.md) explains presets and networks,
[training](training.md) what to change when.

This page is generated: `mewgan settings > docs/settings.md`.
";

pub fn run() -> Done {
    print(page()?.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn page() -> Result<String> {
    let mut program = Cli::command();
    program.build();
    let of = |kind: Kind| {
        let train = program.find_subcommand("train")?;
        train.find_subcommand(kind.name())
    };
    let mut page = INTRODUCTION.to_owned();
    let any = Kind::ALL.iter().find_map(|&kind| of(kind));
    section(&mut page, "Settings of every model", CommonSettings::NAMES, any);
    for &kind in Kind::ALL {
        let (title, name) = (kind.title(), kind.name());
        with_model!(kind, M => {
            section(&mut page, &format!("{title}: `mewgan train {name}`"), Settings::<M>::OWN, of(kind));
            let names = [Settings::<M>::OWN, CommonSettings::NAMES].concat();
            presets::<<M as Model>::Config>(&mut page, title, &names)?;
        });
    }
    Ok(page)
}

/// A table of the flags `names` of `command`: values and meaning.
fn section(page: &mut String, title: &str, names: &[&str], command: Option<&Command>) {
    let _ = writeln!(page, "\n## {title}\n\n| setting | value | meaning |\n|---|---|---|");
    let flags = command.into_iter().flat_map(Command::get_arguments);
    for flag in flags.filter(|flag| names.contains(&flag.get_id().as_str())) {
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        let name = flag.get_long().unwrap_or_default();
        let _ = writeln!(page, "| `--{name}` | {} | {} |", value(flag), cell(&help));
    }
}

/// What a flag takes: as its help says, or else by its type.
fn value(flag: &Arg) -> String {
    let name = flag.get_value_names().and_then(|names| names.first()).map(|name| name.as_str());
    let own = name.filter(|name| *name != flag.get_id().as_str().to_uppercase());
    let parser: &ValueParser = flag.get_value_parser();
    let is = |types: &[TypeId]| types.iter().any(|of| parser.type_id() == *of);
    match own {
        Some(name) => format!("`{}`", cell(name)),
        None if is(&[TypeId::of::<bool>()]) => "`true\\|false`".into(),
        None if is(&[TypeId::of::<u64>(), TypeId::of::<usize>()]) => "whole number".into(),
        None => "number".into(),
    }
}

/// A table of the values of all presets.
fn presets<C: RunConfig>(page: &mut String, title: &str, names: &[&str]) -> Result<()> {
    let tables =
        Preset::ALL.iter().map(|&preset| C::preset(preset).table()).collect::<Result<Vec<Table>>>()?;
    let heads = Preset::ALL.map(|preset| format!("`{}`", preset.name())).join(" | ");
    let _ = writeln!(page, "\n### Presets of {title}\n\n| setting | {heads} |");
    let _ = writeln!(page, "|---|{}", "---|".repeat(Preset::ALL.len()));
    for name in names.iter().filter(|name| **name != "preset") {
        let values: Vec<String> =
            tables.iter().map(|table| table.get(*name).map(typed).unwrap_or_default()).collect();
        if values.iter().any(|value| !value.is_empty()) {
            let _ = writeln!(page, "| `--{}` | {} |", name.replace('_', "-"), values.join(" | "));
        }
    }
    page.push_str("\nSettings that are not listed are not set by any preset.\n");
    Ok(())
}

/// A value as its flag takes it.
fn typed(value: &Value) -> String {
    match value {
        Value::String(text) => cell(text),
        Value::Array(parts) if parts.is_empty() => "none".into(),
        Value::Array(parts) => parts.iter().map(typed).collect::<Vec<_>>().join(","),
        // As short as Rust writes it: 1e-8, 10.
        Value::Float(number) => format!("{number:?}").trim_end_matches(".0").to_owned(),
        other => other.to_string(),
    }
}

/// Text that does not end a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
