//! What signals ask of a run.

use crate::cli::INTERRUPTED;
use crate::cli::distributed::told;
use crate::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// What signals do, for `--help`.
pub const HELP: &str = "Ctrl-C, SIGTERM and SIGHUP stop the run after the current step with a checkpoint; a second one ends it at \
                        once. SIGUSR1 writes samples and a checkpoint after the current step, and training goes on. A signal that \
                        was ignored when the program started, as SIGHUP under nohup, stays ignored.";

/// Set by signals.
#[derive(Default)]
pub struct Asked {
    /// To stop.
    pub stop: Arc<AtomicBool>,
    /// To write samples and a checkpoint, and go on.
    pub save: Arc<AtomicBool>,
}

impl Asked {
    fn stop(&self) {
        told();
        if self.stop.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED.into());
        }
    }
}

/// What signals have asked for since the first call; the same for all runs of a process.
///
/// # Errors
/// If signals cannot be caught.
pub fn asked() -> Result<&'static Asked> {
    static ASKED: OnceLock<Asked> = OnceLock::new();
    if let Some(asked) = ASKED.get() {
        return Ok(asked);
    }
    let asked = ASKED.get_or_init(Asked::default);
    system::listen(asked).map_err(|error| Error::Device(format!("signals cannot be caught: {error}")))?;
    Ok(asked)
}

#[cfg(unix)]
mod system {
    use super::Asked;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
    use signal_hook::iterator::Signals;
    use std::mem::MaybeUninit;
    use std::sync::atomic::Ordering;

    pub fn listen(asked: &'static Asked) -> std::io::Result<()> {
        let heard = [SIGINT, SIGTERM, SIGHUP, SIGUSR1].into_iter().filter(|&signal| !is_ignored(signal));
        let mut signals = Signals::new(heard)?;
        let hear = move || {
            for signal in signals.forever() {
                match signal {
                    SIGUSR1 => asked.save.store(true, Ordering::Relaxed),
                    _ => asked.stop(),
                }
            }
        };
        std::thread::Builder::new().name("signals".into()).spawn(hear).map(drop)
    }

    /// Whether `signal` was ignored when the program started: nohup has SIGHUP ignored, and a shell SIGINT of the jobs that a
    /// script starts in the background.
    fn is_ignored(signal: i32) -> bool {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: without a new action the call only writes the present one to `action`, which has room for it and whose zeros
        // are a value of its type.
        let action = unsafe {
            if libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) != 0 {
                return false;
            }
            action.assume_init()
        };
        action.sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(not(unix))]
mod system {
    use super::Asked;

    pub fn listen(asked: &'static Asked) -> Result<(), ctrlc::Error> {
        ctrlc::set_handler(|| asked.stop())
    }
}
