"""PyTorch and mewgan give each other's images and losses: docs/pytorch.md as it stands, the networks of every preset on either
device, weights of published names, and training that goes on here as it would have there."""

import json
import os
import re
import subprocess
from contextlib import chdir
from unittest import mock

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file

import published
from conftest import PROGRAM, ROOT, mewgan

# Images are from -1 to 1, and both sides add up float32 numbers, in another order.
CLOSE = 1e-5
# A step that changes no weight: what is added is far below the last digit of any.
STILL = ["--steps", 1, "--lr", 1e-30, "--log-every", 1]


def blocks(page):
    """The code blocks of a page, with their languages."""
    return re.findall(r"^```(\w*)\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


def run_page(page, folder):
    """Runs a page's blocks in their order in `folder`; returns the names that Python then has."""
    names = {}
    path = {"PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"}
    with chdir(folder), mock.patch.dict(os.environ, path):
        for language, code in blocks(page):
            if language == "python":
                exec(compile(code, page, "exec"), names)
            elif language == "sh":
                subprocess.run(["bash", "-euc", code], check=True)
    return names


@pytest.fixture(scope="session")
def page(tmp_path_factory):
    """What docs/pytorch.md leaves behind, and where."""
    folder = tmp_path_factory.mktemp("page")
    return run_page("docs/pytorch.md", folder), folder


def far(found, expected):
    """The largest difference."""
    assert found.shape == expected.shape
    return (found - expected).abs().max().item()


def test_the_page_gives_the_same_images(page):
    names, folder = page
    assert names["images"].std() > 0.1, "images of one colour prove nothing"
    assert far(names["images"], names["drawn"]["images"]) < CLOSE
    assert len(names["errors"]) > 50 and max(names["errors"]) < CLOSE
    assert "netG.safetensors" in (folder / "runs/on/config.toml").read_text()
    assert names["error"] < CLOSE, "the gradient of a convolution's weights"


def randomized(module, seed):
    """The same module with weights that make images of many colours, and statistics and offsets of norms that matter."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.dim() == 4:
                fan_in = tensor[0].numel()
                tensor.normal_(0, 1.5 / fan_in**0.5)
            elif name.endswith(("running_var", "weight")):
                tensor.uniform_(0.5, 1.5)
            elif tensor.is_floating_point():
                tensor.normal_(0, 0.2)
    return module


@pytest.mark.parametrize("device", ["cpu", "gpu"])
@pytest.mark.parametrize("preset", ["small", "seed", "course", "paper"])
def test_dcgans_draw_as_modules_do(page, tmp_path, preset, device):
    names, _ = page
    generator, discriminator = names["DCGAN"][preset]
    generator = randomized(names["dcgan_generator"](**generator | {"width": 8}, size=32), 1)
    discriminator = randomized(names["dcgan_discriminator"](**discriminator | {"width": 8}, size=32), 2)
    save_file(generator.state_dict(), tmp_path / "g.safetensors")
    save_file(discriminator.state_dict(), tmp_path / "d.safetensors")
    start = ["--init", f"generator={tmp_path / 'g.safetensors'}", "--init", f"discriminator={tmp_path / 'd.safetensors'}"]
    size = ["--size", 32, "--g-width", 8, "--d-width", 8, "--batch", 4, "--device", device, "--no-tune"]
    run, drawn = tmp_path / "run", tmp_path / "drawn.safetensors"
    said = mewgan("train", "dcgan", "--preset", preset, "--data", "builtin:noto/faces", *size, *STILL, *start, "--out", run)
    assert f"generator from {tmp_path / 'g.safetensors'}, discriminator from" in said
    mewgan("sample", run, "--count", 16, "--out", drawn, "--device", device)
    drawn = load_file(drawn)
    with torch.no_grad():
        images = generator(drawn["noise"])
    assert images.std() > 0.1
    assert far(drawn["images"], images) < CLOSE
    kept = load_file(run / "checkpoints" / "000001.safetensors")
    for key, value in discriminator.state_dict().items():
        if not key.endswith(("running_mean", "running_var", "num_batches_tracked")):
            assert torch.equal(kept[f"discriminator.{key}"], value), key


@pytest.mark.parametrize("device", ["cpu", "gpu"])
@pytest.mark.parametrize("preset", ["small", "seed", "course", "paper"])
def test_cyclegans_translate_as_modules_do(page, tmp_path, preset, device):
    names, _ = page
    generator, discriminator = names["CYCLEGAN"][preset]
    make = names["resnet" if preset == "paper" else "translator"]
    judge = {"small": "patch_discriminator", "paper": "patch70_discriminator"}.get(preset, "dcgan_discriminator")
    whole = {"size": 32} if judge == "dcgan_discriminator" else {}
    networks = {
        "G_XtoY": randomized(make(**generator | {"width": 8, "blocks": 2}), 1),
        "G_YtoX": randomized(make(**generator | {"width": 8, "blocks": 2}), 2),
        "D_X": randomized(names[judge](**discriminator | {"width": 8}, **whole), 3),
        "D_Y": randomized(names[judge](**discriminator | {"width": 8}, **whole), 4),
    }
    whole_file = {f"{name}.{key}": value for name, of in networks.items() for key, value in of.state_dict().items()}
    save_file(whole_file, tmp_path / "all.safetensors")
    sets = ["--x", "builtin:noto/animals", "--y", "builtin:twemoji/animals"]
    size = ["--size", 32, "--g-width", 8, "--d-width", 8, "--blocks", 2, "--batch", 2, "--device", device, "--no-tune"]
    run, translated = tmp_path / "run", tmp_path / "translated.safetensors"
    start = ["--init", tmp_path / "all.safetensors"]
    mewgan("train", "cyclegan", "--preset", preset, *sets, *size, *STILL, *start, "--out", run)
    images(tmp_path / "images", [(24, 36), (24, 36)])
    for to, name in [("y", "G_XtoY"), ("x", "G_YtoX")]:
        flags = ["--out", translated, "--statistics", "batch", "--batch", 1, "--force", "--device", device]
        mewgan("translate", run, "--to", to, tmp_path / "images", *flags)
        found = load_file(translated)
        with torch.no_grad():
            expected = networks[name](found["image.0"])
        assert found["image.0"].shape == (1, 3, 24, 36) and expected.std() > 0.1
        assert far(found["translation.0"], expected) < CLOSE


def images(folder, sizes, seed=0):
    """Smooth images of these heights and widths, as PNG files 0, 1, .."""
    folder.mkdir()
    random = np.random.default_rng(seed)
    for index, (height, width) in enumerate(sizes):
        coarse = Image.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        coarse.resize((width, height), Image.Resampling.BICUBIC).save(folder / f"{index}.png")


def as_tensor(path):
    return torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)[None].float() / 127.5 - 1


def logged(run, steps):
    """The losses of each step."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    rows = [row for row in rows if "seconds" in row]
    assert [row["step"] for row in rows] == list(range(1, steps + 1))
    return rows


def adam(*networks):
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return torch.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999))


