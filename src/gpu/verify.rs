//! What every program must keep to, whatever graph it was lowered from: a fault of lowering becomes an error, not a wrong number.

use super::program::{Buffer, Dispatch, Program, Region};
use crate::graph::Bank;
use crate::{Error, Result};
use std::collections::BTreeMap;

impl Program {
    /// Checks this program over `banks`: every region lies inside its buffer; no dispatch reads a buffer that it writes, nor
    /// writes one number twice; what is pooled or a result is written in a run before it is read in that run; and every output is
    /// written, where nobody but the step writes.
    ///
    /// # Errors
    /// [`Error::Lowering`] with the first of these that does not hold.
    pub fn verify(&self, banks: &[Bank]) -> Result<()> {
        let fault = |problem: String| Error::Lowering { step: self.name.clone(), problem };
        let inside = |region: Region| match self.size(region.buffer, banks) {
            Some(size) if region.offset + region.size <= size => Ok(()),
            _ => Err(format!("{region:?} is not inside its buffer")),
        };
        let mut written = Written::default();
        let mut crossings = self.exchanges.iter().peekable();
        for at in 0..=self.dispatches.len() {
            while let Some(crossing) = crossings.next_if(|crossing| crossing.after <= at) {
                let [from, to] = [crossing.from, crossing.to].map(|(region, len)| part(region, 0, len));
                let checked = inside(from).and(inside(to)).and(written.read(from));
                checked.map_err(|problem| fault(format!("exchange before dispatch {at}: {problem}")))?;
                written.write(to);
            }
            let Some(dispatch) = self.dispatches.get(at) else { break };
            let checked = dispatch.bindings.iter().try_for_each(|&region| inside(region));
            checked.and_then(|()| self.step(dispatch, &mut written)).map_err(|problem| {
                fault(format!("dispatch {at}, {} for {}: {problem}", self.kernel(dispatch), dispatch.op))
            })?;
        }
        for &(ref name, region, len) in &self.outputs {
            let kept = matches!(region.buffer, Buffer::Result(_) | Buffer::Constants);
            let checked = inside(region).and(written.read(part(region, 0, len)));
            checked.map_err(|problem| fault(format!("output {name}: {problem}")))?;
            if !kept {
                return Err(fault(format!("output {name} lies in {:?}, which others write", region.buffer)));
            }
        }
        Ok(())
    }

    /// Bytes of a buffer, if there is such a one.
    fn size(&self, buffer: Buffer, banks: &[Bank]) -> Option<u64> {
        match buffer {
            Buffer::Pool(slot) => self.pool.get(slot).copied(),
            Buffer::Result(result) => self.results.get(result).copied(),
            Buffer::Inputs => Some(self.input_bytes),
            Buffer::Constants => Some(self.constants.len() as u64 * 4),
            Buffer::Bank(bank) => banks.get(bank).map(|bank| bank.len as u64 * 4),
        }
    }

    /// One dispatch, after what is `written`.
    fn step(&self, dispatch: &Dispatch, written: &mut Written) -> std::result::Result<(), String> {
        let source = &self.shaders[self.pipelines[dispatch.pipeline].shader].source;
        let bindings = dispatch.bindings.iter().zip(&dispatch.shapes).zip(&dispatch.offsets).enumerate();
        let (mut reads, mut writes): (Vec<Region>, Vec<Region>) = (vec![], vec![]);
        for (binding, ((&region, shape), offsets)) in bindings {
            let parts = offsets.iter().map(|&offset| part(region, offset, shape.len()));
            if let Some(part) =
                parts.clone().find(|part| part.offset + part.size > region.offset + region.size)
            {
                return Err(format!("binding {binding}: {part:?} is not inside {region:?}"));
            }
            let declaration = source.split(&format!("@binding({binding})")).nth(1).unwrap_or_default();
            let is_written = declaration.split(';').next().is_some_and(|text| text.contains("read_write"));
            if is_written { &mut writes } else { &mut reads }.extend(parts);
        }
        if let Some(both) = reads.iter().find(|read| writes.iter().any(|write| write.buffer == read.buffer)) {
            return Err(format!("reads and writes {:?}", both.buffer));
        }
        for (at, &write) in writes.iter().enumerate() {
            if writes[..at].iter().any(|other| other.meets(write)) {
                return Err(format!("writes {write:?} twice"));
            }
        }
        reads.iter().try_for_each(|&read| written.read(read))?;
        writes.iter().for_each(|&write| written.write(write));
        Ok(())
    }
}

