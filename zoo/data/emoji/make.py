"""Makes pairs.csv and the two .webp files in this folder: `python make.py`. Needs npm, and a network or npm's cache."""

import csv
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
PACKAGE = "emoji-datasource-{style}"
VERSION = "16.0.0"
STYLES = {"twemoji": "twitter", "noto": "google"}  # our name, and that of the npm package
STORED = 64  # pixels, the side of the pictures that are taken
SIZE = 32  # pixels, the side that is kept
COLUMNS = 44  # of a sheet
TEST_SHARE = 0.1  # of each category
SEED = 20161125  # of order and split: the first version of pix2pix
JOINTS = {"200D", "FE0F", "2640", "2642"}  # joiner, colour style, female and male sign
PEOPLE = {"1F466", "1F467", "1F468", "1F469", "1F9D1", "1F9D2"}  # boy, girl, man, woman, person, child


def main(target: Path = HERE) -> None:
    """Fetch both packages and write the files."""
    with tempfile.TemporaryDirectory() as work:
        folders = {style: fetched(package, Path(work)) for style, package in STYLES.items()}
        known = json.loads((folders["noto"] / "package/emoji.json").read_text("utf-8"))
        pairs = sorted(
            (Path(each["image"]).stem.upper(), each["category"], each["image"])
            for each in known
            if each["has_img_google"] and each["has_img_twitter"]
        )
        order = np.random.Generator(np.random.Philox(SEED)).permutation(len(pairs))
        pairs = [pairs[number] for number in order]  # so that the first rows, as train[:100], are of every kind
        drawn = {
            style: [on_white(folders[style] / "package/img" / package / str(STORED) / image) for _, _, image in pairs]
            for style, package in STYLES.items()
        }
        looks = {code: [each[row].tobytes() for each in drawn.values()] for row, (code, _, _) in enumerate(pairs)}
        test = chosen_for_test({code: category for code, category, _ in pairs}, looks)
        with (target / "pairs.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(("code", "category", "split"))
            rows.writerows((code, category, "test" if code in test else "train") for code, category, _ in pairs)
        for style, pictures in drawn.items():
            sheet(pictures).save(target / f"{style}.webp", lossless=True, quality=100, method=6)
    print(f"{len(pairs)} pairs, {len(test)} of them for tests")


def fetched(style: str, work: Path) -> Path:
    """The folder of one package, with the pictures of STORED pixels and the list."""
    name = PACKAGE.format(style=style)
    command = ["npm", "pack", "--silent", f"{name}@{VERSION}"]
    subprocess.run(command, cwd=work, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(next(work.glob(f"{name}-*.tgz"))) as archive:
        prefix = f"package/img/{style}/{STORED}/"
        wanted = [each for each in archive if each.name == "package/emoji.json" or each.name.startswith(prefix)]
        archive.extractall(work / style, members=wanted, filter="data")
    return work / style


def on_white(path: Path) -> Image.Image:
    """A picture on a white page, at SIZE pixels."""
    drawn = Image.open(path).convert("RGBA")
    page = Image.new("RGBA", drawn.size, "white")
    page.alpha_composite(drawn)
    return page.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC)


def sheet(pictures: list[Image.Image]) -> Image.Image:
    """All pictures, row by row."""
    rows = -(-len(pictures) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * SIZE, rows * SIZE), "white")
    for number, picture in enumerate(pictures):
        whole.paste(picture, (number % COLUMNS * SIZE, number // COLUMNS * SIZE))
    return whole


def chosen_for_test(categories: Mapping[str, str], looks: Mapping[str, Iterable[bytes]]) -> set[str]:
    """The codes of a tenth of each category, in which near-copies (a runner, a woman running) stay together.

    So do pictures that are equal in either style, as the flags of some islands are their country's.
    """
    draw = np.random.Generator(np.random.Philox(SEED))
    groups: dict[str, list[str]] = {}
    owner: dict[str | bytes, str] = {}  # of what pictures have in common, the name of their group
    for code in sorted(categories):
        known = {owner[mark] for mark in (kin(code), *looks[code]) if mark in owner}
        name = min(known, default=kin(code))
        groups[name] = [code, *(each for other in sorted(known) for each in groups.pop(other))]
        owner |= dict.fromkeys((mark for each in groups[name] for mark in (kin(each), *looks[each])), name)
    missing = {category: TEST_SHARE * size for category, size in counted(categories.values()).items()}
    names = sorted(groups)
    chosen: set[str] = set()
    for index in draw.permutation(len(names)):
        codes = groups[names[index]]
        sizes = counted(categories[code] for code in codes)
        if all(size <= missing[category] for category, size in sizes.items()):
            chosen.update(codes)
            for category, size in sizes.items():
                missing[category] -= size
    return chosen


def kin(code: str) -> str:
    """What near-copies of a picture have in common: what people do, whoever they are; else the first character."""
    parts = [part for part in code.split("-") if part not in JOINTS] or [code]
    if parts[0] in PEOPLE and len(parts) > 1:
        return "-".join(part for part in parts if part not in PEOPLE) or "people"
    return code if parts[0].startswith("1F1") else parts[0]  # flags of countries are two letters


def counted(values: Iterable[str]) -> dict[str, int]:
    """How often each value occurs."""
    found: dict[str, int] = {}
    for value in values:
        found[value] = found.get(value, 0) + 1
    return found


if __name__ == "__main__":
    main()
