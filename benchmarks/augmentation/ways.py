"""The ways in which a classifier may learn from few images."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from zoo.evaluation.classifier import Teaching, taught

SHIFT = 2  # pixels
Labelled = tuple[np.ndarray, np.ndarray]  # uint8 images (N, H, W, C) with their classes (N,)
Drawing = Callable[[np.random.Generator, int], np.ndarray]


@dataclass(frozen=True)
class Way:
    """What a batch is made of, and how it is changed."""

    shifted: bool = False  # classical augmentation
    balanced: bool = False  # every class with equal chances: oversampling of rare ones
    generated: float = 0.0  # share of a batch that a GAN made


WAYS = {
    "as they are": Way(),
    "oversampled": Way(balanced=True),
    "shifted": Way(shifted=True),
    "shifted and oversampled": Way(shifted=True, balanced=True),
    "with a GAN's": Way(generated=0.5),
    "shifted, with a GAN's": Way(shifted=True, generated=0.5),
    "a GAN's alone": Way(generated=1.0),
}


def accuracies(
    name: str, real: Labelled, fakes: Labelled, test: Labelled, seed: int, teaching: Teaching, rare: int
) -> dict[str, float]:
    """The share of test images that are taken for what they are: of all, and of the rare class alone."""
    way = WAYS[name]
    classes = int(max(real[1].max(), test[1].max())) + 1

    def batches(draw: np.random.Generator, count: int) -> Labelled:
        made = round(way.generated * count)
        rows = drawn(real[1], count - made, draw, way.balanced)
        others = draw.integers(0, len(fakes[1]), made)
        return np.concatenate([real[0][rows], fakes[0][others]]), np.concatenate([real[1][rows], fakes[1][others]])

    shown = replace(teaching, shift=SHIFT if way.shifted else 0)
    model = taught(real[0], real[1], classes, seed, shown, batches)
    hits = model.hits(*test)
    return {"accuracy": float(hits.mean()), "rare_accuracy": float(hits[test[1] == rare].mean())}


def drawn(labels: np.ndarray, count: int, draw: np.random.Generator, balanced: bool) -> np.ndarray:
    """Rows with equal chances, or with equal chances of the classes."""
    if not balanced:
        return draw.integers(0, len(labels), count)
    counts = np.bincount(labels)
    chances = 1 / counts[labels]
    return draw.choice(len(labels), count, p=chances / chances.sum())
