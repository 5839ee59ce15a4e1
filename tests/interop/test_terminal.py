"""What a run looks like on a terminal: a pseudo-terminal, whose screen pyte works out, and what it says where there is none."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import numpy as np
import pyte
import pytest
from conftest import PROGRAM
from PIL import Image

STEPS = 300
KINDS = {
    "dcgan": ["--data", "builtin:noto/animals"],
    "cyclegan": ["--x", "builtin:noto/animals", "--y", "builtin:twemoji/animals", "--lambda-identity", "1"],
}
SMALL = ["--size", 16, "--batch", 4, "--g-width", 4, "--d-width", 4, "--device", "cpu", "--steps", STEPS]
EVERY = ["--log-every", 5, "--sample-every", 100, "--checkpoint-every", 300]
BAR = re.compile(rf"[█░▓▒]+ step \d+/{STEPS}  \S+ steps/s  \d+ s left")
HALF = "▀"


def command(kind, out, *flags):
    return [str(part) for part in [PROGRAM, "train", kind, *KINDS[kind], *SMALL, *EVERY, "--out", out, *flags]]


def environment(**more):
    plain = {name: value for name, value in os.environ.items() if name not in ["NO_COLOR", "COLORTERM"]}
    return plain | {"TERM": "xterm-256color"} | more


class Terminal:
    """Runs a command on a terminal of `columns` x `lines` until it ends, and keeps the screens with a bar on them."""

    def __init__(self, arguments, columns, lines, **streams):
        self.screen, self.bars = pyte.Screen(columns, lines), []
        stream = pyte.ByteStream(self.screen)
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        variables = environment(**streams.pop("variables", {}))
        process = subprocess.Popen(arguments, **({"stdout": theirs, "stderr": theirs} | streams), env=variables)
        os.close(theirs)
        self.bytes = b""
        while chunk := self.read(ours):
            self.bytes += chunk
            stream.feed(chunk)
            if any(BAR.match(line) for line in self.screen.display):
                self.bars.append(self.rows())
        os.close(ours)
        self.code = process.wait()

    @staticmethod
    def read(ours):
        try:
            return os.read(ours, 1 << 16)
        except OSError:
            # Linux says so where the other end is closed.
            return b""

    def rows(self):
        """The screen's characters, with their colours: (character, of the character, of what is behind)."""
        whole = range(self.screen.columns)
        lines = (self.screen.buffer[line] for line in range(self.screen.lines))
        return [[(line[x].data, line[x].fg, line[x].bg) for x in whole] for line in lines]

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)


def texts(rows):
    return ["".join(character for character, *_ in row).rstrip() for row in rows]


def image(rows):
    """What half blocks show, [rows, columns, 3]: a character is the upper pixel, what is behind it the lower one, if any."""
    shown = [[cell for cell in row if cell[0] == HALF] for row in rows]
    shown = [row for row in shown if row]
    colour = lambda text: [int(text[at : at + 2], 16) for at in (0, 2, 4)]
    pixels = [[cell[place] for cell in row] for row in shown for place in (1, 2)]
    return np.array([[colour(text) for text in row] for row in pixels if row[0] != "default"])


def expected(sheets, shape):
    """The sheets beside each other, four white pixels between, as large as `shape`."""
    whole = np.concatenate([part for sheet in sheets for part in (np.full((len(sheet), 4, 3), 255), sheet)][1:], axis=1)
    image = Image.fromarray(whole.astype(np.uint8))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)).astype(int)


def sheets(run, step, names):
    return [np.asarray(Image.open(run / "samples" / f"{step:06}{name}.png").convert("RGB")) for name in names]


@pytest.mark.parametrize("kind, size, losses", [("dcgan", (100, 30), ["D", "G"]), ("cyclegan", (120, 40), ["D_X", "cycle_Y"])])
def test_a_bar_tells_losses_speed_and_time_left(tmp_path, kind, size, losses):
    terminal = Terminal(command(kind, tmp_path / "run"), *size)
    assert terminal.code == 0
    last = texts(terminal.bars[-1])
    for loss in losses:
        # Its last value, and a curve that reaches from its least to its greatest.
        (curve,) = re.findall(rf"(?:^| ){loss} +-?\d+\.\d\d\d ([▁▂▃▄▅▆▇█]+)", "\n".join(last), re.MULTILINE)
        assert 16 <= len(curve) <= 24 and {"▁", "█"} <= set(curve)
    assert sum(bool(BAR.match(line)) for line in last) == 1
    # When the run is done the bar is gone, and what is left is for reading.
    assert "steps/s" not in terminal.text() and f"done: {STEPS} steps" in terminal.text()
    assert HALF not in terminal.text()


