"""Networks whose `state_dict`s have the names and shapes of published ones: layers of torch.nn, in the order that gives each
its published number."""

from torch import nn


class Block(nn.Module):
    """A residual block, its layers under conv_block; with dropout in its middle, or without."""

    def __init__(self, channels, dropout):
        super().__init__()
        convolved = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels)]
        again = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels)]
        middle = [nn.ReLU(), nn.Dropout(0.5)] if dropout else [nn.ReLU()]
        self.conv_block = nn.Sequential(*convolved, *middle, *again)

    def forward(self, x):
        return x + self.conv_block(x)


class Model(nn.Module):
    """Layers under model."""

    def __init__(self, *layers):
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


def cyclegan_generator(width, blocks, dropout=False):
    """CycleGAN's generator by residual blocks, from images to images."""

    def normed(conv):
        return [conv, nn.InstanceNorm2d(conv.out_channels), nn.ReLU()]

    return Model(
        *[nn.ReflectionPad2d(3), *normed(nn.Conv2d(3, width, 7))],
        *normed(nn.Conv2d(width, 2 * width, 3, 2, 1)),
        *normed(nn.Conv2d(2 * width, 4 * width, 3, 2, 1)),
        *[Block(4 * width, dropout) for _ in range(blocks)],
        *normed(nn.ConvTranspose2d(4 * width, 2 * width, 3, 2, 1, 1)),
        *normed(nn.ConvTranspose2d(2 * width, width, 3, 2, 1, 1)),
        *[nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()],
    )


def cyclegan_discriminator(width):
    """Its discriminator of 70x70 patches."""
    layers = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for stride in (2, 2, 1):
        layers += [nn.Conv2d(width, 2 * width, 4, stride, 1), nn.InstanceNorm2d(2 * width), nn.LeakyReLU(0.2)]
        width *= 2
    return Model(*layers, nn.Conv2d(width, 1, 4, 1, 1))


class Main(nn.Module):
    """Layers under main."""

    def __init__(self, *layers):
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, x):
        return self.main(x)


def dcgan_generator(noise=100, width=64):
    """The DCGAN example's generator of 64x64 images."""
    widths = [8 * width, 4 * width, 2 * width, width]
    layers = [nn.ConvTranspose2d(noise, widths[0], 4, 1, 0, bias=False)]
    for inputs, outputs in zip(widths, [*widths[1:], 3]):
        layers += [nn.BatchNorm2d(inputs), nn.ReLU(True)]
        layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)]
    return Main(*layers, nn.Tanh())


def dcgan_discriminator(width=64):
    """Its discriminator, up to the score in front of the sigmoid, which has no weights."""
    layers = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for inputs in (width, 2 * width, 4 * width):
        layers += [nn.Conv2d(inputs, 2 * inputs, 4, 2, 1, bias=False)]
        layers += [nn.BatchNorm2d(2 * inputs), nn.LeakyReLU(0.2)]
    return Main(*layers, nn.Conv2d(8 * width, 1, 4, 1, 0, bias=False))
