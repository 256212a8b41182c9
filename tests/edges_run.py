"""A tiny translation from edges to images, trained for a step or two."""

from pathlib import Path

import numpy as np

import zoo


def edges_run(
    folder: Path, images: np.ndarray, data_dir: Path | None = None, steps: int = 1, **settings: float
) -> zoo.Run:
    """The run in `folder`, on uint8 images (N, H, W, C) beside it; data is prepared there or in `data_dir`."""
    np.save(folder / "images.npy", images)
    return zoo.run(
        "pix2pix-edges",
        dataset=str(folder / "images.npy"),
        budget=zoo.Budget(steps),
        out=folder / "run",
        data_dir=data_dir or folder,
        settings={"width": 2, "batch_size": 4, **settings},
        progress=False,
    )
