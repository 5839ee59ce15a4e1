//! Changes of state.

use super::Case;
use crate::gradcheck::trial::{Trial, draw};
use crate::graph::loss_scale::{FACTOR, INTERVAL, LARGEST, SCALE, UPDATES};
use crate::graph::{Graph, Per, Slot, StateBuffer, Update, UpdateRule};
use crate::shape::Shape;

/// One number, and two tensors with a gap between them.
const BANKS: [&[[usize; 4]]; 2] = [&[[1, 1, 1, 1]], &[[3, 3, 5, 7], [1, 1, 1, 130]]];

/// Every kernel of every optimizer.
const RULES: [(&str, UpdateRule); 7] = [
    ("adam", UpdateRule::Adam { beta1: 0.5, beta2: 0.999, eps: 1e-8 }),
    ("adamw", UpdateRule::AdamW { beta1: 0.5, beta2: 0.999, eps: 1e-8 }),
    ("rmsprop", UpdateRule::RmsProp { alpha: 0.75, eps: 1e-8, momentum: 0.0, weight_decay: 0.125 }),
    ("rmsprop", UpdateRule::RmsProp { alpha: 0.75, eps: 1e-8, momentum: 0.875, weight_decay: 0.125 }),
    ("sgd", UpdateRule::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.125 }),
    ("sgd", UpdateRule::Sgd { momentum: 0.875, nesterov: false, weight_decay: 0.125 }),
    ("sgd", UpdateRule::Sgd { momentum: 0.875, nesterov: true, weight_decay: 0.125 }),
];

/// A loss scale, how many updates it has seen, and whether a gradient is infinite.
const SCALES: [(f64, f64, bool); 6] = [
    (65_536.0, 3.0, false),
    (65_536.0, INTERVAL - 1.0, false),
    (LARGEST, INTERVAL - 1.0, false),
    (65_536.0, INTERVAL - 1.0, true),
    (2.0, 0.0, true),
    (1.0, 7.0, true),
];

pub fn all() -> Vec<Case> {
    vec![store([2, 3, 2, 4]), store([1, 1, 1, 77])]
        .into_iter()
        .chain([[2, 3, 4, 20], [4, 5, 1, 3]].map(running_moments))
        .chain([[2, 3, 3, 2], [3, 2, 2, 20]].map(scatter_rows))
        .chain(BANKS.map(average))
        .chain(RULES.into_iter().flat_map(|(op, rule)| BANKS.map(|shapes| optimize(op, rule, shapes, None))))
        .chain(SCALES.into_iter().flat_map(|scale| BANKS.map(|shapes| unscale(scale, shapes))))
        .chain(RULES.map(|(op, rule)| optimize(op, rule, BANKS[1], Some(0.125))))
        .chain(RULES.map(|(op, rule)| optimize(op, rule, BANKS[1], Some(0.0))))
        .chain(BANKS.map(mean))
        .collect()
}

fn buffer(shapes: &[[usize; 4]]) -> StateBuffer {
    let mut buffer = StateBuffer::default();
    shapes.iter().for_each(|shape| {
        buffer.push("tensor", Shape(*shape));
    });
    buffer
}

/// A state buffer of these shapes, random numbers in it.
fn filled(shapes: &[[usize; 4]], index: usize) -> (StateBuffer, Vec<f64>) {
    let buffer = buffer(shapes);
    let numbers = draw(buffer.len, index);
    (buffer, numbers)
}

const FIRST: Slot = Slot { buffer: 0, offset: 0 };

/// A tensor, read and written.
fn store(shape: [usize; 4]) -> Case {
    Case::updates("store", &[shape], move || {
        let graph = Graph::new();
        let value = graph.state(FIRST, Shape(shape)).square().affine(1.0, 0.5);
        let updates = vec![Update::Store { slot: FIRST, value: value.id() }];
        Trial::updates(&graph, updates, vec![filled(&[shape], 0)], &[])
    })
}

fn running_moments(shape: [usize; 4]) -> Case {
    Case::updates("running_moments", &[shape], move || {
        let graph = Graph::new();
        let x = graph.input("x", Shape(shape));
        let moments = x.moments(Per::Batch).id();
        let count = x.shape().len() / x.shape().channels();
        let updates = vec![Update::RunningMoments { slot: FIRST, moments, momentum: 0.1, count }];
        let running = filled(&[[1, 1, 2, shape[3]]], 0);
        Trial::updates(&graph, updates, vec![running], &[("x", draw(x.shape().len(), 1))])
    })
}

