"""Writes what fuzzing starts from, fuzz/seeds. From the repository's root, with Pillow, after cargo build --release:
python fuzz/make_seeds.py"""

import io
import json
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

SEEDS = Path(__file__).parent / "seeds"
PROGRAM = Path("target/release/mewgan").resolve()
TINY = "--g-width 1 --d-width 1 --steps 1 --device cpu --out run"


def save(target, name, content):
    (SEEDS / target).mkdir(parents=True, exist_ok=True)
    (SEEDS / target / name).write_bytes(content)


def run(kind, settings):
    """The newest checkpoint and the settings of a run."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([PROGRAM, "train", kind, *settings.split(), *TINY.split()], cwd=folder, check=True)
        folder = Path(folder) / "run"
        checkpoint = max(folder.glob("checkpoints/*")).read_bytes()
        return checkpoint, (folder / "config.toml").read_bytes()


def header(checkpoint):
    return checkpoint[8 : 8 + int.from_bytes(checkpoint[:8], "little")]


def tensors(**shapes):
    """A header with tensors of float32."""
    entries, at = {}, 0
    for name, shape in shapes.items():
        size = 4
        for extent in shape:
            size *= extent
        entries[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    return json.dumps(entries, separators=(",", ":")).encode()


def image(mode, size=(7, 5)):
    colours = bytes(range(0, 105))
    image = Image.frombytes("RGB", size, colours[: size[0] * size[1] * 3])
    if mode.endswith("A"):
        image.putalpha(image.convert("L"))
    return image.convert(mode)


def encoded(image, form, **options):
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


animals = "--preset seed --data builtin:noto/animals --size 8 --noise-size 2"
checkpoint, config = run("dcgan", animals)
save("checkpoint", "whole", checkpoint)
save("checkpoint", "header", header(checkpoint))
save("config", "dcgan.toml", config)
checkpoint, config = run("cyclegan", "--preset seed --size 16 --batch 2 --x builtin:noto/animals --y builtin:noto/animals")
save("checkpoint", "cyclegan-header", header(checkpoint))
save("config", "cyclegan.toml", config)
save("config", "few.toml", b'preset = "paper"\nd_norm = "spectral"\nepochs = 3\ndiffaugment = ["color", "cutout"]\n')

weights = {"conv2d": [2, 3, 2, 2], "conv_transpose2d": [3, 2, 2, 2]}
outputs = {"conv2d": [1, 2, 3, 3], "conv_transpose2d": [1, 2, 5, 5]}
for number, name in enumerate(weights):
    content = tensors(x=[1, 3, 4, 4], w=weights[name], b=[2], gy=outputs[name])
    save("op", name, bytes([number]) + content)
statistics = tensors(x=[2, 3, 2, 2], w=[3], b=[3], rm=[3], rv=[3], gy=[2, 3, 2, 2])
save("op", "batch_norm", b"\x02" + statistics)
save("op", "relu", b"\x09" + tensors(x=[1, 2, 2, 2], gy=[1, 2, 2, 2]))

for mode in ["L", "LA", "RGB", "RGBA", "P", "1"]:
    save("image", f"{mode}.png", encoded(image(mode), "PNG"))
save("image", "deep.png", encoded(Image.frombytes("I;16", (3, 4), bytes(range(24))), "PNG"))
for form in ["GIF", "BMP", "TIFF"]:
    save("image", f"RGB.{form.lower()}", encoded(image("RGB"), form))
for mode in ["L", "RGB", "CMYK"]:
    save("image", f"{mode}.jpg", encoded(image(mode), "JPEG", quality=30))
exif = Image.Exif()
exif[0x0112] = 6
save("image", "turned.jpg", encoded(image("RGB"), "JPEG", quality=30, progressive=True, exif=exif))
save("image", "lossy.webp", encoded(image("RGB"), "WEBP", quality=30))
save("image", "alpha.webp", encoded(image("RGBA"), "WEBP", quality=30))
save("image", "lossless.webp", encoded(image("RGBA"), "WEBP", lossless=True))
frames = [image("RGB"), image("RGB").rotate(180)]
save("image", "moving.webp", encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=30))
