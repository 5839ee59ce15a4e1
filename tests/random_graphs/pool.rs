//! A step's graph while it is drawn: what there is so far, and what more may be computed from it.

use super::buffers::{Buffers, Kind};
use super::numbers::{Purpose, Rng};
use mewgan::Result;
use mewgan::graph::{Graph, Var, gradients};
use mewgan::shape::Shape;
use rand::RngExt;

/// Most numbers of a tensor.
const LARGEST: usize = 500;

/// Numbers that may grow beyond this are scaled down.
const LIMIT: f64 = 4.0;

/// About the largest number of a state: updates change it.
const OF_STATES: f64 = 2.0;

pub const CHANNELS: [usize; 8] = [1, 2, 3, 4, 5, 8, 12, 16];

pub struct Pool<'g, 'c> {
    pub graph: &'g Graph,
    pub rng: &'c mut Rng,
    pub buffers: &'c mut Buffers,
    /// Name, purpose and length of each input.
    pub inputs: Vec<(String, Purpose, usize)>,
    /// Values, each with about its largest number.
    vars: Vec<(Var<'g>, f64)>,
    /// Those of them that are moments over a batch.
    pub moments: Vec<Var<'g>>,
    /// Values that are to be outputs.
    pub outputs: Vec<Var<'g>>,
}

impl<'g, 'c> Pool<'g, 'c> {
    /// With a few tensors that others are computed from.
    pub fn new(graph: &'g Graph, buffers: &'c mut Buffers, rng: &'c mut Rng) -> Self {
        let (inputs, vars, moments, outputs) = (vec![], vec![], vec![], vec![]);
        let mut pool = Self { graph, rng, buffers, inputs, vars, moments, outputs };
        for _ in 0..pool.below(3) + 1 {
            let shape = pool.shape();
            pool.leaf(shape);
        }
        pool
    }

    pub fn chance(&mut self, of: f64) -> bool {
        self.rng.random_bool(of)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    pub fn among<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    fn shape(&mut self) -> Shape {
        loop {
            let [n, h, w] = [3, 6, 6].map(|most| self.below(most) + 1);
            let shape = Shape([n, h, w, self.among(&CHANNELS)]);
            if shape.len() <= LARGEST / 2 {
                return shape;
            }
        }
    }

    /// Adds a value, its largest number about `size`; not one that is too large a tensor.
    pub fn push(&mut self, var: Var<'g>, size: f64) -> Var<'g> {
        let (var, size) = if size > LIMIT { (var.scale(1.0 / size), 1.0) } else { (var, size) };
        if var.shape().len() <= LARGEST {
            self.vars.push((var, size));
        }
        var
    }

    /// One of the values, most often one of the newest; and about its largest number.
    pub fn pick(&mut self) -> (Var<'g>, f64) {
        let newest = if self.chance(0.5) { self.vars.len().saturating_sub(4) } else { 0 };
        let at = self.rng.random_range(newest..self.vars.len());
        self.vars[at]
    }

    /// What the host is to read: some values, and those that are to be outputs.
    pub fn outputs(&mut self) -> Vec<Var<'g>> {
        let mut outputs = self.outputs.clone();
        outputs.extend((0..self.below(5)).map(|_| self.pick().0));
        outputs
    }

    pub fn input(&mut self, purpose: Purpose, shape: Shape) -> Var<'g> {
        let name = format!("x{}", self.inputs.len());
        let var = self.graph.input(&name, shape);
        self.inputs.push((name, purpose, shape.len()));
        var
    }

    pub fn state(&mut self, kind: Kind, shape: Shape) -> Var<'g> {
        self.graph.state(self.buffers.slot(kind, shape, self.rng), shape)
    }

    /// A new tensor that is given.
    pub fn leaf(&mut self, shape: Shape) -> Var<'g> {
        match self.below(10) {
            0..=3 => {
                let input = self.input(Purpose::Any, shape);
                self.push(input, 1.0)
            }
            4..=8 => {
                let state = self.state(Kind::Any, shape);
                self.push(state, OF_STATES)
            }
            _ => {
                let value = self.among(&[-1.5, 0.0, 0.3, 1.0]);
                self.push(self.graph.full(shape, value), 1.5)
            }
        }
    }

    /// A tensor of just this shape: one that there is, or a new one.
    pub fn of_shape(&mut self, shape: Shape) -> Var<'g> {
        let fitting: Vec<Var<'g>> =
            self.vars.iter().map(|(var, _)| *var).filter(|var| var.shape() == shape).collect();
        if !fitting.is_empty() && self.chance(0.7) { self.among(&fitting) } else { self.leaf(shape) }
    }

    /// `shape` with some axes of extent 1.
    pub fn shrunk(&mut self, shape: Shape, chance: f64) -> Shape {
        Shape(shape.0.map(|extent| if self.chance(chance) { 1 } else { extent }))
    }

    /// A tensor that broadcasts with one of `shape`.
    pub fn partner(&mut self, shape: Shape) -> (Var<'g>, f64) {
        let fits = |var: &Var<'g>| shape.broadcast(var.shape()).is_some_and(|both| both.len() <= LARGEST);
        let fitting: Vec<_> = self.vars.iter().filter(|(var, _)| fits(var)).copied().collect();
        if !fitting.is_empty() && self.chance(0.6) {
            return self.among(&fitting);
        }
        let shape = self.shrunk(shape, 0.3);
        (self.leaf(shape), OF_STATES)
    }

    /// The gradients of a loss; none where an operation between has no rule.
    pub fn gradients(&self, loss: Var<'g>, wrt: &[Var<'g>]) -> Result<Vec<Var<'g>>> {
        match gradients(loss, wrt) {
            Err(error) if error.to_string().contains("has no gradient rule") => Ok(vec![]),
            found => found,
        }
    }

    /// Adds the gradients of a loss to some of the values.
    pub fn differentiate(&mut self) -> Result<()> {
        // The last value: it is computed from more of the others than most.
        let Some(&(y, _)) = self.vars.last() else { return Ok(()) };
        let weighed = match self.below(4) {
            0 => y,
            1 => y.square(),
            2 => y.mul(y)?,
            _ => y.mul(self.partner(y.shape()).0)?,
        };
        let loss = if self.chance(0.5) { weighed.mean() } else { weighed.sum() };
        let wrt: Vec<Var<'g>> = (0..self.below(4) + 1)
            .map(|_| {
                let at = self.below(self.vars.len());
                self.vars[at].0
            })
            .collect();
        for gradient in self.gradients(loss, &wrt)? {
            self.push(gradient, 1.0);
        }
        self.push(loss, 1.0);
        Ok(())
    }
}
