"""Makes jpegs.zip and others.zip: small files of every kind, and the pixels that other decoders give. With Pillow, NumPy and
cjpeg and djpeg of libjpeg-turbo: python tests/images/make.py

jpegs.zip: a folder for each sampling and size, with files that differ in how their coefficients are stored alone, and pixels.ppm,
which is what libjpeg shows of each. others.zip: files, and what Pillow shows of each, over white and in sRGB, as NAME.ppm."""

import io
import struct
import subprocess
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from profiles import ADOBE_RGB, CMYK, DISPLAY_P3, LINEAR, LINEAR_GREY, P3_GAMMA, SRGB

HERE = Path(__file__).parent

LUMA_FINEST = "1x1 2x1 1x2 2x2 4x1 1x4 4x2 2x4 3x1 1x3 3x2 2x3"
SAMPLINGS = [f"{luma},1x1,1x1" for luma in LUMA_FINEST.split()]
SAMPLINGS += "2x2,2x1,1x2 2x2,1x1,2x1 2x1,1x1,2x1 2x2,2x1,2x1 2x2,1x2,1x2 1x2,1x2,1x2 2x2,2x2,2x2 4x1,2x1,1x1 4x2,2x1,2x1".split()
SAMPLINGS += "1x1,2x1,2x1 1x1,1x2,1x2 1x1,2x2,1x1 1x1,2x2,2x2 1x2,2x1,2x1 1x1,3x1,3x1 1x1,4x1,1x1".split()

SEPARATE, PARTLY, REVERSED = "0;\n1;\n2;\n", "0;\n1 2;\n", "2;\n1;\n0;\n"
MODES = {
    "baseline": "",
    "restarts": "-restart 1B",
    "progressive": "-progressive",
    "progressive-restarts": "-progressive -restart 2B",
    "separate": SEPARATE,
    "separate-restarts": SEPARATE + "-restart 2B",
    "partly-separate": PARTLY,
    "reversed": REVERSED,
}


