//! Promise: what the library accepts it computes right, on every device; the rest is refused with an error that says why.

mod support;

use mewgan::Result;
use mewgan::device::Device;
use mewgan::executor::Executor;
use mewgan::graph::{Bank, Graph, Slot, Step, Update, Var, gradients};
use mewgan::reference::Reference;
use mewgan::shape::{ConvGeometry, ConvOptions, Shape};

fn message<T>(result: Result<T>) -> String {
    result.err().expect("it is refused").to_string()
}

fn refused<T>(result: Result<T>, words: &[&str]) {
    let message = message(result);
    assert!(words.iter().all(|word| message.contains(word)), "{message}");
}

fn bank(shapes: &[[usize; 4]]) -> Bank {
    let mut bank = Bank::default();
    shapes.iter().for_each(|shape| {
        bank.push("tensor", Shape(*shape));
    });
    bank
}

/// An executor of both devices.
fn executors(banks: &[Bank], step: &Step) -> Vec<(&'static str, Box<dyn Executor>)> {
    let cpu: Box<dyn Executor> = Box::new(Reference::<f32>::new(banks, vec![step.clone()]).unwrap());
    let gpu = Box::new(support::gpu().executor(banks, std::slice::from_ref(step)).unwrap());
    vec![("cpu", cpu), ("gpu", gpu)]
}

#[test]
fn graphs_do_not_mix() {
    let (one, two) = (Graph::new(), Graph::new());
    let (a, b) = (one.full(Shape::vector(4), 1.0), two.full(Shape::vector(4), 7.0));
    // What a foreign id would mean here.
    one.full(Shape::vector(4), 100.0);
    let picture = |graph| Graph::input(graph, "x", Shape([1, 4, 4, 4]));
    let (x, other) = (picture(&one), picture(&two));
    let pair = two.full(Shape([1, 1, 2, 4]), 1.0);
    let results = [
        ("add", a.add(b)),
        ("sub", a.sub(b)),
        ("mul", a.mul(b)),
        ("conv2d", x.conv2d(two.full(Shape([1, 1, 4, 4]), 1.0), ConvOptions::new(1, 0))),
        ("conv_transpose2d", x.conv_transpose2d(two.full(Shape([1, 1, 4, 4]), 1.0), ConvOptions::new(1, 0))),
        (
            "conv2d_weight_grad",
            x.conv2d_weight_grad(
                other,
                ConvGeometry::conv2d([4, 4], [1, 1], ConvOptions::new(1, 0)).unwrap(),
            ),
        ),
        ("normalize", x.batch_norm(Some(pair), 1e-5)),
        ("normalize", x.batch_norm_eval(pair, None, 1e-5)),
        ("shift", x.shift(two.full(Shape([1, 1, 1, 2]), 1.0))),
        ("select_rows", x.select_rows(other, one.full(Shape::SCALAR, 0.0))),
        ("select_rows", x.select_rows(x, two.full(Shape::SCALAR, 0.0))),
    ];
    for (op, result) in results {
        refused(result, &[op, "two graphs"]);
    }
    refused(gradients(a.sum(), &[a, b]), &["gradients", "two graphs"]);
    refused(Step::new("step", &one, &[("a", a), ("b", b)], vec![]), &["step", "b is of another graph"]);
    let store = Update::Store { slot: Slot { bank: 0, offset: 0 }, value: 99 };
    refused(Step::new("step", &one, &[], vec![store]), &["store", "node 99 is not in the graph"]);
}

#[test]
fn names_are_given_once() {
    let graph = Graph::new();
    let (a, b) = (graph.input("x", Shape::SCALAR), graph.input("x", Shape::SCALAR));
    refused(Step::new("step", &graph, &[("a", a), ("b", b)], vec![]), &["two inputs are named x"]);
    refused(Step::new("step", &graph, &[("a", a), ("a", a)], vec![]), &["two outputs are named a"]);
    // An input that nothing needs is none of the step.
    Step::new("step", &graph, &[("a", a)], vec![]).unwrap();
}

