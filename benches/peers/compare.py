"""Runs two commands in turn, A B A B .., and prints the ratio of their times, row by row.

    python benches/peers/compare.py --rounds 5 \\
        "target/release/mewgan bench --device cpu --quick --filter 'steps/dcgan course' --json {}" \\
        "python benches/peers/torch_peer.py --device cpu --system dcgan --preset course --json {}"

Each command writes a report to the file put in place of {}. A row's time in a round is the median of that run; a machine that
slows meets both alike, so the ratio of a round can be trusted further than either time.
"""

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


def times(command, file):
    """The median time of every row that a command reports, by group and name."""
    words = [word.replace("{}", str(file)) for word in shlex.split(command)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    rows = json.loads(file.read_text())["rows"]
    chosen = [row for row in rows if row.get("chosen", True) and row["group"] != "control"]
    return {(row["group"], row["name"]): row["seconds"]["median"] for row in chosen}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a", metavar="COMMAND_A")
    parser.add_argument("b", metavar="COMMAND_B")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.rounds):
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
            rounds.append([times(command, Path(folder) / "report.json") for command in (arguments.a, arguments.b)])
    shared = [key for key in rounds[0][0] if key in rounds[0][1]]
    if not shared:
        sys.exit("no row of one is a row of the other")
    print(f"{'A / B, ' + str(arguments.rounds) + ' rounds':60} {'median A':>10} {'median B':>10}   ratio (min .. max)")
    for key in shared:
        a, b = ([pair[side][key] for pair in rounds] for side in (0, 1))
        ratios = [one / other for one, other in zip(a, b)]
        medians = "".join(f"{statistics.median(side) * 1e3:8.2f} ms" for side in (a, b))
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} .. {max(ratios):.2f})"
        print(f"{'/'.join(key):60}{medians}   {spread}")


if __name__ == "__main__":
    main()
