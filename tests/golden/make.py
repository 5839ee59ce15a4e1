"""Writes the golden fixtures beside this script: what PyTorch computes, in float64.

    pip install torch numpy
    python tests/golden/make.py

ops/<case>.safetensors            one operator: its inputs, its result and its gradients
dcgan_<preset>.safetensors        one training iteration of a tiny DCGAN: before, gradients, losses, after
names.json                        state_dict names, shapes and parameter counts at full size

make_cyclegan.py beside it writes those of CycleGAN; both share fixtures.py.

Layouts are PyTorch's. Every input is a float32 value stored as float64, so that an implementation in either
precision starts from exactly the same numbers. Tensors of an operator case:

    x, w, b, rm, rv               input, weight, bias, running mean and variance (where the operator has them)
    gy                            gradient that arrives at the result
    y, dx, dw, db                 result and gradients
    rm_after, rv_after            running statistics after one training pass

Its string metadata holds `op`, PyTorch's name for the operator, and `flags`, a JSON object of its settings.
Tensors of an iteration, <network> being generator or discriminator and <entry> a state_dict name such as main.0.weight:

    before.<network>.<entry>      state before the iteration, and after one Adam step of each network
    after.<network>.<entry>
    real, noise_d, noise_g        images, noise of the discriminator step, fresh noise of the generator step
                                  (no noise_g: the generator step judges the fakes of the discriminator step again)
    loss.D_real, loss.D_fake      the two addends of loss.D, with their factors
    loss.D, loss.G
    grad.discriminator.<entry>    gradient of loss.D before the discriminator step
    grad.generator.<entry>        gradient of loss.G after it
"""

import json
import math

import torch
import torch.nn.functional as F
from torch import nn

from fixtures import HERE, SEED, Network, normal, uniform
from fixtures import describe, gradients, initialize, save, state, update_names

# Operators


def write_case(name, op, function, flags, x, w=None, b=None, rm=None, rv=None):
    """Runs `function(x, w, b, rm, rv)` and its gradients for a random `gy`, and writes ops/<name>.safetensors."""
    inputs = {"x": x, "w": w, "b": b, "rm": rm, "rv": rv}
    tensors = {key: value.clone() for key, value in inputs.items() if value is not None}
    leaves = {key: inputs[key].requires_grad_() for key in ("x", "w", "b") if inputs[key] is not None}

    y = function(x, w, b, rm, rv)
    gy = normal(*y.shape)
    gradients = torch.autograd.grad(y, list(leaves.values()), gy)

    tensors |= {"gy": gy, "y": y.detach()}
    tensors |= {f"d{key}": gradient for key, gradient in zip(leaves, gradients)}
    if op == "batch_norm":
        tensors |= {"rm_after": rm, "rv_after": rv}
    save(HERE / "ops" / f"{name}.safetensors", tensors, {"op": op, "flags": json.dumps(flags)})


def convolution_cases():
    """(name, x, [out, in], kernel, stride, padding, bias)"""
    for name, x, channels, kernel, stride, padding, bias in [
        ("k4s2p1", (2, 3, 8, 8), (5, 3), (4, 4), (2, 2), (1, 1), False),
        ("k4s2p1_odd_input", (2, 5, 7, 9), (8, 5), (4, 4), (2, 2), (1, 1), True),
        ("k4s1p0_to_score", (3, 8, 4, 4), (1, 8), (4, 4), (1, 1), (0, 0), False),
        ("k4s1p1_from_gray", (2, 1, 6, 6), (3, 1), (4, 4), (1, 1), (1, 1), True),
        ("k3s1p1", (2, 5, 6, 6), (8, 5), (3, 3), (1, 1), (1, 1), True),
        ("k7s1p0_batch1", (1, 3, 9, 9), (5, 3), (7, 7), (1, 1), (0, 0), True),
        ("k3s2p1", (2, 3, 8, 8), (8, 3), (3, 3), (2, 2), (1, 1), False),
        ("k3x2_stride2x1_padding1x0", (2, 3, 7, 6), (5, 3), (3, 2), (2, 1), (1, 0), True),
        ("k1s3_batch1", (1, 3, 8, 8), (5, 3), (1, 1), (3, 3), (0, 0), False),
    ]:
        write_case(
            f"conv2d_{name}",
            "conv2d",
            lambda x, w, b, *_: F.conv2d(x, w, b, stride, padding),
            {"stride": stride, "padding": padding},
            normal(*x),
            normal(*channels, *kernel),
            normal(channels[0]) if bias else None,
        )


