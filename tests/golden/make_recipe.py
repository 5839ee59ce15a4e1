"""Writes the golden fixtures of what helps on small sets beside this script: what PyTorch computes, in float64.

    pip install torch numpy
    python tests/golden/make_recipe.py

dcgan_recipe.safetensors       one iteration of a tiny DCGAN: nearest upsampling and residual blocks in the generator, a
                               spectrally normalised discriminator, hinge loss, R1 penalty, an average of the generator
dcgan_excite.safetensors       one of another, of grey 128x128 images: skip-layer excitation in a generator of transposed
                               convolutions; the rest as above
cyclegan_recipe.safetensors    one iteration of a tiny CycleGAN: course generators, spectrally normalised 70x70 patch
                               discriminators, hinge loss, R1 penalty
cyclegan_scales.safetensors    one of another: two scales of spectrally normalised patch discriminators (Wang 2018), named
                               D_X.0, D_X.1, D_Y.0, D_Y.1; the rest as above. Scale 1 sees means of 2x2 pixels; losses and
                               penalty are means over scales, the penalty's slopes those to the whole images

ops/upsample_bilinear2d*       twice the size, interpolated linearly

Tensors are named as by make.py and make_cyclegan.py. Beside those:

    loss.R1, loss.R1_X, loss.R1_Y    the penalty, with its weight; what is minimised has it EVERY times
    average.generator.<entry>        the average after the first update, from that of before

PyTorch makes one step of the power iteration a call of the discriminator, so each optimizer step calls it once: on real
images and fakes together, where it judges both.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import spectral_norm

from fixtures import HERE, SEED, Network, normal, uniform
from fixtures import gradients, initialize, save, state
from make import leaky_relu, write_case
from make_cyclegan import Iteration, Residual, mean_absolute
from make_cyclegan import course_generator, course_patch_discriminator, paper_discriminator

R1 = 3.0
EVERY = 2
DECAY = 2 / 11


def normalize(network):
    """Spectral normalisation of every convolution."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d):
            spectral_norm(layer)


def hinge(scores, real):
    return F.relu(1 - scores if real else 1 + scores).mean()


def penalty(scores, images):
    """R1 of the mean score of each image."""
    (slopes,) = torch.autograd.grad(scores.mean([2, 3]).sum(), images, create_graph=True)
    return R1 / 2 * slopes.square().sum([1, 2, 3]).mean()


class Scales(nn.ModuleList):
    """Discriminators, each of images half as large as the one before."""

    def forward(self, images):
        scores = [self[0](images)]
        for discriminator in self[1:]:
            images = F.avg_pool2d(images, 2)
            scores.append(discriminator(images))
        return scores


def over_scales(scores, of):
    """The mean over the scales' scores, be there one or several."""
    scores = scores if isinstance(scores, list) else [scores]
    return sum(of(each) for each in scores) / len(scores)


def judge(discriminator, real, fake):
    """Both losses and the penalty."""
    real = real.clone().requires_grad_()
    scores, count = discriminator(torch.cat([real, fake])), len(real)
    return (
        over_scales(scores, lambda both: hinge(both[:count], True)),
        over_scales(scores, lambda both: hinge(both[count:], False)),
        over_scales(scores, lambda both: penalty(both[:count], real)),
    )


def praise(discriminator, fake):
    """What a generator minimises."""
    return over_scales(discriminator(fake), lambda scores: -scores.mean())


def recipe_generator(noise_size, width):
    """noise x 1 x 1 -> 3 x 16 x 16"""

    def convolution(into, out):
        return nn.Conv2d(into, out, 3, 1, 1, bias=False)

    def features(channels):
        block = [convolution(channels, channels), nn.BatchNorm2d(channels), nn.ReLU()]
        block += [convolution(channels, channels), nn.BatchNorm2d(channels)]
        return [nn.BatchNorm2d(channels), nn.ReLU(), Residual(*block)]

    return Network(
        *[nn.ConvTranspose2d(noise_size, 2 * width, 4, 1, 0, bias=False), *features(2 * width)],
        *[nn.Upsample(scale_factor=2), convolution(2 * width, width), *features(width)],
        *[nn.Upsample(scale_factor=2), convolution(width, 3), nn.Tanh()],
    )


class Excite(nn.Sequential):
    """A gate for `out` channels, made of the `into` channels that layer `source` of the network leaves (Liu 2021)."""

    def __init__(self, source, into, out):
        squeeze = [nn.AdaptiveAvgPool2d(4), nn.Conv2d(into, out, 4, 1, 0, bias=False)]
        super().__init__(*squeeze, nn.LeakyReLU(0.1), nn.Conv2d(out, out, 1, bias=False), nn.Sigmoid())
        self.source = source


class Excited(Network):
    """Layers in a row with gates between."""

    def forward(self, x):
        results = []
        for layer in self.main:
            x = x * layer(results[layer.source]) if isinstance(layer, Excite) else layer(x)
            results.append(x)
        return x


