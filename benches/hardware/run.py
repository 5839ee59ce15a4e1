"""Everything worth knowing of one GPU, in one run of bounded time: is it right, how fast is it, and does training work.

    python3 benches/hardware/run.py --out results                # builds nothing: cargo build --release first
    python3 benches/hardware/run.py --out results --minutes 20 --program path/to/mewgan

Needs the program and Python 3, no network and no cargo; PyTorch if its times are wanted. Parts run in the order of the table
PARTS, each in bounded time, and keep what they found even if a later one fails. At the end results/summary.json has every
figure, and results/summary.md is a section for docs/hardware.md.
"""

import argparse
import json
import platform
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / "benches" / "peers" / "torch_peer.py"
PRESETS = ["dcgan seed", "dcgan course", "dcgan paper", "cyclegan seed", "cyclegan course", "cyclegan paper", "pix2pix paper"]
EXPLAINED = ["dcgan course", "dcgan paper", "cyclegan course", "cyclegan paper"]
STEPS = 20000

# Name, share of the whole time that it may take, command. {mewgan}, {peer}, {device}, {out} are filled in.
PARTS = [
    ("devices", 0.02, "{mewgan} devices"),
    ("gradcheck", 0.15, "{mewgan} gradcheck --device {device} --json"),
    ("bench", 0.30, "{mewgan} bench --device {device} --quick --json {out}/bench.json"),
    ("gradcheck mixed", 0.10, "{mewgan} gradcheck --device {device} --precision mixed --json"),
    ("bench mixed", 0.15, "{mewgan} bench --device {device} --quick --precision mixed --filter steps/,contractions/ --json {out}/bench-mixed.json"),
    ("torch eager", 0.06, "{peer} --device cuda --json {out}/torch-eager.json"),
    ("torch tf32", 0.05, "{peer} --device cuda --tf32 --json {out}/torch-tf32.json"),
    ("torch autocast", 0.05, "{peer} --device cuda --autocast --json {out}/torch-autocast.json"),
    ("torch graphs", 0.05, "{peer} --device cuda --graphs --json {out}/torch-graphs.json"),
    *[
        (f"explain {name}", 0.02, f"{{mewgan}} explain {name} --device {{device}} --json --trace {{out}}/{name.replace(' ', '-')}.trace.json")
        for name in EXPLAINED
    ],
    ("train dcgan", 0.20, "{mewgan} train dcgan {images} --steps {steps} --device {device} --out {out}/dcgan --sample-every 2000 --checkpoint-every 10000"),
    ("train cyclegan", 0.20, "{mewgan} train cyclegan {pairs} --preset course --steps {steps} --device {device} --out {out}/cyclegan --sample-every 2000 --checkpoint-every 10000"),
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="a new folder for all results")
    parser.add_argument("--program", type=Path, default=ROOT / "target" / "release" / "mewgan")
    parser.add_argument("--device", default="gpu", help="as --device of mewgan; a hardware GPU unless --software is given")
    parser.add_argument("--minutes", type=float, default=9, help="for everything")
    parser.add_argument("--steps", type=int, default=STEPS, help="of the two training runs")
    parser.add_argument("--data", type=Path, help="a folder with two folders of images, for CycleGAN's X and Y; DCGAN takes the first. Emoji without")
    parser.add_argument("--only", nargs="*", help="parts whose names begin with one of these")
    parser.add_argument("--software", action="store_true", help="go on without a hardware GPU: a rehearsal")
    return parser.parse_args()


def run_part(command, seconds, log):
    """Runs a command for so many seconds at most; its output goes to a file. Returns how it ended, and how long it took."""
    start = time.monotonic()
    with log.open("w") as output:
        try:
            process = subprocess.Popen(shlex.split(command), stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)
        except OSError as error:
            return str(error), 0.0
        try:
            code = process.wait(seconds)
            outcome = "ok" if code == 0 else f"exit code {code}"
        except subprocess.TimeoutExpired:
            outcome = f"stopped after {seconds:.0f} s"
            # A training run ends with a checkpoint if it is given the time.
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    return outcome, time.monotonic() - start


def rows(file):
    """The median time of each training iteration in a report, in milliseconds."""
    if not file.exists():
        return {}
    steps = (row for row in json.loads(file.read_text())["rows"] if row["group"] == "steps")
    return {row["name"]: row["seconds"]["median"] * 1e3 for row in steps}