#[test]
fn updates_fit_their_banks() {
    let graph = Graph::new();
    let value = |shape: [usize; 4]| graph.full(Shape(shape), 1.0).id();
    let slot = |offset| Slot { bank: 0, offset };
    let adam = |second, rates| {
        let (beta1, beta2, eps) = (0.5, 0.999, 1e-8);
        Update::Adam { parameters: 0, gradients: 1, first: 2, second, rates, beta1, beta2, eps }
    };
    let moments =
        |shape, momentum| Update::RunningMoments { slot: slot(0), moments: value(shape), momentum, count: 4 };
    let rows = |len, count| Update::StoreRows {
        slot: slot(0),
        len,
        value: value([2, 1, 1, 4]),
        rows: value([count, 1, 1, 1]),
    };
    let banks = [
        bank(&[[1, 1, 2, 8], [1, 1, 1, 70]]),
        bank(&[[1, 1, 2, 8], [1, 1, 1, 70]]),
        bank(&[[1, 1, 2, 8], [1, 1, 1, 70]]),
        bank(&[[1, 1, 2, 8]]),
    ];
    let store = |bank, offset, shape| Update::Store { slot: Slot { bank, offset }, value: value(shape) };
    let rates = value([1, 1, 1, 2]);
    let bad = [
        // Larger than its tensor, into its neighbour.
        (store(0, 0, [1, 1, 1, 80]), "80 numbers at offset 0 of bank 0"),
        (store(0, 0, [1, 1, 1, 8]), "are not one of its tensors"),
        (store(0, 32, [1, 1, 1, 16]), "no tensor begins there"),
        (store(0, usize::MAX, [1, 1, 1, 16]), "no tensor begins there"),
        (store(9, 0, [1, 1, 1, 16]), "there is no bank 9"),
        (moments([2, 1, 2, 8], 0.1), "moments must be [1, 1, 2, 8]"),
        (moments([1, 1, 2, 4], 0.1), "are not one of its tensors"),
        (moments([1, 1, 2, 8], f64::NAN), "momentum is NaN"),
        (rows(16, 3), "rows must be [2, 1, 1, 1]"),
        (rows(15, 2), "no rows of 4"),
        (rows(0, 2), "no rows of 4"),
        (rows(32, 2), "are not one of its tensors"),
        (Update::Mean { bank: 7, share: 1.0 }, "there is no bank 7"),
        (Update::Average { average: 0, parameters: 1, decay: rates }, "decay must be [1, 1, 1, 1]"),
        (Update::Average { average: 0, parameters: 3, decay: value([1; 4]) }, "of one length"),
        (Update::Average { average: 0, parameters: 0, decay: value([1; 4]) }, "different"),
        (adam(4, rates), "there is no bank 4"),
        (adam(3, rates), "of one length"),
        (adam(2, rates), "different"),
        (adam(3, value([1; 4])), "rates must be [1, 1, 1, 2]"),
    ];
    for (update, words) in bad {
        let made = Step::new("step", &graph, &[], vec![update]);
        let on_cpu = made.and_then(|step| {
            let gpu = support::gpu().executor(&banks, std::slice::from_ref(&step));
            let cpu = Reference::<f32>::new(&banks, vec![step]);
            assert_eq!(message(gpu), cpu.as_ref().err().map(ToString::to_string).unwrap_or_default());
            cpu
        });
        refused(on_cpu, &[words]);
    }
    let state = graph.state(slot(16), Shape::vector(70));
    let step = Step::new("step", &graph, &[("y", state)], vec![]).unwrap();
    refused(Reference::<f32>::new(&banks, vec![step.clone()]), &["state", "70 numbers at offset 16"]);
    refused(
        Device::open("gpu").and_then(|gpu| gpu.executor(&banks, vec![step])),
        &["70 numbers at offset 16"],
    );
    // The same numbers under another shape are the tensor.
    let step = Step::new("step", &graph, &[], vec![store(0, 0, [1, 1, 1, 16]), adam(4, rates)]).unwrap();
    let banks: Vec<Bank> = (0..5).map(|_| banks[0].clone()).collect();
    for (device, mut executor) in executors(&banks, &step) {
        executor.run(&[0]).unwrap();
        assert_eq!(executor.read_bank(0).unwrap()[..17], [[1.0; 16].as_slice(), &[0.0]].concat(), "{device}");
    }
}

