"""What needs no network: the source as it is, the mean colour, the source enlarged."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.base.progress import Silent
from zoo.evaluation.extractors import efficientnet_lite0
from zoo.evaluation.features import measured
from zoo.evaluation.metrics import kernel, paired, perceptual
from zoo.evaluation.metrics.contract import Compared, Pairs, Side
from zoo.training.run import Run


@dataclass(frozen=True)
class Tested:
    """The test images of a run, uint8 (N, H, W, C), with what they are made of, and the images that were trained on."""

    sources: np.ndarray  # (N, h, w, c)
    targets: np.ndarray
    training: np.ndarray

    @classmethod
    def of(cls, run: Run, most: int) -> "Tested":
        """The first test images, as an evaluation of so many takes them."""
        held_out = run.held_out
        rows = np.arange(min(most, held_out.count))
        batch = run.sampler.batch(rows, seed=0)
        sources = run.sampler.generating.fields["source"].presented(np.asarray(batch["source"]))
        training = run.data.split(run.record["dataset"]["split"])
        return cls(sources, np.asarray(held_out.samples[rows]), training.samples)

    def scores(self, made: np.ndarray) -> dict[str, Any]:
        """What these images score, as a run's scores are kept."""
        compared = Compared(Side(self.targets), Side(made), pairs=Pairs(self.sources, made, self.targets))
        of_pairs = [*paired.measure(compared), *perceptual.measure(compared)]
        differ = bool((made != made[:1]).any())  # else there is no distribution to compare
        of_features = kernel.measure(Compared(self.features, features_of(made))) if differ else []
        names = [each.name for each in of_pairs] + [f"{each.name}_{efficientnet_lite0.NAME}" for each in of_features]
        return {
            name: {"value": each.value, "deviation": each.deviation, "better": each.better}
            for name, each in zip(names, [*of_pairs, *of_features], strict=True)
        }

    @cached_property
    def features(self) -> Side:
        """The targets' features."""
        return features_of(self.targets)


def features_of(images: np.ndarray) -> Side:
    """Images with their features in the network of the runs' scores."""
    network = efficientnet_lite0.extractor(None, None, Silent())
    with tempfile.TemporaryDirectory() as folder:
        side = measured(images, network, Path(folder), Silent(), "")
        return Side(images, features=np.array(side.features))


def copied(tested: Tested) -> np.ndarray:
    """The source itself, in as many channels as the target has."""
    channels = tested.targets.shape[-1]
    colours = tested.sources[..., :channels]
    return colours if colours.shape[-1] == channels else np.repeat(colours[..., :1], channels, -1)


def mean_colour(tested: Tested) -> np.ndarray:
    """The mean of the training images' pixels."""
    colour = np.rint(tested.training.mean(axis=(0, 1, 2), dtype="float64")).astype("uint8")
    return np.broadcast_to(colour, tested.targets.shape)


def bicubic(tested: Tested) -> np.ndarray:
    """The source enlarged by Pillow."""
    height, width = tested.targets.shape[1:3]

    def enlarged(channel: np.ndarray) -> np.ndarray:
        return np.asarray(Image.fromarray(channel).resize((width, height), Image.Resampling.BICUBIC))

    images = tested.sources
    return np.stack([np.stack([enlarged(each[..., c]) for c in range(each.shape[-1])], axis=-1) for each in images])


BASELINES: dict[str, Callable[[Tested], np.ndarray]] = {
    "copy": copied,
    "mean colour": mean_colour,
    "bicubic": bicubic,
}