def published_cyclegan():
    make, judge = published.cyclegan_generator, published.cyclegan_discriminator
    networks = {"netG_A": make(8, 2), "netG_B": make(8, 2), "netD_A": judge(8), "netD_B": judge(8)}
    return {name: randomized(network, seed) for seed, (name, network) in enumerate(networks.items())}


PUBLISHED = ["--preset", "paper", "--size", 32, "--g-width", 8, "--d-width", 8, "--blocks", 2, "--device", "cpu"]


def test_a_published_cyclegan_trains_on_as_it_would_have(tmp_path):
    """A is X, B is Y: the losses of three steps, each with Adam's updates of those before."""
    networks = published_cyclegan()
    start = []
    for name, network in networks.items():
        save_file(network.state_dict(), tmp_path / f"{name}.safetensors")
        start += ["--init", f"{name}={tmp_path / name}.safetensors"]
    images(tmp_path / "a", [(32, 32)], 1)
    images(tmp_path / "b", [(32, 32)], 2)
    plain = ["--augment", "none", "--diffaugment", "none", "--pool", 0, "--schedule", "constant"]
    steps = ["--steps", 3, "--log-every", 1, "--batch", 1]
    sets = ["--x", tmp_path / "a", "--y", tmp_path / "b"]
    mewgan("train", "cyclegan", *PUBLISHED, *plain, *steps, *sets, *start, "--out", tmp_path / "run")

    g_a, g_b, d_a, d_b = networks.values()
    a, b = as_tensor(tmp_path / "a/0.png"), as_tensor(tmp_path / "b/0.png")
    generators, discriminators = adam(g_a, g_b), adam(d_a, d_b)

    def squares(scores, target):
        return (scores - target).square().mean()

    for row in logged(tmp_path / "run", 3):
        fake_b, fake_a = g_a(a), g_b(b)
        losses = {
            "G_XtoY": squares(d_a(fake_b), 1),
            "G_YtoX": squares(d_b(fake_a), 1),
            "cycle_X": 10 * F.l1_loss(g_b(fake_b), a),
            "cycle_Y": 10 * F.l1_loss(g_a(fake_a), b),
            "identity_X": 5 * F.l1_loss(g_b(a), a),
            "identity_Y": 5 * F.l1_loss(g_a(b), b),
        }
        generators.zero_grad()
        sum(losses.values()).backward()
        generators.step()
        judged = {
            "D_X": (squares(d_b(a), 1) + squares(d_b(fake_a.detach()), 0)) / 2,
            "D_Y": (squares(d_a(b), 1) + squares(d_a(fake_b.detach()), 0)) / 2,
        }
        discriminators.zero_grad()
        sum(judged.values()).backward()
        discriminators.step()
        for name, loss in (losses | judged).items():
            # Adam's first steps go by the signs of gradients, and those near 0 may differ.
            assert row[name] == pytest.approx(loss.item(), rel=1e-3), (row["step"], name)


