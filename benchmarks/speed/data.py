"""The real images of all contenders, which are uniform noise."""

from typing import Any

import numpy as np

from .cases import IMAGES, Case


def random_images(case: Case) -> Any:
    """uint8 (IMAGES, H, W, C), the same in every process."""
    return np.random.default_rng(0).integers(0, 256, (IMAGES, *case.shape), dtype=np.uint8)