/// The `len` numbers from byte `offset` of a region on.
fn part(region: Region, offset: u64, len: usize) -> Region {
    Region { offset: region.offset + offset, size: len as u64 * 4, ..region }
}

/// What a run has written so far: of each buffer, stretches that do not touch, by their first byte.
#[derive(Default)]
struct Written(BTreeMap<Buffer, BTreeMap<u64, u64>>);

impl Written {
    fn write(&mut self, region: Region) {
        let stretches = self.0.entry(region.buffer).or_default();
        let (mut start, mut end) = (region.offset, region.offset + region.size);
        while let Some((&from, &to)) = stretches.range(..=end).next_back().filter(|&(_, &to)| to >= start) {
            (start, end) = (start.min(from), end.max(to));
            stretches.remove(&from);
        }
        stretches.insert(start, end);
    }

    fn read(&self, region: Region) -> std::result::Result<(), String> {
        let made_here = matches!(region.buffer, Buffer::Pool(_) | Buffer::Result(_));
        let before = self.0.get(&region.buffer).and_then(|all| all.range(..=region.offset).next_back());
        let is_written = before.is_some_and(|(_, &end)| end >= region.offset + region.size);
        if made_here && !is_written {
            Err(format!("{region:?} is read before it is written"))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Buffer, Program};
    use crate::gpu::lower::{Target, lower};
    use crate::graph::{Bank, Graph, Step};
    use crate::shape::{ConvOptions, Shape};

    /// Two equal branches, which are merged.
    fn program() -> Program {
        let graph = Graph::new();
        let w = graph.input("w", Shape([3, 3, 4, 4]));
        let branch = |name: &str| {
            let x = graph.input(name, Shape([2, 4, 4, 4]));
            x.conv2d(w, ConvOptions::new(1, 1)).unwrap().conv2d(w, ConvOptions::new(1, 1)).unwrap()
        };
        let outputs = [("y", branch("a")), ("z", branch("b"))];
        lower(&Step::new("step", &graph, &outputs, vec![]).unwrap(), &[], &Target::GPU).unwrap()
    }

    fn broken(change: impl FnOnce(&mut Program)) -> String {
        let mut program = program();
        program.verify(&[]).unwrap();
        change(&mut program);
        program.verify(&[]).unwrap_err().to_string()
    }

    fn merged(program: &mut Program) -> usize {
        program.dispatches.iter().position(|dispatch| dispatch.members == 2).unwrap()
    }

    #[test]
    fn faults_are_found() {
        let of = |change: fn(&mut Program), problem: &str| {
            let error = broken(change);
            assert!(error.contains(problem), "{error:?} should be: {problem}");
        };
        of(|program| program.dispatches.swap(0, 1), "is read before it is written");
        of(|program| program.dispatches.truncate(1), "output y: ");
        of(|program| drop(program.dispatches.remove(0)), "is read before it is written");
        of(|program| program.pool.iter_mut().for_each(|size| *size -= 16), "is not inside its buffer");
        of(|program| program.input_bytes -= 256, "is not inside its buffer");
        of(|program| program.dispatches[0].bindings[0].buffer = Buffer::Bank(0), "is not inside its buffer");
        of(|program| program.outputs[0].1.buffer = Buffer::Inputs, "which others write");
        of(
            |program| {
                let bindings = &mut program.dispatches[0].bindings;
                let written = bindings.len() - 1;
                bindings[written] = bindings[0];
            },
            "reads and writes Inputs",
        );
        of(
            |program| {
                let at = merged(program);
                program.dispatches[at].offsets.last_mut().unwrap().fill(0);
            },
            "twice",
        );
        of(
            |program| {
                let at = merged(program);
                program.dispatches[at].offsets[0][1] += 1 << 20;
            },
            "is not inside Region",
        );
    }

    #[test]
    fn regions_lie_inside_their_banks() {
        let mut bank = Bank::default();
        bank.push("x", Shape::vector(64));
        let graph = Graph::new();
        let x = graph.state(crate::graph::Slot { bank: 0, offset: 0 }, Shape::vector(64));
        let step = Step::new("step", &graph, &[("y", x.square())], vec![]).unwrap();
        let program = lower(&step, &[bank.clone()], &Target::GPU).unwrap();
        bank.len = 32;
        assert!(program.verify(&[bank]).unwrap_err().to_string().contains("is not inside its buffer"));
    }
}
