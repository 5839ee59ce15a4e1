"""Draws the figures of these pages: python3 docs/kernels/figures.py [FOLDER], by default into the folder of this file.

Every figure brings its own background, so that it reads the same on light and dark pages. The ladder's bars come from the
figures that `mewgan bench` left in benches/results.
"""

import json
import sys
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE.parents[1] / "benches" / "results" / "kernels-llvmpipe-llvm-15-0-6-256-bits.json"

INK, MUTED, PAPER, FAINT = "#1b1f24", "#57606a", "#ffffff", "#d0d7de"
# Colours that people who see few colours tell apart (Okabe and Ito), and pale ones to fill with.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#a3589b"]
PALE = ["#cfe3f1", "#f7dccb", "#cdeae1", "#ecdcea"]


class Figure:
    """An SVG image of so many units."""

    def __init__(self, width, height, title):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            f' font-family="Helvetica, Arial, sans-serif" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="{PAPER}" stroke="{FAINT}"/>',
        ]

    def rect(self, x, y, width, height, fill=PAPER, stroke=INK, dash="", rx=0, weight=1):
        dash = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{rx}" fill="{fill}" stroke="{stroke}"'
            f' stroke-width="{weight}"{dash}/>'
        )

    def line(self, x1, y1, x2, y2, stroke=INK, weight=1.5, arrow=False, dash=""):
        dash = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{stroke}" stroke-width="{weight}"{dash}/>'
        )
        if arrow:
            length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
            dx, dy = 7 * (x2 - x1) / length, 7 * (y2 - y1) / length
            corners = [(x2, y2), (x2 - dx - dy / 2, y2 - dy + dx / 2), (x2 - dx + dy / 2, y2 - dy - dx / 2)]
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
            self.parts.append(f'<polygon points="{points}" fill="{stroke}"/>')

    def text(self, x, y, text, size=13, anchor="middle", fill=INK, bold=False, mono=False):
        style = ' font-weight="bold"' if bold else ""
        style += ' font-family="Menlo, Consolas, monospace"' if mono else ""
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"{style}>{escape(text)}</text>'
        )

    def cells(self, x, y, count, size, first=0, fill=lambda at: PAPER, outside=lambda at: False):
        """A row of numbered squares, those outside the image dashed."""
        for at in range(count):
            number = first + at
            out = outside(number)
            self.rect(x + at * size, y, size, size, fill(number), MUTED if out else INK, "3 3" if out else "")
            self.text(x + (at + 0.5) * size, y + size / 2 + 4, str(number), 12, fill=MUTED if out else INK)

    def end(self):
        return "\n".join([*self.parts, "</svg>", ""])


def index_set():
    """Which pixels of the two sides meet, and through which tap."""
    figure = Figure(760, 352, "The index set of a convolution")
    figure.text(24, 34, "One axis of kernel 4, stride 2, padding 1", 16, "start", bold=True)
    size, left, top, low = 44, 150, 62, 212
    figure.text(132, top + 27, "large side", 13, "end")
    figure.text(132, low + 27, "small side", 13, "end")
    for y in range(4):
        for ky in range(4):
            start = left + (2 + 2 * y) * size + size / 2
            end = left + (2 * y + ky) * size + size / 2
            figure.line(start, low, end, top + size, COLOURS[ky], 2)
    figure.cells(left, top, 10, size, -1, outside=lambda at: not 0 <= at < 8)
    for y in range(4):
        x = left + (2 + 2 * y) * size
        figure.rect(x, low, size, size)
        figure.text(x + size / 2, low + size / 2 + 4, str(y), 12)
    for ky in range(4):
        figure.line(638, 124 + 22 * ky, 664, 124 + 22 * ky, COLOURS[ky], 3)
        figure.text(672, 128 + 22 * ky, f"tap ky = {ky}", 12, "start")
    for at, line in enumerate([
        "convolution: each number below sums what its lines bring down",
        "transposed convolution: each number above sums what its lines bring up",
        "weight gradient: each tap sums over all lines of its colour",
    ]):
        figure.text(24, 292 + 20 * at, line, 13, "start")
    return figure.end()


