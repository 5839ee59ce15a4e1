"""Writes the golden fixtures of CycleGAN beside this script: what PyTorch computes, in float64.

    pip install torch numpy
    python tests/golden/make_cyclegan.py

cyclegan_<preset>.safetensors     one training iteration of a tiny CycleGAN, all in training mode
names.json                        adds cyclegan_<preset>: names, shapes and parameter counts at full size
                                  (G_6: paper generator of six blocks, D_patch: course patch discriminator)

Layouts are PyTorch's; images and the state before are float32 values stored as float64. String metadata: `preset`,
`width` (channels after the first convolution, of G and D alike), `blocks` (residual blocks of G).
Tensors, <network> being G_XtoY, G_YtoX, D_X or D_Y and <entry> a state_dict name such as main.6.0.weight:

    x, y                               images of both domains
    before.<network>.<entry>           state before the iteration, with fresh Adam states, and after it
    after.<network>.<entry>
    grad.<step>.<network>.<entry>      gradient that one optimizer step applies, with the weights of that moment
    loss.D_X_real, loss.D_X_fake       the two addends of loss.D_X, with their factors; likewise D_Y
    loss.G_XtoY                        adversarial term: how D_Y judges G_XtoY(x), with its factor; likewise G_YtoX
    loss.cycle_X, loss.cycle_Y         lambda_cycle * error of x -> y -> x, and of y -> x -> y
    loss.identity_X, loss.identity_Y   lambda_identity * error of G_YtoX(x) against x, and of G_XtoY(y) against y
                                       (paper only)

A bias right before an InstanceNorm changes nothing: its gradient is 0 but for rounding (1e-14), which Adam enlarges to
1e-10 in the state after. A comparison must not be relative to such a tensor's own size.

One Adam updates both discriminators, one both generators. The steps of an iteration, in their order:

    seed     d_real, d_fake, g_yxy, g_xyx     fakes are made anew in each step
    course   d, g                             likewise
    paper    g, d                             d judges the fakes that were made before g
"""

import itertools

import torch
from torch import nn

import make
from fixtures import HERE, SEED, Network, uniform
from fixtures import describe, gradients, initialize, save, state, update_names
from make import half_mean_square, leaky_relu, mean_square

LAMBDA_CYCLE = 10.0
LAMBDA_IDENTITY = 5.0
NETWORKS = ("G_XtoY", "G_YtoX", "D_X", "D_Y")

# Networks


class Residual(nn.Sequential):
    """x + layers(x)"""

    def forward(self, x):
        return x + super().forward(x)


def halve(into, out, bias=False):
    return nn.Conv2d(into, out, 4, 2, 1, bias=bias)


def double(into, out):
    return nn.ConvTranspose2d(into, out, 4, 2, 1, bias=False)


def seed_generator(width, blocks):
    return Network(
        *[halve(3, width), nn.BatchNorm2d(width), nn.ReLU()],
        *[halve(width, 2 * width), nn.BatchNorm2d(2 * width), nn.ReLU()],
        *[Residual(nn.Conv2d(2 * width, 2 * width, 3, 1, 1, bias=False)) for _ in range(blocks)],
        nn.ReLU(),
        *[double(2 * width, width), nn.BatchNorm2d(width), nn.ReLU()],
        *[double(width, 3), nn.Tanh()],
    )


def course_generator(width, blocks):
    def keep(into, out):
        return nn.Conv2d(into, out, 3, 1, 1, bias=False)

    return Network(
        *[halve(3, width), nn.InstanceNorm2d(width), nn.ReLU()],
        *[halve(width, 2 * width), nn.InstanceNorm2d(2 * width), nn.ReLU()],
        *[Residual(keep(2 * width, 2 * width), nn.InstanceNorm2d(2 * width)) for _ in range(blocks)],
        nn.ReLU(),
        *[nn.Upsample(scale_factor=2), keep(2 * width, width), nn.InstanceNorm2d(width), nn.ReLU()],
        *[nn.Upsample(scale_factor=2), keep(width, 3), nn.Tanh()],
    )


