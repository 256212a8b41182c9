"""A small classifier of MNIST's digits, for images of one digit and for Stacked MNIST, whose modes it counts.

`benchmarks/evaluation/digits.py` trained it; digits.json beside its weights says how well it reads the test digits.
Stacked digits are read channel by channel, as Metz et al. 2017 did (https://arxiv.org/abs/1611.02163, section 3.3.1).
"""

import zlib
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np
from keras import layers, ops

from zoo.errors import ZooError, unknown
from zoo.evaluation.extractors.contract import Extractor, Features
from zoo.evaluation.extractors.network import Network, Preparation
from zoo.feature_networks.folding import EXACT
from zoo.feature_networks.torch_file import Weights
from zoo.hookspecs import Tensor, hookimpl

NAME = "digits"
ARCHITECTURE = 1  # raised whenever `network` changes what the same weights give
WEIGHTS = Path(__file__).with_name("digits.npz")
SIDE = 28  # pixels
BATCH = 256  # images at once
DIGITS = 10
PLACES = {1: (1,), 3: (100, 10, 1)}  # channels, and what a digit in each counts: modes are 100 a + 10 b + c
# Channels, padding, and whether the map is halved; the kernels are 3 x 3.
CONVOLUTIONS = ((16, "same", True), (32, "same", True), (48, "valid", False), (96, "valid", False))
REMEDY = (
    "Leave the file out to take the weights that are installed, or train some: python -m benchmarks.evaluation.digits."
)


@dataclass(frozen=True)
class AsStored(Preparation):
    """No resize: digits come in the size that the network reads."""

    def __str__(self) -> str:
        """The line that a protocol holds."""
        return f"{self.kind}: {self.described}, {self.size} px, (x - {self.shift:g}) / {self.scale:g}"

    def prepared(self, images: Tensor) -> Tensor:
        """uint8 images (B, 28, 28, 1) in [-1, 1]; to be traced."""
        return (ops.cast(images, "float32") - self.shift) / self.scale


PREPARATION = AsStored("none", "each channel by itself", SIDE, 127.5, 127.5)


@hookimpl
def extractor(preparation: str | None, weights: Path | None) -> Extractor:
    """With the weights that are installed, or those of a file that `benchmarks/evaluation/digits.py` wrote.

    Raises ZooError for a preparation other than "none": digits are not resized.
    """
    if preparation not in (None, PREPARATION.kind):
        raise unknown(f"preparation of {NAME}", preparation, [PREPARATION.kind])
    return opened(weights or WEIGHTS)


class DigitNetwork(Network):
    """Reads each channel as a digit; features of a stack are its channels' one after the other, without logits."""

    def features(self, images: np.ndarray) -> Features:
        """Of uint8 images (N, 28, 28, C), C 1 or 3; the mode is the digit, or 100 a + 10 b + c of the channels a, b, c.

        Raises ZooError for any other shape or type.
        """
        self.check(images)
        count, channels = len(images), images.shape[-1]
        singles = np.moveaxis(images, -1, 1).reshape(count * channels, SIDE, SIDE, 1)
        read = super().features(singles)
        digits = np.argmax(read.logits, axis=1).reshape(count, channels)  # type: ignore[arg-type]  # a Network has them
        return Features(
            features=read.features.reshape(count, -1),
            logits=read.logits if channels == 1 else None,
            modes=digits @ np.array(PLACES[channels]),
        )

    def check(self, images: np.ndarray) -> None:
        """Raises ZooError for what are no images of a digit, or of three."""
        fits = images.ndim == 4 and images.shape[1:3] == (SIDE, SIDE) and images.shape[3] in PLACES
        if not fits or images.dtype != np.uint8 or not len(images):
            raise ZooError(
                f"'{self.name}' can't measure an array {tuple(images.shape)} of {images.dtype}. Expected uint8 images "
                f"(N, {SIDE}, {SIDE}, 1) of a digit, or (N, {SIDE}, {SIDE}, 3) of one in each channel, at least one."
            )


def opened(path: Path) -> DigitNetwork:
    """The network with the weights of a file; raises ZooError where it holds none of this network."""
    weights, checksum = read_weights(path)
    model = network()
    restore(model, weights, path)
    return DigitNetwork(NAME, checksum, model, PREPARATION, BATCH)


def network() -> keras.Model:
    """The untrained classifier, from images (B, 28, 28, 1) in [-1, 1] to [features (B, 96), logits (B, 10)]."""
    images = layers.Input((SIDE, SIDE, 1), dtype=EXACT)
    maps = images
    for number, (channels, padding, halved) in enumerate(CONVOLUTIONS, start=1):
        name = f"convolution_{number}"
        maps = layers.Conv2D(channels, 3, padding=padding, use_bias=False, dtype=EXACT, name=name)(maps)
        maps = layers.BatchNormalization(dtype=EXACT, name=f"normalization_{number}")(maps)
        maps = layers.ReLU(dtype=EXACT)(maps)
        maps = layers.MaxPooling2D(dtype=EXACT)(maps) if halved else maps
    features = layers.GlobalAveragePooling2D(dtype=EXACT)(maps)
    return keras.Model(images, [features, layers.Dense(DIGITS, dtype=EXACT, name="logits")(features)], name=NAME)


def named_variables(model: keras.Model) -> dict[str, keras.Variable]:
    """The variables by `layer/variable`, names that don't depend on what else the process has built."""
    return {f"{layer.name}/{variable.name}": variable for layer in model.layers for variable in layer.variables}


def restore(model: keras.Model, weights: Weights, path: Path) -> None:
    """Sets the variables; raises ZooError where the names or shapes are others."""
    variables = named_variables(model)
    expected = {name: tuple(variable.shape) for name, variable in variables.items()}
    if expected != {name: array.shape for name, array in weights.items()}:
        raise ZooError(
            f"{path} holds the weights of another network than the extractor 'digits' (architecture {ARCHITECTURE}). "
            + REMEDY
        )
    for name, variable in variables.items():
        variable.assign(weights[name].astype("float32"))


def read_weights(path: Path) -> tuple[Weights, str]:
    """The arrays of an npz file by name, and the file's sha256; raises ZooError where it is none."""
    try:
        content = path.read_bytes()
        with np.load(BytesIO(content)) as archive:
            return dict(archive), sha256(content).hexdigest()
    except (OSError, EOFError, ValueError, TypeError, RuntimeError, BadZipFile, zlib.error) as error:
        raise ZooError(f"{path} can't be read as weights of the extractor 'digits' ({error}). {REMEDY}") from error
