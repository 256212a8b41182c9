"""Distance of mean images: Euclidean, in steps of a pixel's value"""

from collections.abc import Sequence

import numpy as np

from zoo.extensions import Compared, Metric, Score, hookimpl


def measure(compared: Compared) -> Sequence[Score]:
    real, fake = (np.mean(side.samples, axis=0, dtype="float64") for side in (compared.real, compared.fake))
    return [Score("pixel_mean", float(np.linalg.norm(real - fake)), better="lower")]


@hookimpl
def metric() -> Metric:
    return Metric(needs=frozenset({"images"}), smallest=2, settings={}, measure=measure, in_features=False)
