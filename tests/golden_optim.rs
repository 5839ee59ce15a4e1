//! Promise: optimizers give what PyTorch's give, over several steps whose learning rate changes, on every device. The fixtures, all
//! in f64 and drawn from numbers that f32 holds exactly, are written by tests/golden/make_optim.py.

use crate::support;
use crate::support::fixtures::{Named, distance, golden, tensors};
use mewgan::executor::Executor;
use mewgan::graph::{Graph, StateBuffer, Step, Var};
use mewgan::nn::Init;
use mewgan::optim::{Optimizer, OptimizerState, Params};
use mewgan::reference::{Number, Reference};
use mewgan::shape::Shape;
use std::collections::BTreeSet;
use std::path::Path;

const TENSORS: [&str; 2] = ["a", "b"];

/// A few dozen roundings, each of half a unit in the last place: 2^-53 or 2^-24.
const DOUBLE: f64 = 1e-14;
const SINGLE: f64 = 2e-6;

struct Fixture {
    name: String,
    optimizer: Optimizer,
    /// Of every step.
    lr: Vec<f64>,
    numbers: Named<f64>,
}

impl Fixture {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        let metadata = header.metadata().as_ref().unwrap();
        Self {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            optimizer: serde_json::from_str(&metadata["optimizer"]).unwrap(),
            lr: serde_json::from_str(&metadata["lr"]).unwrap(),
            numbers: tensors(path),
        }
    }

    fn shape(&self, tensor: &str) -> Shape {
        let mut shape = [1; 4];
        let known = &self.numbers[&format!("before.{tensor}")].shape;
        shape[4 - known.len()..].copy_from_slice(known);
        Shape(shape)
    }

    /// The tensors, and a step whose gradients are its inputs.
    fn step(&self) -> (Params, Step) {
        let mut params = Params::new(0);
        let group = params.add(&[], Init::Uniform, self.optimizer).unwrap();
        for tensor in TENSORS {
            let values = self.numbers[&format!("before.{tensor}")].values.iter().map(|&x| x as f32);
            params.add_tensor(group, tensor, self.shape(tensor), &values.collect::<Vec<f32>>()).unwrap();
        }
        let graph = Graph::new();
        let modules = params.modules(&graph);
        let loss = |tensor: &str| -> Var<'_> {
            let gradient = graph.input(&format!("grad.{tensor}"), self.shape(tensor));
            modules.tensor(tensor).unwrap().mul(gradient).unwrap().sum()
        };
        let loss = loss("a").add(loss("b")).unwrap();
        let step = modules.minimize("step", loss, group, &[]).unwrap().step;
        (params, step)
    }

    /// Runs all steps and compares the parameters after each, and the state after the last.
    fn compare<T: Number>(
        &self,
        device: &str,
        tolerance: f64,
        make: impl FnOnce(&[StateBuffer], Step) -> Box<dyn Executor<T>>,
    ) {
        let (params, step) = self.step();
        let buffers = params.buffers();
        let mut executor = make(buffers, step);
        for (buffer, values) in params.initial().iter().enumerate() {
            let values: Vec<T> = values.iter().map(|&x| T::from_f64(x.into())).collect();
            executor.write_state(buffer, &values).unwrap();
        }
        let given = |values: &[f64]| values.iter().map(|&x| T::from_f64(x)).collect::<Vec<T>>();
        let of = OptimizerState::of(0, &self.optimizer.rule());
        let compare = |executor: &mut dyn Executor<T>, buffer: usize, prefix: &str| {
            let found: Vec<f64> = executor.read_state(buffer).unwrap().into_iter().map(T::as_f64).collect();
            for (index, tensor) in TENSORS.into_iter().enumerate() {
                let expected = &self.numbers[&format!("{prefix}.{tensor}")].values;
                let distance = distance(buffers[buffer].view(&found, index), expected);
                let label = format!("{} on {device}: {prefix}.{tensor}", self.name);
                assert!(distance <= tolerance, "{label} differs by {distance:.1e}");
            }
        };
        let mut optimizer = self.optimizer;
        for (at, &lr) in self.lr.iter().enumerate() {
            *optimizer.lr_mut() = lr;
            executor.write_input(0, "rates", &given(&optimizer.rates(at as u64 + 1))).unwrap();
            for tensor in TENSORS {
                let gradient = &self.numbers[&format!("grad.{at}.{tensor}")].values;
                executor.write_input(0, &format!("grad.{tensor}"), &given(gradient)).unwrap();
            }
            executor.run(&[0]).unwrap();
            compare(&mut *executor, of.parameters, &format!("after.{at}"));
        }
        let kept = self.numbers.keys().filter_map(|name| name.strip_prefix("state."));
        let kept: BTreeSet<&str> = kept.filter_map(|name| name.split('.').next()).collect();
        let own: BTreeSet<&str> = of.state().map(|(name, _)| name).collect();
        assert_eq!(own, kept, "{}: state buffers", self.name);
        for (name, buffer) in of.state() {
            compare(&mut *executor, buffer, &format!("state.{name}"));
        }
    }
}

#[test]
fn optimizers_give_what_pytorch_gives() {
    let mut seen = BTreeSet::new();
    for entry in std::fs::read_dir(golden("optim")).unwrap() {
        let fixture = Fixture::read(&entry.unwrap().path());
        fixture.compare::<f64>("reference f64", DOUBLE, |buffers, step| {
            Box::new(Reference::new(buffers, vec![step]).unwrap())
        });
        fixture.compare::<f32>("reference f32", SINGLE, |buffers, step| {
            Box::new(Reference::new(buffers, vec![step]).unwrap())
        });
        fixture.compare::<f32>("GPU", SINGLE, |buffers, step| {
            Box::new(support::gpu().executor(buffers, &[step]).unwrap())
        });
        seen.insert(fixture.optimizer.name());
    }
    assert!(seen.into_iter().eq(["adam", "adamw", "rmsprop", "sgd"]));
}

/// What PyTorch refuses is refused, and so is what is no setting.
#[test]
fn settings_that_cannot_be_are_refused() {
    let check = |text: &str| {
        let optimizer: Result<Optimizer, _> = serde_json::from_str(text);
        optimizer
            .map_err(|error| error.to_string())
            .and_then(|of| of.check().map_err(|error| error.to_string()))
    };
    let refused = [
        (r#"{"name": "adamw", "lr": -1.0}"#, "lr of adamw is -1"),
        (r#"{"name": "adam", "lr": 0.1, "beta1": 1.0, "beta2": 0.9, "eps": 0}"#, "beta1 of adam is 1"),
        (r#"{"name": "rmsprop", "momentum": -0.5}"#, "momentum of rmsprop is -0.5"),
        (r#"{"name": "sgd", "nesterov": true}"#, "momentum of sgd is 0; it must be above 0 with `nesterov`"),
        (
            r#"{"name": "sgd", "nesterov": true, "momentum": 0.9, "dampening": 0.1}"#,
            "dampening of sgd is 0.1",
        ),
        (r#"{"name": "sgd", "momentun": 0.9}"#, "momentun"),
        (r#"{"name": "adagrad"}"#, "adagrad"),
    ];
    for (text, words) in refused {
        let error = check(text).unwrap_err();
        assert!(error.contains(words), "{text}: {error}");
    }
    check(r#"{"name": "sgd", "nesterov": true, "momentum": 0.9}"#).unwrap();
}
