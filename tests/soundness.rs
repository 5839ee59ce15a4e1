//! Promise: what the library accepts it computes right, on every device; the rest is refused with an error that says why.

use crate::support;
use mewgan::device::Device;
use mewgan::executor::Executor;
use mewgan::gpu::GpuExecutor;
use mewgan::gpu::lower::lower;
use mewgan::gpu::program::Program;
use mewgan::graph::{Graph, Slot, StateBuffer, Step, Update, UpdateRule, Var, gradients};
use mewgan::reference::Reference;
use mewgan::shape::{ConvGeometry, ConvOptions, Shape};
use mewgan::{Error, Result};

fn message<T>(result: Result<T>) -> String {
    result.err().expect("it is refused").to_string()
}

fn refused<T>(result: Result<T>, words: &[&str]) {
    let message = message(result);
    assert!(words.iter().all(|word| message.contains(word)), "{message}");
}

fn buffer(shapes: &[[usize; 4]]) -> StateBuffer {
    let mut buffer = StateBuffer::default();
    shapes.iter().for_each(|shape| {
        buffer.push("tensor", Shape(*shape));
    });
    buffer
}

/// An executor of both devices.
fn executors(buffers: &[StateBuffer], step: &Step) -> Vec<(&'static str, Box<dyn Executor>)> {
    let cpu: Box<dyn Executor> = Box::new(Reference::<f32>::new(buffers, vec![step.clone()]).unwrap());
    let gpu = Box::new(support::gpu().executor(buffers, std::slice::from_ref(step)).unwrap());
    vec![("cpu", cpu), ("gpu", gpu)]
}

