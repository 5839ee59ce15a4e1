//! Ranks: processes that train one model together, each on its own share of every batch.
//!
//! They are the same program on the same settings. Rank 0 writes and speaks; the others are silent. What they tell each other goes
//! over MPI, which is there with the cargo feature `mpi`; a process by itself is a rank 0 of 1 that exchanges nothing.

#[cfg(feature = "mpi")]
mod mpi;
mod shard;
mod stats;

pub use shard::Shard;
pub use stats::{CommStats, Phase};

use crate::real::{Real, Typed};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The way from one rank to the others. Every rank calls the same methods in the same order, with as many numbers; each call
/// waits for the others. A failure on the way ends the process, as MPI has it.
pub trait Link: Send + Sync {
    /// This rank, from 0.
    fn rank(&self) -> usize;
    /// How many ranks there are.
    fn size(&self) -> usize;
    /// This rank's number among those on its machine, from 0, and how many those are.
    fn local(&self) -> (usize, usize);
    /// Replaces numbers by their sums over ranks, the same bits on each.
    fn sum(&self, values: &mut [f32]);
    /// As [`Link::sum`], in double precision.
    fn sum_wide(&self, values: &mut [f64]);
    /// Lays the `own` of all ranks, of `counts` bytes each, one after another in `all`.
    fn gather(&self, own: &[u8], counts: &[usize], all: &mut [u8]);
    /// Replaces bytes by those of rank 0.
    fn broadcast(&self, bytes: &mut [u8]);
    /// Ends all ranks, with this exit code.
    fn abort(&self, code: i32) -> !;
}

/// This process among those that train together. The default is a process by itself.
#[derive(Clone, Default)]
pub struct Ranks(Option<Arc<Joined>>);

struct Joined {
    link: Box<dyn Link>,
    spent: Mutex<CommStats>,
}

impl Ranks {
    /// Over `link`, if there is another rank.
    pub fn over(link: impl Link + 'static) -> Self {
        let several = link.size() > 1;
        Self(several.then(|| Arc::new(Joined { link: Box::new(link), spent: Mutex::default() })))
    }

    fn link(&self) -> Option<&dyn Link> {
        self.0.as_ref().map(|joined| &*joined.link)
    }

    /// This rank, from 0.
    pub fn rank(&self) -> usize {
        self.link().map_or(0, Link::rank)
    }

    /// How many ranks there are.
    pub fn size(&self) -> usize {
        self.link().map_or(1, Link::size)
    }

    /// This rank's number among those on its machine, from 0, and how many those are.
    pub fn local(&self) -> (usize, usize) {
        self.link().map_or((0, 1), Link::local)
    }

    /// Whether this rank writes files and speaks.
    pub fn leads(&self) -> bool {
        self.rank() == 0
    }

    /// This rank's part of a batch.
    pub fn shard(&self, batch: usize) -> Shard {
        Shard::of(batch, self.rank(), self.size())
    }

    /// Replaces numbers by their sums over ranks.
    pub fn sum<T: Real>(&self, values: &mut [T]) {
        self.timed(size_of_val(values), |link| match T::typed(values) {
            Typed::F32(values) => link.sum(values),
            Typed::F64(values) => link.sum_wide(values),
        });
    }

    /// Lays the rows of all ranks one after another in `all`, which has room for `whole` of them: from each those of its
    /// [`Ranks::shard`], from this one the first of `own`.
    pub fn gather(&self, own: &[u8], whole: usize, all: &mut [u8]) {
        let row = all.len() / whole;
        let bytes = |rank| Shard::of(whole, rank, self.size()).counted() * row;
        let counts: Vec<usize> = (0..self.size()).map(bytes).collect();
        let own = &own[..counts[self.rank()]];
        match self.link() {
            Some(_) => self.timed(all.len(), |link| link.gather(own, &counts, all)),
            None => all.copy_from_slice(own),
        }
    }

    /// Whether `here` holds on any rank.
    pub fn any(&self, here: bool) -> bool {
        let [any] = self.any_of([here]);
        any
    }

    /// Whether each of `here` holds on any rank.
    pub fn any_of<const N: usize>(&self, here: [bool; N]) -> [bool; N] {
        let mut counts = here.map(|here| f64::from(u8::from(here)));
        // Whoever comes early waits here, not in the exchanges that are timed.
        if let Some(link) = self.link() {
            link.sum_wide(&mut counts);
        }
        counts.map(|count| count > 0.0)
    }

    /// Replaces numbers by those of rank 0.
    pub fn broadcast(&self, values: &mut [f32]) {
        if let Some(link) = self.link() {
            link.broadcast(bytemuck::cast_slice_mut(values));
        }
    }

