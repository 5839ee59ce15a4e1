"""Trains every recipe on every set with every seed, judges each run on images it has not seen, and prints a table.

    python benches/recipes/search.py benches/recipes/dcgan.toml --out runs/recipes --steps 1000 \\
        --set grumpy "--data ../shared/data/cats/grumpy" --set emoji "--data builtin:noto/faces --size 32"

A recipe is a line of the file: a name and the flags of `mewgan train`. What is done already is not done again, and a run that
has fewer steps goes on from where it stopped, so the same command with --only and more --steps takes the best few further.
With --cost 5, every recipe trains for 100 steps five times, in turn, and what a step costs is printed instead.
"""

import argparse
import concurrent.futures
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", type=Path, help="the file of recipes")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the runs")
    parser.add_argument("--set", dest="sets", nargs="+", action="append", required=True,
                        metavar=("NAME", "FLAGS"), help="a name, flags, and the word paired where equal file names of X and Y are partners")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="+", help="these recipes alone")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time, each on its share of the cores")
    parser.add_argument("--cost", type=int, metavar="ROUNDS", help="measure what a step costs, nothing else running")
    parser.add_argument("--mewgan", default="target/release/mewgan")
    return parser.parse_args()


def mewgan(options, *words):
    """The standard output of one command."""
    threads = max(1, len(os.sched_getaffinity(0)) // options.jobs)
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    done = subprocess.run([options.mewgan, *map(str, words)], env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"mewgan {' '.join(map(str, words))}:\n{done.stderr}")
    return done.stdout


def train(options, system, run, flags):
    """Trains a run to the wanted step: from its start, or from where it stopped."""
    device = ["--device", options.device]
    newest = max((int(file.stem) for file in run.glob("checkpoints/*.safetensors")), default=0)
    if newest == 0:
        every = ["--sample-every", 500, "--checkpoint-every", 500, "--keep", 0]
        mewgan(options, "train", system, "--out", run, "--steps", options.steps, *every, *device, *flags)
    elif newest < options.steps:
        mewgan(options, "resume", run, "--steps", options.steps, *device)


def short(name):
    """The column of a figure; both directions of a translator share theirs."""
    name = name.removeprefix("X to Y: ").removeprefix("Y to X: ")
    return name.replace("sliced Wasserstein distance", "SWD").replace("SWD x 1000", "SWD").split(" (")[0]


def judged(options, system, flags, place, name, seed):
    """The figures of a run at the wanted step, by column: the run's and, where there is one, the yardstick's."""
    set_name, set_flags, *paired = place
    run = options.out / set_name / name / str(seed)
    kept = run / f"judged-{options.steps}.json"
    if not kept.exists():
        train(options, system, run, ["--holdout", 0.25, "--seed", seed, *shlex.split(flags), *shlex.split(set_flags)])
        judge = [*(f"--{word}" for word in paired), "--checkpoint", options.steps, "--device", options.device]
        kept.write_text(mewgan(options, "evaluate", run, "--json", *judge))
        print(f"{set_name}: {name}, seed {seed}", file=sys.stderr)
    columns = {}
    for figure in json.loads(kept.read_text())["figures"]:
        columns.setdefault(short(figure["name"]), []).append((figure["value"], figure.get("yardstick")))
    return columns


def cell(values):
    """Mean of the seeds' figures, and how far they spread."""
    values = [value for value in values if value is not None]
    if not values:
        return ""
    digits = 0 if max(values) >= 10 else 3
    spread = f" ({min(values):.{digits}f} .. {max(values):.{digits}f})" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{spread}"


def table(runs):
    """Recipes in the order of their distance as lines of Markdown; runs: by recipe, the columns of every seed."""

    def figure(columns, column, side):
        values = [pair[side] for pair in columns[column] if pair[side] is not None]
        return statistics.mean(values) if values else None

    some = next(iter(runs.values()))
    columns = list(some[0])
    order = sorted(runs, key=lambda name: statistics.mean(figure(seed, "SWD", 0) for seed in runs[name]))
    yield f"| recipe | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for name in order:
        cells = [cell([figure(seed, column, 0) for seed in runs[name]]) for column in columns]
        yield f"| {name} | {' | '.join(cells)} |"
    cells = [cell([figure(seed, column, 1) for seed in some]) for column in columns]
    yield f"| *yardstick* | {' | '.join(cells)} |"


def cost(options, system, recipes):
    """Lines of what a step costs: recipes in turn, so that a machine that slows slows all of them alike."""
    times = {name: [] for name in recipes}
    for _ in range(options.cost):
        for name, flags in recipes.items():
            with tempfile.TemporaryDirectory() as folder:
                run = Path(folder) / "run"
                words = ["--steps", 100, "--log-every", 50, "--sample-every", 1000, "--device", options.device]
                mewgan(options, "train", system, "--out", run, *words, *shlex.split(f"{flags} {options.sets[0][1]}"))
                rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
                halfway, end = (next(row["seconds"] for row in rows if row["step"] == step) for step in (50, 100))
                times[name].append((end - halfway) / 50)
    first = next(iter(times.values()))
    yield f"| recipe | ms per step on {options.sets[0][0]} | relative to {next(iter(times))} |\n|---|---|---|"
    for name, found in times.items():
        ratios = [time / other for time, other in zip(found, first)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} .. {max(ratios):.2f})"
        yield f"| {name} | {1e3 * statistics.median(found):.1f} | {spread} |"


def main():
    options = arguments()
    description = tomllib.loads(options.recipes.read_text())
    system, recipes = description["system"], description["recipes"]
    names = options.only or list(recipes)
    if options.cost:
        print("\n".join(cost(options, system, {name: recipes[name] for name in names})))
        return
    tasks = [(place, name, seed) for place in options.sets for seed in options.seeds for name in names]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        work = lambda task: judged(options, system, recipes[task[1]], *task)
        found = dict(zip([(place[0], name, seed) for place, name, seed in tasks], pool.map(work, tasks)))
    for place, *_ in options.sets:
        print(f"\n{place}, {options.steps} steps, seeds {' '.join(map(str, options.seeds))}\n")
        runs = {name: [found[place, name, seed] for seed in options.seeds] for name in names}
        print("\n".join(table(runs)))


if __name__ == "__main__":
    main()