#[test]
fn graphs_do_not_mix() {
    let (one, two) = (Graph::new(), Graph::new());
    let (a, b) = (one.full(Shape::vector(4), 1.0), two.full(Shape::vector(4), 7.0));
    // What a foreign id would mean here.
    one.full(Shape::vector(4), 100.0);
    let image = |graph| Graph::input(graph, "x", Shape([1, 4, 4, 4]));
    let (x, other) = (image(&one), image(&two));
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
        ("translate", x.translate(two.full(Shape([1, 1, 1, 2]), 1.0))),
        ("gather_rows", x.gather_rows(other, one.full(Shape::SCALAR, 0.0))),
        ("gather_rows", x.gather_rows(x, two.full(Shape::SCALAR, 0.0))),
    ];
    for (op, result) in results {
        refused(result, &[op, "two graphs"]);
    }
    refused(gradients(a.sum(), &[a, b]), &["gradients", "two graphs"]);
    refused(Step::new("step", &one, &[("a", a), ("b", b)], vec![]), &["step", "b is of another graph"]);
    let store = Update::Store { slot: Slot { buffer: 0, offset: 0 }, value: 99 };
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
fn updates_fit_their_state_buffers() {
    let graph = Graph::new();
    let value = |shape: [usize; 4]| graph.full(Shape(shape), 1.0).id();
    let slot = |offset| Slot { buffer: 0, offset };
    let optimize = |rule, state: &[usize], rates| {
        let state = state.to_vec();
        Update::Optimize { rule, parameters: 0, gradients: 1, state, rates, scale: None }
    };
    let adam = |second, rates| {
        optimize(UpdateRule::Adam { beta1: 0.5, beta2: 0.999, eps: 1e-8 }, &[2, second], rates)
    };
    let sgd = |momentum| UpdateRule::Sgd { momentum, nesterov: false, weight_decay: 0.0 };
    let rms_prop = |alpha| UpdateRule::RmsProp { alpha, eps: 1e-8, momentum: 0.0, weight_decay: 0.0 };
    let moments =
        |shape, momentum| Update::RunningMoments { slot: slot(0), moments: value(shape), momentum, count: 4 };
    let rows = |len, count| Update::ScatterRows {
        slot: slot(0),
        len,
        value: value([2, 1, 1, 4]),
        rows: value([count, 1, 1, 1]),
    };
    let buffers = [
        buffer(&[[1, 1, 2, 8], [1, 1, 1, 70]]),
        buffer(&[[1, 1, 2, 8], [1, 1, 1, 70]]),
        buffer(&[[1, 1, 2, 8], [1, 1, 1, 70]]),
        buffer(&[[1, 1, 2, 8]]),
    ];
    let store = |buffer, offset, shape| Update::Store { slot: Slot { buffer, offset }, value: value(shape) };
    let rates = value([1, 1, 1, 2]);
    let bad = [
        // Larger than its tensor, into its neighbour.
        (store(0, 0, [1, 1, 1, 80]), "80 numbers at offset 0 of state buffer 0"),
        (store(0, 0, [1, 1, 1, 8]), "are not one of its tensors"),
        (store(0, 32, [1, 1, 1, 16]), "no tensor begins there"),
        (store(0, usize::MAX, [1, 1, 1, 16]), "no tensor begins there"),
        (store(9, 0, [1, 1, 1, 16]), "there is no state buffer 9"),
        (moments([2, 1, 2, 8], 0.1), "moments must be [1, 1, 2, 8]"),
        (moments([1, 1, 2, 4], 0.1), "are not one of its tensors"),
        (moments([1, 1, 2, 8], f64::NAN), "momentum is NaN"),
        (rows(16, 3), "rows must be [2, 1, 1, 1]"),
        (rows(15, 2), "no rows of 4"),
        (rows(0, 2), "no rows of 4"),
        (rows(32, 2), "are not one of its tensors"),
        (Update::Mean { buffer: 7, share: 1.0 }, "there is no state buffer 7"),
        (Update::Unscale { gradients: 0, scale: 1 }, "state buffer 1 is not that of a loss scale"),
        (Update::Unscale { gradients: 0, scale: 7 }, "there is no state buffer 7"),
        (Update::Average { average: 0, parameters: 1, decay: rates }, "decay must be [1, 1, 1, 1]"),
        (Update::Average { average: 0, parameters: 3, decay: value([1; 4]) }, "of one length"),
        (Update::Average { average: 0, parameters: 0, decay: value([1; 4]) }, "different"),
        (adam(4, rates), "there is no state buffer 4"),
        (adam(3, rates), "of one length"),
        (adam(2, rates), "different"),
        (adam(3, value([1; 4])), "rates must be [1, 1, 1, 2]"),
        (optimize(sgd(0.9), &[], rates), "its state takes 1 state buffers"),
        (optimize(sgd(0.0), &[2], rates), "its state takes 0 state buffers"),
        (optimize(sgd(0.9), &[3], rates), "of one length"),
        (optimize(sgd(f64::INFINITY), &[2], rates), "momentum is inf"),
        (optimize(rms_prop(0.9), &[0], value([1; 4])), "different"),
        (optimize(rms_prop(0.9), &[2], rates), "rates must be [1, 1, 1, 1]"),
        (optimize(rms_prop(f64::NAN), &[2], value([1; 4])), "alpha is NaN"),
    ];
    for (update, words) in bad {
        let made = Step::new("step", &graph, &[], vec![update]);
        let on_cpu = made.and_then(|step| {
            let gpu = support::gpu().executor(&buffers, std::slice::from_ref(&step));
            let cpu = Reference::<f32>::new(&buffers, vec![step]);
            assert_eq!(message(gpu), cpu.as_ref().err().map(ToString::to_string).unwrap_or_default());
            cpu
        });
        refused(on_cpu, &[words]);
    }
    let state = graph.state(slot(16), Shape::vector(70));
    let step = Step::new("step", &graph, &[("y", state)], vec![]).unwrap();
    refused(Reference::<f32>::new(&buffers, vec![step.clone()]), &["state", "70 numbers at offset 16"]);
    refused(
        Device::open("gpu").and_then(|gpu| gpu.executor(&buffers, vec![step])),
        &["70 numbers at offset 16"],
    );
    // The same numbers under another shape are the tensor.
    let step = Step::new("step", &graph, &[], vec![store(0, 0, [1, 1, 1, 16]), adam(4, rates)]).unwrap();
    let buffers: Vec<StateBuffer> = (0..5).map(|_| buffers[0].clone()).collect();
    for (device, mut executor) in executors(&buffers, &step) {
        executor.run(&[0]).unwrap();
        assert_eq!(
            executor.read_state(0).unwrap()[..17],
            [[1.0; 16].as_slice(), &[0.0]].concat(),
            "{device}"
        );
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
        ("state", |g| Ok(g.state(Slot { buffer: 0, offset: 0 }, Shape([1, 0, 1, 1])))),
        ("full", |g| Ok(g.full(Shape([1, 1, 1, BIG]), 1.0))),
        ("would hold more than", |g| Ok(g.full(Shape([1 << 16, 1 << 15, 1, 1]), 1.0))),
        ("full", |g| Ok(g.full(Shape([0; 4]), 1.0).spatial_mean().channel_mean().sum())),
        ("reshape", |g| g.full(Shape([0; 4]), 1.0).reshape(Shape([1, 0, 5, 1]))),
        ("full", |g| {
            Ok(g.full(Shape([BIG; 4]), 1.0).upsample_bilinear2d().moments(mewgan::graph::Per::Batch))
        }),
        ("reflection_pad2d", |g| g.full(Shape([BIG; 4]), 1.0).reflection_pad2d([BIG - 1; 4])),
        ("add", |g| g.full(Shape([1 << 16, 1, 1, 1]), 1.0).add(g.full(Shape([1, 1 << 16, 1, 1]), 1.0))),
        ("upsample_nearest2d", |g| g.full(Shape([1; 4]), 1.0).upsample_nearest2d([BIG, BIG])),
        ("upsample_nearest2d", |g| Ok(g.full(Shape([1, 1 << 15, 1 << 15, 1]), 1.0).upsample_bilinear2d())),
        ("broadcast", |g| g.full(Shape([1; 4]), 1.0).broadcast_to(Shape([BIG; 4]))),
        ("broadcast", |g| g.full(Shape([1; 4]), 1.0).broadcast_to(Shape([0, 1, 1, 1]))),
        ("all_gather", |g| Ok(g.full(Shape([1; 4]), 1.0).all_gather(0))),
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
    let (graph, mut buffer) = (Graph::new(), StateBuffer::default());
    buffer.push("large", Shape([BIG; 4]));
    let step = Step::new("step", &graph, &[("y", graph.full(Shape::SCALAR, 1.0))], vec![]).unwrap();
    refused(Reference::<f32>::new(&[buffer], vec![step]), &["state buffer 0"]);
    refused(gradients(graph.input("x", Shape([0; 4])).sum(), &[]), &["input: x"]);
}

#[test]
fn indices_and_lengths_are_checked() {
    let graph = Graph::new();
    let x = graph.input("x", Shape::vector(4));
    let step = Step::new("step", &graph, &[("y", x.relu())], vec![]).unwrap();
    for (device, mut executor) in executors(&[buffer(&[[1, 1, 1, 4]])], &step) {
        // On a GPU the program that looks for bad numbers stands behind the steps.
        for index in [1, 2, usize::MAX] {
            refused(executor.write_input(index, "x", &[0.0; 4]), &["there is no step"]);
            refused(executor.run(&[0, index]), &["there is no step"]);
            refused(executor.profile(index), &["there is no step"]);
            refused(executor.read_output(index, "y"), &["there is no step"]);
            refused(executor.read_state(index), &["there is no state buffer", "has 1"]);
            refused(executor.write_state(index, &[0.0; 64]), &["there is no state buffer"]);
        }
        refused(executor.write_input(0, "z", &[0.0; 4]), &["no input named z"]);
        refused(executor.write_input(0, "x", &[0.0; 5]), &["4 numbers, not 5"]);
        refused(executor.read_output(0, "z"), &["no output named z"]);
        refused(executor.write_state(0, &[0.0; 4]), &["64 numbers, not 4"]);
        executor.write_input(0, "x", &[-1.0, 2.0, -3.0, 4.0]).unwrap();
        executor.run(&[0]).unwrap();
        assert_eq!(executor.read_output(0, "y").unwrap(), [0.0, 2.0, 0.0, 4.0], "{device}");
    }
    let gpu = support::gpu().executor(&[buffer(&[[1, 1, 1, 4]])], std::slice::from_ref(&step)).unwrap();
    refused(gpu.program(1), &["there is no step 1"]);
}

/// The rows that the host writes may be anything.
#[test]
fn rows_out_of_range_are_harmless_and_mean_the_same() {
    const NAN: f32 = f32::NAN;
    const INF: f32 = f32::INFINITY;
    let rows = [-INF, -1.0, -0.5, 0.0, 1.9, 2.0, 3.0, 4.0, 5.0, 1e9, 1e30, INF, NAN];
    let (kept, new, count) = (Shape([3, 1, 1, 2]), Shape([2, 1, 1, 2]), rows.len());
    let graph = Graph::new();
    let slot = Slot { buffer: 0, offset: 0 };
    let (a, b) = (graph.state(slot, kept), graph.input("b", new));
    let of = graph.input("rows", Shape([count, 1, 1, 1]));
    let selected = a.gather_rows(b, of).unwrap();
    let select = Step::new("select", &graph, &[("y", selected)], vec![]).unwrap();

    let graph = Graph::new();
    let (value, of) =
        (graph.input("value", Shape([count, 1, 1, 2])), graph.input("rows", Shape([count, 1, 1, 1])));
    let update = Update::ScatterRows { slot, len: kept.len(), value: value.id(), rows: of.id() };
    let store = Step::new("store", &graph, &[], vec![update]).unwrap();

    // A second tensor, which nothing of this may change.
    let buffers = [buffer(&[kept.0, [1, 1, 1, 64]])];
    let before: Vec<f32> = (0..buffers[0].len).map(|i| i as f32).collect();
    for (device, mut executor) in executors(&buffers, &select) {
        executor.write_state(0, &before).unwrap();
        executor.write_input(0, "b", &[6.0, 7.0, 8.0, 9.0]).unwrap();
        executor.write_input(0, "rows", &rows).unwrap();
        executor.run(&[0]).unwrap();
        let y = executor.read_output(0, "y").unwrap();
        let expected = [0, 0, 0, 0, 1, 2, 3, 4, 4, 4, 4, 4, 0].map(|row: u8| f32::from(2 * row));
        assert!(y.chunks(2).map(|row| row[0]).eq(expected), "{device}: {y:?}");
    }
    for (device, mut executor) in executors(&buffers, &store) {
        executor.write_state(0, &before).unwrap();
        let value: Vec<f32> = (0..2 * count).map(|i| 100.0 + i as f32).collect();
        executor.write_input(0, "value", &value).unwrap();
        executor.write_input(0, "rows", &rows).unwrap();
        executor.run(&[0]).unwrap();
        // Rows 0, 1.9 and 2 are numbers 3, 4 and 5.
        let now = executor.read_state(0).unwrap();
        assert_eq!(now[..6], [106.0, 107.0, 108.0, 109.0, 110.0, 111.0], "{device}");
        assert_eq!(now[6..], before[6..], "{device}");
        // Of equal rows the last counts.
        let equal: Vec<f32> = (0..count).map(|i| (i % 2) as f32 * 2.0).collect();
        executor.write_state(0, &before).unwrap();
        executor.write_input(0, "rows", &equal).unwrap();
        executor.run(&[0]).unwrap();
        let now = executor.read_state(0).unwrap();
        assert_eq!(now[..6], [124.0, 125.0, 2.0, 3.0, 122.0, 123.0], "{device}");
    }
}

/// Lets its output lie where no device copies from: it loads, and every reading fails.
fn unaligned(program: &mut Program) {
    let (_, region, count) = &mut program.outputs[0];
    (region.offset, region.size, *count) = (2, region.size / 2, *count / 2);
}

/// A program from a file may say anything: its kernels are checked, and what it breaks fails alone.
#[test]
fn loaded_programs_are_checked_and_fail_alone() {
    let graph = Graph::new();
    let y = graph.input("x", Shape::vector(64)).square();
    let step = Step::new("square", &graph, &[("y", y)], vec![]).unwrap();
    let gpu = support::gpu().with_checks(false);
    let whole = lower(&step, &[], gpu.target()).unwrap();
    let load = |program: &Program| GpuExecutor::load(gpu.clone(), &[], vec![program.clone()]);
    let mut sound = load(&whole).unwrap();

    // Reads and writes far beyond its memory: with checks that touches nothing else.
    let mut wild = whole.clone();
    let source = &mut wild.shaders[0].source;
    for binding in ["leaf0", "y"] {
        let index = format!("{binding}[");
        *source = source.replacen(&index, &format!("{binding}[1000000000u * u32(id.x + 1u) + "), 1);
    }
    let mut executor = load(&wild).unwrap();
    executor.write_input(0, "x", &[1.0; 64]).unwrap();
    executor.run(&[0]).unwrap();
    assert_eq!(executor.read_output(0, "y").unwrap().len(), 64);

    // Each of these is refused: by its numbers, or by the device at once or when it runs.
    let broken: [fn(&mut Program); 9] = [
        |program| program.pipelines[0].shader = 1,
        |program| program.dispatches[0].pipeline = 1,
        |program| program.dispatches[0].bindings[0].size = 1 << 40,
        |program| program.dispatches[0].bindings[0].offset = 4,
        |program| program.outputs[0].1.offset = 1 << 20,
        |program| program.shaders[0].source.push_str("fn broken( {}"),
        |program| program.dispatches[0].workgroups = [1 << 20, 1, 1],
        |program| program.input_bytes = u64::MAX,
        unaligned,
    ];
    let by_the_device = 5..;
    for (number, breaks) in broken.into_iter().enumerate() {
        let mut program = whole.clone();
        breaks(&mut program);
        let failed = load(&program).and_then(|mut executor| {
            executor.run(&[0])?;
            executor.read_output(0, "y")
        });
        match failed {
            Err(Error::Program { .. }) => assert!(!by_the_device.contains(&number), "{number}"),
            Err(Error::Device(_)) => assert!(by_the_device.contains(&number), "{number}"),
            failed => panic!("{number}: {failed:?}"),
        }
        // Nothing else on the device has failed.
        sound.write_input(0, "x", &[3.0; 64]).unwrap();
        sound.run(&[0]).unwrap();
        assert_eq!(sound.read_output(0, "y").unwrap(), [9.0; 64], "{number}");
        load(&whole).unwrap();
    }
}

/// A failure is the failing thread's: another that works on the same device meanwhile never sees it.
#[test]
fn failures_stay_with_their_thread() {
    let graph = Graph::new();
    let y = graph.input("x", Shape::vector(64)).square();
    let step = Step::new("square", &graph, &[("y", y)], vec![]).unwrap();
    let gpu = support::gpu();
    let mut program = lower(&step, &[], gpu.target()).unwrap();
    let mut sound = gpu.executor(&[], &[step]).unwrap();
    unaligned(&mut program);
    let mut broken = GpuExecutor::load(gpu, &[], vec![program]).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..50).for_each(|_| refused(broken.read_output(0, "y"), &["COPY_BUFFER_ALIGNMENT"])));
        for _ in 0..50 {
            sound.run(&[0]).unwrap();
            sound.read_output(0, "y").unwrap();
        }
    });
}