def course_patch_discriminator(width):
    channels = [3, width, 2 * width, 4 * width]
    layers = []
    for into, out in itertools.pairwise(channels):
        layers += [halve(into, out), nn.InstanceNorm2d(out), nn.ReLU()]
    return Network(*layers, halve(channels[-1], 1))


def paper_generator(width, blocks):
    def convolution(channels):
        return [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels)]

    def block(channels):
        return Residual(*convolution(channels), nn.ReLU(), *convolution(channels))

    layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), nn.InstanceNorm2d(width), nn.ReLU()]
    for out in (2 * width, 4 * width):
        layers += [nn.Conv2d(out // 2, out, 3, 2, 1), nn.InstanceNorm2d(out), nn.ReLU()]
    layers += [block(4 * width) for _ in range(blocks)]
    for out in (2 * width, width):
        layers += [nn.ConvTranspose2d(2 * out, out, 3, 2, 1, 1), nn.InstanceNorm2d(out), nn.ReLU()]
    return Network(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())


def paper_discriminator(width):
    layers = [halve(3, width, bias=True), leaky_relu()]
    for into, out, stride in [(width, 2 * width, 2), (2 * width, 4 * width, 2), (4 * width, 8 * width, 1)]:
        layers += [nn.Conv2d(into, out, 4, stride, 1), nn.InstanceNorm2d(out), leaky_relu()]
    return Network(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))


# One iteration


def mean_absolute(found, expected):
    return (found - expected).abs().mean()


class Iteration:
    """The four networks, both optimizers, and everything that goes into the fixture."""

    def __init__(self, generator, discriminator, learning_rate, size, batch):
        self.networks = {name: (generator if name[0] == "G" else discriminator)().double() for name in NETWORKS}
        vars(self).update(self.networks)
        self.tensors = {}
        for name, network in self.networks.items():
            initialize(network)
            self.tensors |= state(f"before.{name}", network)
        self.adams = {
            letter: torch.optim.Adam(
                [parameter for name in self.of(letter) for parameter in self.networks[name].parameters()],
                learning_rate,
                betas=(0.5, 0.999),
                eps=1e-8,
            )
            for letter in "GD"
        }
        self.x = uniform(batch, 3, size, size)
        self.y = uniform(batch, 3, size, size)
        self.tensors |= {"x": self.x, "y": self.y}

    @staticmethod
    def of(letter):
        return [name for name in NETWORKS if name[0] == letter]

    def losses(self, **losses):
        """Records terms and returns their sum."""
        self.tensors |= {f"loss.{name}": value.detach() for name, value in losses.items()}
        return sum(losses.values())

    def step(self, step, letter, loss):
        """Updates both generators or both discriminators."""
        adam = self.adams[letter]
        adam.zero_grad()
        loss.backward(inputs=adam.param_groups[0]["params"])
        for name in self.of(letter):
            self.tensors |= gradients(f"grad.{step}.{name}", self.networks[name])
        adam.step()

    def finish(self):
        for name in ("D_X", "D_Y"):
            self.tensors[f"loss.{name}"] = self.tensors[f"loss.{name}_real"] + self.tensors[f"loss.{name}_fake"]
        for name, network in self.networks.items():
            self.tensors |= state(f"after.{name}", network)
        return self.tensors

    def cycle_x(self, error, fake_y):
        return LAMBDA_CYCLE * error(self.G_YtoX(fake_y), self.x)

    def cycle_y(self, error, fake_x):
        return LAMBDA_CYCLE * error(self.G_XtoY(fake_x), self.y)


def seed_steps(it):
    real_x, real_y = mean_square(it.D_X(it.x), 1.0), mean_square(it.D_Y(it.y), 1.0)
    it.step("d_real", "D", it.losses(D_X_real=real_x, D_Y_real=real_y))

    fake_x, fake_y = it.G_YtoX(it.y).detach(), it.G_XtoY(it.x).detach()
    fake_x, fake_y = mean_square(it.D_X(fake_x), 0.0), mean_square(it.D_Y(fake_y), 0.0)
    it.step("d_fake", "D", it.losses(D_X_fake=fake_x, D_Y_fake=fake_y))

    fake_x = it.G_YtoX(it.y)
    adversarial = half_mean_square(it.D_X(fake_x), 1.0)
    it.step("g_yxy", "G", it.losses(G_YtoX=adversarial, cycle_Y=it.cycle_y(mean_square, fake_x)))

    fake_y = it.G_XtoY(it.x)
    adversarial = half_mean_square(it.D_Y(fake_y), 1.0)
    it.step("g_xyx", "G", it.losses(G_XtoY=adversarial, cycle_X=it.cycle_x(mean_square, fake_y)))


def discriminator_losses(it, loss, fake_x, fake_y):
    return it.losses(
        D_X_real=loss(it.D_X(it.x), 1.0),
        D_X_fake=loss(it.D_X(fake_x.detach()), 0.0),
        D_Y_real=loss(it.D_Y(it.y), 1.0),
        D_Y_fake=loss(it.D_Y(fake_y.detach()), 0.0),
    )


def generator_losses(it, fake_x, fake_y, **more):
    return it.losses(
        G_XtoY=mean_square(it.D_Y(fake_y), 1.0),
        G_YtoX=mean_square(it.D_X(fake_x), 1.0),
        cycle_X=it.cycle_x(mean_absolute, fake_y),
        cycle_Y=it.cycle_y(mean_absolute, fake_x),
        **more,
    )


def course_steps(it):
    it.step("d", "D", discriminator_losses(it, mean_square, it.G_YtoX(it.y), it.G_XtoY(it.x)))
    it.step("g", "G", generator_losses(it, it.G_YtoX(it.y), it.G_XtoY(it.x)))


def paper_steps(it):
    fake_x, fake_y = it.G_YtoX(it.y), it.G_XtoY(it.x)
    identity_x = LAMBDA_IDENTITY * mean_absolute(it.G_YtoX(it.x), it.x)
    identity_y = LAMBDA_IDENTITY * mean_absolute(it.G_XtoY(it.y), it.y)
    it.step("g", "G", generator_losses(it, fake_x, fake_y, identity_X=identity_x, identity_Y=identity_y))
    it.step("d", "D", discriminator_losses(it, half_mean_square, fake_x, fake_y))


def write_iteration(name, steps, generator, discriminator, learning_rate, width, blocks, size=32, batch=2):
    it = Iteration(lambda: generator(width, blocks), lambda: discriminator(width), learning_rate, size, batch)
    steps(it)
    metadata = {"preset": name, "width": str(width), "blocks": str(blocks)}
    save(HERE / f"cyclegan_{name}.safetensors", it.finish(), metadata)


def dcgan_discriminator(preset, size, width):
    return make.discriminator(make.PRESETS[preset], size, width)


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    # The narrower the network, the smaller the file: none is above 400 KB.
    write_iteration(
        "seed", seed_steps, seed_generator, lambda width: dcgan_discriminator("seed", 32, width), 3e-4, 3, 1
    )
    write_iteration("course", course_steps, course_generator, course_patch_discriminator, 3e-4, 4, 3)
    write_iteration("paper", paper_steps, paper_generator, paper_discriminator, 2e-4, 2, 2, batch=1)
    update_names({
        "cyclegan_seed": {
            "G": describe(seed_generator(16, 1), 27_264),
            "D": describe(dcgan_discriminator("seed", 64, 16), 175_328),
        },
        "cyclegan_course": {
            "G": describe(course_generator(32, 3), 164_192),
            "D": describe(dcgan_discriminator("course", 64, 32), 693_760),
            "D_patch": describe(course_patch_discriminator(32), 167_424),
        },
        "cyclegan_paper": {
            "G": describe(paper_generator(64, 9), 11_378_179),
            "G_6": describe(paper_generator(64, 6), 7_837_699),
            "D": describe(paper_discriminator(64), 2_764_737),
        },
    })


if __name__ == "__main__":
    main()