/// Two rows replaced, one not.
fn scatter_rows(shape: [usize; 4]) -> Case {
    let [_, h, w, c] = shape;
    let kept = [4, h, w, c];
    let value = [3, h, w, c];
    Case::updates("scatter_rows", &[kept, value], move || {
        let graph = Graph::new();
        let new = graph.input("value", Shape(value));
        let rows = graph.input("rows", Shape([3, 1, 1, 1]));
        let len = Shape(kept).len();
        let updates = vec![Update::ScatterRows { slot: FIRST, len, value: new.id(), rows: rows.id() }];
        let inputs = [("value", draw(new.shape().len(), 1)), ("rows", vec![2.0, -1.0, 0.0])];
        Trial::updates(&graph, updates, vec![filled(&[kept], 0)], &inputs)
    })
}

fn average(shapes: &'static [[usize; 4]]) -> Case {
    Case::updates("average", shapes, move || {
        let graph = Graph::new();
        let decay = graph.input("decay", Shape::SCALAR).id();
        let updates = vec![Update::Average { average: 0, parameters: 1, decay }];
        Trial::updates(&graph, updates, vec![filled(shapes, 0), filled(shapes, 1)], &[("decay", vec![0.875])])
    })
}

/// `factor` is what a loss scale makes of gradients, where there is one.
fn optimize(op: &'static str, rule: UpdateRule, shapes: &'static [[usize; 4]], factor: Option<f64>) -> Case {
    Case::updates(op, shapes, move || {
        let graph = Graph::new();
        let rates = graph.input("rates", Shape::vector(rule.rates())).id();
        let mut buffers = vec![filled(shapes, 0), filled(shapes, 1)];
        for name in rule.state() {
            let (buffer, mut numbers) = filled(shapes, buffers.len());
            // Mean squares, whose roots are taken.
            if ["second", "square"].contains(name) {
                numbers.iter_mut().for_each(|x| *x = x.abs());
            }
            buffers.push((buffer, numbers));
        }
        let state = (2..buffers.len()).collect();
        let scale = factor.map(|_| buffers.len());
        buffers.extend(factor.map(|factor| loss_scale(8.0, 0.0, factor)));
        let update = Update::Optimize { rule, parameters: 0, gradients: 1, state, rates, scale };
        let numbers = [0.0625, 1.5, 0.875][..rule.rates()].to_vec();
        Trial::updates(&graph, vec![update], buffers, &[("rates", numbers)])
    })
}

/// The state of a loss scale, `factor` what it makes of gradients.
fn loss_scale(scale: f64, updates: f64, factor: f64) -> (StateBuffer, Vec<f64>) {
    let buffer = StateBuffer::loss_scale();
    let mut numbers = vec![0.0; buffer.len];
    for (index, number) in [(SCALE, scale), (UPDATES, updates), (FACTOR, factor)] {
        buffer.view_mut(&mut numbers, index)[0] = number;
    }
    (buffer, numbers)
}

fn unscale((scale, updates, infinite): (f64, f64, bool), shapes: &'static [[usize; 4]]) -> Case {
    Case::updates("unscale", shapes, move || {
        let (buffer, mut gradients) = filled(shapes, 0);
        gradients.iter_mut().for_each(|gradient| *gradient *= 1024.0);
        if infinite {
            gradients[0] = f64::NEG_INFINITY;
        }
        let buffers = vec![(buffer, gradients), loss_scale(scale, updates, 0.25)];
        Trial::updates(&Graph::new(), vec![Update::Unscale { gradients: 0, scale: 1 }], buffers, &[])
    })
}

/// A state buffer that is stored to and then averaged, by one rank of one.
fn mean(shapes: &'static [[usize; 4]]) -> Case {
    Case::updates("all_reduce_buffer", shapes, move || {
        let graph = Graph::new();
        let value = graph.input("value", Shape(shapes[0])).square().id();
        let updates = vec![Update::Store { slot: FIRST, value }, Update::Mean { buffer: 0, share: 1.0 }];
        Trial::updates(
            &graph,
            updates,
            vec![filled(shapes, 0)],
            &[("value", draw(Shape(shapes[0]).len(), 1))],
        )
    })
}