def transposed_convolution_cases():
    """(name, x, [in, out], kernel, stride, padding, output padding, bias)"""
    for name, x, channels, kernel, stride, padding, output_padding, bias in [
        ("k4s2p1", (2, 5, 4, 4), (5, 3), (4, 4), (2, 2), (1, 1), (0, 0), False),
        ("k4s1p0_from_noise", (3, 8, 1, 1), (8, 5), (4, 4), (1, 1), (0, 0), (0, 0), False),
        ("k3s1p1", (2, 3, 5, 5), (3, 8), (3, 3), (1, 1), (1, 1), (0, 0), True),
        ("k3s2p1op1", (2, 5, 4, 4), (5, 8), (3, 3), (2, 2), (1, 1), (1, 1), True),
        ("k7s1p3_batch1", (1, 3, 5, 5), (3, 1), (7, 7), (1, 1), (3, 3), (0, 0), False),
        ("k3x2_stride2x1_padding1x0", (2, 3, 4, 5), (3, 5), (3, 2), (2, 1), (1, 0), (1, 0), True),
        ("k1s3_batch1", (1, 3, 3, 3), (3, 5), (1, 1), (3, 3), (0, 0), (0, 0), True),
    ]:
        write_case(
            f"conv_transpose2d_{name}",
            "conv_transpose2d",
            lambda x, w, b, *_: F.conv_transpose2d(x, w, b, stride, padding, output_padding),
            {"stride": stride, "padding": padding, "output_padding": output_padding},
            normal(*x),
            normal(*channels, *kernel),
            normal(channels[1]) if bias else None,
        )


def normalization_cases():
    """Batch and instance normalization; mean and standard deviation are those of the input."""
    for name, training, x, mean, std, eps, momentum in [
        ("batch_norm", True, (3, 5, 4, 4), 0.0, 1.0, 1e-5, 0.1),
        ("batch_norm_large_mean", True, (4, 3, 5, 5), 100.0, 0.1, 1e-5, 0.1),
        ("batch_norm_eps_momentum", True, (2, 8, 3, 3), -1.0, 0.05, 1e-3, 0.3),
        ("batch_norm_one_pixel", True, (5, 3, 1, 1), 0.5, 1.0, 1e-5, 0.1),
        ("batch_norm_eval", False, (2, 5, 4, 4), 0.5, 2.0, 1e-5, 0.1),
    ]:
        channels = x[1]
        write_case(
            name,
            "batch_norm" if training else "batch_norm_eval",
            lambda x, w, b, rm, rv: F.batch_norm(x, rm, rv, w, b, training, momentum, eps),
            {"eps": eps, "momentum": momentum} if training else {"eps": eps},
            normal(*x, mean=mean, std=std),
            normal(channels, mean=1.0, std=0.2),
            normal(channels),
            normal(channels),
            uniform(channels, low=0.5, high=1.5),
        )

    for name, x, affine, mean, std in [
        ("instance_norm", (2, 5, 4, 4), False, 0.0, 1.0),
        ("instance_norm_affine_batch1", (1, 8, 3, 5), True, 0.0, 1.0),
        ("instance_norm_large_mean", (2, 3, 5, 5), False, 100.0, 0.1),
    ]:
        write_case(
            name,
            "instance_norm",
            lambda x, w, b, *_: F.instance_norm(x, weight=w, bias=b, eps=1e-5),
            {"eps": 1e-5},
            normal(*x, mean=mean, std=std),
            normal(x[1], mean=1.0, std=0.2) if affine else None,
            normal(x[1]) if affine else None,
        )


def activation_cases():
    """Activations, each over small values, an exact zero, and values far out on both sides."""
    for op, function, flags in [
        ("relu", F.relu, {}),
        ("leaky_relu", lambda x: F.leaky_relu(x, 0.2), {"slope": 0.2}),
        ("tanh", torch.tanh, {}),
        ("sigmoid", torch.sigmoid, {}),
        # PyTorch returns x itself from a threshold of 20 on, off by 2e-9 there; beyond 50 float64 sees no difference.
        ("softplus", lambda x: F.softplus(x, threshold=50), {}),
    ]:
        x = normal(2, 3, 4, 4, std=2.0)
        x[0, 0, 0] = torch.tensor([0.0, 30.0, -30.0, 80.0])
        write_case(op, op, lambda x, *_: function(x), flags, x)


def resampling_cases():
    """Reflection padding (left, right, top, bottom) and nearest-neighbour enlarging."""
    for name, x, pad in [
        ("reflection_pad2d", (2, 3, 4, 4), (1, 1, 1, 1)),
        ("reflection_pad2d_k7", (1, 3, 5, 6), (3, 3, 3, 3)),
        ("reflection_pad2d_asymmetric", (2, 5, 4, 5), (1, 3, 2, 0)),
    ]:
        write_case(
            name, "reflection_pad2d", lambda x, *_: F.pad(x, pad, mode="reflect"), {"pad": pad}, normal(*x)
        )
    for name, x, scale in [
        ("upsample_nearest2d", (2, 5, 3, 4), (2, 2)),
        ("upsample_nearest2d_3x2", (1, 3, 3, 4), (3, 2)),
    ]:
        write_case(
            name,
            "upsample_nearest2d",
            lambda x, *_: F.interpolate(x, scale_factor=tuple(map(float, scale)), mode="nearest"),
            {"scale": scale},
            normal(*x),
        )


# DCGAN


def batch_norm(channels):
    return [nn.BatchNorm2d(channels)]


def instance_norm(channels):
    return [nn.InstanceNorm2d(channels)]


def no_norm(_channels):
    return []


