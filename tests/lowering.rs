//! Promise: whatever graph the API accepts, a GPU computes what the reference does: values that one kernel makes beside another,
//! values that a state buffer keeps, changes of state in any order.

use crate::support;
use mewgan::executor::Executor;
use mewgan::graph::{Graph, Per, Slot, StateBuffer, Step, Update, UpdateRule, Var, gradients};
use mewgan::reference::Reference;
use mewgan::shape::{ConvOptions, Shape};

const X: Shape = Shape([2, 3, 3, 4]);
const MOMENTS: Shape = Shape([1, 1, 2, 4]);

/// Runs `steps` one after another, three times over, on the reference and with the kernels of each kind of GPU, and compares every
/// output of every step and every state buffer after each run.
fn agree(buffers: &[StateBuffer], steps: &[Step]) {
    let expected = train(buffers, steps, &mut Reference::<f32>::new(buffers, steps.to_vec()).unwrap());
    for (variant, gpu) in support::variants() {
        let found = train(buffers, steps, &mut gpu.executor(buffers, steps).unwrap());
        for ((what, found), (_, expected)) in found.iter().zip(&expected) {
            let largest = expected.iter().fold(1.0f32, |largest, x| largest.max(x.abs()));
            let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let close = off <= 1e-5 * largest && found.iter().all(|x| x.is_finite());
            assert!(close, "{variant}: {what} is {found:?}, should be {expected:?}");
        }
    }
}

fn train(buffers: &[StateBuffer], steps: &[Step], executor: &mut dyn Executor) -> Vec<(String, Vec<f32>)> {
    for (index, buffer) in buffers.iter().enumerate() {
        executor.write_state(index, &numbers(buffer.len, index)).unwrap();
    }
    let mut seen = Vec::new();
    for run in 0..3 {
        for (index, step) in steps.iter().enumerate() {
            for (_, name, shape) in step.inputs() {
                let values = numbers(shape.len(), 10 * run + index + name.len());
                executor.write_input(index, name, &values).unwrap();
            }
            executor.run(&[index]).unwrap();
            for (of, step) in steps[..=index].iter().enumerate() {
                for (name, _) in &step.outputs {
                    let what = format!("{name} of step {of} after run {run} of step {index}");
                    seen.push((what, executor.read_output(of, name).unwrap()));
                }
            }
            for buffer in 0..buffers.len() {
                let what = format!("state buffer {buffer} after run {run} of step {index}");
                seen.push((what, executor.read_state(buffer).unwrap()));
            }
        }
    }
    seen
}

/// Numbers between 0.1 and 1, others for each `seed`.
fn numbers(len: usize, seed: usize) -> Vec<f32> {
    (0..len).map(|i| 0.1 + 0.9 * ((i * 7919 + seed * 104_729) % 997) as f32 / 997.0).collect()
}

/// State buffers of tensors of one shape, and the place of tensor `index` of state buffer `buffer`.
fn buffers(counts: &[usize], shape: Shape) -> (Vec<StateBuffer>, impl Fn(usize, usize) -> Slot) {
    let buffer = |&count: &usize| {
        let mut buffer = StateBuffer::default();
        for index in 0..count {
            buffer.push(format!("tensor {index}"), shape);
        }
        buffer
    };
    let buffers: Vec<StateBuffer> = counts.iter().map(buffer).collect();
    let offset = move |index: usize| index * shape.len().next_multiple_of(64);
    (buffers, move |buffer, index| Slot { buffer, offset: offset(index) })
}

/// A step without state buffers of what `outputs` makes of a graph.
fn outputs(outputs: impl for<'g> Fn(&'g Graph) -> Vec<Var<'g>>) {
    let graph = Graph::new();
    let names = ["first", "second", "third"];
    let outputs: Vec<(&str, Var<'_>)> = names.into_iter().zip(outputs(&graph)).collect();
    agree(&[], &[Step::new("step", &graph, &outputs, vec![]).unwrap()]);
}