def scene(width, height):
    """Waves, edges and flat colours."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    waves = [np.sin(x / 5 + y / 9), np.sin(x / 11 - y / 4 + 1), np.cos(x / 7 + y / 6)]
    levels = 127 + 100 * np.stack(waves, -1)
    levels[(x > width * 0.6) & (y > height * 0.5)] = [220, 40, 30]
    levels[(x < width * 0.3) & (y > height * 0.6)] = [20, 60, 210]
    levels[abs(x - width * 0.45) < width * 0.06] = 240
    return Image.fromarray(levels.clip(0, 255).round().astype("uint8"))


def saved(image, form, **options):
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def cjpeg(image, arguments):
    """A JPEG file; lines of arguments that end in a semicolon are scans. None where libjpeg has no such kind."""
    scans = "".join(line for line in arguments.splitlines(True) if ";" in line)
    arguments = arguments.removeprefix(scans).split()
    with tempfile.NamedTemporaryFile("w", suffix=".scans") as file:
        if scans:
            file.write(scans)
            file.flush()
            arguments += ["-scans", file.name]
        ppm = saved(image, "PPM")
        done = subprocess.run(["cjpeg", "-quality", "80", *arguments], input=ppm, capture_output=True)
    return done.stdout if done.returncode == 0 else None


def djpeg(jpeg):
    done = subprocess.run(["djpeg", "-pnm"], input=jpeg, capture_output=True, check=True)
    assert not done.stderr, done.stderr
    return saved(Image.open(io.BytesIO(done.stdout)).convert("RGB"), "PPM")


def renamed_components(jpeg, names):
    """The file with its components, called RGB, called otherwise."""
    for old, new in zip(b"RGB", names):
        # In the frame header with their sampling, in the scan header with their tables.
        for tail in [b"\x11", b"\x00"]:
            jpeg = jpeg.replace(bytes([old]) + tail, bytes([new]) + tail)
    return jpeg


def jpegs(out):
    for size in [(35, 27), (17, 13)]:
        image = scene(*size)
        for sampling in SAMPLINGS:
            files = {mode: cjpeg(image, f"{how} -sample {sampling}") for mode, how in MODES.items()}
            files = {mode: jpeg for mode, jpeg in files.items() if jpeg}
            [pixels] = {djpeg(jpeg) for jpeg in files.values()}
            folder = f"{sampling.replace(',', '-')}-{size[0]}x{size[1]}"
            out.writestr(f"{folder}/pixels.ppm", pixels)
            for mode, jpeg in files.items():
                out.writestr(f"{folder}/{mode}.jpg", jpeg)
        grey = image.convert("L")
        for name, arguments in {"grey": "", "grey-2x2": "-sample 2x2 -restart 1B", "grey-progressive": "-progressive"}.items():
            jpeg = cjpeg(grey, arguments + " -grayscale")
            put(out, f"{name}-{size[0]}x{size[1]}/{name}.jpg", jpeg, djpeg(jpeg))
    rgb = cjpeg(image, "-rgb")
    kinds = {
        "rgb": rgb,
        # Adobe's marker counts, not the components' names.
        "rgb-named-123": renamed_components(rgb, b"\1\2\3"),
        # And it does not where there is JFIF's.
        "rgb-with-jfif": rgb[:2] + cjpeg(image, "")[2:20] + rgb[2:],
        "cmyk": saved(inks(image), "JPEG", quality=80),
        "cmyk-progressive": saved(inks(image), "JPEG", quality=80, progressive=True),
    }
    # Components that are turned over as programs do, and then told to be another space.
    ycck = np.concatenate([np.array(image.convert("YCbCr")), np.array(image.convert("L"))[..., None]], -1)
    jpeg = bytearray(saved(Image.fromarray(255 - ycck, "CMYK"), "JPEG", quality=80))
    jpeg[jpeg.index(b"Adobe") + 11] = 2
    kinds["ycck"] = bytes(jpeg)
    for name, jpeg in kinds.items():
        put(out, f"{name}/{name}.jpg", jpeg, djpeg(jpeg))


def inks(image):
    """A CMYK image with some black."""
    cmyk = 255 - np.array(image).astype(int)
    black = cmyk.min(-1, keepdims=True) // 2
    return Image.fromarray(np.concatenate([cmyk - black, black], -1).astype("uint8"), "CMYK")


def put(out, name, content, pixels):
    out.writestr(name, content)
    out.writestr(f"{name.rsplit('/')[0]}/pixels.ppm" if "/" in name else f"{name}.ppm", pixels)


def png(size, depth, colour, rows, interlaced=False, extra=b""):
    """A PNG file of samples, [height, width, channels]."""
    width, height = size
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b""
    for x, y, across, down in passes:
        for row in rows[y::down, x::across] if rows[y::down, x::across].size else []:
            samples = row.reshape(-1).astype(">u2").view("u1").reshape(-1, 2)
            bits = np.unpackbits(samples, axis=1)[:, 16 - depth :].reshape(-1)
            data += b"\0" + np.packbits(bits).tobytes()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pngs():
    size = (11, 7)
    y, x, c = np.mgrid[0 : size[1], 0 : size[0], 0:4]
    samples = 37 * x * x + 91 * y + 53 * c * (x + 1)
    palette = bytes((17 * i * i) % 256 for i in range(3 * 256))
    kinds = {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]}
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
    for colour, depths in kinds.items():
        for depth in depths:
            rows = (samples * (257 if depth == 16 else 1) % 2**depth)[..., : channels[colour]]
            plain = chunk(b"PLTE", palette[: 3 * 2**depth]) if colour == 3 else b""
            clear = {0: struct.pack(">H", int(rows[0, 0, 0])), 3: bytes([0, 128, 200])[: 2**depth]}.get(colour)
            if colour == 2:
                clear = struct.pack(">HHH", *rows[0, 0].tolist())
            for interlaced in [False, True]:
                name = f"png-{colour}-{depth}{'-interlaced' if interlaced else ''}"
                yield f"{name}.png", png(size, depth, colour, rows, interlaced, plain)
                if clear and depth < 16:
                    yield f"{name}-clear.png", png(size, depth, colour, rows, interlaced, plain + chunk(b"tRNS", clear))


def formats():
    """Files of each format, and options that Pillow writes them with."""
    image = scene(24, 18)
    clear = image.copy()
    clear.putalpha(image.convert("L"))
    half = image.convert("P", palette=Image.Palette.ADAPTIVE, colors=16)
    frames = {"save_all": True, "append_images": [image.rotate(180)]}
    yield from pngs()
    yield "moving.apng", saved(image, "PNG", **frames)
    yield "lossy.webp", saved(image, "WEBP", quality=80)
    yield "lossy-alpha.webp", saved(clear, "WEBP", quality=80)
    yield "lossless.webp", saved(image, "WEBP", lossless=True)
    yield "lossless-alpha.webp", saved(clear, "WEBP", lossless=True, exact=True)
    yield "moving.webp", saved(image, "WEBP", lossless=True, **frames)
    yield "plain.gif", saved(half, "GIF")
    yield "rows.gif", saved(half, "GIF", interlace=0)
    yield "clear.gif", saved(half, "GIF", transparency=3)
    yield "moving.gif", saved(half, "GIF", save_all=True, append_images=[half.rotate(180)])
    for mode in ["1", "L", "P", "RGB", "RGBA"]:
        yield f"{mode}.bmp", saved((clear if mode == "RGBA" else image).convert(mode), "BMP")
    for mode in ["1", "L", "RGB", "RGBA", "CMYK"]:
        of = inks(image) if mode == "CMYK" else (clear if mode.endswith("A") else image).convert(mode)
        yield f"{mode}.tif", saved(of, "TIFF")
    for compression in ["tiff_lzw", "tiff_adobe_deflate", "packbits"]:
        yield f"{compression}.tif", saved(image, "TIFF", compression=compression)
    deep = Image.fromarray((np.array(image.convert("L")).astype("uint16") * 257))
    yield "deep.tif", saved(deep, "TIFF")
    turned = Image.Exif()
    turned[0x0112] = 6
    yield "turned.tif", saved(image, "TIFF", exif=turned)
    yield "turned.webp", saved(image, "WEBP", lossless=True, exif=turned)
    yield "turned.png", saved(image, "PNG", exif=turned)


def profiled():
    """Files with colour profiles."""
    image = scene(24, 18)
    clear = image.copy()
    clear.putalpha(image.convert("L"))
    for name, profile in {"p3": DISPLAY_P3, "adobe-rgb": ADOBE_RGB, "srgb": SRGB}.items():
        yield f"{name}.png", saved(image, "PNG", icc_profile=profile)
        yield f"{name}-alpha.png", saved(clear, "PNG", icc_profile=profile)
        yield f"{name}.jpg", saved(image, "JPEG", quality=95, subsampling=0, icc_profile=profile)
        yield f"{name}.webp", saved(image, "WEBP", lossless=True, icc_profile=profile)
        yield f"{name}.tif", saved(image, "TIFF", icc_profile=profile)
    grey = image.convert("L")
    yield "linear-grey.png", saved(grey, "PNG", icc_profile=LINEAR_GREY)
    yield "linear-grey.jpg", saved(grey, "JPEG", quality=95, icc_profile=LINEAR_GREY)
    yield "cmyk-profile.jpg", saved(inks(image), "JPEG", quality=95, icc_profile=CMYK)


def in_numbers():
    """PNG files with a colour space in numbers, and its profile."""
    gamma, places = b"gAMA", b"cHRM"
    p3 = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    rows = np.array(scene(24, 18))
    linear = chunk(gamma, struct.pack(">I", 100000))
    yield "gamma.png", png((24, 18), 8, 2, rows, extra=linear), LINEAR
    yield "gamma-srgb.png", png((24, 18), 8, 2, rows, extra=chunk(b"sRGB", b"\0") + linear), None
    usual = chunk(gamma, struct.pack(">I", 45455))
    yield "gamma-usual.png", png((24, 18), 8, 2, rows, extra=usual), None
    yield "primaries.png", png((24, 18), 8, 2, rows, extra=usual + chunk(places, p3)), P3_GAMMA


def shown(content, profile=None):
    """What Pillow shows: the first frame, upright, in sRGB, over white."""
    image = Image.open(io.BytesIO(content))
    image.load()  # which turns a TIFF upright
    profile = profile or image.info.get("icc_profile")
    orientation = image.getexif().get(0x0112)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.array(image).astype(float) / 257).round().astype("uint8"))
    if image.mode == "CMYK" and not profile:
        c, m, y, k = (255 - np.array(image).astype(int)).transpose(2, 0, 1)
        image = Image.fromarray(np.stack([(light * k / 255).round() for light in [c, m, y]], -1).astype("uint8"))
    if profile:
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        image = image.convert("RGB") if alpha else image
        srgb = ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), srgb, 0, outputMode="RGB")
        if alpha:
            image.putalpha(alpha)
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    image = Image.alpha_composite(white, image).convert("RGB")
    return image.transpose(Image.Transpose.ROTATE_270) if orientation == 6 else image


def others(out):
    for name, content in [*formats(), *profiled()]:
        put(out, name, content, saved(shown(content), "PPM"))
    for name, content, profile in in_numbers():
        put(out, name, content, saved(shown(content, profile), "PPM"))


class Files(zipfile.ZipFile):
    """The same bytes for the same files."""

    def writestr(self, name, content):
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_DEFLATED
        super().writestr(entry, content, compresslevel=9)


for name, make in {"jpegs": jpegs, "others": others}.items():
    with Files(HERE / f"{name}.zip", "w") as out:
        make(out)