def reached(run):
    """Steps that a run came to, steps a second after its first tenth, and its last losses."""
    file = run / "metrics.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    timed = [line for line in lines if "seconds" in line]
    if len(timed) < 2:
        return None
    first, last = timed[len(timed) // 10], timed[-1]
    taken = last["seconds"] - first["seconds"]
    rate = (last["step"] - first["step"]) / taken if taken > 0 else None
    return {"step": last["step"], "steps_per_second": rate, "last": last}


def summary(out, parts, device):
    """Every figure of the parts that ran."""
    found = {"device": device, "system": platform.platform(), "parts": parts, "iterations_ms": {}}
    for name in ("bench", "bench-mixed", "torch-eager", "torch-tf32", "torch-autocast", "torch-graphs"):
        found["iterations_ms"][name] = rows(out / f"{name}.json")
    if (out / "bench.json").exists():
        report = json.loads((out / "bench.json").read_text())
        found |= {key: report[key] for key in ("program", "device", "matrix_units", "control")}
        found["peaks"] = [row for row in report["rows"] if row["group"] == "peaks"]
        contractions = [row for row in report["rows"] if row["group"] == "contractions" and row["chosen"]]
        found["contractions"] = {row["name"]: {"variant": row["variant"], "share": row["share"]} for row in contractions}
    found["training"] = {name: reached(out / name) for name in ("dcgan", "cyclegan")}
    return found


def table(found, minutes):
    """A section for docs/hardware.md."""
    columns = [name for name, times in found["iterations_ms"].items() if times]
    lines = [f"## {found['device']}", "", f"`python3 benches/hardware/run.py --minutes {minutes:g}`, {found['system']}.", ""]
    if columns:
        lines += ["| iteration, ms | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        for preset in PRESETS:
            times = [found["iterations_ms"][column].get(preset) for column in columns]
            if any(times):
                lines.append(f"| {preset} | " + " | ".join(f"{value:.3g}" if value else "" for value in times) + " |")
        lines.append("")
    for row in found.get("peaks", []):
        rate = row["flops_per_second"] or row["bytes_per_second"]
        unit = "GFLOP/s" if row["flops_per_second"] else "GB/s"
        what = f"{rate * 1e-9:.0f} {unit}" if rate else f"{row['seconds']['median'] * 1e6:.1f} us"
        lines.append(f"- {row['name']} ({row['variant']}): {what}")
    shares = sorted(entry["share"] for entry in found.get("contractions", {}).values() if entry["share"])
    if shares:
        lines.append(f"- contractions, share of the peak: median {shares[len(shares) // 2]:.0%}, best {shares[-1]:.0%}")
    for name, run in found["training"].items():
        if run and run["steps_per_second"]:
            lines.append(f"- {name}: {run['step']} steps, {run['steps_per_second']:.1f} a second")
    lines += ["", "| part | outcome | seconds |", "|---|---|---|"]
    lines += [f"| {name} | {part['outcome']} | {part['seconds']:.0f} |" for name, part in found["parts"].items()]
    return "\n".join(lines) + "\n"


def main():
    chosen = arguments()
    out = chosen.out.resolve()
    out.mkdir(parents=True)
    sets = sorted(path for path in chosen.data.resolve().iterdir() if path.is_dir()) if chosen.data else []
    if chosen.data and len(sets) < 2:
        sys.exit(f"{chosen.data}: has no two folders of images")
    program = chosen.program.resolve()
    filled = {
        "mewgan": shlex.quote(str(program)),
        "peer": f"{shlex.quote(sys.executable)} {shlex.quote(str(PEER))}",
        "device": shlex.quote(chosen.device),
        "out": shlex.quote(str(out)),
        "steps": chosen.steps,
        "images": f"--data {shlex.quote(str(sets[0]))}" if sets else "--data builtin:noto/faces",
        "pairs": f"--x {shlex.quote(str(sets[0]))} --y {shlex.quote(str(sets[1]))}" if sets else "--x builtin:noto/faces --y builtin:twemoji/faces",
    }
    plan = PARTS
    if chosen.only:
        plan = [part for part in plan if part[0] == "devices" or any(part[0].startswith(name) for name in chosen.only)]
    whole = chosen.minutes * 60
    end, parts, device = time.monotonic() + whole, {}, "unknown device"
    for name, share, command in plan:
        left = end - time.monotonic()
        if left < 5:
            parts[name] = {"outcome": "no time was left", "seconds": 0}
            continue
        log = out / f"{name.replace(' ', '-')}.log"
        # What earlier parts did not need, later ones may take: the last ones are those that use it.
        seconds = min(left, max(20, share * whole))
        outcome, taken = run_part(command.format(**filled), seconds, log)
        parts[name] = {"outcome": outcome, "seconds": taken}
        print(f"{name}: {outcome}, {taken:.0f} s", flush=True)
        if name == "devices":
            gpus = [line for line in log.read_text().splitlines() if line.startswith("--device") and "CPU reference" not in line]
            hardware = [line for line in gpus if "software" not in line]
            device = (hardware or gpus or [device])[0].split(None, 4)[-1]
            if not hardware and not chosen.software:
                sys.exit(f"no hardware GPU is listed; see {log}, or pass --software for a rehearsal")
        found = summary(out, parts, device)
        (out / "summary.json").write_text(json.dumps(found, indent=2) + "\n")
        (out / "summary.md").write_text(table(found, chosen.minutes))
    print((out / "summary.md").read_text())
    if any(part["outcome"] != "ok" for part in parts.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
