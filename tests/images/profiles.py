"""Colour profiles as make.py puts them into files."""

import itertools
import struct


def fixed(*numbers):
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def xyz(*numbers):
    return b"XYZ \0\0\0\0" + fixed(*numbers)


def gamma(exponent):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(exponent * 256))


def profile(kind, space, connection, tags):
    """A profile of version 2."""
    tags = {
        "desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"made\0" + bytes(78),
        "cprt": b"text\0\0\0\0CC0\0",
        "wtpt": xyz(0.9642, 1, 0.8249),
        **tags,
    }
    table, data = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, tag in tags.items():
        table += name.encode() + struct.pack(">II", start + len(data), len(tag))
        data += tag + bytes(-len(tag) % 4)
    size = start + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, kind, space, connection) + bytes(12) + b"acsp"
    head = head.ljust(68, b"\0") + fixed(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def rgb(red, green, blue, curve):
    tags = {"rXYZ": xyz(*red), "gXYZ": xyz(*green), "bXYZ": xyz(*blue), "rTRC": curve, "gTRC": curve, "bTRC": curve}
    return profile(b"mntr", b"RGB ", b"XYZ ", tags)


def srgb_curve():
    def linear(level):
        return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4

    table = [round(65535 * linear(step / 1023)) for step in range(1024)]
    return b"curv\0\0\0\0" + struct.pack(">I1024H", 1024, *table)


def lab(red, green, blue):
    """Lab under D50 of linear RGB, as bytes."""
    matrix = [(0.4361, 0.3851, 0.1431), (0.2225, 0.7169, 0.0606), (0.0139, 0.0971, 0.7141)]
    white = (0.9642, 1, 0.8249)

    def root(t):
        return t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116

    x, y, z = (root((r * red + g * green + b * blue) / w) for (r, g, b), w in zip(matrix, white))
    levels = [(116 * y - 16) * 2.55, 500 * (x - y) + 128, 200 * (y - z) + 128]
    return bytes(min(255, max(0, round(level))) for level in levels)


def cmyk():
    """Inks that are not ideal: what each lets through of red, green and blue."""
    through = [(0.05, 0.35, 0.75), (0.75, 0.05, 0.25), (0.95, 0.85, 0.05), (0.03, 0.03, 0.03)]
    grid = b""
    for amounts in itertools.product([step / 4 for step in range(5)], repeat=4):
        light = [1.0, 1.0, 1.0]
        for amount, ink in zip(amounts, through):
            light = [l * (1 - amount + amount * t) for l, t in zip(light, ink)]
        grid += lab(*light)
    same = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 5, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + same * 4 + grid + same * 3
    return profile(b"prtr", b"CMYK", b"Lab ", {"A2B0": table})


SRGB = rgb((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141), srgb_curve())
DISPLAY_P3 = rgb((0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841), srgb_curve())
ADOBE_RGB = rgb((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446), gamma(2.19921875))
LINEAR = rgb((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141), gamma(1))
P3_GAMMA = rgb((0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841), gamma(2.2))
LINEAR_GREY = profile(b"mntr", b"GRAY", b"XYZ ", {"kTRC": gamma(1)})
CMYK = cmyk()
