"""What training over MPI costs at many ranks: a model, its constants, and the tables of docs/scaling.md.

    python3 benches/scaling.py

Times are in seconds, sizes in bytes. Every constant says where it comes from: measured (see docs/scaling.md), counted, or assumed.
"""

from math import ceil, log2

# Counted: floating-point operations of an iteration and picture (mewgpu bench), bytes of both optimizers' gradients, numbers of noise
# a picture, and bytes of a picture's translations that every rank gets for its pool.
DCGAN = dict(name="DCGAN paper", batch=64, flops=158.97e9 / 64, d=11_062_272, g=14_306_816, noise=100, pool=0)
CYCLEGAN = dict(name="CycleGAN paper", batch=1, flops=1879.2e9, d=22_117_896, g=91_025_432, noise=0, pool=2 * 256 * 256 * 3 * 4)
# Counted: the share of an iteration that the device computes while gradients are exchanged. DCGAN: the generator's forward pass, while
# those of the discriminator are. CycleGAN: the discriminators' step, while those of the generators are.
DCGAN["hides"], CYCLEGAN["hides"] = ("d", 0.084), ("g", 0.040)

# Assumed: what a GPU computes with these kernels, and what its bus carries each way (PCIe 3 with 16 lanes).
RATE, BUS = 10e12, 12e9
# Assumed: latency of a message between machines.
LATENCY = {10: 30e-6, 25: 30e-6, 100: 5e-6}
# Measured: seconds for a byte to go through host memory, once a step: staging, scaling, and what MPI copies and adds.
HOST = 1.0e-9
# Measured: seconds to draw one normal number; every rank draws those of the whole batch.
DRAW = 10e-9


def reduce(size, ranks, gigabits):
    """An all-reduce that moves the least there is to move, 2 (N - 1) / N times the size, in 2 log2 N rounds."""
    if ranks == 1:
        return 0.0
    return 2 * (ranks - 1) / ranks * size * 8 / (gigabits * 1e9) + 2 * ceil(log2(ranks)) * LATENCY[gigabits]


def step(preset, ranks, batch, gigabits):
    """Parts of a step of one rank that has `batch` pictures."""
    compute = preset["flops"] * batch / RATE
    parts = dict(compute=compute, host=0.0, network=0.0, draws=preset["noise"] * batch * ranks * DRAW)
    if ranks == 1:
        return parts
    for name in ("d", "g"):
        size = preset[name]
        host = size * (2 / BUS + HOST)
        network = reduce(size, ranks, gigabits)
        hidden = preset["hides"][1] * compute if preset["hides"][0] == name else 0.0
        # What is hidden is taken off the network first.
        left = max(0.0, host + network - hidden)
        parts["network"] += min(network, left)
        parts["host"] += left - min(network, left)
    everyone = preset["pool"] * batch * ranks
    parts["network"] += everyone * (ranks - 1) / ranks * 8 / (gigabits * 1e9)
    parts["host"] += everyone * (2 / BUS + HOST) * 0.5
    return parts


def total(*args):
    return sum(step(*args).values())


def table(preset, title, batch_of, ideal):
    print(f"\n{preset['name']}, {title}:\n")
    print("| ranks | " + " | ".join(f"{gigabits} Gbit/s" for gigabits in LATENCY) + " | largest part at 25 Gbit/s beside computing |")
    print("|---|---|---|---|---|")
    for ranks in (8, 64, 512):
        batch = batch_of(ranks)
        cells = []
        for gigabits in LATENCY:
            time = total(preset, ranks, batch, gigabits)
            one = total(preset, 1, batch_of(1), gigabits)
            cells.append(f"{1e3 * time:.1f} ms, {100 * one / time / ideal(ranks):.0f} %")
        parts = step(preset, ranks, batch, 25)
        parts.pop("compute")
        worst = max(parts, key=parts.get)
        print(f"| {ranks} | " + " | ".join(cells) + f" | {worst}, {1e3 * parts[worst]:.1f} ms |")


if __name__ == "__main__":
    for preset in (DCGAN, CYCLEGAN):
        table(preset, f"weak scaling, {preset['batch']} a rank", lambda _: preset["batch"], lambda _: 1)
        table(preset, "strong scaling, 512 in all", lambda ranks: 512 // ranks, lambda ranks: ranks)
