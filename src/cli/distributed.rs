//! Commands that several processes carry out together, where `mpirun` or a like program has started them.

use super::{Done, report};
use crate::Error;
use crate::ranks::{self, Ranks};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Time for rank 0 to fail alike, and to say so for all.
const GRACE: Duration = Duration::from_secs(3);

/// Carries out `command` with the other ranks. One that fails says so and ends all of them.
pub fn distributed(command: impl FnOnce(&Ranks) -> Done) -> Done {
    let (_world, ranks) = ranks::join()?;
    let _guard = Guard(&ranks);
    let done = command(&ranks);
    if let Err(error) = &done {
        fail(&ranks, error);
    }
    done
}

fn fail(ranks: &Ranks, error: &Error) {
    if ranks.size() == 1 {
        return;
    }
    if !ranks.leads() {
        std::thread::sleep(GRACE);
        if TOLD.load(Ordering::Relaxed) {
            std::process::exit(1);
        }
    }
    report(format_args!("rank {} of {}: {error}", ranks.rank(), ranks.size()));
    ranks.abort(1);
}

/// Ends all ranks when this one panics.
struct Guard<'a>(&'a Ranks);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.abort(101);
        }
    }
}

/// Whether this process was told to end.
static TOLD: AtomicBool = AtomicBool::new(false);
/// What it says then.
static WORDS: OnceLock<String> = OnceLock::new();

/// Has this process say how to go on with the run in `folder` once it is told to end: nobody may be left to say it later. Two ranks do,
/// for one may be gone.
pub fn say_when_told(ranks: &Ranks, folder: impl std::fmt::Display) {
    if ranks.size() > 1 && ranks.rank() < 2 {
        // What was set first is of the same run.
        let _ = WORDS.set(format!(
            "rank {} of {}: told to end, by a signal or because another rank failed; stops after this step if all ranks can. Go on \
             from the last checkpoint, with any number of ranks: mewgan resume {folder}",
            ranks.rank(),
            ranks.size()
        ));
    }
}

/// To be called once this process is told to end.
pub fn told() {
    TOLD.store(true, Ordering::Relaxed);
    if let Some(words) = WORDS.get() {
        super::tell(words);
    }
}
