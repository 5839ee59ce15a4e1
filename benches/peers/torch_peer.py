"""The presets' training steps in PyTorch, timed as `mewgan bench` times its own, in rows of the same names.

    pip install torch numpy
    python benches/peers/torch_peer.py --device cpu --system dcgan --preset course --json torch.json

Networks, losses and the order of updates are those of the golden fixtures (tests/golden), from which mewgan's tests take their
numbers. The paper's pool of past fakes is left out: the discriminators are shown the new ones.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "golden"))
import make
import make_cyclegan
from make import half_mean_square, mean_square
from make_cyclegan import LAMBDA_CYCLE, LAMBDA_IDENTITY, mean_absolute

NOISE = 100

# Training steps


def adam(networks, learning_rate, graphs):
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return torch.optim.Adam(parameters, learning_rate, betas=(0.5, 0.999), eps=1e-8, capturable=graphs)


def descend(optimizer, loss):
    optimizer.zero_grad(set_to_none=True)
    loss.backward(inputs=optimizer.param_groups[0]["params"])
    optimizer.step()


def without_gradients(network, x):
    with torch.no_grad():
        return network(x)


def dcgan(preset, put, graphs):
    """One iteration: the discriminator's step, then the generator's."""
    batch = 64 if preset == "paper" else 16
    preset = make.PRESETS[preset]
    g = put(make.generator(preset, 64, NOISE, preset["width"]))
    d = put(make.discriminator(preset, 64, preset["width"]))
    adam_g, adam_d = (adam([network], preset["learning_rate"], graphs) for network in (g, d))
    real = put(torch.rand(batch, 3, 64, 64) * 2 - 1)
    noise_d, noise_g = (put(torch.rand(batch, NOISE, 1, 1) * 2 - 1) for _ in range(2))

    def iteration():
        # Noise that the generator's step meets again is drawn once.
        fake = without_gradients(g, noise_d) if preset["fresh_noise"] else g(noise_d)
        loss = preset["discriminator_loss"](d(real), 1.0) + preset["discriminator_loss"](d(fake.detach()), 0.0)
        descend(adam_d, loss)
        if preset["fresh_noise"]:
            fake = g(noise_g)
        descend(adam_g, preset["generator_loss"](d(fake), 1.0))

    return iteration


def cyclegan(preset, put, graphs):
    """One iteration: all its optimizer steps, in the preset's order."""
    paper = preset == "paper"
    size, batch, learning_rate = (256, 1, 2e-4) if paper else (64, 16, 3e-4)
    pair = {
        "seed": lambda: (make_cyclegan.seed_generator(16, 1), make_cyclegan.dcgan_discriminator("seed", 64, 16)),
        "course": lambda: (make_cyclegan.course_generator(32, 3), make_cyclegan.dcgan_discriminator("course", 64, 32)),
        "paper": lambda: (make_cyclegan.paper_generator(64, 9), make_cyclegan.paper_discriminator(64)),
    }[preset]
    (to_y, d_x), (to_x, d_y) = ([put(network) for network in pair()] for _ in range(2))
    adam_g, adam_d = adam([to_y, to_x], learning_rate, graphs), adam([d_x, d_y], learning_rate, graphs)
    x, y = (put(torch.rand(batch, 3, size, size) * 2 - 1) for _ in range(2))

    def along(there, back, judge, images, adversarial, cycle):
        """The loss of a translation and of the way back, and the translation."""
        fake = there(images)
        loss = adversarial(judge(fake), 1.0) + LAMBDA_CYCLE * cycle(back(fake), images)
        if paper:
            loss = loss + LAMBDA_IDENTITY * mean_absolute(back(images), images)
        return loss, fake

    def judged(loss, target, of_x, of_y):
        return loss(d_x(of_x), target) + loss(d_y(of_y), target)

    def seed():
        descend(adam_d, judged(mean_square, 1.0, x, y))
        descend(adam_d, judged(mean_square, 0.0, without_gradients(to_x, y), without_gradients(to_y, x)))
        descend(adam_g, along(to_x, to_y, d_x, y, half_mean_square, mean_square)[0])
        descend(adam_g, along(to_y, to_x, d_y, x, half_mean_square, mean_square)[0])

    def generators():
        loss_x, fake_y = along(to_y, to_x, d_y, x, mean_square, mean_absolute)
        loss_y, fake_x = along(to_x, to_y, d_x, y, mean_square, mean_absolute)
        descend(adam_g, loss_x + loss_y)
        return fake_x.detach(), fake_y.detach()

    def discriminators(loss, fake_x, fake_y):
        descend(adam_d, judged(loss, 1.0, x, y) + judged(loss, 0.0, fake_x, fake_y))

    def course():
        discriminators(mean_square, without_gradients(to_x, y), without_gradients(to_y, x))
        generators()

    def as_published():
        discriminators(half_mean_square, *generators())

    return {"seed": seed, "course": course, "paper": as_published}[preset]


