"""What the hook `extractor` returns: a network that turns images into features, which scores are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Features:
    """What a network says of N images."""

    features: np.ndarray  # float32 (N, F)
    logits: np.ndarray | None = None  # float32 (N, K), whose softmax the Inception Score reads
    modes: np.ndarray | None = None  # int64 (N,), for a classifier of modes


class Extractor(Protocol):
    """A network in whose features real and generated images are compared."""

    name: str  # behind the names of its scores: `fd_quarters`
    sha256: str
    """The checksum of the weights: scores compare with those of the same weights alone."""
    preparation: str
    """How images reach the network: resize, normalization, gray to RGB. Part of the protocol, in one line."""
    batch_size: int
    """How many images at once are fastest."""

    def features(self, images: np.ndarray) -> Features:
        """Features of uint8 images (N, H, W, C), C 1, 3 or 4; raises ZooError for what it can't take."""
