"""What the tests against other programs share: the program itself, small finished runs, and a browser.

`make interop` builds the program, installs the packages of requirements.txt, and runs pytest here."""

import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "target" / "release" / "mewgan"
# The browser that is installed, without what it would do for itself; playwright fetches none.
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-sync", "--disable-background-networking",
    "--disable-component-update",
]


def mewgan(*arguments):
    """Runs the program and returns what it prints; a failure shows what it said."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, f"mewgan {' '.join(map(str, arguments))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def train(out, kind, *flags):
    """A finished run of a few steps on bundled images, on the CPU, as far as `flags` say nothing else."""
    data = {
        "dcgan": ["--data", "builtin:noto/animals"],
        "cyclegan": ["--x", "builtin:noto/animals", "--y", "builtin:twemoji/animals"],
    }[kind]
    small = {"--size": 32, "--batch": 4, "--steps": 6, "--log-every": 1, "--sample-every": 2}
    small |= {"--checkpoint-every": 3, "--device": "cpu"}
    usual = [part for flag, value in small.items() if flag not in flags for part in (flag, value)]
    mewgan("train", kind, *data, *usual, "--out", out, *flags)
    return out


@pytest.fixture(scope="session")
def dcgan_run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("runs") / "dcgan", "dcgan")


@pytest.fixture(scope="session")
def cyclegan_run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("runs") / "cyclegan", "cyclegan")


@pytest.fixture(scope="session")
def launch():
    """Starts the browser with some more flags. One playwright serves all tests: there can be no second beside it."""
    with sync_playwright() as playwright:
        yield lambda *flags: playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
