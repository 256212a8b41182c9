"""Sample pictures of every variant for the page, from its median run, not its best one."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from zoo.base.html import data_uri
from zoo.comparison.report.reading import (
    Comparison,
    RunCell,
    Variant,
    deciding_score,
    middle_run,
    runs_of,
    variants_of,
)

SMALLEST, LARGEST = 240, 440  # pixels of a picture's longer side
QUALITY = 78  # WebP quality, of 100
FEW = 64  # colours of a PNG


@dataclass(frozen=True)
class Picture:
    """A picture as the bytes of a file, with the run that it is of."""

    variant: Variant
    kind: str  # webp or png
    content: bytes
    width: int
    height: int
    seed: int
    why: str  # "the median of 10 seeds: kid 0.0172"

    @property
    def source(self) -> str:
        """The picture as a data URI."""
        return data_uri(self.content, self.kind)

    @property
    def alternative(self) -> str:
        """The alternative text."""
        return f"Samples of {self.variant.label}, seed {self.seed}, {self.why}"


def pictures_of(comparison: Comparison, dataset: str, folder: Path) -> list[Picture]:
    """A picture for each variant that has any; paths are relative to the folder."""
    score = deciding_score(comparison)
    made = []
    for variant in variants_of(comparison):
        drawn = [cell for cell in runs_of(comparison, dataset, variant.label) if readable(cell, folder)]
        if drawn:
            cell, why = middle_run(drawn, score)
            made.append(embedded(folder / cell["picture"], variant, cell["seed"], why))
    return made


def readable(cell: RunCell, folder: Path) -> bool:
    """Whether the run's picture exists and can be decoded."""
    if not cell.get("picture"):
        return False
    try:
        with Image.open(folder / cell["picture"]) as image:
            image.verify()
    except (OSError, UnidentifiedImageError, SyntaxError, Image.DecompressionBombError):
        return False
    return True


def embedded(path: Path, variant: Variant, seed: int, why: str) -> Picture:
    """The picture, scaled down, as WebP or (smaller for plots) as PNG of few colours."""
    with Image.open(path) as file:
        image = file.convert("RGB")
    image = as_made(image)
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    photograph, plot = BytesIO(), BytesIO()
    image.save(photograph, format="WEBP", quality=QUALITY, method=4)
    image.quantize(FEW).save(plot, format="PNG", optimize=True)
    kind, content = min((("webp", photograph.getvalue()), ("png", plot.getvalue())), key=lambda each: len(each[1]))
    return Picture(variant, kind, content, image.width, image.height, seed, why)


def as_made(image: Image.Image) -> Image.Image:
    """The image at its original size, where `zoo.base.pictures.grid` enlarged it by a whole factor."""
    for factor in range(max(image.size) // SMALLEST, 1, -1):
        if image.width % factor == 0 and image.height % factor == 0:
            small = image.resize((image.width // factor, image.height // factor), Image.Resampling.NEAREST)
            if small.resize(image.size, Image.Resampling.NEAREST).tobytes() == image.tobytes():
                return small
    return image
