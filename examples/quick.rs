use mewgpu::executor::Executor;
use mewgpu::gpu::Gpu;
use mewgpu::nn::dcgan::{self, Norm};
use mewgpu::nn::loss::Adversarial;
use mewgpu::optim::Adam;
use mewgpu::reference::Reference;
use mewgpu::train::dcgan_steps::*;
use std::time::Instant;
fn main() {
    let arg = std::env::args().nth(1).unwrap();
    let w: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let n: usize = std::env::args().nth(3).unwrap().parse().unwrap();
    let norm = if w == 32 { Norm::Instance } else { Norm::Batch };
    let adam = Adam { lr: 3e-4, beta1: 0.5, beta2: 0.999, eps: 1e-8 };
    let model = Dcgan { generator: dcgan::generator(100, w, 64, 3, norm).unwrap(), discriminator: dcgan::discriminator(w, 64, 3, norm, true, 0.0).unwrap(), noise: 100, size: 64, channels: 3,
        objective: Objective { loss: Adversarial::Lsgan, d_scale: 0.5, g_scale: 1.0, fresh_noise: true, g_adam: adam, d_adam: adam, diffaugment: DiffAugmentPolicy::default() } };
    let steps = vec![model.discriminator_step(16).unwrap(), model.generator_step(16).unwrap()];
    let t = Instant::now();
    let mut ex: Box<dyn Executor> = if arg == "cpu" { Box::new(Reference::<f32>::new(&model.banks(), steps)) } else {
        let gpu = Gpu::open("", false).unwrap();
        println!("{}", gpu.summary());
        let e = gpu.executor(&model.banks(), &steps).unwrap();
        for p in e.programs() { println!("{}: {} dispatches {} pipelines", p.name, p.dispatches.len(), p.pipelines.len()); }
        Box::new(e) };
    println!("setup {:?} bytes {}", t.elapsed(), ex.bytes());
    let t = Instant::now();
    ex.run(&[0, 1]).unwrap(); ex.read_output(1, "G").unwrap();
    println!("first {:?}", t.elapsed());
    for _ in 0..3 {
    let t = Instant::now();
    for _ in 0..n { ex.run(&[0, 1]).unwrap(); }
    ex.read_output(1, "G").unwrap();
    println!("{:.1} ms/step", t.elapsed().as_secs_f64() * 1000.0 / n as f64);
    }
}
