//! Which signals a program ignores from its start.

use libc::{SIG_DFL, SIG_IGN, SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Has a program start with `ignored` ignored, and others that it may be sent as usual, whatever the tests themselves ignore.
pub fn with_signals<'c>(command: &'c mut Command, ignored: &[i32]) -> &'c mut Command {
    let actions = [SIGHUP, SIGINT, SIGTERM, SIGUSR1]
        .map(|signal| (signal, if ignored.contains(&signal) { SIG_IGN } else { SIG_DFL }));
    let set = move || {
        for (signal, action) in actions {
            // SAFETY: both are actions that any process may choose.
            unsafe { libc::signal(signal, action) };
        }
        Ok(())
    };
    // SAFETY: between fork and exec nothing is called but `signal`, which may be called there.
    unsafe { command.pre_exec(set) }
}
