"""ONNX files are sound to ONNX's own checker, and onnxruntime makes of them the images that mewgan and PyTorch make, at batches
and sizes of every kind."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.numpy import load_file

from conftest import mewgan
from test_pytorch import page, images, run_page  # noqa: F401 (a fixture)

# Images are from -1 to 1, and both sides add up float32 numbers, in another order.
CLOSE = 1e-5

DCGANS = {
    "small": [],
    "seed": [],
    "course": [],
    "paper": [],
    "bilinear, residual blocks": ["--upsample", "bilinear", "--blocks", 1],
    "excited": ["--excite", "--size", 64, "--preset", "seed"],
    "grey": ["--channels", 1, "--preset", "course"],
}


def export(run, out, *flags):
    """A file that ONNX's checker finds sound, and a session that runs it."""
    mewgan("export", "onnx", run, "--out", out, *flags)
    model = onnx.load(out)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    return model, session


@pytest.mark.parametrize("name", DCGANS)
def test_dcgans(tmp_path, name):
    run, flags = tmp_path / "run", DCGANS[name]
    preset = [] if "--preset" in flags else ["--preset", name if name in ("seed", "course", "paper") else "small"]
    size = [] if "--size" in flags else ["--size", 32]
    small = ["--g-width", 8, "--d-width", 8, "--batch", 4, "--steps", 4, "--lr", 1e-2, "--device", "cpu"]
    mewgan("train", "dcgan", "--data", "builtin:noto/faces", *preset, *size, *flags, *small, "--out", run)
    for statistics in ("batch", "running"):
        model, session = export(run, tmp_path / f"{statistics}.onnx", "--statistics", statistics)
        drawn = tmp_path / f"{statistics}.safetensors"
        mewgan("sample", run, "--count", 16, "--statistics", statistics, "--out", drawn, "--device", "cpu")
        drawn = load_file(drawn)
        [found] = session.run(["images"], {"noise": drawn["noise"]})
        assert drawn["images"].std() > 0.01
        assert np.abs(found - drawn["images"]).max() < CLOSE
        about = {entry.key: entry.value for entry in model.metadata_props}
        assert (about["kind"], about["step"], about["statistics"]) == ("dcgan", "4", statistics)
        for batch in (1, 5):
            [few] = session.run(["images"], {"noise": drawn["noise"][:batch]})
            assert few.shape == (batch, *drawn["images"].shape[1:])
            if statistics == "running" or "course" in (name, *flags):
                assert np.abs(few - drawn["images"][:batch]).max() < CLOSE


def test_few_images_by_their_own_statistics_as_pytorch(page, tmp_path):
    names, folder = page
    _, session = export(folder / "runs/faces", tmp_path / "g.onnx")
    for batch in (1, 5):
        noise = names["drawn"]["noise"][:batch]
        with torch.no_grad():
            module = names["dcgan_generator"](**names["DCGAN"]["small"][0])
            expected = names["load"](folder / "runs/faces", "generator", module)(noise)
        [found] = session.run(None, {"noise": noise.numpy()})
        assert np.abs(found - expected.numpy()).max() < CLOSE


CYCLEGANS = {
    "small": [],
    "seed": [],
    "course": [],
    "paper": [],
    "grey, bilinear": ["--channels", 1, "--upsample", "bilinear"],
    "paper with batch norm": ["--norm", "batch", "--d-norm", "none"],
}


@pytest.mark.parametrize("name", CYCLEGANS)
def test_translators(tmp_path, name):
    run, preset = tmp_path / "run", name.split()[0] if "grey" not in name else "small"
    sets = ["--x", "builtin:noto/animals", "--y", "builtin:twemoji/animals"]
    small = ["--size", 32, "--g-width", 8, "--d-width", 8, "--blocks", 2, "--batch", 2, "--steps", 4, "--lr", 1e-2]
    mewgan("train", "cyclegan", "--preset", preset, *sets, *small, *CYCLEGANS[name], "--device", "cpu", "--out", run)
    images(tmp_path / "images", [(32, 32)] * 5 + [(40, 64), (63, 63), (5, 50), (33, 1)])
    for to in ("y", "x"):
        model, session = export(run, tmp_path / f"{to}.onnx", "--to", to)
        assert model.graph.name == {"y": "G_XtoY", "x": "G_YtoX"}[to]
        out = tmp_path / f"{to}.safetensors"
        mewgan("translate", run, "--to", to, tmp_path / "images", "--out", out, "--device", "cpu")
        numbers = load_file(out)
        for name in "05678":
            [found] = session.run(["translation"], {"image": numbers[f"image.{name}"]})
            assert found.shape == numbers[f"image.{name}"].shape
            assert numbers[f"translation.{name}"].std() > 0.01
            assert np.abs(found - numbers[f"translation.{name}"]).max() < CLOSE
        [found] = session.run(["translation"], {"image": np.concatenate([numbers[f"image.{i}"] for i in range(5)])})
        expected = np.concatenate([numbers[f"translation.{i}"] for i in range(5)])
        assert np.abs(found - expected).max() < CLOSE


def test_the_page(page, tmp_path):
    """docs/onnx.md, in a folder that has the runs of docs/pytorch.md."""
    _, folder = page
    (tmp_path / "runs").symlink_to(folder / "runs")
    names = run_page("docs/onnx.md", tmp_path)
    assert names["images"].shape == (16, 3, 64, 64)
    assert names["translation"].shape == names["image"].shape
