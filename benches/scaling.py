"""What training over MPI costs at many ranks: a model, its constants, and the tables of docs/scaling.md.

    python3 benches/scaling.py

Times are in seconds, sizes in bytes. Every constant says where it comes from: measured (see docs/scaling.md), counted, or assumed.
"""

from math import ceil, log2

# Counted: floating-point operations of an iteration and image (mewgan bench), bytes of both optimizers' gradients, numbers of noise
# that are drawn for an image, and bytes of an image's translations that every rank gets for its pool.
DCGAN = dict(name="DCGAN paper", batch=64, flops=158.97e9 / 64, d=11_062_272, g=14_306_816, noise=200, pool=0)
CYCLEGAN = dict(name="CycleGAN paper", batch=1, flops=1879.2e9, d=22_117_896, g=91_025_432, noise=0, pool=2 * 256 * 256 * 3 * 4)
# Counted: the share of an iteration that the device computes while gradients are exchanged. DCGAN: the generator's forward pass, while
# those of the discriminator are. CycleGAN: the discriminators' step, while those of the generators are.
DCGAN["hides"], CYCLEGAN["hides"] = ("d", 0.084), ("g", 0.040)

# Assumed: what a GPU computes with these kernels, and what its bus carries each way (PCIe 3 with 16 lanes).
RATE, BUS = 10e12, 12e9
# Assumed: latency of a message between machines.
LATENCY = {10: 30e-6, 25: 30e-6, 100: 5e-6}
# Measured, on a busy machine: seconds for a byte to be read back, staged and written through host memory.
HOST = 0.8e-9
# Assumed: seconds to draw one normal number; every rank draws those of the whole batch.
DRAW = 10e-9

# Measured with 1 and 2 ranks on the CPU device, the fastest of 200 steps: bytes exchanged in 4 messages, seconds of a step with 1 rank,
# of its exchanges with 2, and of a step with 2.
POINTS = [(278_584, 0.6e-3, 0.47e-3, 1.1e-3), (688_184, 1.3e-3, 0.86e-3, 2.3e-3), (1_900_600, 3.8e-3, 1.68e-3, 7.2e-3)]


def reduce(size, ranks, gigabits):
    """An all-reduce that moves the least there is to move, 2 (N - 1) / N times the size, in 2 log2 N rounds."""
    if ranks == 1:
        return 0.0
    return 2 * (ranks - 1) / ranks * size * 8 / (gigabits * 1e9) + 2 * ceil(log2(ranks)) * LATENCY[gigabits]


def step(preset, ranks, batch, gigabits):
    """Parts of a step of one rank that has `batch` images."""
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


def check():
    """What the first and the last point make of the one between, and of steps with 2 ranks."""
    (small, _, fast, _), (large, _, slow, _) = POINTS[0], POINTS[-1]
    per_byte = (slow - fast) / (large - small)
    latency = fast - small * per_byte
    print(f"\n{1e9 * per_byte:.2f} ns a byte, {1e6 * latency / 4:.0f} us a message between 2 ranks of a machine\n")
    print("| bytes | exchanges, by the model | measured | step of 2 ranks, by the model | measured |")
    print("|---|---|---|---|---|")
    for size, one, exchanges, two in POINTS:
        model = latency + size * per_byte
        times = [model, exchanges, one + model, two]
        print(f"| {size:,} | " + " | ".join(f"{1e3 * time:.2f} ms" for time in times) + " |")


if __name__ == "__main__":
    check()
    for preset in (DCGAN, CYCLEGAN):
        table(preset, f"weak scaling, {preset['batch']} a rank", lambda _: preset["batch"], lambda _: 1)
        table(preset, "strong scaling, 512 in all", lambda ranks: 512 // ranks, lambda ranks: ranks)