def test_published_names_with_dropout_wrappers_and_old_statistics(tmp_path):
    generator = randomized(published.cyclegan_generator(8, 2, dropout=True), 5).eval()
    state = {f"module.{key}": value for key, value in generator.state_dict().items()}
    state |= {"module.model.2.running_mean": torch.ones(8), "module.model.2.running_var": torch.ones(8)}
    state |= {"module.model.10.conv_block.7.running_mean": torch.ones(32)}
    save_file(state, tmp_path / "g.safetensors")
    sets = ["--x", "builtin:noto/animals", "--y", "builtin:twemoji/animals"]
    start = ["--init", f"G_YtoX={tmp_path / 'g.safetensors'}"]
    said = mewgan("train", "cyclegan", *PUBLISHED, *sets, *STILL, *start, "--out", tmp_path / "run")
    assert "G_XtoY, D_X, D_Y drawn" in said
    images(tmp_path / "images", [(32, 32)])
    out = tmp_path / "translated.safetensors"
    mewgan("translate", tmp_path / "run", "--to", "x", tmp_path / "images", "--out", out)
    found = load_file(out)
    with torch.no_grad():
        assert far(found["translation.0"], generator(found["image.0"])) < CLOSE


def test_the_published_dcgan_trains_on_as_it_would_have(tmp_path):
    """One step of its networks, in the file of one dictionary. Its generator begins with weights of 0, so that batch norm makes
    the same of every noise; the generator's loss is by a discriminator that Adam has updated."""
    generator = randomized(published.dcgan_generator(), 1)
    discriminator = randomized(published.dcgan_discriminator(), 2)
    with torch.no_grad():
        generator.main[0].weight.zero_()
    both = {"netG": generator, "netD": discriminator}
    state = {f"{name}.{key}": value.clone() for name, of in both.items() for key, value in of.state_dict().items()}
    save_file(state, tmp_path / "both.safetensors")
    images(tmp_path / "data", [(64, 64)])
    for copy in (1, 2, 3):
        (tmp_path / f"data/{copy}.png").write_bytes((tmp_path / "data/0.png").read_bytes())
    flags = ["--preset", "paper", "--augment", "none", "--batch", 4, "--steps", 1, "--log-every", 1, "--device", "cpu"]
    start = ["--init", tmp_path / "both.safetensors"]
    mewgan("train", "dcgan", *flags, "--data", tmp_path / "data", *start, "--out", tmp_path / "run")

    real = as_tensor(tmp_path / "data/0.png").repeat(4, 1, 1, 1)
    fake = generator(torch.randn(4, 100, 1, 1))
    d_real = F.softplus(-discriminator(real)).mean()
    d_fake = F.softplus(discriminator(fake.detach())).mean()
    optimizer = adam(discriminator)
    (d_real + d_fake).backward()
    optimizer.step()
    g = F.softplus(-discriminator(fake)).mean()
    row = logged(tmp_path / "run", 1)[0]
    for name, loss in {"D_real": d_real, "D_fake": d_fake, "G": g}.items():
        # Adam's first step goes by the signs of gradients, and those near 0 may differ.
        assert row[name] == pytest.approx(loss.item(), rel=1e-3), name
    kept = load_file(tmp_path / "run/checkpoints/000001.safetensors")
    # Ten per cent of the way from where they were to the images' own, twice.
    assert not torch.equal(kept["discriminator.main.3.running_mean"], state["netD.main.3.running_mean"])


