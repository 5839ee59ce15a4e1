//! Training begins with the weights of files where it is told to; files that do not fit are refused, with all that is wrong with
//! them, before anything is written.

use crate::support::program::{done, mewgan};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;
use tempfile::{TempDir, tempdir};

/// Shape and numbers, by name.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

const DCGAN: &str = "train dcgan --data builtin:noto/animals --preset paper --size 8 --g-width 2 --d-width 2 --noise-size 4 --batch 2 \
                     --steps 1 --lr 1e-30 --device cpu";
const CYCLEGAN: &str = "train cyclegan --x builtin:noto/animals --y builtin:twemoji/animals --preset paper --size 24 --g-width 2 \
                        --d-width 2 --blocks 1 --batch 1 --steps 1 --lr 1e-30 --device cpu";

const PIX2PIX: &str = "train pix2pix --x builtin:noto/animals --y builtin:twemoji/animals --preset paper --size 16 --g-width 2 \
                       --d-width 2 --d-layers 1 --batch 1 --steps 1 --lr 1e-30 --device cpu";

/// The error of a command that leaves no run behind.
fn refused(folder: &TempDir, arguments: &str) -> String {
    let Output { status, stderr, .. } = mewgan(folder, arguments);
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(!status.success(), "{arguments}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(!folder.path().join("refused").exists(), "{arguments}: nothing is written");
    stderr
}

fn read(path: &Path) -> Tensors {
    let bytes = fs::read(path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let each = |(name, view): (String, TensorView<'_>)| {
        let numbers = view.data().as_chunks().0.iter().map(|&number| f32::from_le_bytes(number)).collect();
        (name, (view.shape().to_vec(), numbers))
    };
    tensors.tensors().into_iter().map(each).collect()
}

fn write(path: &Path, tensors: &Tensors) {
    let data: Vec<(&String, &Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, numbers))| {
            (name, shape, numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
        })
        .collect();
    let views = data
        .iter()
        .map(|(name, shape, bytes)| (*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap()));
    fs::write(path, serialize(views, None).unwrap()).unwrap();
}

/// The newest checkpoint of a run in `folder`.
fn kept(folder: &TempDir, run: &str) -> Tensors {
    read(&folder.path().join(run).join("checkpoints/000001.safetensors"))
}

/// Those tensors whose names begin with `prefix`, with `other` in its place.
fn behind(tensors: &Tensors, prefix: &str, other: &str) -> Tensors {
    let renamed = |(name, tensor): (&String, &(Vec<usize>, Vec<f32>))| {
        Some((format!("{other}{}", name.strip_prefix(prefix)?), tensor.clone()))
    };
    tensors.iter().filter_map(renamed).collect()
}

/// A folder with a run of a dcgan, `first`, whose weights no other draw makes.
fn with_dcgan() -> (TempDir, Tensors) {
    let folder = tempdir().unwrap();
    done(&folder, &format!("{DCGAN} --seed 99 --average 0.5 --out first"));
    let tensors = kept(&folder, "first");
    (folder, tensors)
}

/// A network's weights; those that began at 0 are 0, whatever even the smallest step makes of them.
fn weights(tensors: &Tensors, prefix: &str) -> Tensors {
    let mut weights = behind(tensors, prefix, "");
    weights.retain(|name, _| !name.contains("running"));
    assert!(!weights.is_empty());
    let numbers = weights.values_mut().flat_map(|(_, numbers)| numbers);
    numbers.filter(|number| number.abs() < 1e-20).for_each(|number| *number = 0.0);
    weights
}

#[test]
fn a_run_begins_with_a_checkpoint_of_another() {
    let (folder, first) = with_dcgan();
    let said = done(
        &folder,
        &format!("{DCGAN} --average 0.5 --init first/checkpoints/000001.safetensors --out second"),
    );
    let from = "first/checkpoints/000001.safetensors";
    assert!(
        said.contains(&format!("initial weights: generator from {from}, discriminator from {from}\n")),
        "{said}"
    );
    let second = kept(&folder, "second");
    for network in ["generator.", "discriminator.", "average.generator."] {
        assert_eq!(weights(&first, network), weights(&second, network), "{network}");
    }
    let config = fs::read_to_string(folder.path().join("second/config.toml")).unwrap();
    assert!(config.contains(&format!("init = \"{from}\"\n")), "{config}");

    // The settings are enough to run it again; going on needs no file.
    done(&folder, "train dcgan --config second/config.toml --out again");
    assert_eq!(kept(&folder, "again"), second);
    fs::rename(folder.path().join("first"), folder.path().join("gone")).unwrap();
    done(&folder, "resume second --steps 2");
}

#[test]
fn what_no_file_holds_is_drawn() {
    let (folder, first) = with_dcgan();
    let mut generator = behind(&first, "generator.", "module.");
    generator.insert("module.main.1.num_batches_tracked".into(), (vec![], vec![3.0]));
    write(&folder.path().join("netG.safetensors"), &generator);
    let said =
        done(&folder, &format!("{DCGAN} --init uniform --init generator=netG.safetensors --out second"));
    assert!(said.contains("initial weights: generator from netG.safetensors; discriminator drawn"), "{said}");
    done(&folder, &format!("{DCGAN} --init uniform --out drawn"));
    let (second, drawn) = (kept(&folder, "second"), kept(&folder, "drawn"));
    assert_eq!(weights(&first, "generator."), weights(&second, "generator."));
    assert_eq!(weights(&drawn, "discriminator."), weights(&second, "discriminator."));
    assert_ne!(weights(&first, "discriminator."), weights(&second, "discriminator."));

    generator.retain(|name, _| !name.contains("running"));
    write(&folder.path().join("netG.safetensors"), &generator);
    let said = done(&folder, &format!("{DCGAN} --init generator=netG.safetensors --out third"));
    assert!(said.contains("(no running statistics in it)"), "{said}");
}

#[test]
fn published_names_of_a_cyclegan_are_understood() {
    let folder = tempdir().unwrap();
    done(&folder, &format!("{CYCLEGAN} --seed 99 --out first"));
    let first = kept(&folder, "first");
    // D_A judges what G_A makes, images of B.
    let networks = [("G_XtoY", "netG_A"), ("G_YtoX", "netG_B"), ("D_Y", "netD_A"), ("D_X", "netD_B")];
    let mut all = Tensors::new();
    for (own, published) in networks {
        for (name, tensor) in behind(&first, &format!("{own}.main."), "") {
            let name = match name.split('.').collect::<Vec<_>>()[..] {
                [layer, leaf] => format!("{published}.model.{layer}.{leaf}"),
                [layer, inner, leaf] => format!("{published}.model.{layer}.conv_block.{inner}.{leaf}"),
                _ => panic!("{name}"),
            };
            all.insert(name, tensor);
        }
    }
    write(&folder.path().join("all.safetensors"), &all);
    done(&folder, &format!("{CYCLEGAN} --init all.safetensors --out second"));
    let second = kept(&folder, "second");
    for (own, _) in networks {
        let prefix = format!("{own}.");
        assert_eq!(weights(&first, &prefix), weights(&second, &prefix), "{own}");
    }
}

/// Blocks of a published U-Net stand in each other, each a `model`; a generator's file is its `state_dict`.
#[test]
fn published_names_of_a_pix2pix_are_understood() {
    let folder = tempdir().unwrap();
    done(&folder, &format!("{PIX2PIX} --seed 99 --out first"));
    let first = kept(&folder, "first");
    let generator: Tensors = behind(&first, "generator.main.", "")
        .into_iter()
        .map(|(name, tensor)| (format!("model.model.{}", name.replace('.', ".model.")), tensor))
        .map(|(name, tensor)| match name.rsplit_once(".model.") {
            Some((module, leaf)) => (format!("{module}.{leaf}"), tensor),
            None => panic!("{name}"),
        })
        .collect();
    assert!(generator.contains_key("model.model.1.model.3.model.5.weight"), "{:?}", generator.keys());
    write(&folder.path().join("netG.safetensors"), &generator);
    write(&folder.path().join("netD.safetensors"), &behind(&first, "discriminator.main.", "model."));
    done(
        &folder,
        &format!("{PIX2PIX} --init generator=netG.safetensors --init netD=netD.safetensors --out second"),
    );
    let second = kept(&folder, "second");
    for network in ["generator.", "discriminator."] {
        assert_eq!(weights(&first, network), weights(&second, network), "{network}");
    }
}

/// As networks of 16-bit numbers are saved that torch.compile and DataParallel have wrapped.
#[test]
fn halves_are_taken_as_the_floats_that_they_are() {
    let folder = tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let half = golden.join("half.safetensors");
    done(&folder, &format!("{DCGAN} --init generator={} --out run", half.display()));
    let floats = read(&golden.join("half_as_float.safetensors"));
    assert_eq!(weights(&kept(&folder, "run"), "generator."), weights(&floats, ""));
}

/// The published networks with `--norm batch` have no biases in front of a batch norm, which would take them away again.
#[test]
fn published_networks_with_batch_norm_are_understood() {
    let folder = tempdir().unwrap();
    done(&folder, &format!("{CYCLEGAN} --norm batch --seed 99 --out first"));
    let first = kept(&folder, "first");
    let mut published = Tensors::new();
    for (name, tensor) in behind(&first, "G_XtoY.main.", "") {
        let parts = name.split('.').collect::<Vec<_>>();
        // Residual blocks have a convolution, a norm and the same again behind each border.
        let before_norm = match parts[..] {
            [layer, "bias"] => first
                .contains_key(&format!("G_XtoY.main.{}.running_var", layer.parse::<usize>().unwrap() + 1)),
            [_, "1" | "5", "bias"] => true,
            _ => false,
        };
        let name = match parts[..] {
            [layer, inner, leaf] => format!("model.{layer}.conv_block.{inner}.{leaf}"),
            _ => format!("model.{name}"),
        };
        if !before_norm {
            published.insert(name, tensor);
        }
    }
    assert!(published.contains_key("model.10.conv_block.2.running_mean"), "{:?}", published.keys());
    assert!(!published.contains_key("model.1.bias") && !published.contains_key("model.10.conv_block.5.bias"));
    write(&folder.path().join("netG.safetensors"), &published);
    let said = done(&folder, &format!("{CYCLEGAN} --norm batch --init netG_A=netG.safetensors --out second"));
    assert!(said.contains("G_XtoY from netG.safetensors"), "{said}");
    let second = kept(&folder, "second");
    let before = weights(&first, "G_XtoY.");
    for (name, found) in weights(&second, "G_XtoY.") {
        match published_has(&published, &name) {
            true => assert_eq!(found, before[&name], "{name}"),
            false => assert!(found.1.iter().all(|&number| number == 0.0), "{name}"),
        }
    }

    published.remove("model.18.bias");
    write(&folder.path().join("netG.safetensors"), &published);
    let error =
        refused(&folder, &format!("{CYCLEGAN} --norm batch --init netG_A=netG.safetensors --out refused"));
    assert!(error.contains("model.18.bias is missing"), "no norm is behind it: {error}");
}

/// Whether the published file has our `main.<..>`.
fn published_has(published: &Tensors, own: &str) -> bool {
    let name = match own.split('.').collect::<Vec<_>>()[..] {
        ["main", layer, inner, leaf] => format!("model.{layer}.conv_block.{inner}.{leaf}"),
        _ => own.replacen("main.", "model.", 1),
    };
    published.contains_key(&name)
}

#[test]
fn a_unet_is_refused_by_name() {
    let folder = tempdir().unwrap();
    let names =
        ["model.model.0.weight", "model.model.1.model.1.weight", "model.model.1.model.3.model.1.weight"];
    let tensors = names.map(|name| (name.to_owned(), (vec![1], vec![0.5])));
    write(&folder.path().join("netG.safetensors"), &tensors.into());
    let error = refused(&folder, &format!("{CYCLEGAN} --init netG_A=netG.safetensors --out refused"));
    assert!(
        error.contains("a U-Net of the published CycleGAN") && error.contains("--generator resnet"),
        "{error}"
    );
}

#[test]
fn files_that_do_not_fit_are_refused_with_all_that_is_wrong() {
    let (folder, first) = with_dcgan();
    let train = |init: &str| format!("{DCGAN} --out refused {init}");
    let generator = behind(&first, "generator.", "");
    let says = |init: &str, parts: &[&str]| {
        let error = refused(&folder, &train(init));
        for part in parts {
            assert!(error.contains(part), "{init}: {part:?} is not in: {error}");
        }
    };

    let mut wrong = generator.clone();
    wrong.remove("main.1.bias");
    wrong.insert("main.9.weight".into(), (vec![1], vec![0.0]));
    wrong.insert("main.0.weight".into(), (vec![1, 2, 4, 4], vec![0.0; 32]));
    write(&folder.path().join("wrong.safetensors"), &wrong);
    let named = [
        "wrong.safetensors, generator: main.1.bias is missing",
        "wrong.safetensors, generator: main.9.weight is unexpected",
        "wrong.safetensors, generator: main.0.weight is [1, 2, 4, 4], expected [4, 2, 4, 4]",
        "--g-width",
    ];
    says("--init generator=wrong.safetensors", &named);

    write(&folder.path().join("netG.safetensors"), &generator);
    says("--init netG.safetensors", &["main.0.weight", "--init generator=netG.safetensors"]);
    says("--init G_XtoY=netG.safetensors", &["no network G_XtoY", "generator, discriminator"]);
    let twice = "--init generator=netG.safetensors --init netG=netG.safetensors";
    says(twice, &["generator comes from another file already"]);
    says("--init discriminator=netG.safetensors", &["main.1.weight is unexpected", "discriminator"]);
    says("--init absent.safetensors", &["absent.safetensors", "No such file"]);
    says("--init unifrom", &["\"unifrom\" is neither uniform nor normal", ".safetensors"]);
    says("--init netG.pth", &["torch.load", "save_file", "netG.safetensors"]);

    let mut broken = generator.clone();
    broken.get_mut("main.1.bias").unwrap().1[1] = f32::NAN;
    write(&folder.path().join("broken.safetensors"), &broken);
    says("--init generator=broken.safetensors", &["main.1.bias has NaN at place 1"]);

    let more = first.iter().map(|(name, tensor)| (name.clone(), tensor.clone()));
    let more: Tensors = more.chain([("netE.main.0.weight".into(), (vec![1], vec![0.0]))]).collect();
    write(&folder.path().join("more.safetensors"), &more);
    says("--init more.safetensors", &["more.safetensors: netE.main.0.weight is unexpected"]);

    fs::write(folder.path().join("zip.safetensors"), b"PK\x03\x04 and more").unwrap();
    says("--init zip.safetensors", &["a pickle of PyTorch's"]);
    fs::write(folder.path().join("empty.safetensors"), b"").unwrap();
    says("--init empty.safetensors", &["empty.safetensors", "no safetensors file"]);
    fs::create_dir(folder.path().join("folder.safetensors")).unwrap();
    says("--init folder.safetensors", &["folder.safetensors: a folder"]);
}
