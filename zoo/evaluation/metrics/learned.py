"""What both LPIPS have in common; see zoo/feature_networks/lpips.py"""

from collections.abc import Sequence

import numpy as np

from zoo import backend
from zoo.base.progress import Progress, Silent
from zoo.base.weights import verified_file
from zoo.evaluation.metrics.contract import Compared, Metric, Score
from zoo.evaluation.metrics.paired import mean_score, pairs_of
from zoo.evaluation.metrics.perceptual import SMALLEST, Maps, distances, maps_by

ALONE = 64  # pixels, as the authors advise: smaller images are enlarged to that, bilinearly


def metric_of(name: str) -> Metric:
    """LPIPS in `alex` or `vgg`, measured where it is named; its files are fetched before anything is."""
    from zoo.feature_networks.lpips import BACKBONES

    files = {"convolutions": BACKBONES[name].convolutions, "linear": BACKBONES[name].linear}

    def prepare(progress: Progress) -> None:
        for file in files.values():
            verified_file(file, None, progress)

    return Metric(
        needs=frozenset({"images", "pairs"}),
        smallest=SMALLEST,
        settings={"version": "0.1", "network": name, "smallest": ALONE}
        | {f"{kind}_sha256": file.sha256 for kind, file in files.items()},
        measure=lambda compared: measure(name, compared),
        in_features=False,
        default=False,  # its files are large
        prepare=prepare,
    )


@backend.fixed()
def measure(name: str, compared: Compared) -> Sequence[Score]:
    """`lpips_alex` or `lpips_vgg`, the mean over pairs."""
    pairs = pairs_of(compared)
    maps_of, weights = network(name, pairs.made.shape[1:], compared.progress)
    return [mean_score(f"lpips_{name}", distances(pairs.made, pairs.targets, maps_of, weights), "lower")]


def network(name: str, shape: tuple[int, ...], progress: Progress | None = None) -> tuple[Maps, list[np.ndarray]]:
    """From uint8 images of a shape to the maps, and the weights of each map's channels."""
    from zoo.feature_networks.lpips import BACKBONES, channel_weights, maps
    from zoo.feature_networks.torch_file import read_tensors

    backbone = BACKBONES[name]
    files = [verified_file(each, None, progress or Silent()) for each in (backbone.convolutions, backbone.linear)]
    convolutions, linear = map(read_tensors, files)
    model = maps(backbone, convolutions, shape, None if min(shape[:2]) >= ALONE else ALONE)

    return maps_by(model), channel_weights(backbone, linear)