#[test]
fn moments_that_the_backward_pass_reads_before_the_last_fused_node() {
    for affine in [false, true] {
        outputs(|graph| {
            let (x, w) = (graph.input("x", X), graph.input("weight", Shape([3, 3, 4, 4])));
            let affine = affine.then(|| graph.input("affine", MOMENTS));
            let h = x.conv2d(w, ConvOptions::new(1, 1)).unwrap();
            let loss = h.batch_norm(affine, 1e-5).unwrap().mul(h).unwrap().mean();
            let operands: Vec<Var<'_>> = [w].into_iter().chain(affine).collect();
            gradients(loss, &operands).unwrap()
        });
    }
}

#[test]
fn moments_that_another_output_needs() {
    for per in [Per::Batch, Per::Instance] {
        outputs(|graph| {
            let (y, moments) = graph.input("x", X).norm(per, None, 1e-5).unwrap();
            vec![moments.scale(2.0), y.relu()]
        });
        // Many rows, whose moments are joined from parts.
        outputs(|graph| {
            let (y, moments) = graph.input("x", Shape([2, 96, 96, 4])).norm(per, None, 1e-5).unwrap();
            vec![moments.scale(2.0), y.relu()]
        });
    }
}

#[test]
fn moments_that_another_norm_takes() {
    outputs(|graph| {
        let (a, b) = (graph.input("a", X), graph.input("bb", X));
        let (y, moments) = a.norm(Per::Batch, None, 1e-5).unwrap();
        vec![b.batch_norm_eval(moments, None, 1e-5).unwrap(), y.relu()]
    });
}

#[test]
fn moments_beside_what_they_normalize() {
    outputs(|graph| {
        let x = graph.input("x", Shape([2, 1, 2, 4]));
        let (y, moments) = x.norm(Per::Batch, None, 1e-5).unwrap();
        vec![y.add(moments).unwrap()]
    });
}

#[test]
fn moments_of_two_norms_behind_each_other() {
    outputs(|graph| {
        let (a, b) = (graph.input("a", Shape([2, 1, 2, 4])), graph.input("bb", Shape([2, 1, 2, 4])));
        let (y, of_a) = a.norm(Per::Batch, None, 1e-5).unwrap();
        let (z, of_b) = b.norm(Per::Batch, None, 1e-5).unwrap();
        vec![y.add(of_b).unwrap(), z.add(of_a).unwrap()]
    });
}

#[test]
fn sums_of_a_gain_that_are_scaled() {
    for shape in [X, Shape([2, 96, 96, 4])] {
        outputs(|graph| {
            let (x, affine) = (graph.input("x", shape), graph.input("affine", MOMENTS));
            let loss = x.batch_norm(Some(affine), 1e-5).unwrap().square().mean();
            let [dx, daffine] = gradients(loss, &[x, affine]).unwrap()[..] else { panic!("two gradients") };
            vec![daffine.scale(3.0), dx, daffine.square()]
        });
    }
}

/// What only convolutions read is padded as they read it; what something else reads stands in memory too.
#[test]
fn padding_in_front_of_convolutions() {
    for others in [false, true] {
        outputs(|graph| {
            let (x, w) = (graph.input("x", Shape([2, 5, 4, 4])), graph.input("weight", Shape([3, 3, 4, 4])));
            let padded = x.reflection_pad2d([2, 1, 0, 3]).unwrap();
            let first = padded.conv2d(w, ConvOptions::new(2, 1)).unwrap();
            let second = padded.conv2d(w, ConvOptions::new(1, 0)).unwrap();
            let mut loss = first.square().mean().add(second.square().mean()).unwrap();
            if others {
                loss = loss.add(padded.tanh().mean()).unwrap();
            }
            let of = gradients(loss, &[x, w]).unwrap();
            vec![loss, of[0], of[1]]
        });
    }
    // The padded image as the weight: of a matrix product.
    outputs(|graph| {
        let x = graph.input("x", Shape([1, 2, 2, 4]));
        let padded = x.reflection_pad2d([1, 0, 0, 1]).unwrap();
        let w = padded.reshape(Shape([3, 3, 1, 4])).unwrap();
        vec![graph.input("image", Shape([1, 3, 3, 1])).conv2d(w, ConvOptions::new(1, 1)).unwrap()]
    });
}

