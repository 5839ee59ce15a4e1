use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use super::batches::{Batch, Batching};
use super::images::Images;
use crate::{Error, Result};

/// How many batches wait ready.
const AHEAD: usize = 4;

/// A thread that makes batches ahead of their use. It ends when the loader is dropped.
#[derive(Debug)]
pub struct Loader {
    /// `None` only while dropping.
    batches: Option<Receiver<Result<Batch>>>,
    thread: Option<JoinHandle<()>>,
    images: Arc<Images>,
    batching: Batching,
}

impl Loader {
    /// Starts making the batches of `first_step` and all after it.
    ///
    /// # Errors
    /// As [`Batching::batch_at`], or if the system gives no thread.
    pub fn start(images: Arc<Images>, batching: Batching, first_step: u64) -> Result<Self> {
        let steps = batching.check(&images)?;
        let (sender, batches) = sync_channel(AHEAD);
        let again = (Arc::clone(&images), batching.clone());
        let make = move || {
            let mut order = Vec::new();
            for step in first_step.. {
                // A folder may be large: its order is drawn once an epoch, not once a batch.
                if order.is_empty() || step % steps == 0 {
                    order = batching.order(images.len(), step / steps);
                }
                if sender.send(batching.batch_of(&images, step, step % steps, &order)).is_err() {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("batches".into())
            .spawn(make)
            .map_err(|error| Error::Device(format!("no thread to make batches on: {error}")))?;
        let (images, batching) = again;
        Ok(Self { batches: Some(batches), thread: Some(thread), images, batching })
    }

    /// Goes to the batch of step `step`, counted from 0.
    ///
    /// # Errors
    /// As [`Loader::start`].
    pub fn seek(&mut self, step: u64) -> Result<()> {
        *self = Self::start(Arc::clone(&self.images), self.batching.clone(), step)?;
        Ok(())
    }

    /// The next step's batch, the same as [`Batching::batch_at`] makes; waits for it if need be.
    ///
    /// # Errors
    /// If the thread has ended, which it does not while the loader lives.
    pub fn next_batch(&mut self) -> Result<Batch> {
        let received = self.batches.as_ref().and_then(|batches| batches.recv().ok());
        received.unwrap_or_else(|| Err(Error::Device("the thread that makes batches has ended".into())))
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // With nobody to receive, the thread's next send fails and it ends.
        drop(self.batches.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported already.
            let _ = thread.join();
        }
    }
}
