//! What every program must keep to, whatever graph it was lowered from: a fault of lowering becomes an error, not a wrong number.

use super::program::{Buffer, Crossing, Dispatch, Program, Region};
use crate::graph::{Collective, StateBuffer};
use crate::{Error, Result};
use std::collections::BTreeMap;

type Checked = std::result::Result<(), String>;

impl Program {
    /// Checks this program over `state_buffers`: every number it refers to something by refers to something there; every region lies
    /// inside its buffer; no dispatch reads a buffer that it writes, nor writes one number twice; what is pooled or a result is
    /// written in a run before it is read in that run; and every output is written, where nobody but the step writes.
    ///
    /// # Errors
    /// [`Error::Lowering`] with the first of these that does not hold.
    pub fn verify(&self, state_buffers: &[StateBuffer]) -> Result<()> {
        self.sound(state_buffers).map_err(|problem| Error::Lowering { step: self.name.clone(), problem })
    }

    /// As [`Program::verify`], of a program that somebody else made.
    ///
    /// # Errors
    /// [`Error::Program`].
    pub(super) fn check(&self, state_buffers: &[StateBuffer]) -> Result<()> {
        self.sound(state_buffers).map_err(|problem| Error::Program { program: self.name.clone(), problem })
    }

    fn sound(&self, state_buffers: &[StateBuffer]) -> Checked {
        self.linked()?;
        let inside = |region: Region| match (self.size(region.buffer, state_buffers), region.end()) {
            (Some(size), Some(end)) if region.size > 0 && end <= size => Ok(()),
            _ => Err(format!("{region:?} is not inside its buffer")),
        };
        let mut written = Ranges::default();
        let mut crossings = self.exchanges.iter().peekable();
        for at in 0..=self.dispatches.len() {
            while let Some(crossing) = crossings.next_if(|crossing| crossing.after <= at) {
                let [from, to] = [crossing.from, crossing.to].map(|(region, len)| part(region, 0, len));
                let checked = inside(from).and(inside(to)).and_then(|()| written.read(from));
                checked.map_err(|problem| format!("exchange before dispatch {at}: {problem}"))?;
                written.write(to);
            }
            let Some(dispatch) = self.dispatches.get(at) else { break };
            let checked = dispatch.bindings.iter().try_for_each(|&region| inside(region));
            checked.and_then(|()| self.step(dispatch, &mut written)).map_err(|problem| {
                format!("dispatch {at}, {} for {}: {problem}", self.kernel(dispatch), dispatch.op)
            })?;
        }
        for &(ref name, region, len) in &self.outputs {
            let kept = matches!(region.buffer, Buffer::Result(_) | Buffer::Constants);
            let numbers = part(region, 0, len);
            let checked = inside(region).and(inside(numbers)).and_then(|()| written.read(numbers));
            checked.map_err(|problem| format!("output {name}: {problem}"))?;
            if !kept {
                return Err(format!("output {name} lies in {:?}, which others write", region.buffer));
            }
        }
        Ok(())
    }

    /// Whether what refers to something by number or place can be followed.
    fn linked(&self) -> Checked {
        if let Some(pipeline) = self.pipelines.iter().find(|of| of.shader >= self.shaders.len()) {
            return Err(format!("no shader {}, of {}", pipeline.shader, self.shaders.len()));
        }
        for (at, dispatch) in self.dispatches.iter().enumerate() {
            let problem = if dispatch.pipeline >= self.pipelines.len() {
                format!("no pipeline {}, of {}", dispatch.pipeline, self.pipelines.len())
            } else if [dispatch.shapes.len(), dispatch.offsets.len(), dispatch.counts.len()]
                != [dispatch.bindings.len(); 3]
            {
                "bindings, shapes, offsets and counts of different counts".into()
            } else if dispatch.members == 0
                || dispatch.offsets.iter().any(|of| of.len() != dispatch.members)
                || dispatch.counts.iter().any(|of| of.len() != dispatch.members)
            {
                format!("{} members, but not as many offsets and counts for each binding", dispatch.members)
            } else {
                continue;
            };
            return Err(format!("dispatch {at}, {}: {problem}", dispatch.op));
        }
        for (name, offset, count) in &self.inputs {
            let end = offset.checked_add(bytes(*count));
            if !offset.is_multiple_of(4) || end.is_none_or(|end| end > self.input_bytes) {
                return Err(format!(
                    "input {name}: {count} numbers at byte {offset} of {} bytes of inputs",
                    self.input_bytes
                ));
            }
        }
        let mut before = 0;
        for (at, crossing) in self.exchanges.iter().enumerate() {
            if !(before..=self.dispatches.len()).contains(&crossing.after) {
                return Err(format!("exchange {at} comes after dispatch {}, out of order", crossing.after));
            }
            before = crossing.after;
            crossing.fits().map_err(|problem| format!("exchange {at}: {problem}"))?;
        }
        Ok(())
    }