def product():
    """The convolution as a matrix product, a tile of it, and what an invocation holds."""
    figure = Figure(760, 480, "A tile of the implicit matrix product")
    ax, ay, k, m, n = 60, 196, 270, 220, 190
    bx, by = ax + k + 40, 40
    by_height = 130
    figure.text(ax + k / 2, ay + m + 22, "A: pixels x (ky, kx, i), never written down", 13)
    figure.text(bx + n + 14, by + by_height / 2, "w: (ky, kx, i) x o", 13, "start")
    figure.text(bx + n / 2, ay + m + 22, "y: pixels x o", 13)
    figure.rect(ax, ay, k, m)
    figure.rect(bx, by, n, by_height)
    figure.rect(bx, ay, n, m)
    # The strip of A and of w that this tile needs, and the slice staged now.
    rows, row = 72, ay + 72
    columns, column = 64, bx + 64
    figure.rect(ax, row, k, rows, PALE[0])
    figure.rect(column, by, columns, by_height, PALE[1])
    figure.rect(ax + 90, row, 34, rows, COLOURS[0])
    figure.rect(column, by + 43, columns, 17, COLOURS[1])
    figure.rect(column, row, columns, rows, PALE[2], COLOURS[2], weight=2)
    figure.line(ax + 134, row + rows / 2, ax + 200, row + rows / 2, COLOURS[0], 2, True)
    figure.line(column + columns / 2, by + 66, column + columns / 2, by + 106, COLOURS[1], 2, True)
    figure.text(ax + 107, row - 8, "slice", 12, fill=COLOURS[0], bold=True)
    figure.text(column - 8, by + 56, "slice", 12, "end", COLOURS[1], True)
    figure.text(bx + n / 2, row + rows + 22, "a workgroup's tile", 12, fill=COLOURS[2], bold=True)
    # One workgroup's tile, enlarged: blocks of 4 x 4, one invocation's marked.
    zx, zy, cell = 612, 216, 16
    figure.line(column + columns, row, zx, zy, FAINT)
    figure.line(column + columns, row + rows, zx, zy + 8 * cell, FAINT)
    for r in range(8):
        for c in range(8):
            mine = r % 4 == 1 and c % 4 == 2
            figure.rect(zx + c * cell, zy + r * cell, cell, cell, COLOURS[2] if mine else PALE[2], FAINT if not mine else INK)
    figure.text(zx + 64, zy + 8 * cell + 20, "one invocation's blocks", 12)
    figure.text(zx + 64, zy + 8 * cell + 36, "of 4 x 4 results", 12)
    figure.text(24, 464, "Both slices go through workgroup memory; the next pair is on its way from storage meanwhile.", 12, "start", MUTED)
    return figure.end()


def phases():
    """A transposed convolution taken apart by the residue of its result's rows."""
    figure = Figure(760, 420, "Phases of a transposed convolution")
    cases = [("kernel 4, stride 2, padding 1", 4, 20), ("kernel 3, stride 2, padding 1, one more row", 3, 396)]
    size = 36
    for title, kernel, left in cases:
        figure.text(left + 8 * size / 2 + 24, 34, title, 14, bold=True)
        x0, top, low = left + 24, 56, 170
        for y in range(8):
            residue = (y + 1) % 2
            for ky in range(residue, kernel, 2):
                a = (y + 1 - ky) // 2
                if 0 <= a < 4:
                    figure.line(x0 + (2 * a + 1) * size, top + size, x0 + (y + 0.5) * size, low, COLOURS[residue], 2)
        for a in range(4):
            figure.rect(x0 + (2 * a + 0.5) * size, top, size, size)
            figure.text(x0 + (2 * a + 1) * size, top + size / 2 + 4, str(a), 12)
        figure.cells(x0, low, 8, size, fill=lambda y: PALE[(y + 1) % 2])
        for residue in range(2):
            taps = ", ".join(str(ky) for ky in range(residue, kernel, 2))
            figure.text(x0, 232 + 20 * residue, f"residue {residue}: taps ky = {taps}", 13, "start", COLOURS[residue], True)
        # Both axes: how many taps each phase has.
        grid, gx, gy, side = 4, x0 + 4 * size - 56, 276, 28
        counts = [len(range(residue, kernel, 2)) for residue in range(2)]
        for r in range(grid):
            for c in range(grid):
                phase = ((r + 1) % 2, (c + 1) % 2)
                number = 2 * phase[0] + phase[1]
                figure.rect(gx + c * side, gy + r * side, side, side, PALE[number])
                figure.text(gx + (c + 0.5) * side, gy + (r + 0.5) * side + 4, str(counts[phase[0]] * counts[phase[1]]), 12)
        figure.text(gx + 2 * side, gy + 4 * side + 20, "taps of each result, both axes", 12, fill=MUTED)
    return figure.end()