    /// Rank 0's text.
    pub fn broadcast_text(&self, text: String) -> String {
        let Some(link) = self.link() else { return text };
        let mut length = [text.len() as u64];
        link.broadcast(bytemuck::cast_slice_mut(&mut length));
        let mut bytes = text.into_bytes();
        bytes.resize(length[0] as usize, 0);
        link.broadcast(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Checks that `word`, which stands for `what` in words, is the same on all ranks.
    ///
    /// # Errors
    /// On all of them alike, if it is not; the text names the ranks that have another than most.
    pub fn agree(&self, word: u64, what: &str) -> Result<()> {
        let Some(link) = self.link() else { return Ok(()) };
        let mut words = vec![0_u64; link.size()];
        let counts = vec![size_of::<u64>(); link.size()];
        link.gather(&word.to_ne_bytes(), &counts, bytemuck::cast_slice_mut(&mut words));
        let odd = odd_ones(&words);
        if odd.is_empty() {
            return Ok(());
        }
        let named: Vec<String> = odd.iter().map(usize::to_string).collect();
        let (ranks, differ) = if odd.len() == 1 { ("rank", "differs") } else { ("ranks", "differ") };
        Err(Error::Ranks(format!("{ranks} {} {differ} from the others in {what}", named.join(", "))))
    }

    /// Ends all ranks because of a failure of this one.
    pub fn abort(&self, code: i32) {
        if let Some(link) = self.link() {
            link.abort(code);
        }
    }

    /// Adds the time since `start` to what a phase took.
    pub fn spend(&self, phase: Phase, start: Instant) {
        if let Some(joined) = &self.0 {
            joined.spent.lock().unwrap_or_else(PoisonError::into_inner).add(phase, start.elapsed());
        }
    }

    /// What was spent since it was last asked for; none of a process by itself.
    pub fn take_stats(&self) -> Option<CommStats> {
        let joined = self.0.as_ref()?;
        Some(std::mem::take(&mut *joined.spent.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn timed(&self, bytes: usize, exchange: impl FnOnce(&dyn Link)) {
        let Some(joined) = &self.0 else { return };
        let start = Instant::now();
        exchange(&*joined.link);
        let mut spent = joined.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.add(Phase::Reduce, start.elapsed());
        spent.bytes += bytes as u64;
        spent.messages += 1;
    }
}

/// Who has another word than most.
fn odd_ones(words: &[u64]) -> Vec<usize> {
    let mut counts = BTreeMap::new();
    words.iter().for_each(|word| *counts.entry(word).or_insert(0_usize) += 1);
    // Of two that are as frequent, that of the lower rank counts.
    let usual = words.iter().rev().max_by_key(|word| counts[word]);
    (0..words.len()).filter(|&rank| Some(&words[rank]) != usual).collect()
}

/// Joins the other processes that `mpirun` or a like program has started. What is returned first must live until all is done.
///
/// # Errors
/// If there are others and this program was built without MPI, or MPI cannot be used.
#[cfg(feature = "mpi")]
pub fn join() -> Result<(impl Sized, Ranks)> {
    mpi::join()
}

/// Joins the other processes that `mpirun` or a like program has started. What is returned first must live until all is done.
///
/// # Errors
/// If there are others and this program was built without MPI, or MPI cannot be used.
#[cfg(not(feature = "mpi"))]
pub fn join() -> Result<((), Ranks)> {
    check_alone(|name| std::env::var(name).ok())?;
    Ok(((), Ranks::default()))
}

/// Refuses to be one of several processes, as environment variables have it.
#[cfg(any(test, not(feature = "mpi")))]
fn check_alone(variable: impl Fn(&str) -> Option<String>) -> Result<()> {
    // As Open MPI, and MPICH and what comes of it, tell their processes.
    let sizes = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"].map(|name| variable(name)?.parse().ok());
    match sizes.into_iter().flatten().find(|size: &usize| *size > 1) {
        Some(size) => Err(Error::Input(format!(
            "started as {size} processes, but built without MPI: build it with the feature mpi, or start it once"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{check_alone, odd_ones};

    #[test]
    fn without_mpi_several_processes_are_refused() {
        let started_as = |size: &str| check_alone(|name| (name == "PMI_SIZE").then(|| size.to_owned()));
        assert!(started_as("1").is_ok());
        let said = started_as("2").unwrap_err().to_string();
        assert!(
            said.contains("started as 2 processes") && said.contains("build it with the feature mpi"),
            "{said}"
        );
    }

    #[test]
    fn the_odd_ones_are_those_with_another_word_than_most() {
        assert!(odd_ones(&[7, 7, 7]).is_empty());
        assert_eq!(odd_ones(&[7, 7, 8, 7, 9]), [2, 4]);
        assert_eq!(odd_ones(&[8, 7, 7]), [0]);
        assert_eq!(odd_ones(&[8, 7]), [1], "of two, rank 0 is believed");
    }
}