def excited_generator(noise_size, width):
    """noise x 1 x 1 -> 1 x 128 x 128"""

    def features(channels):
        return [nn.BatchNorm2d(channels), nn.ReLU()]

    def double(into, out):
        return nn.ConvTranspose2d(into, out, 4, 2, 1, bias=False)

    return Excited(
        *[nn.ConvTranspose2d(noise_size, 16 * width, 4, 1, 0, bias=False), *features(16 * width)],
        *[double(16 * width, 8 * width), *features(8 * width)],
        *[double(8 * width, 4 * width), *features(4 * width)],
        *[double(4 * width, 2 * width), *features(2 * width), Excite(2, 16 * width, 2 * width)],
        *[double(2 * width, width), *features(width), Excite(5, 8 * width, width)],
        *[double(width, 1), nn.Tanh()],
    )


def discriminator(width, size, channels):
    """channels x size x size -> one raw score"""
    layers, features = [nn.Conv2d(channels, width, 4, 2, 1, bias=False), leaky_relu()], width
    for _ in range(int(math.log2(size)) - 3):
        layers += [nn.Conv2d(features, 2 * features, 4, 2, 1, bias=False), leaky_relu()]
        features *= 2
    return Network(*layers, nn.Conv2d(features, 1, 4, 1, 0, bias=False))


def write_dcgan(name, generator, width, size, channels, batch, noise_size=6):
    g, d = generator(noise_size, width).double(), discriminator(width, size, channels).double()
    initialize(g)
    initialize(d)
    normalize(d)
    before = {f"average.generator.{key}": parameter.detach().clone() for key, parameter in g.named_parameters()}
    tensors = state("before.generator", g) | state("before.discriminator", d)
    adam_g = torch.optim.Adam(g.parameters(), 1e-4, betas=(0.5, 0.999), eps=1e-8)
    adam_d = torch.optim.Adam(d.parameters(), 4e-4, betas=(0.5, 0.999), eps=1e-8)
    inputs = {
        "real": uniform(batch, channels, size, size),
        "noise_d": normal(batch, noise_size, 1, 1),
        "noise_g": normal(batch, noise_size, 1, 1),
    }

    real, fake, r1 = judge(d, inputs["real"], g(inputs["noise_d"]).detach())
    (real + fake + EVERY * r1).backward()
    tensors |= gradients("grad.discriminator", d)
    adam_d.step()

    loss_g = -d(g(inputs["noise_g"])).mean()
    loss_g.backward()
    tensors |= gradients("grad.generator", g)
    adam_g.step()

    losses = {"D_real": real, "D_fake": fake, "D": real + fake, "R1": r1, "G": loss_g}
    tensors |= inputs | {f"loss.{key}": value.detach() for key, value in losses.items()}
    tensors |= state("after.generator", g) | state("after.discriminator", d)
    for key, parameter in g.named_parameters():
        key = f"average.generator.{key}"
        tensors[key] = DECAY * before[key] + (1 - DECAY) * parameter.detach()
    save(HERE / f"dcgan_{name}.safetensors", tensors, {"preset": name})


def write_cyclegan(name, discriminator, width=2, blocks=1, size=32, batch=2):
    it = Iteration(lambda: course_generator(width, blocks), lambda: discriminator(width), 3e-4, size, batch)
    for d in ("D_X", "D_Y"):
        it.tensors = {key: value for key, value in it.tensors.items() if not key.startswith(f"before.{d}.")}
        normalize(it.networks[d])
        it.tensors |= state(f"before.{d}", it.networks[d])

    real_x, fake_x, r1_x = judge(it.D_X, it.x, it.G_YtoX(it.y).detach())
    real_y, fake_y, r1_y = judge(it.D_Y, it.y, it.G_XtoY(it.x).detach())
    loss = it.losses(D_X_real=real_x, D_X_fake=fake_x, D_Y_real=real_y, D_Y_fake=fake_y, R1_X=r1_x, R1_Y=r1_y)
    it.step("d", "D", loss)

    fake_x, fake_y = it.G_YtoX(it.y), it.G_XtoY(it.x)
    loss = it.losses(
        G_XtoY=praise(it.D_Y, fake_y),
        G_YtoX=praise(it.D_X, fake_x),
        cycle_X=it.cycle_x(mean_absolute, fake_y),
        cycle_Y=it.cycle_y(mean_absolute, fake_x),
    )
    it.step("g", "G", loss)
    metadata = {"preset": name, "width": str(width), "blocks": str(blocks)}
    save(HERE / f"cyclegan_{name}.safetensors", it.finish(), metadata)


def without_norms(network):
    return Network(*[layer for layer in network.main if not isinstance(layer, nn.InstanceNorm2d)])


def patch70_without_norms(width):
    return without_norms(paper_discriminator(width))


def patches_of_two_scales(width):
    return Scales([without_norms(course_patch_discriminator(width)) for _ in range(2)])


def write_upsampling():
    for name, x in [("", (2, 4, 3, 4)), ("_one_pixel", (1, 3, 1, 1)), ("_row", (1, 5, 1, 6))]:
        write_case(
            f"upsample_bilinear2d{name}",
            "upsample_bilinear2d",
            lambda x, *_: F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False),
            {},
            normal(*x),
        )


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    write_dcgan("recipe", recipe_generator, width=4, size=16, channels=3, batch=3)
    write_cyclegan("recipe", patch70_without_norms)
    write_upsampling()
    write_dcgan("excite", excited_generator, width=1, size=128, channels=1, batch=2)
    write_cyclegan("scales", patches_of_two_scales)


if __name__ == "__main__":
    main()
