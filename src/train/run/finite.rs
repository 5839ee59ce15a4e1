//! Numbers that are no longer finite: noticed, and followed back to where they began.

use super::Trainer;
use crate::train::model::Model;
use crate::{Error, Result};

/// A state whose numbers are all finite.
pub(super) struct Snapshot {
    /// The step it is of.
    pub step: u64,
    /// The numbers of every state buffer that is part of the state; of others what they were first.
    pub buffers: Vec<Vec<f32>>,
}

impl<M: Model> Trainer<M> {
    /// Looks at the state after the step just done, and remembers it.
    ///
    /// # Errors
    /// If it has a number that is not finite; the text says in which step and operation the first came up.
    pub(super) fn check(&mut self) -> Result<()> {
        if let Some(found) = self.find_non_finite()? {
            return Err(self.diverged(&found));
        }
        self.average_running()?;
        for buffer in self.training.model.state() {
            self.snapshot.buffers[buffer] = self.training.executor.read_state(buffer)?;
        }
        self.snapshot.step = self.step;
        self.check_is_same()
    }

    /// What to say of `problem`, seen after the step just done.
    pub(super) fn diverged(&mut self, problem: &str) -> Error {
        let seen = self.step;
        let (step, origin) = match self.origin() {
            Ok(origin) => origin,
            Err(error) => return error,
        };
        let last = self.folder.checkpoints().ok().and_then(|mut all| all.pop());
        let checkpoint = last.map_or_else(String::new, |(_, path)| {
            format!("; the last checkpoint is kept: {}", path.display())
        });
        Error::Diverged { step, problem: format!("{origin}; seen at step {seen}: {problem}"), checkpoint }
    }

    /// In which step numbers ceased to be finite, and in which operation: the steps since the last whole state are done
    /// again, which gives the same numbers, and of the one that fails every operation is looked at.
    fn origin(&mut self) -> Result<(u64, String)> {
        let seen = self.step;
        self.rollback()?;
        let mut step = self.snapshot.step;
        while step < seen && self.find_non_finite()?.is_none() {
            step += 1;
            self.training.iterate(step)?;
        }
        self.rollback()?;
        (self.snapshot.step + 1..step).try_for_each(|earlier| self.training.iterate(earlier))?;
        self.training.executor.detect_anomaly(true);
        let traced = self.training.iterate(step);
        self.training.executor.detect_anomaly(false);
        let origin = match traced {
            Err(Error::NotFinite { .. }) => traced.map_or_else(|error| error.to_string(), |()| String::new()),
            Err(error) => return Err(error),
            Ok(()) => "the steps since step {} were done again and all their numbers are finite, so the device does not always \
                 compute the same: its memory or its driver may be faulty"
                .replace("{}", &self.snapshot.step.to_string()),
        };
        Ok((step, origin))
    }

    fn rollback(&mut self) -> Result<()> {
        self.write_state()?;
        self.training.seek(self.snapshot.step)
    }

    /// Writes the last whole state, and over whatever else state buffers hold.
    pub(super) fn write_state(&mut self) -> Result<()> {
        for (buffer, values) in self.snapshot.buffers.iter().enumerate() {
            self.training.executor.write_state(buffer, values)?;
        }
        Ok(())
    }

    /// The name of the tensor at a place of a state buffer.
    pub(super) fn tensor(&self, (buffer, at): (usize, usize)) -> String {
        let buffers = self.training.model.buffers();
        let holds = buffers[buffer].tensors.iter().rfind(|(_, _, offset)| *offset <= at);
        holds.map_or_else(String::new, |(name, ..)| name.clone())
    }
}
