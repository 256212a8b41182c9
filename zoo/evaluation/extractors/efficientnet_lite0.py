"""EfficientNet-Lite0 on ImageNet (Tan and Le 2019), https://arxiv.org/abs/1905.11946: weights that come with the zoo.

Distances in its features are no FID and compare with their like alone.
"""

from pathlib import Path

import keras

from zoo import backend
from zoo.base.progress import Progress
from zoo.errors import unknown
from zoo.evaluation.extractors.contract import Extractor
from zoo.evaluation.extractors.network import Network, Preparation
from zoo.feature_networks.efficientnet import NAME, SCALE, SHA256, SHIFT, answers, verified_weights
from zoo.feature_networks.folding import EXACT
from zoo.hookspecs import hookimpl

SIZE = 224  # pixels
BATCHES = {"cpu": 16, "gpu": 256}  # images at once: more are slower on a CPU, whose caches they leave
PREPARATION = Preparation("clean", "antialiased bicubic on floats", SIZE, SHIFT, SCALE)


@hookimpl
def extractor(preparation: str | None, weights: Path | None, progress: Progress) -> Extractor:
    """EfficientNet-Lite0 with its only preparation, "clean"; `weights` is a copy of its file."""
    if preparation not in (None, PREPARATION.kind):
        raise unknown(f"preparation of {NAME}", preparation, [PREPARATION.kind])
    inputs = keras.Input((SIZE, SIZE, 3), dtype=EXACT)
    found = answers(inputs, verified_weights(weights))
    model = keras.Model(inputs, [found["features"], found["logits"]], name=NAME)
    return Network(NAME, SHA256, model, PREPARATION, BATCHES[backend.engine().kind])
