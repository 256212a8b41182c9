"""What needs no network: the source as it is, the mean colour, the source enlarged."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from zoo.evaluation.metrics import paired, perceptual
from zoo.evaluation.metrics.contract import Compared, Pairs, Side
from zoo.training.run import Run

MOST = 10_000  # test images, as many as an evaluation takes


def copied(sources: np.ndarray, targets: np.ndarray, training: np.ndarray) -> np.ndarray:
    """The source itself, in as many channels as the target has."""
    colours = sources[..., : targets.shape[-1]]
    return colours if colours.shape[-1] == targets.shape[-1] else np.repeat(colours[..., :1], targets.shape[-1], -1)


def mean_colour(sources: np.ndarray, targets: np.ndarray, training: np.ndarray) -> np.ndarray:
    """The mean of the training images' pixels."""
    colour = np.rint(training.mean(axis=(0, 1, 2), dtype="float64")).astype("uint8")
    return np.broadcast_to(colour, targets.shape)


def bicubic(sources: np.ndarray, targets: np.ndarray, training: np.ndarray) -> np.ndarray:
    """The source enlarged by Pillow."""
    size = (targets.shape[2], targets.shape[1])

    def enlarged(channel: np.ndarray) -> np.ndarray:
        return np.asarray(Image.fromarray(channel).resize(size, Image.Resampling.BICUBIC))

    return np.stack(
        [np.stack([enlarged(image[..., each]) for each in range(image.shape[-1])], axis=-1) for image in sources]
    )


BASELINES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "copy": copied,
    "mean colour": mean_colour,
    "bicubic": bicubic,
}


def scores_of_baselines(run: Run, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The scores of each baseline on the test images of a run, as a run's are kept."""
    from zoo.catalogue import read_catalogue
    from zoo.training.data_of_run import DataOfRun

    held_out = run.held_out
    rows = np.arange(min(MOST, held_out.count))
    batch = run.sampler.batch(rows, seed=0)
    sources = run.sampler.generating.fields["source"].presented(np.asarray(batch["source"]))
    targets = np.asarray(held_out.samples[rows])
    data = DataOfRun(run.record["dataset"], run.path, read_catalogue())
    training = data.split(run.record["dataset"]["split"]).samples
    found = {}
    for name in names:
        made = np.ascontiguousarray(BASELINES[name](sources, targets, training))
        compared = Compared(Side(targets), Side(made), pairs=Pairs(sources, made, targets))
        scores = [*paired.measure(compared), *perceptual.measure(compared)]
        found[name] = {
            each.name: {"value": each.value, "deviation": each.deviation, "better": each.better} for each in scores
        }
    return found
