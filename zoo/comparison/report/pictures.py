"""Samples of every variant side by side, each embedded in the page: the run in the middle, not the prettiest."""

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from zoo.comparison.report.reading import (
    Comparison,
    RunCell,
    Variant,
    deciding_score,
    middle_run,
    runs_of,
    variants_of,
)

SMALLEST, LARGEST = 240, 440  # pixels of the longer side
QUALITY = 78  # of a WebP
FEW = 64  # colours of a plot


@dataclass(frozen=True)
class Picture:
    """An image as a data URI, and which run it is of."""

    variant: Variant
    source: str
    width: int
    height: int
    seed: int
    why: str  # "the median of 10 seeds: kid 0.0172"

    @property
    def alternative(self) -> str:
        """What is said instead of the picture."""
        return f"Samples of {self.variant.label}, seed {self.seed}, {self.why}"


def pictures_of(comparison: Comparison, dataset: str, folder: Path) -> list[Picture]:
    """One of each variant that has any; files are looked for below the folder."""
    score = deciding_score(comparison)
    made = []
    for variant in variants_of(comparison):
        drawn = [cell for cell in runs_of(comparison, dataset, variant.label) if readable(cell, folder)]
        if drawn:
            cell, why = middle_run(drawn, score)
            made.append(embedded(folder / cell["picture"], variant, cell["seed"], why))
    return made


def readable(cell: RunCell, folder: Path) -> bool:
    """Whether the run's picture is there, and is one."""
    if not cell.get("picture"):
        return False
    try:
        with Image.open(folder / cell["picture"]) as image:
            image.verify()
    except (OSError, UnidentifiedImageError, SyntaxError, Image.DecompressionBombError):
        return False
    return True


def embedded(path: Path, variant: Variant, seed: int, why: str) -> Picture:
    """The picture, made small: as WebP, or as PNG of few colours where that is smaller, as plots are."""
    with Image.open(path) as file:
        image = file.convert("RGB")
    image = as_made(image)
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    photograph, plot = BytesIO(), BytesIO()
    image.save(photograph, format="WEBP", quality=QUALITY, method=4)
    image.quantize(FEW).save(plot, format="PNG", optimize=True)
    kind, data = min((("webp", photograph.getvalue()), ("png", plot.getvalue())), key=lambda each: len(each[1]))
    source = f"data:image/{kind};base64,{b64encode(data).decode('ascii')}"
    return Picture(variant, source, image.width, image.height, seed, why)


def as_made(image: Image.Image) -> Image.Image:
    """Without the whole factor by which `zoo.base.pictures.grid` enlarges small ones; a browser enlarges as well."""
    for factor in range(max(image.size) // SMALLEST, 1, -1):
        if image.width % factor == 0 and image.height % factor == 0:
            small = image.resize((image.width // factor, image.height // factor), Image.Resampling.NEAREST)
            if small.resize(image.size, Image.Resampling.NEAREST).tobytes() == image.tobytes():
                return small
    return image
