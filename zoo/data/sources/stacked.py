"""Stacked MNIST: three random digits as the channels of one image, 1,000 modes that a classifier can count.

Metz et al. 2017 (Unrolled GANs, https://arxiv.org/abs/1611.02163, section 3.3.1); 128,000 training images as in PacGAN
(Lin et al. 2018, https://arxiv.org/abs/1712.04086). The digits are sorted first, so that the same MNIST gives the
same images in whatever order it was stored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.catalogue import DatasetEntry
from zoo.data.dataset import Dataset
from zoo.data.options import READING, WITHOUT_LABELS, DataOptions
from zoo.data.sources.contract import Batches, Contents, Reporter, Source
from zoo.data.splits import Selection, Splits
from zoo.errors import ZooError
from zoo.hookspecs import hookimpl

COUNTS = {"train": 128_000, "test": 26_000}  # images; papers count modes in 26,000 samples
SEEDS = {"train": 20161107, "test": 20161108}
DIGITS = 10
CHANNELS = 3
BATCH = 1024  # images
MODE = "mode"
KERAS_DIGITS = "~/.keras/datasets"  # where Keras keeps mnist.npz once it has loaded it


@hookimpl
def source(
    dataset: DatasetEntry,
    options: DataOptions,
    files: Path | None,
    open_dataset: Callable[[str, str, Reporter | None], Dataset],
) -> Source:
    """Stacks of the digits of the dataset that `reference` names, or of those in `files`."""

    def opened(split: str, progress: Reporter | None) -> Dataset:
        if files:
            return open_dataset(str(files.expanduser().absolute()), split, progress)
        return digits_at_hand(dataset, split, open_dataset, progress)

    return StackedSource(dataset.reference, opened, options)


def digits_at_hand(
    dataset: DatasetEntry,
    split: str,
    open_dataset: Callable[[str, str, Reporter | None], Dataset],
    progress: Reporter | None,
) -> Dataset:
    """The digits that are stacked: by their name, else from Keras' own file; raises ZooError with what else serves."""
    base = dataset.reference
    try:
        return open_dataset(base, split, progress)
    except ZooError as error:
        of_keras = Path(KERAS_DIGITS).expanduser() / f"{base}.npz"
        if of_keras.is_file():
            return open_dataset(str(of_keras), split, progress)
        raise ZooError(
            f"'{dataset.name}' is made of the digits of '{base}', which is not at hand.\n{error}\n"
            f"Or take the digits of any {base}, such as Keras' {base}.npz or a folder with its four files:\n"
            f"  zoo data prepare {dataset.name} --from {base}.npz"
        ) from error


@dataclass(frozen=True)
class StackedSource(Source):
    """Images (28, 28, 3); the label 100 a + 10 b + c is the digits of the three channels read as a number."""

    base: str  # the dataset whose digits are stacked
    opened: Callable[[str, Reporter | None], Dataset]  # opens a split of the base, prepared on first use
    options: DataOptions

    def __post_init__(self) -> None:
        if self.options.channels not in (None, CHANNELS):
            raise ZooError(f"A stack of digits has 3 channels, one for each digit, not {self.options.channels}.")
        self.options.refuse("A stack of digits is made of prepared ones", *READING)
        if self.options.crop or self.options.image_size or self.options.image_key:
            raise ZooError("A stack of digits is as large as its digits: leave out --crop and --image-size.")
        if self.options.label not in (None, WITHOUT_LABELS, MODE):
            raise ZooError("The labels of stacked digits are their modes. Leave out --label, or --label none.")

    @property
    def name(self) -> str:
        """`stacked_mnist`."""
        return f"stacked_{self.base}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """The base's name, not the location of its files, since its digits are the same anywhere."""
        return {"source": f"stacked {self.base}", "seeds": SEEDS, "counts": COUNTS, **self.options.preprocessing}

    def prepare(self, progress: Reporter) -> None:
        for split in COUNTS:
            self.opened(split, progress)

    def splits(self) -> Splits:
        """`train` and `test`, each drawn from the base's split of the same name."""
        return Splits(COUNTS, self.name)

    def contents(self, selection: Selection) -> Contents:
        bases = {part.split: digits(self.opened(part.split, None)) for part in selection.parts}
        side = next(iter(bases.values()))[0].shape[1]
        with_labels = self.options.label != WITHOUT_LABELS

        def batches() -> Batches:
            for part in selection.parts:
                images, labels = bases[part.split]
                generator = np.random.Generator(np.random.Philox(SEEDS[part.split]))
                chosen = generator.integers(len(images), size=(COUNTS[part.split], CHANNELS))[part.rows]
                for start in range(0, len(chosen), BATCH):
                    rows = chosen[start : start + BATCH]
                    modes = labels[rows] @ (DIGITS**2, DIGITS, 1)
                    yield np.moveaxis(images[rows], 1, -1), modes if with_labels else None

        return Contents(
            shape=(selection.count, side, side, CHANNELS),
            dtype=np.uint8,
            batches=batches(),
            class_names=tuple(f"{mode:03}" for mode in range(DIGITS**CHANNELS)) if with_labels else (),
            defaults={"image_size": side, "channels": CHANNELS, "label": MODE},
            resolved={"image_size": side, "channels": CHANNELS, "label": MODE if with_labels else None},
            description={"base": self.base, "seeds": SEEDS},
        )


def digits(base: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (N, H, W) and int64 (N,) of a dataset of gray digits, sorted by label and then by their bytes."""
    if base.labels is None or base.classes != DIGITS or base.sample_shape[-1:] != (1,):
        raise ZooError(
            f"Only gray images with labels from 0 to 9 can be stacked. '{base.name}' has samples of shape "
            f"{base.sample_shape} and {base.classes or 'no'} classes."
        )
    images, labels = np.asarray(base.samples)[..., 0], base.labels
    order = sorted(range(len(images)), key=lambda row: (int(labels[row]), images[row].tobytes()))
    return images[order], labels[order]
