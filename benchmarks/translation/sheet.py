"""A picture of the same test images in every way: a row has the source, what each made of it, and the target."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.translation.baselines import BASELINES, Tested
from zoo.base.pictures import as_rgb, grid, stretched

SHOWN = 20  # test images, spread over all of them
SIDE_BY_SIDE = 2  # test images in a row of the picture


def sheet(tested: Tested, runs: Mapping[str, Any], baselines: Sequence[str]) -> tuple[list[str], Any]:
    """The names of a test image's columns, and the picture."""
    rows = np.unique(np.linspace(0, len(tested.targets) - 1, SHOWN).astype(int))
    few = Tested(tested.sources[rows], tested.targets[rows], tested.training)
    columns = {
        "source": few.sources,
        **{name: BASELINES[name](few) for name in baselines},
        **{name: run.translate(few.sources) for name, run in runs.items()},
        "target": few.targets,
    }
    size = few.targets.shape[1:3]
    images = np.stack([stretched(as_rgb(each), size) for each in columns.values()], axis=1)
    return list(columns), grid(images.reshape(-1, *images.shape[2:]), columns=SIDE_BY_SIDE * len(columns))
