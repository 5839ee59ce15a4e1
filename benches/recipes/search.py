"""Trains every recipe on every set with every seed, judges each run on pictures it has not seen, and prints a table.

    python benches/recipes/search.py benches/recipes/dcgan.toml --out runs/recipes --steps 1000 \\
        --set grumpy "--data ../shared/data/cats/grumpy" --set emoji "--data builtin:noto/faces --size 32"

A recipe is a line of the file: a name and the flags of `mewgpu train`. What is done already is not done again, and a run that
has fewer steps goes on from where it stopped, so the same command with --only and more --steps takes the best few further.
"""

import argparse
import concurrent.futures
import json
import os
import shlex
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", type=Path, help="the file of recipes")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the runs")
    parser.add_argument("--set", dest="sets", nargs=2, action="append", required=True, metavar=("NAME", "FLAGS"))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="+", help="these recipes alone")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time, each on its share of the cores")
    parser.add_argument("--mewgpu", default="target/release/mewgpu")
    return parser.parse_args()


def mewgpu(options, *words):
    """The standard output of one command."""
    threads = max(1, len(os.sched_getaffinity(0)) // options.jobs)
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    done = subprocess.run([options.mewgpu, *map(str, words)], env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"mewgpu {' '.join(map(str, words))}:\n{done.stderr}")
    return done.stdout


def train(options, system, run, flags):
    """Trains a run to the wanted step: from its start, or from where it stopped."""
    device = ["--device", options.device]
    newest = max((int(file.stem) for file in run.glob("checkpoints/*.safetensors")), default=0)
    if newest == 0:
        every = ["--sample-every", 500, "--checkpoint-every", 500, "--keep", 0]
        mewgpu(options, "train", system, "--out", run, "--steps", options.steps, *every, *device, *flags)
    elif newest < options.steps:
        mewgpu(options, "resume", run, "--steps", options.steps, *device)


def judged(options, system, recipe, name, place, seed):
    """The figures of a run at the wanted step, by name, each a pair: the run's, and the yardstick's or None."""
    run = options.out / place[0] / name / str(seed)
    kept = run / f"judged-{options.steps}.json"
    if not kept.exists():
        flags = ["--holdout", 0.25, "--seed", seed, *shlex.split(recipe), *shlex.split(place[1])]
        train(options, system, run, flags)
        judge = [*JUDGE[system], "--checkpoint", options.steps, "--device", options.device]
        kept.write_text(mewgpu(options, "evaluate", run, "--json", *judge))
        print(f"{place[0]} {name}, seed {seed}", file=sys.stderr)
    figures = json.loads(kept.read_text())["figures"]
    return {figure["name"]: (figure["value"], figure.get("yardstick")) for figure in figures}


JUDGE = {"dcgan": [], "cyclegan": []}


def main():
    options = arguments()
    description = tomllib.loads(options.recipes.read_text())
    system, recipes = description["system"], description["recipes"]
    names = options.only or list(recipes)
    tasks = [(place, name, seed) for place in options.sets for seed in options.seeds for name in names]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        work = lambda task: judged(options, system, recipes[task[1]], task[1], task[0], task[2])
        found = dict(zip([(place[0], name, seed) for place, name, seed in tasks], pool.map(work, tasks)))
    columns = [figure for figure in next(iter(found.values()))]
    for place, _ in options.sets:
        print(f"\n{place}, {options.steps} steps, seeds {options.seeds}")
        for name in names:
            runs = [found[place, name, seed] for seed in options.seeds]
            print(f"{name:24}", *(f"{statistics.mean(run[column][0] for run in runs):9.3f}" for column in columns))
        print(f"{'(yardstick)':24}", *(f"{runs[0][column][1] or float('nan'):9.3f}" for column in columns))
    print(columns)


if __name__ == "__main__":
    main()
