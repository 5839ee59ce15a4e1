//! A GAN of one's own on data made on the spot: from noise alone, a generator learns to put points on a ring. A matter of
//! seconds, which leaves an image, `own_gan.png`: `cargo run --release --example own_gan -- --device cpu`

use mewgan::data::{NoiseKind, noise};
use mewgan::nn::{Init, Layer, Network, loss::Adversarial::Bce};
use mewgan::optim::{Adam, Params};
use mewgan::report::{Images, Layout, sheet};
use mewgan::{device::Device, graph::Graph, session::Session, shape::Shape};

const BATCH: usize = 256;
const SIDE: usize = 96;

fn network(name: &str, inputs: usize, outputs: usize) -> Network {
    let [first, second] = [Layer::linear(inputs, 64), Layer::linear(64, 64)];
    let relu = Layer::leaky_relu(0.2);
    Network::new(name, [first, relu.clone(), second, relu, Layer::linear(64, outputs)])
}

/// Trains on `device`, draws points of the ring beside made ones, each from -1.5 to 1.5, and returns those, `[BATCH, 2]`.
pub fn run(device: &Device, image: &std::path::Path) -> mewgan::Result<Vec<f32>> {
    let adam = Adam { lr: 2e-3, beta1: 0.5, ..Adam::default() };
    let mut params = Params::new(1);
    let g = params.add(&[&network("generator", 4, 2)], Init::Uniform, adam)?;
    let d = params.add(&[&network("discriminator", 2, 1)], Init::Uniform, adam)?;

    let graph = Graph::new();
    let nets = params.modules(&graph);
    let made = nets.forward("generator", graph.input("noise", Shape([BATCH, 1, 1, 4])))?;
    let on_real = nets.forward("discriminator", graph.input("real", Shape([BATCH, 1, 1, 2])))?;
    let on_made = nets.forward("discriminator", made)?;
    let d_loss = Bce.toward(on_real, true).add(Bce.toward(on_made, false))?;
    let g_loss = Bce.generator(on_made);
    let d_step = nets.minimize("discriminator", d_loss, d, &[("d_loss", d_loss)])?;
    let g_step = nets.minimize("generator", g_loss, g, &[("g_loss", g_loss), ("made", made)])?;
    let mut session = Session::new(device, &params, vec![d_step, g_step])?;

    let mut real = vec![];
    for t in 1..=2000 {
        let turns = noise(NoiseKind::Uniform, 1, "turns", t, BATCH).into_iter();
        real = turns.flat_map(|turn| <[f32; 2]>::from((std::f32::consts::PI * turn).sin_cos())).collect();
        session.write("real", &real)?;
        for (step, purpose) in [("discriminator", "noise.d"), ("generator", "noise.g")] {
            session.write("noise", &noise(NoiseKind::Normal, 1, purpose, t, BATCH * 4))?;
            session.run(step)?;
        }
        if t % 250 == 0 {
            let [d, g] = [session.read("d_loss")?[0], session.read("g_loss")?[0]];
            println!("step {t}: discriminator {d:.3}, generator {g:.3}");
        }
    }

    let made = session.read("made")?;
    let mut pixels = vec![-1.0; 2 * SIDE * SIDE];
    for (index, point) in real.chunks(2).chain(made.chunks(2)).enumerate() {
        let [x, y] = [0, 1].map(|axis| ((point[axis] / 3.0 + 0.5) * SIDE as f32) as usize);
        pixels[(index / BATCH * SIDE + y.min(SIDE - 1)) * SIDE + x.min(SIDE - 1)] = 1.0;
    }
    let images = Images { values: &pixels, size: SIDE.into(), channels: 1 };
    sheet::grid(images, Layout { columns: 2, padding: 2, scale: 3 })?.save_png(image)?;
    Ok(made)
}

fn main() -> mewgan::Result<()> {
    let device = std::env::args().skip_while(|flag| flag != "--device").nth(1);
    run(&Device::open(device.as_deref().unwrap_or("auto"))?, "own_gan.png".as_ref()).map(drop)
}
