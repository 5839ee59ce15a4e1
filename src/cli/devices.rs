//! `mewgan devices`

use super::{Done, say};
use crate::device;
use std::process::ExitCode;

pub fn run() -> Done {
    for device in device::list() {
        let auto = if device.auto { "  <- auto" } else { "" };
        say(format_args!("--device {:<16} {}{auto}", device.choice, device.description));
    }
    Ok(ExitCode::SUCCESS)
}
