//! `mewgan devices`

use super::{Done, say};
use crate::device;
use std::process::ExitCode;

pub fn run() -> Done {
    for (number, device) in device::list().into_iter().enumerate() {
        let auto = if device.auto { "  <- auto" } else { "" };
        say(format_args!("--device {number} or {:<16} {}{auto}", device.choice, device.description));
    }
    Ok(ExitCode::SUCCESS)
}
