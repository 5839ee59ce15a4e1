"""Writes the fixtures of 16-bit weights beside this script. It needs Python alone.

    python tests/golden/make_half.py

half.safetensors             a DCGAN generator of 8x8 images, width 2, noise of 4: float16 and bfloat16, subnormal numbers among them,
                             behind the prefixes of DataParallel and torch.compile
half_as_float.safetensors    the same numbers in float32, under plain names
"""

import json
import random
import struct
from math import prod
from pathlib import Path

HERE = Path(__file__).parent
TENSORS = {
    "main.0.weight": ("F16", [4, 2, 4, 4]),
    "main.1.weight": ("BF16", [2]),
    "main.1.bias": ("F16", [2]),
    "main.1.running_mean": ("BF16", [2]),
    "main.1.running_var": ("F16", [2]),
    "main.3.weight": ("BF16", [2, 3, 4, 4]),
}
# The least and the largest float16, the largest subnormal one, and one that float16 has and bfloat16 has not.
SPECIAL = [2.0**-24, 65504.0, 2.0**-14 - 2.0**-24, 1.0 + 2.0**-10]


def encoded(dtype, number):
    """The number rounded to the type (bfloat16: towards 0), as bytes."""
    return struct.pack("<e", number) if dtype == "F16" else struct.pack("<f", number)[2:]


def decoded(dtype, data):
    return struct.unpack("<e", data)[0] if dtype == "F16" else struct.unpack("<f", b"\0\0" + data)[0]


def save(path, tensors):
    """Writes {name: (dtype, shape, bytes)} as safetensors."""
    header, place = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + len(data)]}
        place += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))


draw = random.Random(11)
halves, floats = {}, {}
for name, (dtype, shape) in TENSORS.items():
    numbers = [abs(draw.gauss(0, 0.02)) if "var" in name else draw.gauss(0, 0.02) for _ in range(prod(shape))]
    if name == "main.0.weight":
        numbers[: len(SPECIAL)] = SPECIAL
    data = [encoded(dtype, number) for number in numbers]
    halves[f"module._orig_mod.{name}"] = (dtype, shape, b"".join(data))
    floats[name] = ("F32", shape, b"".join(struct.pack("<f", decoded(dtype, number)) for number in data))
save(HERE / "half.safetensors", halves)
save(HERE / "half_as_float.safetensors", floats)