def split():
    """A long contraction in parts, and the order in which they are added."""
    figure = Figure(760, 372, "A split contraction and its tree of partial sums")
    figure.text(24, 34, "The contraction over pixels, in parts", 16, "start", bold=True)
    left, width, parts = 40, 680, 8
    piece = width / parts
    for part in range(parts):
        x = left + part * piece
        figure.rect(x, 54, piece, 34, PALE[part % 4])
        figure.text(x + piece / 2, 76, f"part {part}", 12)
        figure.line(x + piece / 2, 88, x + piece / 2, 120, MUTED, 1.5, True)
        figure.rect(x + 12, 122, piece - 24, 30)
        figure.text(x + piece / 2, 142, f"dw {part}", 12)
    member = [left + piece / 2 + t * piece for t in range(4)]
    for part in range(parts):
        figure.line(left + (part + 0.5) * piece, 152, member[part % 4], 204, COLOURS[part % 4], 1.5)
    for t in range(4):
        figure.rect(member[t] - 30, 206, 60, 28, PALE[t], COLOURS[t])
        figure.text(member[t], 225, f"{t} + {t + 4}", 12)
    figure.text(400, 225, "reduce/parts: thread t of 4", 13, "start", MUTED)
    figure.text(400, 242, "adds parts t, t + 4, ..", 13, "start", MUTED)
    figure.text(400, 291, "then joined by halves", 13, "start", MUTED)
    for t in range(2):
        figure.line(member[t], 234, member[t], 272, INK)
        figure.line(member[t + 2], 234, member[t] + 30, 280, INK)
        figure.rect(member[t] - 30, 272, 60, 28)
        figure.text(member[t], 291, f"m{t} + m{t + 2}", 12)
    figure.line(member[0], 300, member[0], 328, INK)
    figure.line(member[1], 300, member[0] + 30, 336, INK)
    figure.rect(member[0] - 30, 328, 60, 28, PALE[2], COLOURS[2], weight=2)
    figure.text(member[0], 347, "dw", 13, bold=True)
    figure.text(member[0] + 60, 347, "always in this order, whichever workgroup ends first", 13, "start")
    return figure.end()


def norm():
    """The two passes of a normalisation's gradient."""
    figure = Figure(760, 380, "A normalisation's gradient in two passes")
    rows, channels, cell = 8, 6, 22
    left, top = 40, 70

    def tensor(x, y, name, mark):
        figure.text(x + channels * cell / 2, y - 12, name, 14, bold=True)
        for r in range(rows):
            for c in range(channels):
                figure.rect(x + c * cell, y + r * cell, cell, cell, PALE[r % 4] if c == mark else PAPER, INK if c == mark else FAINT)

    tensor(left, top, "x", 2)
    tensor(left + 164, top, "gy", 2)
    figure.text(left + 148, top + rows * cell + 28, "rows x channels; a row is a pixel", 12, fill=MUTED)
    figure.line(left + 306, top + 88, left + 366, top + 88, arrow=True)
    x = left + 374
    figure.text(x + 92, top - 12, "pass 1: two sums a channel", 14, bold=True)
    for t in range(4):
        figure.rect(x, top + 44 * t, 86, 30, PALE[t])
        figure.text(x + 43, top + 44 * t + 20, f"rows {t}, {t + 4}", 12)
        figure.line(x + 86, top + 44 * t + 15, x + 122, top + 81, MUTED)
    figure.rect(x + 122, top + 56, 130, 54, PALE[2], COLOURS[2], weight=2)
    figure.text(x + 187, top + 78, "S2 = sum gy * xhat", 12)
    figure.text(x + 187, top + 98, "S1 = sum gy", 12)
    figure.text(x + 187, top + 128, "cooperating threads,", 12, fill=MUTED)
    figure.text(x + 187, top + 144, "joined by halves", 12, fill=MUTED)
    figure.line(x + 187, top + 152, x + 187, top + 214, arrow=True)
    figure.text(left, top + 244, "pass 2, every row again:", 14, "start", bold=True)
    figure.rect(left + 190, top + 218, 470, 42, PALE[0], COLOURS[0])
    figure.text(left + 425, top + 244, "dx = weight / deviation * (gy - (S1 + xhat * S2) / rows)", 13, mono=True)
    figure.text(left, top + 288, "xhat is worked out again from x in both passes and never stored; S2 and S1 are the gradients of weight and bias.", 12, "start", MUTED)
    return figure.end()