@pytest.mark.parametrize("norm", [torch.nn.utils.spectral_norm, torch.nn.utils.parametrizations.spectral_norm])
def test_spectral_norm_by_either_function(page, tmp_path, norm):
    names, _ = page
    plain = names["dcgan_discriminator"](width=8, norm="none", first_norm=False, slope=0.2, size=32)
    for index, layer in enumerate(plain.main):
        if isinstance(layer, torch.nn.Conv2d):
            plain.main[index] = norm(layer)
    save_file(plain.state_dict(), tmp_path / "d.safetensors")
    start = ["--d-norm", "spectral", "--init", f"discriminator={tmp_path / 'd.safetensors'}"]
    size = ["--size", 32, "--g-width", 8, "--d-width", 8, "--batch", 4, "--device", "cpu"]
    mewgan("train", "dcgan", "--data", "builtin:noto/faces", *size, *STILL, *start, "--out", tmp_path / "run")
    kept = load_file(tmp_path / "run/checkpoints/000001.safetensors")
    weight = plain.state_dict()
    weight = weight.get("main.0.weight_orig", weight.get("main.0.parametrizations.weight.original"))
    assert torch.equal(kept["discriminator.main.0.weight_orig"], weight)


def refused(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode != 0
    return done.stderr


def test_a_pickle_is_refused_with_the_lines_that_help(tmp_path):
    generator = published.dcgan_generator(width=2)
    torch.save(generator.state_dict(), tmp_path / "netG.pth")
    (tmp_path / "renamed.safetensors").write_bytes((tmp_path / "netG.pth").read_bytes())
    train = ["train", "dcgan", "--preset", "paper", "--g-width", 2, "--d-width", 2, "--out", tmp_path / "run", "--init"]
    assert "save_file" in refused(*train, f"generator={tmp_path / 'renamed.safetensors'}")
    said = refused(*train, f"generator={tmp_path / 'netG.pth'}")
    lines = "\n".join(line.strip() for line in said.splitlines() if line.startswith("    "))
    exec(lines, {})
    made = load_file(tmp_path / "netG.safetensors")
    assert torch.equal(made["main.0.weight"], generator.state_dict()["main.0.weight"])
    assert not (tmp_path / "run").exists()
