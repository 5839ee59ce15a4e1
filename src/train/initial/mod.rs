//! Where initial weights come from: they are drawn, or taken from safetensors files, which PyTorch's `state_dict`s become.

mod names;
mod part;

use super::model::{Model, Trained};
use crate::nn::{Init, Network};
use crate::tensor_file::TensorFile;
use crate::{Error, Result};
use part::Part;
use serde::de::Deserializer;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// One thing that initial weights come from. In settings: `uniform`, `normal`, `FILE.safetensors` or
/// `NETWORK=FILE.safetensors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Initial {
    /// What no file holds is drawn so.
    Drawn(Init),
    /// A safetensors file.
    File {
        /// The one network it is for, as `generator`; else every network whose name its tensors stand behind.
        network: Option<String>,
        /// Which file.
        path: PathBuf,
    },
}

impl From<Init> for Initial {
    fn from(draw: Init) -> Self {
        Self::Drawn(draw)
    }
}

impl FromStr for Initial {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "uniform" => return Ok(Init::Uniform.into()),
            "normal" => return Ok(Init::Normal.into()),
            _ => {}
        }
        let (network, path) = match text.split_once('=') {
            Some((network, path)) if !network.contains(['/', '.']) => (Some(network.to_owned()), path),
            // The name of one of several scales, such as D_X.0, has a dot; a path before a = has more.
            Some((network, path)) if network.starts_with("D_") => (Some(network.to_owned()), path),
            _ => (None, text),
        };
        let path = PathBuf::from(path);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("safetensors") => Ok(Self::File { network, path }),
            Some("pth" | "pt" | "ckpt" | "bin" | "pkl") => Err(pickled(&path)),
            _ => Err(format!(
                "{text:?} is neither uniform nor normal, nor a file whose name ends in .safetensors; choose one of these, as in \
                 generator=netG.safetensors"
            )),
        }
    }
}

impl fmt::Display for Initial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drawn(Init::Uniform) => f.write_str("uniform"),
            Self::Drawn(Init::Normal) => f.write_str("normal"),
            Self::File { network: Some(network), path } => write!(f, "{network}={}", path.display()),
            Self::File { network: None, path } => write!(f, "{}", path.display()),
        }
    }
}

/// Settings read `init = "normal"` and `init = ["normal", "generator=netG.safetensors"]`.
pub(super) mod one_or_more {
    use super::{Deserialize, Deserializer, Initial, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected uniform, normal or FILE.safetensors, or a list of them")]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Initial>>, D::Error> {
        let texts = match OneOrMore::deserialize(from)? {
            OneOrMore::One(text) => vec![text],
            OneOrMore::More(texts) => texts,
        };
        let each = |text: String| text.parse().map_err(super::refused::<D::Error>);
        texts.into_iter().map(each).collect::<Result<_, _>>().map(Some)
    }

    pub fn serialize<S: Serializer>(initial: &[Initial], to: S) -> Result<S::Ok, S::Error> {
        match initial {
            [one] => one.to_string().serialize(to),
            more => more.iter().map(ToString::to_string).collect::<Vec<_>>().serialize(to),
        }
    }
}

fn refused<E: serde::de::Error>(problem: String) -> E {
    E::custom(problem)
}

/// How to make a safetensors file of a pickle, in lines for people.
fn pickled(path: &Path) -> String {
    let safe = path.with_extension("safetensors");
    format!(
        "{0}: a pickle of PyTorch's, which may run programs when it is read; make a safetensors file of its state_dict in \
         Python, and pass that:\n    import torch; from safetensors.torch import save_file\n    state = torch.load({0:?}, \
         map_location=\"cpu\", weights_only=True)\n    save_file({{name: tensor.contiguous() for name, tensor in \
         state.items()}}, {1:?})",
        path.display().to_string(),
        safe.display().to_string()
    )
}

/// The numbers of all state buffers of `model` before training, where some come from files, and what came from where, in words. None
/// where all are drawn. Averages begin at the weights, moments at 0.
///
/// # Errors
/// If a file cannot be read, is for no network or for one that another file is for, or does not fit its network: everything
/// missing, unexpected or of another shape is named.
pub fn from_files(
    model: &impl Model,
    initial: &[Initial],
    draw: Init,
    seed: u64,
) -> Result<Option<(Vec<Vec<f32>>, String)>> {
    let trained = model.trained();
    let networks: Vec<&Network> = trained.iter().flat_map(|of| of.networks.iter().map(|of| of.0)).collect();
    let mut files = Vec::new();
    for initial in initial {
        if let Initial::File { network, path } = initial {
            files.push((network.as_deref(), path.as_path(), open(path)?));
        }
    }
    if files.is_empty() {
        return Ok(None);
    }
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut problems = Vec::new();
    for (network, path, file) in &files {
        let (found, unclaimed) = part::parts(path, file, *network, &networks)?;
        if let Some(twice) = found.iter().find(|part| parts.iter().any(|other| other.is_of(part.network))) {
            return Err(Error::Input(format!(
                "{}: {} comes from another file already; pass one file for each network",
                path.display(),
                twice.network.name
            )));
        }
        problems.extend(unclaimed);
        parts.extend(found);
    }
    problems.extend(parts.iter_mut().flat_map(Part::problems));
    if !problems.is_empty() {
        return Err(Error::Input(format!(
            "initial weights do not fit these networks:\n  {}\nchoose the settings that they were trained with, such as `preset`, \
             `size`, `g_width`, `d_width`, `norm`, `blocks` or `upsample`",
            problems.join("\n  ")
        )));
    }

    let (buffers, mut values) = (model.buffers(), model.initial(draw, seed));
    for of in &trained {
        for (network, tensor, buffer, index) in of.tensors() {
            if let Some(part) = parts.iter().find(|part| part.is_of(network))
                && let Some(numbers) = part.numbers(&tensor)?
            {
                buffers[buffer].view_mut(&mut values[buffer], index).copy_from_slice(&numbers);
            }
        }
        if let Trained { average: Some(average), buffers: of, .. } = of {
            values[*average] = values[of.parameters].clone();
        }
    }
    let taken = parts.iter().map(Part::describe).collect::<Vec<_>>().join(", ");
    let from_files: BTreeSet<&str> = parts.iter().map(|part| part.network.name.as_str()).collect();
    let drawn = networks.iter().map(|network| network.name.as_str());
    let drawn: Vec<&str> = drawn.filter(|name| !from_files.contains(name)).collect();
    let drawn = if drawn.is_empty() { String::new() } else { format!("; {} drawn", drawn.join(", ")) };
    Ok(Some((values, format!("initial weights: {taken}{drawn}"))))
}

fn open(path: &Path) -> Result<TensorFile> {
    if path.is_dir() {
        return Err(Error::Input(format!(
            "{0}: a folder; pass a safetensors file, such as one of a run's checkpoints",
            path.display()
        )));
    }
    // Whatever it is called: a zip archive, or a pickle by itself.
    let mut start = [0; 2];
    if File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && (&start == b"PK" || (start[0] == 0x80 && (2..=5).contains(&start[1])))
    {
        return Err(Error::Input(pickled(path)));
    }
    TensorFile::open(path).map_err(|problem| Error::Input(format!("{}: {problem}", path.display())))
}