/// A long contraction of few results, which is made in parts: where a norm follows and adds them up, where others read it as well, or
/// before it.
#[test]
fn norms_of_what_is_made_in_parts() {
    for (shape, per) in [([2, 4, 4, 64], Per::Batch), ([2, 16, 16, 64], Per::Instance)] {
        for read in 0..3 {
            outputs(|graph| {
                let (x, w) = (graph.input("x", Shape(shape)), graph.input("weight", Shape([3, 3, 64, 8])));
                let bias = graph.input("bias", Shape([1, 1, 1, 8]));
                let h = x.conv2d(w, ConvOptions::new(1, 1)).unwrap().add(bias).unwrap();
                let before = (read == 1).then(|| h.square().mean());
                let (y, _) = h.norm(per, None, 1e-2).unwrap();
                let mut loss = y.tanh().mul(x.slice_channels(0..8).unwrap()).unwrap().mean();
                if let Some(before) = before {
                    loss = loss.add(before).unwrap();
                }
                let of = gradients(loss, &[x, w]).unwrap();
                vec![if read == 2 { h } else { loss }, of[0], of[1]]
            });
        }
    }
}

/// A bias and a weight that are used three times, on the same numbers of pixels and on others.
#[test]
fn gradients_of_what_is_used_many_times() {
    for sizes in [[20, 20, 20], [20, 24, 20]] {
        outputs(|graph| {
            let (w, bias) =
                (graph.input("weight", Shape([1, 1, 4, 4])), graph.input("bias", Shape([1, 1, 1, 4])));
            let used = |(at, size): (usize, usize)| {
                let x = graph.input(&"x".repeat(at + 1), Shape([1, size, size, 4]));
                x.conv2d(w, ConvOptions::new(1, 0)).unwrap().add(bias).unwrap().tanh().mean()
            };
            let losses: Vec<Var<'_>> = sizes.into_iter().enumerate().map(used).collect();
            let loss = losses[0].add(losses[1]).unwrap().add(losses[2]).unwrap();
            let of = gradients(loss, &[w, bias]).unwrap();
            vec![loss, of[0], of[1]]
        });
    }
}

