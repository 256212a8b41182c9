"""Images at another size by a low-pass filter."""

from collections.abc import Sequence
from typing import Any, get_args

import keras
import numpy as np

from zoo.errors import ZooError, unknown
from zoo.layers.exact import PACKAGE, Shape, Tensor, image_shape
from zoo.layers.filters import TAPS, Border, check_taps, filter_matrix, filtered


class Filtered(keras.layers.Layer):
    """What the resampling layers share: a filter, a factor, and what lies beyond an image's border.

    `border` is "zero" (StyleGAN2, R3GAN: a constant image darkens at its border), or "edge" or "reflect" (CUT: it does
    not).
    """

    def __init__(self, taps: Sequence[float] = TAPS, factor: int = 2, border: Border = "zero", **settings: Any) -> None:
        super().__init__(**settings)
        if border not in get_args(Border):
            raise unknown("border", border, get_args(Border))
        check_taps(taps, factor)
        self.taps = tuple(taps)
        self.factor = factor
        self.border: Border = border

    def build(self, input_shape: Shape) -> None:
        """Refuse what has no size to change."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Filter rows and columns."""
        return filtered(inputs, self.matrix)

    def matrix(self, size: int) -> np.ndarray:
        """What the layer does along an axis of that size."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(B, H', W', C)."""
        height, width, channels = image_shape(self, input_shape)
        return (input_shape[0], len(self.matrix(height)), len(self.matrix(width)), channels)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "taps": self.taps, "factor": self.factor, "border": self.border}


@keras.saving.register_keras_serializable(package=PACKAGE)
class Upsample(Filtered):
    """Images (B, H, W, C) at `factor` times their size: zeros between the pixels, then the filter times factor^2.

    Taps (1, 1) repeat pixels, (1, 3, 3, 1) interpolate between them. Karras et al. 2018
    (https://arxiv.org/abs/1812.04948), appendix C. R3GAN's [1, 2, 1] is (1, 3, 3, 1) here: its code convolves the
    filter that it names with the two pixels of the step (https://arxiv.org/abs/2501.05441).
    """

    def matrix(self, size: int) -> np.ndarray:
        """(factor H, H)."""
        before, after = (len(self.taps) + self.factor - 1) // 2, (len(self.taps) - self.factor) // 2
        return self.factor * filter_matrix(size, self.taps, (before, after), up=self.factor, border=self.border)


@keras.saving.register_keras_serializable(package=PACKAGE)
class Downsample(Filtered):
    """Images (B, H, W, C) at 1/factor of their size, rounded down: the filter, then every factor-th pixel.

    Taps (1, 1) average neighbours, (1, 2, 1) or (1, 3, 3, 1) keep less of what would alias: Zhang 2019
    (https://arxiv.org/abs/1904.11486), section 3.2; as in CUT with (1, 2, 1) and `border="reflect"`, in StyleGAN2 and
    R3GAN with (1, 3, 3, 1).
    """

    def matrix(self, size: int) -> np.ndarray:
        """(H // factor, H)."""
        if size < self.factor:
            raise ZooError(f"Downsample can't take 1 of {self.factor} pixels from an image of {size}: leave it out.")
        before, after = (len(self.taps) - self.factor + 1) // 2, (len(self.taps) - self.factor) // 2
        return filter_matrix(size, self.taps, (before, after), down=self.factor, border=self.border)


@keras.saving.register_keras_serializable(package=PACKAGE)
class AlignedUpsample(keras.layers.Layer):
    """Images (B, H, W, C) at twice their size, bilinear, the corner pixels where they were (PyTorch's align_corners).

    Output i of 2 H is the input at i (H - 1) / (2 H - 1). Sauer et al. 2021 (https://arxiv.org/abs/2111.01007), in
    their code's random projections.
    """

    def build(self, input_shape: Shape) -> None:
        """Refuse what has no size to change."""
        image_shape(self, input_shape)
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Interpolate rows and columns."""
        return filtered(inputs, self.matrix)

    def matrix(self, size: int) -> np.ndarray:
        """(2 H, H)."""
        places = np.arange(2 * size) * (size - 1) / (2 * size - 1)
        return np.maximum(1 - np.abs(places[:, None] - np.arange(size)), 0)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(B, 2 H, 2 W, C)."""
        height, width, channels = image_shape(self, input_shape)
        return (input_shape[0], 2 * height, 2 * width, channels)
