"""Writes the golden fixture of pix2pix beside this script: what PyTorch computes, in float64.

    pip install torch numpy
    python tests/golden/make_pix2pix.py

pix2pix.safetensors     a translation and one training iteration of a tiny pix2pix, all in training mode
names.json              adds pix2pix_paper: names, shapes and parameter counts at full size

The networks are built of modules with the names that published weights have: `model.model.1.model.3.weight` and so on.
In the fixture an entry is named by the places of its layers alone: main.1.3.weight.

Layouts are PyTorch's; images and the state before are float32 values stored as float64. String metadata: `width` (of both
networks), `depth` (of the U-Net), `stages` (of the discriminator). Tensors, <network> being generator or discriminator:

    source, target                     images
    dropout.0, ..                      what the dropouts multiply by, from the innermost outwards
    translation                        of source, before the iteration
    before.<network>.<entry>           state before the iteration, with fresh Adam states, and after it
    after.<network>.<entry>
    grad.<network>.<entry>             gradient that the optimizer step applies
    loss.D_fake, loss.D_real           as they enter the discriminator's loss, loss.D
    loss.G, loss.L1                    as they enter the generator's

The discriminator is updated first, on the translation that the generator then is updated on. It sees the translation, then
the target: its running statistics follow in that order.
"""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from fixtures import HERE, SEED, describe, gradients, initialize, save, state, uniform, update_names

LAMBDA_L1 = 100.0
RATE = 0.5


class Mask(nn.Module):
    """Dropout whose draws are given."""

    def forward(self, x):
        return x if self.mask is None else x * self.mask

    mask = None


class Block(nn.Module):
    """A stage of a U-Net: down, what is within, up; all but the outermost hand on what they read, too."""

    def __init__(self, layers, outermost=False):
        super().__init__()
        self.model = nn.Sequential(*layers)
        self.outermost = outermost

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class UNet(nn.Module):
    def __init__(self, width, depth, dropouts):
        super().__init__()
        features = [width * min(8, 2**level) for level in range(depth)]

        def down(into, out):
            return nn.Conv2d(into, out, 4, 2, 1, bias=False)

        def up(into, out, bias=False):
            return nn.ConvTranspose2d(into, out, 4, 2, 1, bias=bias)

        block = None
        for level in reversed(range(1, depth)):
            outer, inner = features[level - 1], features[level]
            layers = [nn.LeakyReLU(0.2), down(outer, inner)]
            if block is None:
                layers += [nn.ReLU(), up(inner, outer), nn.BatchNorm2d(outer)]
            else:
                layers += [nn.BatchNorm2d(inner), block, nn.ReLU(), up(2 * inner, outer), nn.BatchNorm2d(outer)]
                if depth - 1 - dropouts <= level:
                    layers.append(Mask())
            block = Block(layers)
        layers = [down(3, width), block, nn.ReLU(), up(2 * width, 3, bias=True), nn.Tanh()]
        self.model = Block(layers, outermost=True)

    def forward(self, x):
        return self.model(x)


class PatchDiscriminator(nn.Module):
    def __init__(self, width, stages):
        super().__init__()
        layers = [nn.Conv2d(6, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for stage in range(1, stages + 1):
            into, out = (width * min(8, 2**at) for at in (stage - 1, stage))
            stride = 1 if stage == stages else 2
            layers += [nn.Conv2d(into, out, 4, stride, 1, bias=False), nn.BatchNorm2d(out), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*layers, nn.Conv2d(out, 1, 4, 1, 1))

    def forward(self, source, image):
        return self.model(torch.cat([source, image], 1))


def places(tensors):
    """Entries `<what>.<network>.<name>`, their names by the places of layers alone."""

    def renamed(key):
        what, network, *parts = key.split(".")
        return ".".join([what, network, "main", *(part for part in parts if part != "model")])

    return {renamed(key): value for key, value in tensors.items()}


def judged(scores, real):
    return binary_cross_entropy_with_logits(scores, torch.full_like(scores, float(real)))


def write_iteration(width=1, depth=5, stages=2, size=32, batch=2):
    generator = UNet(width, depth, dropouts=1).double()
    discriminator = PatchDiscriminator(width, stages).double()
    networks = {"generator": generator, "discriminator": discriminator}
    tensors = {}
    for name, network in networks.items():
        initialize(network)
        tensors |= places(state(f"before.{name}", network))
    adams = {
        name: torch.optim.Adam(network.parameters(), 2e-4, betas=(0.5, 0.999), eps=1e-8)
        for name, network in networks.items()
    }
    source, target = uniform(batch, 3, size, size), uniform(batch, 3, size, size)
    tensors |= {"source": source, "target": target}
    [dropout] = [layer for layer in generator.modules() if isinstance(layer, Mask)]
    side = size >> (depth - 2)
    mask = (torch.rand(batch, width * min(8, 2 ** (depth - 3)), side, side) < RATE).double() / RATE
    tensors["dropout.0"] = dropout.mask = mask

    def step(name, loss):
        adams[name].zero_grad()
        loss.backward(inputs=list(networks[name].parameters()), retain_graph=True)
        tensors.update(places(gradients(f"grad.{name}", networks[name])))
        adams[name].step()

    fake = generator(source)
    tensors["translation"] = fake.detach()
    losses = {"D_fake": 0.5 * judged(discriminator(source, fake.detach()), real=False)}
    losses["D_real"] = 0.5 * judged(discriminator(source, target), real=True)
    losses["D"] = losses["D_fake"] + losses["D_real"]
    step("discriminator", losses["D"])
    losses["G"] = judged(discriminator(source, fake), real=True)
    losses["L1"] = LAMBDA_L1 * (fake - target).abs().mean()
    step("generator", losses["G"] + losses["L1"])
    tensors |= {f"loss.{name}": value.detach() for name, value in losses.items()}
    for name, network in networks.items():
        tensors |= places(state(f"after.{name}", network))
    metadata = {"width": str(width), "depth": str(depth), "stages": str(stages)}
    save(HERE / "pix2pix.safetensors", tensors, metadata)


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    write_iteration()
    update_names({
        "pix2pix_paper": {
            "G": describe(UNet(64, 8, dropouts=3), 54_413_955),
            "D": describe(PatchDiscriminator(64, 3), 2_768_705),
        }
    })


if __name__ == "__main__":
    main()