# Single contractions, as a report of mewgan bench lists them


def contraction(sizes, put):
    g, batch, i, o = sizes["geometry"], sizes["batch"], sizes["inputs"], sizes["outputs"]
    large, small = put(torch.rand(batch, i, *g["large"])), put(torch.rand(batch, o, *g["small"]))
    weight = put(torch.rand(o, i, *g["kernel"]))
    # PyTorch pads a transposed convolution's result at its far end.
    rest = [
        large - ((small - 1) * stride - 2 * padding + kernel)
        for large, small, stride, padding, kernel in zip(
            g["large"], g["small"], g["stride"], g["padding"], g["kernel"]
        )
    ]

    def run():
        with torch.no_grad():
            if sizes["op"] == "conv2d":
                F.conv2d(large, weight, None, g["stride"], g["padding"])
            elif sizes["op"] == "conv_transpose2d":
                F.conv_transpose2d(small, weight, None, g["stride"], g["padding"], rest)
            else:
                torch.nn.grad.conv2d_weight(large, weight.shape, small, g["stride"], g["padding"])

    return run


# Timing


def captured(iteration):
    """The same iteration as one CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            iteration()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        iteration()
    return graph.replay


def seconds(work, arguments):
    """The spread of the time `work` takes, repeated where it is short."""

    def sample(repeats):
        start = time.perf_counter()
        for _ in range(repeats):
            work()
        if arguments.device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - start) / repeats

    for _ in range(3):
        once = sample(1)
    repeats = max(1, min(1024, int(arguments.seconds / 50 / once)))
    count = max(3, min(25, int(arguments.seconds / (once * repeats))))
    samples = sorted(sample(repeats) for _ in range(count))
    lower, median, upper = statistics.quantiles(samples, n=4, method="inclusive")
    return {
        "median": median,
        "lower": lower,
        "upper": upper,
        "min": samples[0],
        "max": samples[-1],
        "samples": count,
    }


def row(group, name, variant, spread, flops=None):
    rate = flops / spread["median"] if flops else None
    return {
        "group": group,
        "name": name,
        "variant": variant,
        "flops": flops,
        "seconds": spread,
        "flops_per_second": rate,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--system", choices=["dcgan", "cyclegan"], nargs="*", default=["dcgan", "cyclegan"])
    parser.add_argument("--preset", choices=["seed", "course", "paper"], nargs="*", default=["seed", "course", "paper"])
    parser.add_argument("--tf32", action="store_true", help="let CUDA round products to TF32")
    parser.add_argument("--autocast", action="store_true", help="mixed precision: operations in f16 where autocast takes it")
    parser.add_argument("--graphs", action="store_true", help="replay each iteration as a CUDA graph")
    parser.add_argument("--channels-last", action="store_true", help="store images as NHWC")
    parser.add_argument("--seconds", type=float, default=0.5, help="time for each row; at least three runs")
    parser.add_argument("--contractions", type=Path, metavar="FILE", help="also those in this report of mewgan bench")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    arguments = parser.parse_args()
    if arguments.graphs and arguments.device != "cuda":
        parser.error("--graphs needs --device cuda")

    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = arguments.tf32
    torch.backends.cudnn.benchmark = True

    def put(what):
        layout = torch.channels_last if arguments.channels_last else torch.contiguous_format
        return what.to(arguments.device, memory_format=layout)

    flags = [name for name in ("tf32", "autocast", "graphs", "channels_last") if getattr(arguments, name)]
    variant = " ".join(["eager", *flags])
    rows = []
    if arguments.contractions:
        known = {}
        for entry in json.loads(arguments.contractions.read_text())["rows"]:
            if entry["group"] == "contractions":
                known.setdefault(entry["name"], entry)
        for name, entry in known.items():
            spread = seconds(contraction(entry["contraction"], put), arguments)
            rows.append(row("contractions", name, variant, spread, entry["flops"]))
    for system in arguments.system:
        for preset in arguments.preset:
            iteration = {"dcgan": dcgan, "cyclegan": cyclegan}[system](preset, put, arguments.graphs)
            if arguments.autocast:
                iteration = torch.autocast(arguments.device, torch.float16)(iteration)
            spread = seconds(captured(iteration) if arguments.graphs else iteration, arguments)
            rows.append(row("steps", f"{system} {preset}", variant, spread))

    for entry in rows:
        spread = entry["seconds"]
        milliseconds = "  ".join(f"{spread[key] * 1e3:10.3f}" for key in ("median", "lower", "upper"))
        rate = f"{entry['flops_per_second'] * 1e-9:8.1f} GFLOP/s" if entry["flops"] else ""
        print(f"{entry['name']:60} {milliseconds} ms {rate}")
    if arguments.json:
        cpu = f"CPU, {torch.get_num_threads()} threads"
        device = torch.cuda.get_device_name() if arguments.device == "cuda" else cpu
        report = {"program": f"PyTorch {torch.__version__}", "device": device, "rows": rows}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
