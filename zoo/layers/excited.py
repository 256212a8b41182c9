"""FastGAN's generator, which Projected GAN shares: light blocks, small maps that weigh the channels of large ones."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from zoo.layers.exact import Tensor
from zoo.layers.modulation import NoiseInjection
from zoo.layers.normalization import BatchNormalization
from zoo.layers.spectral import SpectralNormalization

MULTIPLES = (16, 8, 4, 2, 2, 1, 1 / 2, 1 / 4, 1 / 8)  # of the width, at 4, 8, ... 1024 pixels
FARTHEST = 4  # doublings between the map that excites and the one that is excited


def excited_map(
    latents: Tensor, smallest: tuple[int, int, int], width: int, has_noise: Callable[[int], bool]
) -> Tensor:
    """A map (B, H, W, F) of symbolic latents (B, Z); Liu et al. 2021 (https://arxiv.org/abs/2101.04775), section 3.1.

    `smallest` is the height and width of the first map, and how often it doubles; `has_noise` says of each doubling,
    from 0 on, whether it has two convolutions with noise. A map excites that with 4 doublings more, or the last one
    where there are fewer: below 128 pixels the first map alone, which the authors do not say.
    """
    height, breadth, doublings = smallest
    x: Any = keras.layers.Reshape((1, 1, latents.shape[-1]))(latents)
    first = keras.layers.Conv2DTranspose(2 * wide(0, width), (height, breadth), use_bias=False, **weights())
    maps = [gated(BatchNormalization()(SpectralNormalization(first)(x)))]
    jump = min(FARTHEST, doublings)
    for level in range(1, doublings + 1):
        filters, noisy = wide(level, width), has_noise(level - 1)
        x = gated_convolution(keras.layers.UpSampling2D()(maps[-1]), filters, noisy)
        x = gated_convolution(x, filters, noisy) if noisy else x
        maps.append(excited(x, maps[level - jump], (height, breadth)) if level >= jump else x)
    return maps[-1]


def excited(large: Tensor, small: Tensor, smallest: tuple[int, int]) -> Tensor:
    """The large map, each channel weighed by a number in (0, 1) that comes of the small one (equation 2)."""
    factor = small.shape[1] // smallest[0]
    x = keras.layers.AveragePooling2D(factor)(small) if factor > 1 else small
    filters = large.shape[-1]
    x = SpectralNormalization(keras.layers.Conv2D(filters, smallest, use_bias=False, **weights()))(x)
    x = keras.layers.Activation("silu")(x)
    x = SpectralNormalization(keras.layers.Conv2D(filters, 1, use_bias=False, **weights()))(x)
    return keras.layers.Multiply()([large, keras.layers.Activation("sigmoid")(x)])


def gated_convolution(x: Tensor, filters: int, noisy: bool) -> Tensor:
    """3 x 3, noise where it is wanted, BatchNorm, gated linear units."""
    convolution = keras.layers.Conv2D(2 * filters, 3, padding="same", use_bias=False, **weights())
    x = SpectralNormalization(convolution)(x)
    return gated(BatchNormalization()(NoiseInjection()(x) if noisy else x))


def gated(x: Tensor) -> Tensor:
    """Half of the channels, weighed by the other half."""
    # Keras' own glu says that its outputs have as many channels as its inputs
    kept, weighing = ops.split(x, 2, axis=-1)
    return keras.layers.Multiply()([kept, keras.layers.Activation("sigmoid")(weighing)])


def wide(level: int, width: int) -> int:
    """Channels of the map after so many doublings."""
    return max(1, int(width * MULTIPLES[level]))


def weights() -> dict[str, Any]:
    """What all convolutions share: N(0, .02), one instance a layer."""
    return {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}
