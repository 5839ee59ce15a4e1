"""Writes the golden fixture of structural similarity beside this script: what scikit-image computes, in float64.

    pip install scikit-image numpy
    python tests/golden/make_ssim.py

ssim.safetensors: pairs of images `<case>.a` and `<case>.b` `[height, width, channels]` from -1 to 1, float32 values stored
as float64, and `<case>.ssim`, as Wang et al. 2004 define it: a window of 11x11 pixels of normal weights, deviation 1.5.
"""

import json
from pathlib import Path

import numpy as np
from skimage.metrics import structural_similarity

HERE = Path(__file__).resolve().parent
SHAPES = {"colour": (16, 20, 3), "grey": (23, 13, 1), "smallest": (11, 11, 3)}


def images(rng, shape):
    """Smooth waves, and the same with noise."""
    rows, columns, channels = np.meshgrid(*(np.arange(extent) for extent in shape), indexing="ij")
    a = np.sin(0.4 * rows + 0.3 * columns * (1 + channels))
    b = np.clip(0.8 * a + 0.1 + 0.15 * rng.standard_normal(shape), -1, 1)
    return a.astype(np.float32).astype(np.float64), b.astype(np.float32).astype(np.float64)


def main():
    rng, tensors = np.random.default_rng(2021), {}
    for case, shape in SHAPES.items():
        a, b = images(rng, shape)
        found = structural_similarity(
            a, b, data_range=2.0, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        tensors |= {f"{case}.a": a, f"{case}.b": b, f"{case}.ssim": np.array([found])}
    header, data = {}, b""
    for name, value in sorted(tensors.items()):
        content = np.ascontiguousarray(value).astype("<f8").tobytes()
        header[name] = {"dtype": "F64", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (HERE / "ssim.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)


if __name__ == "__main__":
    main()