    /// Bytes of a buffer, if there is such a one.
    fn size(&self, buffer: Buffer, state_buffers: &[StateBuffer]) -> Option<u64> {
        match buffer {
            Buffer::Pool(slot) => self.pool.get(slot).copied(),
            Buffer::Result(result) => self.results.get(result).copied(),
            Buffer::Inputs => Some(self.input_bytes),
            Buffer::Constants => Some(self.constants.len() as u64 * 4),
            Buffer::State(state_buffer) => {
                state_buffers.get(state_buffer).map(|state_buffer| state_buffer.len as u64 * 4)
            }
        }
    }

    /// One dispatch, after what is `written`.
    fn step(&self, dispatch: &Dispatch, written: &mut Ranges) -> Checked {
        let source = &self.shaders[self.pipelines[dispatch.pipeline].shader].source;
        let bindings = dispatch.bindings.iter().zip(&dispatch.counts).zip(&dispatch.offsets).enumerate();
        let (mut reads, mut writes): (Vec<Region>, Vec<Region>) = (vec![], vec![]);
        for (binding, ((&region, counts), offsets)) in bindings {
            let parts = offsets.iter().zip(counts).map(|(&offset, &count)| part(region, offset, count));
            if let Some(part) =
                parts.clone().find(|part| part.end().is_none_or(|end| Some(end) > region.end()))
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
    Region { offset: region.offset.saturating_add(offset), size: bytes(len), ..region }
}

/// Bytes of so many numbers; those of more than there can be are as many as there can be.
fn bytes(numbers: usize) -> u64 {
    (numbers as u64).saturating_mul(4)
}

impl Crossing {
    /// Whether the counts of its numbers are those of its exchange.
    fn fits(&self) -> Checked {
        let (from, to) = (self.from.1, self.to.1);
        let fits = match self.exchange {
            Collective::AllReduceMean { .. } => from == to,
            Collective::AllReduceMoments { .. } => from == to && from.is_multiple_of(2),
            Collective::AllGather { whole } => whole > 0 && to.is_multiple_of(whole),
        };
        if fits { Ok(()) } else { Err(format!("{from} numbers cannot become {to} by {:?}", self.exchange)) }
    }
}

/// What a run has written so far: of each buffer, stretches that do not touch, by their first byte.
#[derive(Default)]
struct Ranges(BTreeMap<Buffer, BTreeMap<u64, u64>>);

impl Ranges {
    fn write(&mut self, region: Region) {
        let stretches = self.0.entry(region.buffer).or_default();
        let (mut start, mut end) = (region.offset, region.offset + region.size);
        while let Some((&from, &to)) = stretches.range(..=end).next_back().filter(|&(_, &to)| to >= start) {
            (start, end) = (start.min(from), end.max(to));
            stretches.remove(&from);
        }
        stretches.insert(start, end);
    }

    fn read(&self, region: Region) -> Checked {
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
    use super::{Buffer, Crossing, Program};
    use crate::gpu::lower::{Target, lower};
    use crate::graph::{Collective, Graph, StateBuffer, Step};
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
        of(|program| program.input_bytes -= 256, "bytes of inputs");
        of(|program| program.dispatches[0].bindings[0].buffer = Buffer::State(0), "is not inside its buffer");
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

    /// Whatever a program from outside says, it is refused, and nothing panics.
    #[test]
    fn what_leads_nowhere_is_found() {
        let of = |change: fn(&mut Program), problem: &str| {
            let error = broken(change);
            assert!(error.contains(problem), "{error:?} should be: {problem}");
        };
        of(|program| program.pipelines[0].shader = 99, "no shader 99");
        of(|program| program.dispatches[0].pipeline = 99, "no pipeline 99");
        of(|program| program.dispatches[0].shapes.truncate(1), "of different counts");
        of(|program| program.dispatches[0].offsets.truncate(1), "of different counts");
        of(|program| program.dispatches[0].bindings.truncate(1), "of different counts");
        of(|program| program.dispatches[0].members = 0, "0 members");
        of(|program| program.dispatches[0].members += 1, "not as many offsets");
        of(|program| program.dispatches[0].offsets[0].clear(), "not as many offsets");
        of(|program| program.dispatches[0].counts[0].clear(), "not as many offsets");
        of(|program| program.dispatches[0].counts.truncate(1), "of different counts");
        of(|program| program.inputs[0].1 = 2, "input ");
        of(|program| program.inputs[0].1 = u64::MAX - 3, "input ");
        of(|program| program.inputs[0].2 = usize::MAX, "input ");
        of(|program| program.dispatches[0].bindings[0].offset = u64::MAX, "is not inside its buffer");
        of(|program| program.dispatches[0].bindings[0].size = u64::MAX, "is not inside its buffer");
        of(|program| program.dispatches[0].bindings[0].size = 0, "is not inside its buffer");
        of(|program| program.dispatches[0].offsets[0][0] = u64::MAX, "is not inside Region");
        of(|program| program.dispatches[0].counts[0][0] = usize::MAX, "is not inside Region");
        of(|program| program.outputs[0].1.buffer = Buffer::Result(99), "is not inside its buffer");
        of(|program| program.outputs[0].2 = usize::MAX, "is not inside its buffer");
    }

    #[test]
    fn exchanges_that_cannot_be_are_found() {
        let of = |after: usize, exchange: Collective, counts: [usize; 2], problem: &str| {
            let error = broken(|program| {
                let (_, region, _) = program.outputs[0];
                let [from, to] = counts.map(|count| (region, count));
                program.exchanges.push(Crossing { after, exchange, from, to });
            });
            assert!(error.contains(problem), "{error:?} should be: {problem}");
        };
        let mean = Collective::AllReduceMean { share: 0.5 };
        of(99, mean, [1, 1], "comes after dispatch 99");
        of(0, mean, [1, 1], "is read before it is written");
        of(0, mean, [usize::MAX; 2], "is not inside its buffer");
        of(0, mean, [1, 2], "1 numbers cannot become 2");
        of(0, Collective::AllReduceMoments { share: 0.5 }, [3, 3], "3 numbers cannot become 3");
        of(0, Collective::AllGather { whole: 0 }, [2, 2], "2 numbers cannot become 2");
        of(0, Collective::AllGather { whole: 3 }, [2, 4], "2 numbers cannot become 4");
        let turned = broken(|program| {
            let (_, region, count) = program.outputs[0];
            let (from, to) = ((region, count), (region, count));
            let last = program.dispatches.len();
            let crossing = |after| Crossing { after, exchange: mean, from, to };
            program.exchanges.extend([crossing(last), crossing(last - 1)]);
        });
        assert!(turned.contains("out of order"), "{turned}");
    }

    #[test]
    fn regions_lie_inside_their_state_buffers() {
        let mut state_buffer = StateBuffer::default();
        state_buffer.push("x", Shape::vector(64));
        let graph = Graph::new();
        let x = graph.state(crate::graph::Slot { buffer: 0, offset: 0 }, Shape::vector(64));
        let step = Step::new("step", &graph, &[("y", x.square())], vec![]).unwrap();
        let program = lower(&step, &[state_buffer.clone()], &Target::GPU).unwrap();
        state_buffer.len = 32;
        assert!(
            program.verify(&[state_buffer]).unwrap_err().to_string().contains("is not inside its buffer")
        );
    }
}