def ladder():
    """What each rung reaches, from the bench's figures."""
    report = json.loads(RESULTS.read_text())
    rows = [row for row in report["rows"] if row["group"] == "ladder"]
    climbs = {}
    for row in rows:
        climbs.setdefault(row["variant"], []).append(row)
    height = 64 + sum(44 + 26 * len(climb) for climb in climbs.values()) + 30
    figure = Figure(760, height, "The ladder, measured")
    figure.text(24, 32, "GFLOP/s of each rung", 16, "start", bold=True)
    figure.text(736, 32, report["device"].split(" (Vulkan")[0], 12, "end", MUTED)
    most = max(row["flops"] / row["seconds"]["lower"] for row in rows)
    left, width, y = 326, 350, 50
    for number, (shape, climb) in enumerate(climbs.items()):
        figure.text(24, y + 24, shape, 13, "start", MUTED, mono=True)
        y += 40
        for row in climb:
            rate = row["flops_per_second"]
            figure.text(left - 10, y + 13, row["name"], 12, "end")
            figure.rect(left, y, max(width * rate / most, 1), 18, PALE[number], COLOURS[number])
            slow, fast = (left + width * row["flops"] / row["seconds"][end] / most for end in ("upper", "lower"))
            figure.line(slow, y + 9, fast, y + 9, INK, 1.5)
            figure.text(max(fast, left + width * rate / most) + 8, y + 13, f"{rate * 1e-9:.2f}", 12, "start")
            y += 26
        y += 4
    peak = report["peaks"]["flops_per_second"] * 1e-9
    figure.text(24, height - 16, f"Lines: the middle half of the samples; bars without: one cold run. The device's peak, measured in the same run: {peak:.0f} GFLOP/s.", 12, "start", MUTED)
    return figure.end()


def lowering():
    """From a step of the graph to a program, stage by stage, with what each stage hands on."""
    width, row, top = 760, 62, 52
    stages = [
        ("graph::Step", "nodes, outputs, updates of state", None),
        ("fuse.rs", "which pointwise nodes are computed by a neighbour's kernel", "expressions"),
        ("contraction.rs, norm.rs, pointwise.rs ..", "a kernel for every node that is left, chosen by the tuning table", "calls"),
        ("schedule.rs", "what can start together stands together", "levels"),
        ("merge.rs", "equal calls of a level become one dispatch", "groups"),
        ("pool.rs, place.rs", "values that never live at the same time share buffers", "regions"),
        ("write.rs", "WGSL texts and pipelines, each once", "dispatches"),
        ("gpu/verify.rs", "nothing is read unwritten, overlaps, or leaves its buffer", "checked"),
        ("gpu::program::Program", "WGSL, constants, buffers, dispatches: plain data", None),
    ]
    figure = Figure(width, top + row * len(stages) + 4, "How a step becomes a program")
    figure.text(width / 2, 32, "How a step becomes a program: src/gpu/lower", 14, bold=True)
    left, right = 150, 690
    for number, (name, about, result) in enumerate(stages):
        y = top + number * row
        ends = result is None
        figure.rect(left, y, right - left, 40, PALE[0] if ends else PAPER, COLOURS[0] if ends else INK, rx=6)
        figure.text(left + 14, y + 17, name, 13, "start", bold=True, mono=True)
        figure.text(left + 14, y + 33, about, 12, "start", MUTED)
        if number + 1 < len(stages):
            figure.line((left + right) / 2, y + 40, (left + right) / 2, y + row, MUTED, arrow=True)
        if result:
            figure.text(left - 14, y + 25, result, 13, "end", COLOURS[1])
    return figure.end()


FIGURES = [index_set, product, phases, split, norm, ladder, lowering]

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for draw in FIGURES:
        (folder / f"{draw.__name__}.svg").write_text(draw(), encoding="utf-8")
