"""Samples of a run as files: a picture, or the arrays themselves."""

from pathlib import Path
from typing import Any

import numpy as np

from zoo.base.files import atomic_file
from zoo.base.pictures import grid, save_picture, scatter
from zoo.errors import ZooError
from zoo.training.run import Run

ARRAYS = (".npy", ".npz")
PICTURES = (".png", ".webp")
WALK_STEPS = 10  # columns of an interpolation


def write_samples(run: Run, count: int, seed: int, interpolate: bool, out: Path | None) -> Path:
    """Draw samples and write them as the file's ending says, below the run directory where no file is named."""
    kind = "walks" if interpolate else "samples"
    path = out or run.path / "samples" / f"{kind}-seed-{seed}.png"
    if path.suffix not in (*ARRAYS, *PICTURES):
        raise ZooError(f"Samples can't be written as '{path.name}'. Available: {', '.join((*PICTURES, *ARRAYS))}.")
    samples, columns = drawn(run, count, seed, interpolate)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in ARRAYS:
        with atomic_file(path) as file:
            if path.suffix == ".npy":
                np.save(file, samples)
            else:
                np.savez_compressed(file, samples=samples)
    else:
        save_picture(picture(run, samples, columns), path)
    return path


def drawn(run: Run, count: int, seed: int, interpolate: bool) -> tuple[np.ndarray, int | None]:
    """The samples, and the columns of their picture."""
    if not interpolate:
        return run.sample(count, seed), None
    rows = -(-count // WALK_STEPS)
    walks = run.sampler.samples(run.sampler.interpolations(rows, WALK_STEPS, seed))
    return run.presented(walks), WALK_STEPS


def picture(run: Run, samples: np.ndarray, columns: int | None) -> Any:
    """A grid of images; points beside the mixture's centres, where the dataset has them."""
    if samples.ndim == 4:
        return grid(samples, columns)
    centres = run.record["dataset"]["description"].get("centres")
    return scatter(samples, np.array(centres) if centres else samples)
