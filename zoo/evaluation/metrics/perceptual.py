"""A perceptual distance of pairs in EfficientNet-Lite0, as LPIPS without learned weights (Zhang et al. 2018)

https://arxiv.org/abs/1801.03924, equation 1 with weights of 1: vectors of a map's channels are made unit vectors, their
squared distance is averaged over the map, and maps are added. Not LPIPS itself, whose networks and weights are others:
`lpips-alex`, `lpips-vgg`.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.base.pictures import from_pixels
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.paired import mean_score, pairs_of
from zoo.hookspecs import hookimpl

if TYPE_CHECKING:
    import keras

MAPS = ("stride_4", "stride_8", "stride_16", "stride_32")
ALONE = 96  # pixels: smaller images are enlarged to that
AT_ONCE = 32  # images
PLAIN = (1.0,) * len(MAPS)  # weights of their channels
SMALLEST = 2
TINY = 1e-10  # beside the norm of a vector

Maps = Callable[[np.ndarray], list[np.ndarray]]  # uint8 images (B, H, W, C) to float64 maps (B, h, w, K)


def distances(
    one: np.ndarray, other: np.ndarray, maps_of: Maps | None = None, weights: Sequence[np.ndarray | float] = PLAIN
) -> np.ndarray:
    """float64 (N,), 0 for equal images: of uint8 images (N, H, W, C) pair by pair.

    In EfficientNet-Lite0 unless `maps_of` makes the maps; `weights` are those of each map's channels.
    """
    maps_of = maps_of or network(one.shape[1:])
    found = []
    for start in range(0, len(one), AT_ONCE):
        sides = [maps_of(np.asarray(each[start : start + AT_ONCE])) for each in (one, other)]
        found.append(sum(map_distances(*three) for three in zip(*sides, weights, strict=True)))
    return np.concatenate(found)


def map_distances(one: np.ndarray, other: np.ndarray, weights: np.ndarray | float = 1.0) -> np.ndarray:
    """The mean squared distance of unit vectors, (N,), of maps (N, h, w, C), whose channels are weighted."""
    unit_vectors = [each / (np.linalg.norm(each, axis=-1, keepdims=True) + TINY) for each in (one, other)]
    return np.asarray((weights * np.square(unit_vectors[0] - unit_vectors[1])).sum(axis=-1).mean(axis=(1, 2)))


def network(shape: tuple[int, ...]) -> Maps:
    """From uint8 images of a shape to the maps."""
    import keras

    from zoo.feature_networks import efficientnet_lite0

    model = efficientnet_lite0(shape, size=None if min(shape[:2]) >= ALONE else ALONE)
    return maps_by(keras.Model(model.input, [model.output[name] for name in MAPS]))


def maps_by(model: "keras.Model") -> Maps:
    """By a model from images in [-1, 1] to several maps."""
    from keras import ops

    def maps(images: np.ndarray) -> list[np.ndarray]:
        answers = model(from_pixels(images.astype("float32")), training=False)
        return [ops.convert_to_numpy(each).astype("float64") for each in answers]

    return maps


def measure(compared: Compared) -> Sequence[Score]:
    """`perceptual_efficientnet-lite0`, whatever network the evaluation's other scores are measured in."""
    from zoo.feature_networks.efficientnet import NAME

    pairs = pairs_of(compared)
    return [mean_score(f"perceptual_{NAME}", distances(pairs.made, pairs.targets), "lower")]


@hookimpl
def metric() -> Metric:
    """The same for every evaluation."""
    from zoo.feature_networks.efficientnet import NAME, SHA256

    return Metric(
        needs=frozenset({"images", "pairs"}),
        smallest=SMALLEST,
        settings={"network": NAME, "sha256": SHA256, "maps": list(MAPS), "smallest": ALONE},
        measure=measure,
        in_features=False,
    )
