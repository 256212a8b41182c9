"""What extractors share that are a Keras model: from uint8 images to its features, in one compiled function."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import keras
import numpy as np
from keras import ops

from zoo import backend
from zoo.errors import ZooError
from zoo.evaluation.extractors.contract import Features
from zoo.evaluation.extractors.resizing import WHITE, resized
from zoo.hookspecs import Tensor

CHANNELS = (1, 3, 4)  # gray, RGB, RGB with opacity


@dataclass(frozen=True)
class Preparation:
    """How images reach a network: a way of resizing (of `resizing.KINDS`), and (x - shift) / scale."""

    kind: str
    described: str
    size: int  # pixels
    shift: float
    scale: float

    def __str__(self) -> str:
        """The line that a protocol holds."""
        return (
            f"{self.kind}: {self.described} to {self.size} px, (x - {self.shift:g}) / {self.scale:g}, "
            "gray repeated to RGB, opacity over white"
        )

    def prepared(self, images: Tensor) -> Tensor:
        """uint8 images (B, H, W, C) as the network takes them, (B, size, size, 3); to be traced."""
        colours = over_white(ops.cast(images, "float32"))
        inputs = (resized(colours, self.kind, self.size) - self.shift) / self.scale
        # after the resize, which is then done once
        return ops.repeat(inputs, 3, axis=-1) if inputs.shape[-1] == 1 else inputs


def over_white(images: Tensor) -> Tensor:
    """Images (B, H, W, C) in [0, 255] without their opacity: as they look before a white wall."""
    if images.shape[-1] != 4:
        return images
    opacity = images[..., 3:] / WHITE
    return images[..., :3] * opacity + WHITE * (1 - opacity)


@dataclass
class Network:
    """An extractor by a model from images (B, size, size, 3) to [features (B, F), logits (B, K)]."""

    name: str
    sha256: str
    model: keras.Model
    preparing: Preparation
    batch_size: int
    preparation: str = field(init=False)

    def __post_init__(self) -> None:
        self.preparation = str(self.preparing)

    @cached_property
    def extract(self) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
        """From uint8 images to features and logits, compiled; traced once for each shape."""

        def traced(images: Tensor) -> tuple[Tensor, Tensor]:
            features, logits = self.model(self.preparing.prepared(images), training=False)
            return features, logits

        return backend.engine().compiled_here(traced, self.model.variables)

    def features(self, images: np.ndarray) -> Features:
        """Features of uint8 images (N, H, W, C), C 1, 3 or 4; raises ZooError for others, and where they are NaN."""
        self.check(images)
        features, logits = zip(
            *(self.batch(images[at : at + self.batch_size]) for at in range(0, len(images), self.batch_size)),
            strict=True,
        )
        made = Features(np.concatenate(features), np.concatenate(logits))
        if not np.isfinite(made.features).all():
            raise ZooError(f"'{self.name}' gave features that are not finite: its weights can't be the published ones.")
        return made

    def batch(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of up to `batch_size` images; fewer are filled up, because another number would be another compilation."""
        count = len(images)
        whole = np.zeros((self.batch_size, *images.shape[1:]), "uint8")
        whole[:count] = images
        features, logits = (ops.convert_to_numpy(each)[:count] for each in self.extract(ops.convert_to_tensor(whole)))
        return features, logits

    def check(self, images: np.ndarray) -> None:
        """Raises ZooError for what is no batch of images."""
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in CHANNELS or not images.size:
            raise ZooError(
                f"'{self.name}' can't measure an array {tuple(images.shape)} of {images.dtype}. Expected uint8 images "
                "(N, H, W, C) with 1, 3 or 4 channels, at least one."
            )
