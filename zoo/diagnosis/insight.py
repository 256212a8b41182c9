"""What a discriminator looks at.

All functions take functions: `judge` from samples (N, ...) to one logit each, (N,); `gradients(function, inputs)` is
the gradient of sum(function(inputs)), as an engine has it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray
Judge = Callable[[Any], Any]
Gradients = Callable[[Judge, Any], Any]
PATH = 32  # points of the path of integrated gradients


def input_gradients(judge: Judge, gradients: Gradients, samples: Array) -> Array:
    """The gradient of each sample's logit by the sample, (N, ...) (Simonyan et al. 2013, arXiv:1312.6034)."""
    return np.asarray(gradients(judge, np.asarray(samples, "float32")))


def integrated_gradients(
    judge: Judge, gradients: Gradients, samples: Array, baseline: Array, points: int = PATH
) -> Array:
    """What each value of a sample adds to its logit, (N, ...) (Sundararajan et al. 2017, arXiv:1703.01365).

    Their sum is the difference of the logits of sample and `baseline` (one sample), by the midpoint rule.
    """
    samples, baseline = np.asarray(samples, "float32"), np.asarray(baseline, "float32")
    total = np.zeros(samples.shape)
    for place in range(points):
        between = baseline + (place + 0.5) / points * (samples - baseline)
        total += np.asarray(gradients(judge, between.astype("float32")))
    return np.asarray((samples - baseline) * total / points)


def occlusion(judge: Judge, images: Array, window: int, stride: int, value: float = 0.0) -> Array:
    """How far each image's logit falls where a window is painted over, (N, rows, columns) (Zeiler and Fergus 2013)."""
    images = np.asarray(images, "float32")
    whole = np.asarray(judge(images))
    tops, lefts = (range(0, max(1, side - window + 1), stride) for side in images.shape[1:3])
    found = np.zeros((len(images), len(tops), len(lefts)))
    for row, top in enumerate(tops):
        for column, left in enumerate(lefts):
            painted = images.copy()
            painted[:, top : top + window, left : left + window] = value
            found[:, row, column] = whole - np.asarray(judge(painted))
    return found
