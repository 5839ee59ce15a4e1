//! What networks and their tensors are called in files that others write.

use crate::nn::{Layer, Network};

/// What a network is called in other programs, besides its own name. CycleGAN's A is X, and B is Y.
pub fn others(network: &str) -> &'static [&'static str] {
    match network {
        "generator" => &["netG", "G"],
        "discriminator" => &["netD", "D"],
        "G_XtoY" => &["netG_A", "G_A"],
        "G_YtoX" => &["netG_B", "G_B"],
        // Theirs is named after the generator that it judges: D_A sees what G_A makes, images of B.
        "D_Y" => &["netD_A", "D_A"],
        "D_X" => &["netD_B", "D_B"],
        _ => &[],
    }
}

/// A tensor's name without what wrappers of modules put into it: the prefixes of `DataParallel` and `torch.compile`, one or both, and
/// the names of `torch.nn.utils.parametrizations.spectral_norm` as those of `torch.nn.utils.spectral_norm`.
pub fn unwrapped(name: &str) -> String {
    let mut name = name;
    while let Some(rest) = ["module.", "_orig_mod."].iter().find_map(|prefix| name.strip_prefix(prefix)) {
        name = rest;
    }
    name.replace("._orig_mod.", ".")
        .replace(".parametrizations.weight.original", ".weight_orig")
        .replace(".parametrizations.weight.0._", ".weight_")
}

/// How a file names the tensors of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `main.0.weight`, and within residual blocks `main.10.1.weight`: our own, and that of PyTorch's DCGAN example.
    Main,
    /// `model.0.weight`, and within residual blocks `model.10.conv_block.1.weight`: that of the published CycleGAN.
    Model {
        /// Whether dropout stands in the middle of the blocks, which moves what is behind it by one.
        dropout: bool,
    },
    /// `model.model.1.model.3.weight`: that of the published U-Nets, whose blocks stand in each other.
    Unet,
}

/// Places in a published residual block in front of its dropout: border, convolution, norm, ReLU.
const BEFORE_DROPOUT: usize = 4;

impl Naming {
    /// What the file that has tensors of these names and ranks uses.
    pub fn of<'n>(mut tensors: impl Iterator<Item = (&'n str, usize)> + Clone) -> Self {
        if !tensors.clone().any(|(name, _)| name.starts_with("model.")) {
            return Self::Main;
        }
        if is_unet(tensors.clone().map(|(name, _)| name)) {
            return Self::Unet;
        }
        // Without dropout a norm stands at this place, whose weights have one axis.
        let dropout = tensors.any(|(name, rank)| name.ends_with(".conv_block.6.weight") && rank == 4);
        Self::Model { dropout }
    }

    /// What a file calls our `main.<..>`.
    pub fn name(self, own: &str) -> String {
        let dropout = match self {
            Self::Main => return own.into(),
            Self::Unet => {
                let (module, leaf) = own.rsplit_once('.').unwrap_or((own, ""));
                let places: Vec<&str> = module.split('.').skip(1).collect();
                return format!("model.model.{}.{leaf}", places.join(".model."));
            }
            Self::Model { dropout } => dropout,
        };
        match own.split('.').collect::<Vec<_>>()[..] {
            ["main", layer, leaf] => format!("model.{layer}.{leaf}"),
            ["main", layer, inner, leaf] => {
                let place: usize = inner.parse().unwrap_or(0);
                let place = place + usize::from(dropout && place >= BEFORE_DROPOUT);
                format!("model.{layer}.conv_block.{place}.{leaf}")
            }
            _ => own.into(),
        }
    }
}

/// Whether tensors of these names are those of the published U-Nets (`unet_128`, `unet_256`), whose blocks stand in each other.
pub fn is_unet<'n>(mut names: impl Iterator<Item = &'n str>) -> bool {
    names.any(|name| name.contains("model.model.1.model."))
}

/// The biases of convolutions with a batch norm behind them, which takes away what they add: published networks have none there.
pub fn biases_before_batch_norms(network: &Network) -> Vec<String> {
    fn walk(layers: &[Layer], path: &str, found: &mut Vec<String>) {
        for (index, layer) in layers.iter().enumerate() {
            let module = format!("{path}.{index}");
            match (layer, layers.get(index + 1)) {
                (
                    Layer::Conv2d { bias: true, .. } | Layer::ConvTranspose2d { bias: true, .. },
                    Some(Layer::BatchNorm(_)),
                ) => found.push(format!("{module}.bias")),
                (Layer::Residual(layers) | Layer::Skip(layers), _) => walk(layers, &module, found),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    walk(&network.layers, "main", &mut found);
    found
}

/// The modules of a network that are instance norms: files of PyTorch before 0.4 hold statistics for them, never used.
pub fn instance_norms(network: &Network) -> Vec<String> {
    fn walk(layers: &[Layer], path: &str, found: &mut Vec<String>) {
        for (index, layer) in layers.iter().enumerate() {
            let module = format!("{path}.{index}");
            match layer {
                Layer::InstanceNorm(_) => found.push(module),
                Layer::Residual(layers) | Layer::Skip(layers) => walk(layers, &module, found),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    walk(&network.layers, "main", &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::{Naming, unwrapped};

    #[test]
    fn published_names() {
        let plain = Naming::of([("model.1.weight", 4), ("model.10.conv_block.6.weight", 1)].into_iter());
        assert_eq!(plain.name("main.1.weight"), "model.1.weight");
        assert_eq!(plain.name("main.10.5.bias"), "model.10.conv_block.5.bias");
        let dropout = Naming::of([("model.10.conv_block.6.weight", 4)].into_iter());
        assert_eq!(dropout.name("main.10.1.weight"), "model.10.conv_block.1.weight");
        assert_eq!(dropout.name("main.10.5.bias"), "model.10.conv_block.6.bias");
        assert_eq!(Naming::of([("main.0.weight", 4)].into_iter()), Naming::Main);
        let unet = Naming::of([("model.model.0.weight", 4), ("model.model.1.model.1.weight", 4)].into_iter());
        assert_eq!(unet, Naming::Unet);
        assert_eq!(unet.name("main.0.weight"), "model.model.0.weight");
        assert_eq!(unet.name("main.1.3.2.running_mean"), "model.model.1.model.3.model.2.running_mean");
    }

    #[test]
    fn wrappers_leave_no_trace() {
        assert_eq!(unwrapped("module.main.0.weight"), "main.0.weight");
        assert_eq!(unwrapped("_orig_mod.main.0.weight"), "main.0.weight");
        assert_eq!(unwrapped("module._orig_mod.main.0.weight"), "main.0.weight");
        assert_eq!(unwrapped("_orig_mod.module.main._orig_mod.0.weight"), "main.0.weight");
        assert_eq!(unwrapped("main.0.parametrizations.weight.original"), "main.0.weight_orig");
        assert_eq!(unwrapped("main.0.parametrizations.weight.0._u"), "main.0.weight_u");
    }
}
