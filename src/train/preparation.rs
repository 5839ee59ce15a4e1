//! Who hears how images are made ready, which may take minutes.

/// Hears how a run, or a judgement, is made ready: all of it, or some; `()` hears nothing.
pub trait Preparation: Sync {
    /// A line for people.
    fn told(&self, _line: &str) {}
    /// So many images of a set are ready, of how many; from any thread.
    fn ready(&self, _done: usize, _count: usize) {}
}

impl Preparation for () {}
