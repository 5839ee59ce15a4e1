//! Promise: a session runs steps by name, writes learning rates itself, keeps running statistics, and refuses what cannot be with a
//! message that names the remedy.

use crate::support;
use mewgan::device::Device;
use mewgan::graph::{Graph, Step};
use mewgan::nn::{Init, Layer, Network};
use mewgan::optim::{Adam, Params, Sgd};
use mewgan::session::Session;
use mewgan::shape::{ConvOptions, Shape};

fn devices() -> [Device; 2] {
    [Device::open("cpu").unwrap(), Device::Gpu(support::gpu())]
}

fn message<T>(result: mewgan::Result<T>) -> String {
    result.err().expect("an error").to_string()
}

/// One number `w`, and steps that add to it or draw it to `x`.
#[test]
fn steps_of_one_group_share_its_updates() {
    for device in devices() {
        let mut params = Params::new(0);
        let sgd = Sgd { lr: 0.5, momentum: 0.5, dampening: 0.5, ..Sgd::default() };
        let group = params.add(&[], Init::Uniform, sgd).unwrap();
        params.add_tensor(group, "w", Shape::SCALAR, &[8.0]).unwrap();
        let graph = Graph::new();
        let modules = params.modules(&graph);
        let (w, x) = (modules.tensor("w").unwrap(), graph.input("x", Shape::SCALAR));
        let to_x = w.sub(x).unwrap().square().scale(0.5);
        let steps = vec![
            modules.minimize("down", w, group, &[("w", w)]).unwrap(),
            modules.minimize("to_x", to_x, group, &[("loss", to_x), ("w", w)]).unwrap(),
            Step::new("double", &graph, &[("twice", w.scale(2.0))], vec![]).unwrap().into(),
        ];
        let mut session = Session::new(&device, &params, steps).unwrap();
        assert!(message(session.read("w")).contains("has run"));
        let error = message(session.run("to_x"));
        assert!(error.contains("input x [1, 1, 1, 1] was never written"), "{error}");
        session.write("x", &[1.0]).unwrap();
        // The first gradient, 1, counts whole: the sum is 1.
        session.run("down").unwrap();
        assert_eq!(session.tensor("w").unwrap(), [7.5]);
        // The next by half: 0.5 * 1 + 0.5 * (7.5 - 1) = 3.75.
        session.run("to_x").unwrap();
        assert_eq!(session.tensor("w").unwrap(), [5.625]);
        // An output is what it was before the update; of two steps that give it, the last one's counts.
        assert_eq!([session.read("loss").unwrap(), session.read("w").unwrap()], [[21.125], [7.5]]);
        session.set_lr(group, 0.25).unwrap();
        // 0.5 * 3.75 + 0.5 * 1 = 2.375
        session.run("down").unwrap();
        assert_eq!(session.read("w").unwrap(), [5.625]);
        session.run("double").unwrap();
        assert_eq!(session.read("twice").unwrap(), [2.0 * (5.625 - 0.25 * 2.375)]);
        assert!(message(session.set_lr(group, f64::NAN)).contains("lr of sgd is NaN"));
        assert!(message(session.run("up")).contains("no step named up; there are: double, down, to_x"));
        assert!(message(session.write("rates", &[0.0; 2])).contains("no input named rates; there are: x"));
        assert!(message(session.write("x", &[0.0; 2])).contains("1 numbers, not 2"));
        assert!(message(session.read("y")).contains("no output named y; there are: loss, twice, w"));
        assert!(message(session.tensor("y")).contains("no tensor named y"));
    }
}