#[test]
fn what_runs_can_move_to_another_thread() {
    fn is_send<T: Send + ?Sized>() {}
    is_send::<Reference<f32>>();
    is_send::<Reference<f64>>();
    is_send::<GpuExecutor<f32>>();
    is_send::<GpuExecutor<f64>>();
    is_send::<dyn Executor>();
    is_send::<dyn Executor<f64>>();
    is_send::<Device>();
    is_send::<mewgan::ranks::Ranks>();
    is_send::<mewgan::models::dcgan::Trainer>();
    is_send::<mewgan::models::cyclegan::Trainer>();
    is_send::<mewgan::models::dcgan::Plan>();
    is_send::<mewgan::models::cyclegan::Plan>();
    is_send::<mewgan::models::dcgan::sampling::Sampler>();
    is_send::<mewgan::models::translation::Translator>();
    is_send::<Error>();
}

/// Constants that WGSL has no literal for, given or made of others.
#[test]
fn constants_are_computed_right_or_refused() {
    let x = [1.0, -2.0, 1e30, f32::MIN_POSITIVE];
    type Build = for<'g> fn(&'g Graph, Var<'g>) -> Result<Var<'g>>;
    let right: [Build; 19] = [
        |g, x| x.add(g.full(Shape::SCALAR, f64::NAN)),
        |g, x| x.mul(g.full(Shape::SCALAR, f64::INFINITY)),
        |g, x| x.sub(g.full(Shape::vector(4), f64::NEG_INFINITY)),
        |g, x| x.add(g.full(Shape::vector(4), 1e39)),
        |g, x| x.add(g.full(Shape::SCALAR, 1e30).scale(1e30)),
        |g, x| x.add(g.full(Shape::SCALAR, 1e30).scale(-1e30).tanh()),
        |g, x| x.add(g.full(Shape::SCALAR, 3e38).affine(2.0, -3e38)),
        |g, x| x.add(g.full(Shape::SCALAR, 3e38).add(g.full(Shape::SCALAR, 3e38))?),
        |g, x| x.add(g.full(Shape::SCALAR, 0.0).rsqrt()),
        |g, x| x.add(g.full(Shape::SCALAR, -1.0).rsqrt()),
        |g, x| x.mul(g.full(Shape::SCALAR, 1e30).square().rsqrt().abs()),
        |g, x| x.add(g.full(Shape::SCALAR, 1.0).div(g.full(Shape::SCALAR, 0.0))?),
        |g, x| x.div(g.full(Shape::SCALAR, 0.0)),
        |g, x| x.add(g.full(Shape::SCALAR, 100.0).exp()),
        |g, x| x.add(g.full(Shape::SCALAR, 0.0).log()),
        |g, x| x.scale(1e-30).div(g.full(Shape::SCALAR, 1e30)),
        |_, x| Ok(x.scale(1e30).scale(1e30)),
        |_, x| Ok(x.scale(1e-30).scale(1e-30).scale(1e30)),
        |_, x| Ok(x.affine(1e-42, f64::from(f32::MAX))),
    ];
    for (number, build) in right.into_iter().enumerate() {
        let graph = Graph::new();
        let y = build(&graph, graph.input("x", Shape::vector(4))).unwrap();
        let step = Step::new("step", &graph, &[("y", y), ("sum", y.sum())], vec![]).unwrap();
        let mut found = executors(&[], &step).into_iter().map(|(_, mut executor)| {
            executor.write_input(0, "x", &x).unwrap();
            executor.run(&[0]).unwrap();
            executor.read_output(0, "y").unwrap()
        });
        let (cpu, gpu) = (found.next().unwrap(), found.next().unwrap());
        let same = |(a, b): (&f32, &f32)| {
            a.total_cmp(b).is_eq() || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-6 * a.abs() + 1e-20
        };
        assert!(cpu.iter().zip(&gpu).all(same), "{number}: cpu {cpu:?}, gpu {gpu:?}");
    }
    let refusals: [(&str, Build); 7] = [
        ("affine: NaN is not finite", |_, x| Ok(x.scale(f64::NAN))),
        ("affine: inf is not finite", |_, x| Ok(x.affine(1.0, f64::INFINITY))),
        ("affine: -1e39 is not finite", |_, x| Ok(x.scale(-1e39).tanh())),
        ("leaky_relu", |_, x| x.leaky_relu(f64::INFINITY).map(Var::mean)),
        ("normalize: NaN is not finite", |_, x| x.batch_norm(None, f64::NAN)),
        ("all_reduce_mean: NaN is not finite", |_, x| Ok(x.all_reduce_mean(f64::NAN))),
        ("all_reduce_moments: inf is not finite", |_, x| Ok(x.sync_batch_norm(f64::INFINITY, None, 1e-5)?.0)),
    ];
    for (words, build) in refusals {
        let graph = Graph::new();
        let y = build(&graph, graph.input("x", Shape::vector(4)));
        refused(y.and_then(|y| Step::new("step", &graph, &[("y", y)], vec![])), &[words]);
    }
}