def leaky_relu():
    return nn.LeakyReLU(0.2)


def half_mean_square(scores, target):
    return 0.5 * ((scores - target) ** 2).mean()


def mean_square(scores, target):
    return ((scores - target) ** 2).mean()


def binary_cross_entropy(scores, target):
    return F.binary_cross_entropy_with_logits(scores, torch.full_like(scores, target))


PRESETS = {
    "seed": {
        "norm": batch_norm,
        "first_norm": batch_norm,
        "discriminator_activation": nn.ReLU,
        "discriminator_loss": half_mean_square,
        "generator_loss": half_mean_square,
        "fresh_noise": True,
        "noise": uniform,
        "learning_rate": 3e-4,
        "width": 16,
        "parameters": (378_080, 175_328),
    },
    "course": {
        "norm": instance_norm,
        "first_norm": instance_norm,
        "discriminator_activation": nn.ReLU,
        "discriminator_loss": half_mean_square,
        "generator_loss": mean_square,
        "fresh_noise": True,
        "noise": uniform,
        "learning_rate": 3e-4,
        "width": 32,
        "parameters": (1_099_264, 693_760),
    },
    "paper": {
        "norm": batch_norm,
        "first_norm": no_norm,
        "discriminator_activation": leaky_relu,
        "discriminator_loss": binary_cross_entropy,
        "generator_loss": binary_cross_entropy,
        "fresh_noise": False,
        "noise": normal,
        "learning_rate": 2e-4,
        "width": 64,
        "parameters": (3_576_704, 2_765_568),
    },
}


def generator(preset, size, noise_size, width):
    """noise x 1 x 1 -> 3 x size x size; `width` channels before the last layer."""
    channels = [width << i for i in range(int(math.log2(size)) - 2)][::-1]
    layers = [nn.ConvTranspose2d(noise_size, channels[0], 4, 1, 0, bias=False)]
    for into, out in zip(channels, channels[1:] + [3]):
        layers += [*preset["norm"](into), nn.ReLU(), nn.ConvTranspose2d(into, out, 4, 2, 1, bias=False)]
    return Network(*layers, nn.Tanh())


def discriminator(preset, size, width):
    """3 x size x size -> one raw score; `width` channels after the first layer."""
    channels = [width << i for i in range(int(math.log2(size)) - 2)]
    layers = []
    for into, out in zip([3] + channels, channels):
        norm = preset["norm"] if layers else preset["first_norm"]
        layers += [nn.Conv2d(into, out, 4, 2, 1, bias=False), *norm(out), preset["discriminator_activation"]()]
    return Network(*layers, nn.Conv2d(channels[-1], 1, 4, 1, 0, bias=False))


def write_iteration(name, preset, size=32, noise_size=6, width=4, batch=3):
    """One discriminator step and one generator step; both networks in training mode throughout."""
    g = generator(preset, size, noise_size, width).double()
    d = discriminator(preset, size, width).double()
    initialize(g)
    initialize(d)
    tensors = state("before.generator", g) | state("before.discriminator", d)
    adam_g = torch.optim.Adam(g.parameters(), preset["learning_rate"], betas=(0.5, 0.999), eps=1e-8)
    adam_d = torch.optim.Adam(d.parameters(), preset["learning_rate"], betas=(0.5, 0.999), eps=1e-8)

    real = uniform(batch, 3, size, size)
    noise_d = preset["noise"](batch, noise_size, 1, 1)
    tensors |= {"real": real, "noise_d": noise_d}

    fake = g(noise_d)
    loss_real = preset["discriminator_loss"](d(real), 1.0)
    loss_fake = preset["discriminator_loss"](d(fake.detach()), 0.0)
    loss_d = loss_real + loss_fake
    loss_d.backward()
    tensors |= gradients("grad.discriminator", d)
    adam_d.step()

    if preset["fresh_noise"]:
        tensors["noise_g"] = preset["noise"](batch, noise_size, 1, 1)
        fake = g(tensors["noise_g"])
    loss_g = preset["generator_loss"](d(fake), 1.0)
    loss_g.backward()
    tensors |= gradients("grad.generator", g)
    adam_g.step()

    losses = {"D_real": loss_real, "D_fake": loss_fake, "D": loss_d, "G": loss_g}
    tensors |= {f"loss.{key}": value.detach() for key, value in losses.items()}
    tensors |= state("after.generator", g) | state("after.discriminator", d)
    save(HERE / f"dcgan_{name}.safetensors", tensors, {"preset": name})


def write_names(size=64, noise_size=100):
    names = {}
    for name, preset in PRESETS.items():
        expected_g, expected_d = preset["parameters"]
        names[name] = {
            "generator": describe(generator(preset, size, noise_size, preset["width"]), expected_g),
            "discriminator": describe(discriminator(preset, size, preset["width"]), expected_d),
        }
    update_names(names)


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    convolution_cases()
    transposed_convolution_cases()
    normalization_cases()
    activation_cases()
    resampling_cases()
    for name, preset in PRESETS.items():
        write_iteration(name, preset)
    write_names()


if __name__ == "__main__":
    main()