@pytest.mark.parametrize("kind, names", [("dcgan", [""]), ("cyclegan", ["-XtoY", "-YtoX"])])
def test_the_newest_samples_stand_above_the_bar(tmp_path, kind, names):
    run = tmp_path / "run"
    terminal = Terminal(command(kind, run, "--preview"), 160, 40, variables={"COLORTERM": "truecolor"})
    assert terminal.code == 0
    seen = set()
    for rows in terminal.bars:
        captions = [(at, re.match(r"samples of step (\d+)$", line)) for at, line in enumerate(texts(rows))]
        captions = [(at, int(match[1])) for at, match in captions if match]
        assert len(captions) <= 1, "one takes the place of the one before"
        for at, step in captions:
            assert BAR.match(texts(rows)[at + 1])
            seen.add(step)
            shown, source = image(rows), sheets(run, step, names)
            wide = sum(sheet.shape[1] for sheet in source) + 4 * (len(source) - 1)
            assert shown.shape[1] <= 160 and abs(shown.shape[0] - shown.shape[1] * len(source[0]) / wide) <= 1
            # Both shrink by averages under a triangle; Pillow rounds in between.
            assert np.abs(shown - expected(source, shown.shape)).max() <= 2
    assert len(seen) >= 2, f"several were shown: {seen}"
    assert f"samples of step {STEPS}" in terminal.text(), "the last ones stay"


def test_a_terminal_of_256_colours_is_sent_no_others(tmp_path):
    run = tmp_path / "run"
    terminal = Terminal(command("dcgan", run, "--preview"), 100, 40)
    assert b"38;2;" not in terminal.bytes and b"38;5;" in terminal.bytes
    shown = image(terminal.rows())
    # A step of the cube is 40 to 95: on average a colour is less than a quarter of that away.
    assert np.abs(shown - expected(sheets(run, STEPS, [""]), shown.shape)).mean() < 16


def test_no_colours_mean_no_preview(tmp_path):
    terminal = Terminal(command("dcgan", tmp_path / "run", "--preview"), 100, 40, variables={"NO_COLOR": "1"})
    assert terminal.code == 0
    assert HALF not in terminal.bytes.decode() and not re.search(rb"\x1b\[[0-9;]*[34]8;", terminal.bytes)
    assert terminal.text().count("NO_COLOR") == 1
    assert terminal.bars, "the bar is there all the same"


@pytest.mark.parametrize("columns, lines", [(20, 5), (1, 1)])
def test_a_tiny_terminal_ends_no_run(tmp_path, columns, lines):
    assert Terminal(command("cyclegan", tmp_path / "run", "--preview"), columns, lines).code == 0


def lines_of(output):
    assert re.fullmatch(r"[^\x00-\x09\x0b-\x1f]*", output), "nothing but lines"
    return output.splitlines()


def test_a_pipe_gets_a_line_a_log(tmp_path):
    done = subprocess.run(command("dcgan", tmp_path / "run"), capture_output=True, text=True, env=environment())
    assert (done.returncode, done.stderr) == (0, "")
    logs = [line for line in lines_of(done.stdout) if line.startswith("step ")]
    form = re.compile(rf"step (\d+)/{STEPS}  D -?\d+\.\d\d\d  G -?\d+\.\d\d\d  \d+\.\d steps/s  \d+ s left")
    assert [int(match[1]) for match in map(form.fullmatch, logs) if match] == [*range(5, STEPS + 1, 5)]


def test_lines_go_to_a_file_though_there_is_a_terminal(tmp_path):
    with (tmp_path / "log").open("w") as log:
        terminal = Terminal(command("dcgan", tmp_path / "run", "--preview"), 100, 30, stdout=log)
    assert terminal.code == 0 and not terminal.bars
    assert "no preview" in terminal.text() and "\x1b" not in terminal.bytes.decode()
    logs = [line for line in lines_of((tmp_path / "log").read_text()) if re.match(r"step \d+/", line)]
    assert len(logs) == STEPS // 5


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(tmp_path):
    terminal = Terminal(command("dcgan", tmp_path / "run"), 100, 30, variables={"TERM": "dumb"})
    assert f"step {STEPS}/{STEPS}" in terminal.text() and b"\x1b" not in terminal.bytes


@pytest.mark.parametrize("kind, names", [("dcgan", [""]), ("cyclegan", ["-XtoY", "-YtoX"])])
def test_machines_get_objects(tmp_path, kind, names):
    run = tmp_path / "run"
    arguments = command(kind, run, "--progress", "json")
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment())
    assert done.returncode == 0
    told = [json.loads(line) for line in lines_of(done.stdout)]
    about = {"run": str(run), "total": STEPS}
    assert told[0] == {"event": "begin", "step": 0} | about
    assert told[-1] == {"event": "end", "step": STEPS} | about
    kept = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    kept = [row for row in kept if "seconds" in row]
    logs = [event for event in told if event["event"] == "log"]
    assert [{name: log[name] for name in row} for log, row in zip(logs, kept, strict=True)] == kept
    assert all(log["seconds_left"] >= 0 and log["total"] == STEPS for log in logs)
    drawn = [event["sheets"] for event in told if event["event"] == "sample"]
    assert drawn == [[str(run / "samples" / f"{step:06}{name}.png") for name in names] for step in (0, 100, 200, 300)]
    assert "CPU reference" in done.stderr, "what is for people is elsewhere"
