"""Known harm to images in several strengths, which a score ought to detect."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from zoo.evaluation.metrics.draws import generator

BLUR, NOISE, CLASSES, COPIES = "blur", "noise", "classes", "copies"
AT_ONCE = 500  # images


@dataclass(frozen=True)
class Spoiling:
    """One kind of harm, its strengths from weak to strong."""

    title: str
    wording: str  # the text of a strength, such as `sigma {} px`
    strengths: tuple[float, ...]

    def said(self, strength: float) -> str:
        """`sigma 0.5 px`."""
        return self.wording.format(strength)


SPOILINGS: Mapping[str, Spoiling] = {
    BLUR: Spoiling("Gaussian blur", "sigma {:g} px", (0.5, 1, 2)),
    NOISE: Spoiling("Gaussian noise", "sigma {:g} of 255", (10, 20, 40)),
    CLASSES: Spoiling("dropped classes", "{:g} of 10 left", (7, 4, 1)),
    COPIES: Spoiling("repeated images", "{:g}% distinct", (50, 10, 1)),
}


def blurred(images: np.ndarray, sigma: float) -> np.ndarray:
    """uint8 images (N, H, W, C) after a Gaussian of `sigma` pixels, edge pixels continued outwards."""
    spoiled = np.empty_like(images)
    for start in range(0, len(images), AT_ONCE):
        part = images[start : start + AT_ONCE].astype("float32")
        spoiled[start : start + AT_ONCE] = np.rint(gaussian_filter(part, (0, sigma, sigma, 0), mode="nearest"))
    return spoiled


def noisy(images: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    """uint8 images (N, H, W, C) with Gaussian noise of `sigma` grey values, each value rounded and kept in [0, 255]."""
    draw = generator(seed, f"noise of {sigma:g}")
    spoiled = np.empty_like(images)
    for start in range(0, len(images), AT_ONCE):
        part = images[start : start + AT_ONCE]
        spoiled[start : start + AT_ONCE] = np.rint(np.clip(part + draw.normal(0, sigma, part.shape), 0, 255))
    return spoiled


def rows_of_classes(labels: np.ndarray, classes: int, count: int, seed: int = 0) -> np.ndarray:
    """int64 (count,), sorted: distinct rows with a label below `classes`, alike many of each, one more at most."""
    draw = generator(seed, f"rows of {classes} classes")
    chosen = [
        draw.choice(np.flatnonzero(labels == label), count // classes + (label < count % classes), replace=False)
        for label in range(classes)
    ]
    return np.sort(np.concatenate(chosen))


def copied_rows(count: int, percent: float) -> np.ndarray:
    """int64 (count,): the first `percent` of the rows, at least one, again and again."""
    return np.arange(count) % max(1, round(count * percent / 100))
