//! Ranks over MPI.

use super::{Link, Ranks};
use crate::{Error, Result};
use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::datatype::{Equivalence, PartitionMut};
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Root};

/// Most numbers of one message: MPI counts them in 32 bits.
const MOST: usize = 1 << 30;

/// All processes of the job.
struct World {
    rank: usize,
    size: usize,
    local: (usize, usize),
    /// Room for what is received.
    received: std::sync::Mutex<(Vec<f32>, Vec<f64>)>,
}

/// See [`super::join`].
pub fn join() -> Result<(Universe, Ranks)> {
    // A device computes on threads of its own, of which one at a time exchanges.
    let joined = mpi::initialize_with_threading(Threading::Serialized);
    let (universe, threading) = joined.ok_or_else(|| Error::Ranks("MPI is in use already".into()))?;
    if threading < Threading::Serialized {
        return Err(Error::Ranks(
            "this MPI library may be called by the first thread of a process only (MPI_THREAD_SERIALIZED is needed); \
             use one that is built for threads"
                .into(),
        ));
    }
    let world = universe.world();
    let machine = world.split_shared(world.rank());
    let number = |number: i32| number as usize;
    let ranks = Ranks::over(World {
        rank: number(world.rank()),
        size: number(world.size()),
        local: (number(machine.rank()), number(machine.size())),
        received: Default::default(),
    });
    Ok((universe, ranks))
}

fn world() -> SimpleCommunicator {
    SimpleCommunicator::world()
}

/// Sums `values` over ranks by way of `received`.
fn sum<T: Equivalence + Copy + Default>(values: &mut [T], received: &mut Vec<T>) {
    for values in values.chunks_mut(MOST) {
        received.resize(values.len().max(received.len()), T::default());
        let received = &mut received[..values.len()];
        world().all_reduce_into(&*values, received, SystemOperation::sum());
        values.copy_from_slice(received);
    }
}

impl World {
    fn received(&self) -> std::sync::MutexGuard<'_, (Vec<f32>, Vec<f64>)> {
        self.received.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Link for World {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn local(&self) -> (usize, usize) {
        self.local
    }

    fn sum(&self, values: &mut [f32]) {
        sum(values, &mut self.received().0);
    }

    fn sum_wide(&self, values: &mut [f64]) {
        sum(values, &mut self.received().1);
    }

    fn gather(&self, own: &[u8], counts: &[usize], all: &mut [u8]) {
        assert!(all.len() <= i32::MAX as usize, "more than 2 GiB in one message of MPI");
        let counts: Vec<i32> = counts.iter().map(|&count| count as i32).collect();
        let starts = counts.iter().scan(0, |next, count| {
            let start = *next;
            *next += count;
            Some(start)
        });
        let starts: Vec<i32> = starts.collect();
        world().all_gather_varcount_into(own, &mut PartitionMut::new(all, counts, starts));
    }

    fn broadcast(&self, bytes: &mut [u8]) {
        let world = world();
        bytes.chunks_mut(MOST).for_each(|bytes| world.process_at_rank(0).broadcast_into(bytes));
    }

    fn abort(&self, code: i32) -> ! {
        world().abort(code)
    }
}
