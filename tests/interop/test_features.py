"""FID, KID, precision and recall are those of numpy by the features that onnxruntime gives, with a small network of random
weights; images are resized as Pillow does."""

import json
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from conftest import PROGRAM, mewgan

SIDE, SIZE, LEN = 20, 24, 12
MEAN, STD = np.float32([0.4, 0.5, 0.6]), np.float32([0.2, 0.25, 0.3])


def network(path, layout, seed=5, weights=None):
    """A convolution, a ReLU, the mean of each channel, a product: LEN numbers an image, and a second output. The weights stand in a
    file of their own, if it is named."""
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((8, 3, 3, 3)).astype(np.float32)
    matrix = rng.standard_normal((8, LEN)).astype(np.float32)
    constants = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(matrix, "matrix")]
    nodes, images = [], "images"
    shape = [None, 3, SIZE, SIZE] if layout == "nchw" else [None, SIZE, SIZE, 3]
    if layout == "nhwc":
        nodes.append(helper.make_node("Transpose", ["images"], ["turned"], perm=[0, 3, 1, 2]))
        images = "turned"
    nodes += [
        helper.make_node("Conv", [images, "weight"], ["conv"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("GlobalAveragePool", ["relu"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["scores"]),
    ]
    outputs = [("scores", [None, LEN]), ("pooled", [None, 8, 1, 1]), ("relu", [None, 8, SIZE // 2, SIZE // 2])]
    graph = helper.make_graph(
        nodes, "network", [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, of) for name, of in outputs], constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    if weights:
        path.with_name(weights).unlink(missing_ok=True)
        onnx.save(model, path, save_as_external_data=True, location=weights, size_threshold=0)
    else:
        onnx.save(model, path)
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def folder(path, count, seed, bright):
    """Images of noise at a coarse scale."""
    path.mkdir()
    rng = np.random.default_rng(seed)
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 256 - bright, (5, 5, 3), dtype=np.uint8) + np.uint8(bright))
        coarse.resize((SIDE, SIDE), Image.BICUBIC).save(path / f"{number:03}.png")
    return path


def seen(path):
    """What the network sees of a folder's images, resized channel by channel as floats."""
    images = []
    for file in sorted(path.iterdir()):
        channels = np.moveaxis(np.asarray(Image.open(file), dtype=np.float32), -1, 0)
        resized = [Image.fromarray(channel).resize((SIZE, SIZE), Image.BICUBIC) for channel in channels]
        images.append(np.stack([np.clip(np.asarray(channel), 0, 255) / 255 for channel in resized], axis=-1))
    return ((np.stack(images) - MEAN) / STD).astype(np.float32)


def frechet(a, b):
    covariances = [np.cov(features, rowvar=False) for features in (a, b)]
    root = np.sqrt(np.linalg.eigvals(covariances[0] @ covariances[1]).astype(complex)).real.sum()
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + sum(map(np.trace, covariances)) - 2 * root


def kernel(a, b):
    of = lambda x, y: (x @ y.T / x.shape[1] + 1) ** 3  # noqa: E731
    within = lambda k: (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))  # noqa: E731
    return within(of(a, a)) + within(of(b, b)) - 2 * of(a, b).mean()


def coverage(found, real):
    between = lambda a, b: np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))  # noqa: E731
    radius = lambda a: np.sort(between(a, a), axis=1)[:, 3]  # noqa: E731
    return (
        (between(found, real) <= radius(real)).any(1).mean(),
        (between(real, found) <= radius(found)).any(1).mean(),
    )


def figures(*arguments):
    said = json.loads(mewgan("evaluate", *arguments, "--json"))
    return {figure["name"]: figure["value"] for figure in said["figures"]}


def spec(layout):
    numbers = lambda values: "[" + ", ".join(str(float(value)) for value in values) + "]"  # noqa: E731
    return f'size = {SIZE}\nlayout = "{layout}"\nmean = {numbers(MEAN)}\nstd = {numbers(STD)}\n'


@pytest.fixture(params=["nchw", "nhwc"])
def net(request, tmp_path):
    path = tmp_path / "net.onnx"
    session = network(path, request.param)
    path.with_suffix(".toml").write_text(spec(request.param))

    def run(images, output="scores"):
        images = images if request.param == "nhwc" else np.moveaxis(images, -1, 1)
        return session.run([output], {"images": images})[0].reshape(len(images), -1).astype(np.float64)

    return path, run


@pytest.mark.parametrize("counts", [(9, 10), (40, 50)], ids=["fewer images than features", "more"])
def test_two_folders(tmp_path, net, counts):
    path, run = net
    a, b = folder(tmp_path / "a", counts[0], 1, 0), folder(tmp_path / "b", counts[1], 2, 60)
    # A second time what is known of the real images is read from the cache.
    for _ in range(2):
        found = figures(a, b, "--size", SIDE, "--features", path)
        x, y = run(seen(a)), run(seen(b))
        # Both sides compute features in float32.
        assert found["FID (net)"] == pytest.approx(frechet(x, y), rel=1e-4)
        assert found["KID x 1000 (net)"] == pytest.approx(1000 * kernel(x, y), rel=1e-4)
        assert (found["precision (net)"], found["recall (net)"]) == pytest.approx(coverage(x, y))
    for output, what in [("pooled", None), ("relu", "not one vector"), ("missing", "missing")]:
        text = path.with_suffix(".toml").read_text()
        path.with_suffix(".toml").write_text(text + f'output = "{output}"\n')
        arguments = [PROGRAM, "evaluate", a, b, "--size", str(SIDE), "--features", path, "--json"]
        done = subprocess.run(arguments, capture_output=True, text=True)
        path.with_suffix(".toml").write_text(text)
        if what:
            assert done.returncode != 0 and what in done.stderr
        else:
            said = {figure["name"]: figure["value"] for figure in json.loads(done.stdout)["figures"]}
            assert said["FID (net)"] == pytest.approx(frechet(run(seen(a), output), run(seen(b), output)), rel=1e-4)


def test_features_are_those_of_the_weights_in_another_file(tmp_path):
    path = tmp_path / "net.onnx"
    path.with_suffix(".toml").write_text(spec("nchw"))
    a, b = folder(tmp_path / "a", 9, 1, 0), folder(tmp_path / "b", 10, 2, 60)
    networks = set()
    # What is kept of the real images by the first weights is not taken for the second.
    for seed in (5, 6):
        session = network(path, "nchw", seed, "net.onnx.data")
        networks.add(path.read_bytes())
        run = lambda images: session.run(["scores"], {"images": np.moveaxis(images, -1, 1)})[0]  # noqa: B023,E731
        expected = frechet(*(run(seen(images)).astype(np.float64) for images in (a, b)))
        assert figures(a, b, "--size", SIDE, "--features", path)["FID (net)"] == pytest.approx(expected, rel=1e-4)
    assert len(networks) == 1


def test_runs(net, dcgan_run, cyclegan_run):
    path, _ = net
    names = [f"{name} (net)" for name in ("FID", "KID x 1000", "precision", "recall")]
    found = figures(dcgan_run, "--features", path, "--count", 20, "--device", "cpu")
    assert set(names) < set(found) and found[names[0]] > 0
    found = figures(cyclegan_run, "--features", path, "--device", "cpu")
    assert {f"{way}: {name}" for way in ("X to Y", "Y to X") for name in names} < set(found)


def test_what_cannot_be_read_is_told(tmp_path, net):
    path, _ = net
    a = folder(tmp_path / "a", 8, 1, 0)
    spec = path.with_suffix(".toml")
    for text, what in [
        ("size = 24", "mean"), ("size = 0\nmean = [0.5]\nstd = [0.5]", "size must"),
        ("size = 24\nmean = [0.5]\nstd = [0.0]", "std more"), ("size = 24\nmean = [0]\nstd = [1]\nfit = 1", "fit"),
        ("size = 24\nmean = [0.5]\nstd = [0.5]", "net.onnx"), (None, "net.toml"),
    ]:
        spec.write_text(text) if text else spec.unlink()
        done = subprocess.run([PROGRAM, "evaluate", a, a, "--features", path], capture_output=True, text=True)
        assert done.returncode != 0 and what in done.stderr and "panic" not in done.stderr, done.stderr
