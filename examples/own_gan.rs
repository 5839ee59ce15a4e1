//! A GAN of one's own on data made on the spot: from noise alone, a generator learns to put points on a ring. A matter of
//! seconds, which leaves a picture, `own_gan.png`: `cargo run --release --example own_gan -- --device cpu`

use mewgan::data::{NoiseKind, noise};
use mewgan::device::Device;
use mewgan::graph::{Graph, Step};
use mewgan::nn::{Init, Layer, Network, Statistics, loss::Adversarial::Bce};
use mewgan::report::{Layout, Pictures, sheet};
use mewgan::shape::{ConvOptions, Shape};
use mewgan::{optim::Adam, train::optimizer::TrainedBanks};

const BATCH: usize = 256;
const SIDE: usize = 96;

/// From `[n, 1, 1, inputs]` to `[n, 1, 1, outputs]`: on single pixels a convolution is a dense layer.
fn network(name: &str, inputs: usize, outputs: usize) -> Network {
    let dense = |inputs, outputs| Layer::conv2d(inputs, outputs, 1, ConvOptions::new(1, 0), true);
    let layers = vec![
        dense(inputs, 64),
        Layer::leaky_relu(0.2),
        dense(64, 64),
        Layer::leaky_relu(0.2),
        dense(64, outputs),
    ];
    Network { name: name.into(), layers }
}

/// Trains on `device`, draws points of the ring beside made ones, each from -1.5 to 1.5, and returns those, `[BATCH, 2]`.
pub fn run(device: &Device, picture: &std::path::Path) -> mewgan::Result<Vec<f32>> {
    let (generator, discriminator) = (network("generator", 4, 2), network("discriminator", 2, 1));
    let (g, d) = (TrainedBanks::starting_at(0), TrainedBanks::starting_at(TrainedBanks::COUNT));
    let banks = [TrainedBanks::banks(&[&generator]), TrainedBanks::banks(&[&discriminator])].concat();
    let adam = Adam { lr: 2e-3, beta1: 0.5, beta2: 0.999, eps: 1e-8 };

    // One graph of both players, of which each one's step takes what it needs.
    let graph = Graph::new();
    let g_tensors = g.tensors(&graph, &[&generator], &banks);
    let d_tensors = d.tensors(&graph, &[&discriminator], &banks);
    let score = |points| discriminator.forward(points, &d_tensors[0], Statistics::Batch);
    let input = graph.input("noise", Shape([BATCH, 1, 1, 4]));
    let (made, _) = generator.forward(input, &g_tensors[0], Statistics::Batch)?;
    let (on_real, _) = score(graph.input("real", Shape([BATCH, 1, 1, 2])))?;
    let (on_made, _) = score(made)?;
    let d_loss = Bce.toward(on_real, true).add(Bce.toward(on_made, false))?;
    let g_loss = Bce.generator(on_made);
    let d_updates = d.descend(d_loss, BATCH.into(), &d_tensors, &banks, &adam)?;
    let g_updates = g.descend(g_loss, BATCH.into(), &g_tensors, &banks, &adam)?;
    let d_step = Step::new("discriminator", &graph, &[("loss", d_loss)], d_updates)?;
    let g_step = Step::new("generator", &graph, &[("loss", g_loss), ("made", made)], g_updates)?;

    let mut executor = device.executor(&banks, vec![d_step, g_step])?;
    for (of, network, purpose) in [(g, &generator, "init.g"), (d, &discriminator, "init.d")] {
        let [parameters, _] = TrainedBanks::initial(&[(network, purpose)], Init::Uniform, 1);
        executor.write_bank(of.parameters, &parameters)?;
    }
    let mut real = vec![];
    for t in 1..=2000 {
        let turns = noise(NoiseKind::Uniform, 1, "turns", t, BATCH).into_iter();
        real = turns.flat_map(|turn| <[f32; 2]>::from((std::f32::consts::PI * turn).sin_cos())).collect();
        executor.write_input(0, "real", &real)?;
        for (step, purpose) in [(0, "noise.d"), (1, "noise.g")] {
            executor.write_input(step, "noise", &noise(NoiseKind::Normal, 1, purpose, t, BATCH * 4))?;
            executor.write_input(step, "rates", &adam.rates(t).map(|rate| rate as f32))?;
        }
        executor.run(&[0, 1])?;
        if t % 250 == 0 {
            let [d, g] = [executor.read_output(0, "loss")?[0], executor.read_output(1, "loss")?[0]];
            println!("step {t}: discriminator {d:.3}, generator {g:.3}");
        }
    }
    let made = executor.read_output(1, "made")?;
    let mut pixels = vec![-1.0; 2 * SIDE * SIDE];
    for (index, point) in real.chunks(2).chain(made.chunks(2)).enumerate() {
        let [x, y] = [0, 1].map(|axis| ((point[axis] / 3.0 + 0.5) * SIDE as f32) as usize);
        pixels[(index / BATCH * SIDE + y.min(SIDE - 1)) * SIDE + x.min(SIDE - 1)] = 1.0;
    }
    let pictures = Pictures { values: &pixels, side: SIDE, channels: 1 };
    sheet::grid(pictures, Layout { columns: 2, padding: 2, scale: 3 })?.save_png(picture)?;
    Ok(made)
}

fn main() -> mewgan::Result<()> {
    let device = std::env::args().skip_while(|flag| flag != "--device").nth(1);
    run(&Device::open(device.as_deref().unwrap_or("auto"))?, "own_gan.png".as_ref()).map(drop)
}