/// Sums of parts, running statistics and additions of different sizes, which are one dispatch each.
#[test]
fn simple_calls_of_different_sizes() {
    let channels = [4, 8, 12];
    let mut running = StateBuffer::default();
    for (index, &c) in channels.iter().enumerate() {
        running.push(format!("tensor {index}"), Shape([1, 1, 2, c]));
    }
    let mut offset = 0;
    let graph = Graph::new();
    let mut updates = Vec::new();
    let mut named = Vec::new();
    for (at, c) in channels.into_iter().enumerate() {
        let x = graph.input(&"x".repeat(at + 1), Shape([2, 3, 3, c]));
        let (y, moments) = x.norm(Per::Batch, None, 1e-2).unwrap();
        let slot = Slot { buffer: 0, offset };
        let (momentum, count) = (0.1 * (at + 1) as f64, 18);
        updates.push(Update::RunningMoments { slot, moments: moments.id(), momentum, count });
        offset += (2 * c).next_multiple_of(64);
        named.push(
            y.sum_to(Shape([1, 1, 1, c])).unwrap().add(moments.sum_to(Shape([1, 1, 1, c])).unwrap()).unwrap(),
        );
    }
    let outputs: Vec<(&str, Var<'_>)> = ["first", "second", "third"].into_iter().zip(named).collect();
    agree(&[running], &[Step::new("step", &graph, &outputs, updates).unwrap()]);
}

#[test]
fn one_value_in_two_tensors_of_a_state_buffer() {
    let (buffers, slot) = buffers(&[2], X);
    let graph = Graph::new();
    let (a, b) = (graph.input("a", X), graph.input("bb", X));
    let loss = a.add(b).unwrap().square().mean();
    let of = gradients(loss, &[a, b]).unwrap();
    let store = |index: usize| Update::Store { slot: slot(0, index), value: of[index].id() };
    agree(&buffers, &[Step::new("step", &graph, &[("loss", loss)], vec![store(0), store(1)]).unwrap()]);
}

#[test]
fn one_tensor_of_a_state_buffer_in_another() {
    let (buffers, slot) = buffers(&[3], X);
    let graph = Graph::new();
    let (first, second) = (graph.state(slot(0, 0), X), graph.state(slot(0, 1), X));
    let swapped = [(0, second), (1, first), (2, first.reshape(Shape([2, 1, 9, 4])).unwrap())];
    let updates = swapped.map(|(index, value)| Update::Store { slot: slot(0, index), value: value.id() });
    agree(&buffers, &[Step::new("step", &graph, &[("first", first)], updates.into()).unwrap()]);
}

/// Every two changes of state of one state buffer by one value, in both orders.
#[test]
fn changes_of_one_state_buffer_in_any_order() {
    let (buffers, slot) = buffers(&[3, 3, 3, 3], MOMENTS);
    type Change = fn(&dyn Fn(usize, usize) -> Slot, [usize; 4]) -> Update;
    let changes: [Change; 9] = [
        |slot, [value, ..]| Update::Store { slot: slot(0, 0), value },
        |slot, [value, ..]| Update::Store { slot: slot(0, 1), value },
        |slot, [_, other, ..]| Update::Store { slot: slot(0, 0), value: other },
        |slot, [value, ..]| Update::Store { slot: slot(1, 0), value },
        |slot, [value, ..]| Update::RunningMoments {
            slot: slot(0, 0),
            moments: value,
            momentum: 0.25,
            count: 9,
        },
        |slot, [value, _, rows, _]| Update::ScatterRows { slot: slot(0, 0), len: MOMENTS.len(), value, rows },
        |_, [.., rates]| Update::Average { average: 0, parameters: 1, decay: rates },
        |_, [.., rates]| Update::Optimize {
            rule: UpdateRule::Adam { beta1: 0.5, beta2: 0.9, eps: 1e-3 },
            parameters: 1,
            gradients: 0,
            state: vec![2, 3],
            rates,
            scale: None,
        },
        |_, [.., rates]| Update::Optimize {
            rule: UpdateRule::Sgd { momentum: 0.5, nesterov: true, weight_decay: 0.25 },
            parameters: 0,
            gradients: 1,
            state: vec![2],
            rates,
            scale: None,
        },
    ];
    for first in changes {
        for second in changes {
            let graph = Graph::new();
            let (x, y) = (graph.input("x", MOMENTS), graph.input("yy", MOMENTS));
            let nodes = [
                x.mul(y).unwrap().id(),
                x.sub(y).unwrap().id(),
                graph.full(Shape::SCALAR, 0.0).id(),
                graph.input("rates", Shape([1, 1, 1, 2])).id(),
            ];
            let mut updates = vec![first(&slot, nodes), second(&slot, nodes)];
            // An average's decay is one number.
            let decay = graph.input("decay", Shape::SCALAR).id();
            for update in &mut updates {
                if let Update::Average { decay: of, .. } = update {
                    *of = decay;
                }
            }
            agree(&buffers, &[Step::new("step", &graph, &[("sum", x.add(y).unwrap())], updates).unwrap()]);
        }
    }
}

#[test]
fn outputs_keep_their_own_run() {
    let (buffers, slot) = buffers(&[2], X);
    let step = |scale: f64| {
        let graph = Graph::new();
        let (x, state) = (graph.input("x", X), graph.state(slot(0, 1), X));
        let value = x.scale(scale);
        let moved = state.add(x).unwrap();
        let stores = [(0, value), (1, moved)];
        let updates = stores.map(|(index, value)| Update::Store { slot: slot(0, index), value: value.id() });
        Step::new("step", &graph, &[("value", value), ("state", state), ("x", x)], updates.into()).unwrap()
    };
    let stored_only = {
        let graph = Graph::new();
        let value = graph.input("x", X).square();
        let update = Update::Store { slot: slot(0, 0), value: value.id() };
        Step::new("step", &graph, &[("value", value)], vec![update]).unwrap()
    };
    agree(&buffers, &[stored_only, step(2.0), step(3.0)]);
}