/// Nothing of these panics, and each is refused where it is built or where it becomes a step.
#[test]
fn shapes_hold_numbers_that_can_be_counted() {
    const BIG: usize = usize::MAX / 2;
    type Build = fn(&Graph) -> Result<Var<'_>>;
    let builds: [(&str, Build); 22] = [
        ("input: x", |g| Ok(g.input("x", Shape([0, 3, 4, 4])))),
        ("input: x", |g| Ok(g.input("x", Shape([BIG, BIG, 4, 4])).relu().mean())),
        ("state", |g| Ok(g.state(Slot { bank: 0, offset: 0 }, Shape([1, 0, 1, 1])))),
        ("full", |g| Ok(g.full(Shape([1, 1, 1, BIG]), 1.0))),
        ("too many", |g| Ok(g.full(Shape([1 << 16, 1 << 15, 1, 1]), 1.0))),
        ("full", |g| Ok(g.full(Shape([0; 4]), 1.0).spatial_mean().channel_mean().sum())),
        ("reshape", |g| g.full(Shape([0; 4]), 1.0).reshape(Shape([1, 0, 5, 1]))),
        ("full", |g| {
            Ok(g.full(Shape([BIG; 4]), 1.0).upsample_bilinear2d().moments(mewgan::graph::Per::Batch))
        }),
        ("full", |g| g.full(Shape([BIG; 4]), 1.0).reflection_pad2d([BIG - 1; 4])),
        ("add", |g| g.full(Shape([1 << 16, 1, 1, 1]), 1.0).add(g.full(Shape([1, 1 << 16, 1, 1]), 1.0))),
        ("upsample_nearest2d", |g| g.full(Shape([1; 4]), 1.0).upsample_nearest2d([BIG, BIG])),
        ("upsample_nearest2d", |g| Ok(g.full(Shape([1, 1 << 15, 1 << 15, 1]), 1.0).upsample_bilinear2d())),
        ("broadcast", |g| g.full(Shape([1; 4]), 1.0).broadcast_to(Shape([BIG; 4]))),
        ("broadcast", |g| g.full(Shape([1; 4]), 1.0).broadcast_to(Shape([0, 1, 1, 1]))),
        ("gather_of_ranks", |g| Ok(g.full(Shape([1; 4]), 1.0).gather_of_ranks(0))),
        ("avg_pool2d", |g| g.full(Shape([1, 2, 2, 1]), 1.0).avg_pool2d([0, 1])),
        ("conv2d", |g| {
            let options = ConvOptions { padding: [BIG; 2], ..ConvOptions::new(1, 0) };
            g.full(Shape([1; 4]), 1.0).conv2d(g.full(Shape([1; 4]), 1.0), options)
        }),
        ("conv2d", |g| {
            let padding = ConvOptions::new(1, 1 << 20);
            g.full(Shape([1; 4]), 1.0).conv2d(g.full(Shape([1; 4]), 1.0), padding)
        }),
        ("conv2d", |g| {
            g.full(Shape([1; 4]), 1.0).conv2d(g.full(Shape([1; 4]), 1.0), ConvOptions::new(BIG, 0))
        }),
        ("conv_transpose2d", |g| {
            g.full(Shape([1, 3, 3, 1]), 1.0)
                .conv_transpose2d(g.full(Shape([1; 4]), 1.0), ConvOptions::new(BIG, 0))
        }),
        ("conv_transpose2d", |g| {
            g.full(Shape([1; 4]), 1.0).conv_transpose2d(g.full(Shape([1; 4]), 1.0), ConvOptions::new(1, BIG))
        }),
        ("is that of no convolution", |g| {
            let geometry = ConvGeometry {
                large: [4; 2],
                small: [9; 2],
                kernel: [1; 2],
                stride: [1; 2],
                padding: [0; 2],
            };
            g.full(Shape([1, 4, 4, 1]), 1.0).conv2d_weight_grad(g.full(Shape([1, 9, 9, 1]), 1.0), geometry)
        }),
    ];
    for (words, build) in builds {
        let graph = Graph::new();
        let step = build(&graph).and_then(|y| Step::new("step", &graph, &[("y", y)], vec![]));
        refused(step, &[words]);
    }
    assert_eq!(Shape([BIG; 4]).len(), usize::MAX);
    let (graph, mut bank) = (Graph::new(), Bank::default());
    bank.push("large", Shape([BIG; 4]));
    let step = Step::new("step", &graph, &[("y", graph.full(Shape::SCALAR, 1.0))], vec![]).unwrap();
    refused(Reference::<f32>::new(&[bank], vec![step]), &["bank 0"]);
    refused(gradients(graph.input("x", Shape([0; 4])).sum(), &[]), &["input: x"]);
}
