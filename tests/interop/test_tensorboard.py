"""TensorBoard itself reads what a run writes: every figure, every sheet, and of a resumed run only what holds."""

import io
import json
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import numpy as np
import pytest
from conftest import mewgan, train
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

# All there is, not a sample of it.
ALL = {"scalars": 0, "images": 0}
GROUPS = {"accuracy_": "accuracy/", "gradient_": "gradient/"}


def events(run, **options):
    accumulator = EventAccumulator(str(run), size_guidance=ALL, **options)
    accumulator.Reload()
    return accumulator


def metrics(run):
    """The figures of metrics.jsonl, [(step, value)] by name."""
    figures = {}
    for line in (run / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        step = row.pop("step")
        for name, value in row.items():
            figures.setdefault(name, []).append((step, value))
    return figures


def tag(name):
    for prefix, group in GROUPS.items():
        if name.startswith(prefix):
            return group + name.removeprefix(prefix)
    if name in ["seconds", "steps_per_second"]:
        return "speed/" + name
    return ("quality/" if name.startswith(("diversity", "nearest")) else "loss/") + name


def check_scalars(run):
    found, expected = events(run), metrics(run)
    assert sorted(found.Tags()["scalars"]) == sorted(map(tag, expected))
    for name, values in expected.items():
        # TensorBoard keeps 32-bit floats.
        scalars = [(scalar.step, np.float32(scalar.value)) for scalar in found.Scalars(tag(name))]
        assert scalars == [(step, np.float32(value)) for step, value in values], name


def check_images(run, tag, sheet, steps):
    images = events(run).Images(tag)
    assert [image.step for image in images] == steps
    for image in images:
        png = (run / "samples" / f"{image.step:06}{sheet}.png").read_bytes()
        assert image.encoded_image_string == png
        assert Image.open(io.BytesIO(png)).size == (image.width, image.height)


def test_every_figure_of_the_metrics_is_there(dcgan_run, cyclegan_run):
    check_scalars(dcgan_run)
    check_scalars(cyclegan_run)


def test_every_sample_is_there(dcgan_run, cyclegan_run):
    check_images(dcgan_run, "samples", "", [0, 2, 4, 6])
    check_images(cyclegan_run, "samples/XtoY", "-XtoY", [0, 2, 4, 6])
    check_images(cyclegan_run, "samples/YtoX", "-YtoX", [0, 2, 4, 6])


def test_a_run_on_the_gpu_is_shown_as_well(tmp_path):
    run = tmp_path / "run"
    small = ["--data", "builtin:noto/animals", "--size", 16, "--batch", 4, "--g-width", 4, "--d-width", 4]
    every = ["--steps", 4, "--log-every", 1, "--sample-every", 2]
    mewgan("train", "dcgan", *small, *every, "--device", "gpu", "--no-tune", "--out", run)
    check_scalars(run)
    check_images(run, "samples", "", [0, 2, 4])


@pytest.fixture
def shortened(dcgan_run, tmp_path):
    """A run whose newest checkpoint is gone: it goes on after step 3 of 6, and comes to step 8."""
    run = shutil.copytree(dcgan_run, tmp_path / "run")
    (run / "checkpoints" / "000006.safetensors").unlink()
    return run


def test_of_a_resumed_run_only_what_holds_is_shown(shortened):
    before = [scalar.value for scalar in events(shortened).Scalars("speed/seconds")]
    mewgan("resume", shortened, "--steps", 8)
    check_scalars(shortened)
    check_images(shortened, "samples", "", [0, 2, 4, 6, 8])
    after = [scalar.value for scalar in events(shortened).Scalars("speed/seconds")]
    assert after[:3] == before[:3] and after[3] != before[3]
    both = events(shortened, purge_orphaned_data=False).Scalars("loss/D")
    assert [scalar.step for scalar in both] == [1, 2, 3, 4, 5, 6, 4, 5, 6, 7, 8], "nothing to forget"


@pytest.mark.parametrize("cut", [1, 4, 5, 30, 200])
def test_a_torn_last_record_costs_only_itself(shortened, cut):
    (file,) = shortened.glob("events.out.tfevents.*")
    # The last record holds what was measured of the last sample: more than 200 bytes.
    whole = events(shortened)
    assert whole.Scalars("quality/diversity")[-1].step == 6
    with file.open("r+b") as torn:
        torn.truncate(file.stat().st_size - cut)
    left = events(shortened)
    assert left.Scalars("quality/diversity")[-1].step == 4
    assert left.Scalars("loss/D")[-1].step == 6
    mewgan("resume", shortened)
    check_scalars(shortened)


def test_there_are_none_where_none_are_wanted(tmp_path):
    run = train(tmp_path / "run", "dcgan", "--no-tensorboard")
    assert not list(run.glob("events*"))


class Server:
    """`tensorboard --logdir`, as people start it."""

    def __init__(self, folder):
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", folder, "--port", "0", "--reload_interval", "1"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if address := re.search(r"http://\S+?:(\d+)/", line):
                self.address = f"http://localhost:{address[1]}/data/"
                return
        raise AssertionError("TensorBoard did not start")

    def get(self, path, **query):
        with urllib.request.urlopen(f"{self.address}{path}?{urllib.parse.urlencode(query)}") as answer:
            return answer.read()

    def ask(self, path, **query):
        return json.loads(self.get(path, **query))

    def until(self, wanted, path, **query):
        """The answer once it is as `wanted`; TensorBoard reads on once a second."""
        answer = None
        for _ in range(60):
            try:
                answer = self.ask(path, **query)
            except OSError as error:
                # Nothing is known of the run yet.
                answer = error
            else:
                if wanted(answer):
                    return answer
            time.sleep(0.5)
        raise AssertionError(f"{path} {query}: {answer}")


def test_the_program_shows_all_runs_while_they_go_on(dcgan_run, shortened):
    shutil.copytree(dcgan_run, shortened.parent / "whole")
    server = Server(shortened.parent)
    try:
        server.until(lambda runs: sorted(runs) == ["run", "whole"], "runs")
        losses = ["plugin/scalars/scalars", {"tag": "loss/D"}]
        seen = server.until(lambda points: len(points) == 6, losses[0], run="run", **losses[1])
        mewgan("resume", shortened, "--steps", 8)
        # What was seen of steps 4 to 6 makes way for what the resumed run says of them.
        now = server.until(lambda points: points[-1][1] == 8, losses[0], run="run", **losses[1])
        assert [step for _, step, _ in now] == [1, 2, 3, 4, 5, 6, 7, 8]
        assert [wall for wall, step, _ in now[:3]] == [wall for wall, step, _ in seen[:3]]
        assert all(a[0] < b[0] for a, b in zip(seen[3:], now[3:6]))
        about = {"tag": "samples", "sample": 0}
        images = server.until(lambda all: all[-1]["step"] == 8, "plugin/images/images", run="run", **about)
        shown = server.get("plugin/images/individualImage", **dict(urllib.parse.parse_qsl(images[-1]["query"])))
        assert shown == (shortened / "samples" / "000008.png").read_bytes()
    finally:
        server.process.terminate()
        server.process.wait()
