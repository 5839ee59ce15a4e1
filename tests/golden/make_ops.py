"""Writes fixtures of single operators, as make.py does, beside its own: see there for what they hold.

    pip install torch numpy
    python tests/golden/make_ops.py

Each case draws its numbers from a seed of its own, made from its name, so that one more case changes no other file.

    z                             second image, of operators that take two; dz is its gradient
"""

import json
import zlib

import torch
import torch.nn.functional as F

from fixtures import HERE, SEED, normal, save, uniform


def write_case(name, op, function, flags, draw):
    """Runs `function` on the tensors that `draw` gives by name, and its gradients for a random `gy`."""
    torch.manual_seed(SEED + zlib.crc32(name.encode()))
    inputs = draw()
    tensors = {key: value.clone() for key, value in inputs.items()}
    leaves = {key: value.requires_grad_() for key, value in inputs.items()}
    y = function(**leaves)
    gy = normal(*y.shape)
    gradients = torch.autograd.grad(y, list(leaves.values()), gy)
    tensors |= {"gy": gy, "y": y.detach()}
    tensors |= {f"d{key}": gradient for key, gradient in zip(leaves, gradients)}
    save(HERE / "ops" / f"{name}.safetensors", tensors, {"op": op, "flags": json.dumps(flags)})


def positive(*shape):
    return uniform(*shape, low=0.01, high=20.0)


def functions():
    """Of one number; those with a pole at 0 on positive numbers."""
    anywhere = lambda: {"x": normal(2, 3, 4, 4, std=2.0)}
    above = lambda: {"x": positive(2, 3, 4, 4)}
    for op, function, draw in [
        ("square", torch.square, anywhere),
        ("abs", torch.abs, anywhere),
        ("rsqrt", torch.rsqrt, above),
        ("exp", torch.exp, anywhere),
        ("log", torch.log, above),
    ]:
        write_case(op, op, lambda x: function(x), {}, draw)


def arithmetic():
    """Of pairs of numbers; axes of extent 1 repeat."""
    for op, function in [("add", torch.add), ("sub", torch.sub), ("mul", torch.mul), ("div", torch.div)]:
        for case, shape in [("", (2, 3, 4, 4)), ("_repeated", (1, 3, 1, 4))]:
            draw = lambda: {"x": normal(2, 3, 4, 4), "z": uniform(*shape, low=0.1, high=2.0)}
            write_case(op + case, op, lambda x, z: function(x, z), {}, draw)


def channels():
    """Put together and taken apart; counts that do and do not divide by 4."""
    for case, x, z in [("", 4, 8), ("_ragged", 3, 6)]:
        draw = lambda: {"x": normal(2, x, 3, 4), "z": normal(2, z, 3, 4)}
        write_case("concat_channels" + case, "concat_channels", lambda x, z: torch.cat([x, z], 1), {}, draw)
    for case, count, first, end in [("", 12, 4, 8), ("_ragged", 7, 2, 6)]:
        flags = {"channels": [first, end]}
        draw = lambda: {"x": normal(2, count, 3, 4)}
        write_case("slice_channels" + case, "slice_channels", lambda x: x[:, first:end], flags, draw)


def pooling():
    """Numbers, and few whole numbers of which many are equal."""
    for case, kernel, stride, padding in [("", 2, 2, 0), ("_k3s2p1", 3, 2, 1), ("_k3x2_stride1x2_padding1x0", (3, 2), (1, 2), (1, 0))]:
        pair = lambda value: value if isinstance(value, tuple) else (value, value)
        flags = {"kernel": pair(kernel), "stride": pair(stride), "padding": pair(padding)}
        function = lambda x: F.max_pool2d(x, kernel, stride, padding)
        write_case("max_pool2d" + case, "max_pool2d", function, flags, lambda: {"x": normal(2, 5, 7, 6)})
        ties = lambda: {"x": uniform(2, 3, 7, 6, low=-1.5, high=1.5).round()}
        write_case("max_pool2d_ties" + case, "max_pool2d", function, flags, ties)


def group_norms():
    for case, shape, groups, affine, mean, std in [
        ("", (2, 6, 4, 3), 3, True, 0.0, 1.0),
        ("_one_group", (3, 5, 2, 3), 1, True, 0.5, 2.0),
        ("_without_affine", (2, 8, 3, 3), 4, False, 0.0, 1.0),
        ("_large_mean", (2, 4, 5, 5), 2, True, 100.0, 0.1),
    ]:
        weights = lambda: {"w": normal(shape[1], mean=1.0, std=0.2), "b": normal(shape[1])}
        draw = lambda: {"x": normal(*shape, mean=mean, std=std)} | (weights() if affine else {})
        function = lambda x, w=None, b=None: F.group_norm(x, groups, w, b)
        write_case("group_norm" + case, "group_norm", function, {"groups": groups}, draw)


def main():
    torch.set_num_threads(1)
    functions()
    arithmetic()
    channels()
    pooling()
    group_norms()


if __name__ == "__main__":
    main()