/// Two steps in one graph: each updates the running statistics and singular vectors of the passes that its loss comes of, and
/// evaluation none.
#[test]
fn running_statistics_follow_the_passes_of_a_step() {
    for device in devices() {
        let conv = Layer::Conv2d {
            inputs: 1,
            outputs: 4,
            kernel: [3; 2],
            options: ConvOptions::new(1, 1),
            bias: false,
            spectral: true,
        };
        let near = Network::new("near", [Layer::linear(1, 1), Layer::BatchNorm(1)]);
        let far = Network::new("far", [conv, Layer::BatchNorm(4)]);
        let mut params = Params::new(3);
        let a = params.add(&[&near], Init::Uniform, Adam::default()).unwrap();
        let b = params.add(&[&far], Init::Uniform, Adam::default()).unwrap();
        let graph = Graph::new();
        let modules = params.modules(&graph);
        let x = graph.input("x", Shape([2, 4, 4, 1]));
        let y = modules.forward("near", x).unwrap();
        let z = modules.forward("far", y).unwrap();
        let used = modules.evaluate("far", y).unwrap();
        let steps = vec![
            modules.minimize("near", y.square().mean(), a, &[]).unwrap(),
            modules.minimize("far", z.square().mean(), b, &[]).unwrap(),
            Step::new("use", &graph, &[("used", used)], vec![]).unwrap().into(),
        ];
        let mut session = Session::new(&device, &params, steps).unwrap();
        session.write("x", &(0..32).map(|at| 1.0 + (at % 7) as f32).collect::<Vec<f32>>()).unwrap();
        let state = |session: &mut Session| {
            [
                "near.main.1.running_mean",
                "far.main.1.running_mean",
                "far.main.0.weight_u",
                "far.main.1.weight",
            ]
            .map(|name| session.tensor(name).unwrap())
        };
        let before = state(&mut session);
        assert_eq!(before[..2], [vec![0.0], vec![0.0; 4]]);
        assert_eq!([before[2].len(), before[3].len()], [4, 4]);
        session.run("near").unwrap();
        let after = state(&mut session);
        assert_ne!(after[0], before[0]);
        assert_eq!(after[1..], before[1..]);
        session.run("far").unwrap();
        let last = state(&mut session);
        assert!(last.iter().zip(&after).all(|(last, after)| last != after), "{last:?}");
        session.run("use").unwrap();
        assert_eq!(state(&mut session), last);
    }
}

#[test]
fn names_and_groups_are_checked() {
    let mut params = Params::new(0);
    let net = Network::new("net", [Layer::linear(2, 2)]);
    let group = params.add(&[&net], Init::Uniform, Adam::default()).unwrap();
    let empty = params.add(&[], Init::Uniform, Adam::default()).unwrap();
    assert!(
        message(params.add(&[&net], Init::Uniform, Adam::default())).contains("two networks are named net")
    );
    let wrong = Adam { beta1: 1.0, ..Adam::default() };
    assert!(message(params.add(&[], Init::Uniform, wrong)).contains("beta1 of adam is 1"));
    params.add_tensor(group, "w", Shape::SCALAR, &[0.0]).unwrap();
    assert!(
        message(params.add_tensor(empty, "w", Shape::SCALAR, &[0.0])).contains("two tensors are named w")
    );
    assert!(message(params.add_tensor(group, "v", Shape::SCALAR, &[])).contains("1 numbers, not 0"));

    let (graph, other) = (Graph::new(), Graph::new());
    let modules = params.modules(&graph);
    let y = modules.forward("net", graph.input("x", Shape([1, 1, 1, 2]))).unwrap();
    assert!(message(modules.forward("nett", y)).contains("no network named nett; there are: net"));
    assert!(message(modules.tensor("net.main.0.weight")).contains("no loose tensor named"));
    assert!(message(modules.minimize("s", y.sum(), empty, &[])).contains("depends on no parameter"));
    let elsewhere = params.modules(&graph);
    assert!(message(elsewhere.minimize("s", y.sum(), group, &[])).contains("compute it by these modules"));
    assert!(
        message(modules.minimize("s", other.full(Shape::SCALAR, 0.0), group, &[])).contains("another graph")
    );
    let step = modules.minimize("s", y.sum(), group, &[]).unwrap();
    let cpu = Device::open("cpu").unwrap();
    let twice = Session::new(&cpu, &params, vec![step.clone(), step.clone()]);
    assert!(message(twice.map(drop)).contains("two steps are named s"));
    assert!(message(Session::new(&cpu, &Params::new(0), vec![step]).map(drop)).contains("other parameters"));
}
