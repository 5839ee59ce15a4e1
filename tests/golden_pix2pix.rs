//! Promise: a translation and a whole pix2pix iteration give what PyTorch gives, in f64, dropout included. The fixture is written by
//! tests/golden/make_pix2pix.py.

use crate::support::fixtures::{Named, distance, golden, state_values, tensors};
use mewgan::executor::Executor;
use mewgan::models::pix2pix::networks::{UNet, discriminator};
use mewgan::models::pix2pix::{DISCRIMINATOR, GENERATOR, Objective, Pix2Pix, Pix2PixConfig};
use mewgan::nn::diffaugment::DiffAugmentPolicy;
use mewgan::nn::loss::{Adversarial, R1};
use mewgan::nn::{Network, Norm, NormMode, Upsample, torch};
use mewgan::optim::Adam;
use mewgan::reference::Reference;
use mewgan::shape::Shape;
use mewgan::train::config::{Preset, RunConfig};
use mewgan::train::model::Model;
use serde_json::Value;
use std::collections::BTreeMap;

/// Rounding over some twenty layers there and back, in f64: some thousand units in the last place of the largest number.
const TOLERANCE: f64 = 1e-11;

/// The fixture's networks.
fn model(size: usize) -> Pix2Pix {
    let adam = Adam { lr: 2e-4, beta1: 0.5, beta2: 0.999, eps: 1e-8 };
    let unet = UNet {
        width: 1,
        depth: 5,
        channels: [3; 2],
        norm: Norm::Batch,
        upsample: Upsample::Transposed,
        dropout: 0.5,
    };
    Pix2Pix {
        generator: unet.network("generator").unwrap(),
        discriminator: discriminator("discriminator", 1, 6, 2, Norm::Batch, 0.2),
        size: size.into(),
        channels: [3; 2],
        objective: Objective {
            loss: Adversarial::Bce,
            d_scale: 0.5,
            g_scale: 1.0,
            lambda_l1: 100.0,
            r1: R1::OFF,
            average: false,
            scaled: false,
            g_adam: adam,
            d_adam: adam,
            diffaugment: DiffAugmentPolicy::default(),
        },
    }
}

#[test]
fn an_iteration_of_pix2pix_gives_what_pytorch_gives() {
    let fixture: Named<f64> = tensors(&golden("pix2pix.safetensors"));
    let [batch, _, size, _] = fixture["source"].shape[..] else { panic!("images have 4 axes") };
    let model = model(size);
    let steps = vec![
        model.discriminator_step(batch, false).unwrap(),
        model.generator_step(batch).unwrap(),
        model.translator(batch, [size; 2], NormMode::Batch, true).unwrap(),
    ];
    let buffers = model.buffers();
    let mut executor = Reference::<f64>::new(&buffers, steps.clone()).unwrap();
    let networks = [(GENERATOR, &model.generator), (DISCRIMINATOR, &model.discriminator)];
    let named = |what: &str, network: &Network| format!("{what}.{}", network.name);
    for (of, network) in networks {
        let prefix = named("before", network);
        for (buffer, tensors) in [(of.parameters, network.parameters()), (of.running, network.running())] {
            let values = state_values(&buffers[buffer], &tensors, &prefix, &fixture);
            executor.write_state(buffer, &values).unwrap();
        }
    }
    for (index, step) in steps.iter().enumerate() {
        for (_, input, shape) in step.inputs() {
            let named = if input == "images" { "source" } else { input };
            let values = match input {
                "rates" => model.objective.g_adam.rates(1).to_vec(),
                _ => torch::image_from_torch(&fixture[named].values, Shape(shape.0)),
            };
            executor.write_input(index, input, &values).unwrap();
        }
    }
    executor.run(&[2]).unwrap();
    let translation = executor.read_output(2, "translation").unwrap();
    let shape = Shape([batch, size, size, 3]);
    let expected = torch::image_from_torch(&fixture["translation"].values, shape);
    assert!(distance(&translation, &expected) <= TOLERANCE);
    for (index, (of, network)) in networks.iter().rev().enumerate() {
        executor.run(&[index]).unwrap();
        let losses = steps[index].outputs.iter().map(|(name, _)| name);
        for loss in losses.filter(|name| !name.starts_with("errors")) {
            let found = executor.read_output(index, loss).unwrap();
            assert!(distance(&found, &fixture[&format!("loss.{loss}")].values) <= TOLERANCE, "{loss}");
        }
        let found = executor.read_state(of.gradients).unwrap();
        let prefix = named("grad", network);
        let expected = state_values(&buffers[of.gradients], &network.parameters(), &prefix, &fixture);
        assert!(distance(&found, &expected) <= TOLERANCE, "{prefix}");
    }
    for (of, network) in networks {
        let prefix = named("after", network);
        let expected = state_values(&buffers[of.running], &network.running(), &prefix, &fixture);
        assert!(distance(&executor.read_state(of.running).unwrap(), &expected) <= TOLERANCE, "{prefix}");
        // Adam makes steps of its learning rate out of rounding where a gradient is nothing else.
        let gradients = executor.read_state(of.gradients).unwrap();
        let significant = |numbers: Vec<f64>| -> Vec<f64> {
            numbers.into_iter().zip(&gradients).filter(|(_, g)| g.abs() > 1e-9).map(|(x, _)| x).collect()
        };
        let found = significant(executor.read_state(of.parameters).unwrap());
        let expected = state_values(&buffers[of.parameters], &network.parameters(), &prefix, &fixture);
        assert!(distance(&found, &significant(expected)) <= TOLERANCE, "{prefix}");
    }
}

#[test]
fn tensors_are_named_and_shaped_as_the_published_ones() {
    let golden: Value = serde_json::from_str(include_str!("golden/names.json")).unwrap();
    let model = Pix2PixConfig::preset(Preset::Paper).pix2pix().unwrap();
    for (network, of) in [(&model.generator, "G"), (&model.discriminator, "D")] {
        let golden = &golden["pix2pix_paper"][of];
        assert_eq!(Some(network.parameter_count() as u64), golden["parameters"].as_u64());
        // Blocks of a U-Net stand in each other, each a `model`.
        let places = |name: &str| {
            let parts = name.split('.').filter(|part| *part != "model").collect::<Vec<_>>();
            format!("main.{}", parts.join("."))
        };
        let shape =
            |of: &Value| of.as_array().unwrap().iter().map(|axis| axis.as_u64().unwrap() as usize).collect();
        let expected: BTreeMap<String, Vec<usize>> = golden["tensors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tensor| (places(tensor["name"].as_str().unwrap()), shape(&tensor["shape"])))
            .collect();
        let tensors = network.parameters().into_iter().chain(network.running());
        let found: BTreeMap<_, _> = tensors.flat_map(|tensor| tensor.torch_entries()).collect();
        assert_eq!(found, expected);
    }
}
