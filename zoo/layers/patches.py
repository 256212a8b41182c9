"""The critic of patches that image-to-image translation shares."""

from collections.abc import Mapping
from typing import Any

import keras

from zoo.layers.exact import Tensor
from zoo.layers.spectral import at_ends, normalized
from zoo.recipe import Normalization

KERNEL = 4  # pixels
SLOPE = 0.2  # of the leaky ReLU
WIDEST = 8  # times the width
DEEPEST = 3  # strided layers
DEVIATION = 0.02  # of the first weights


def patch_critic(
    images: Tensor,
    width: int,
    strided: int = 0,
    kind: Normalization = "instance",
    settings: Mapping[str, Any] | None = None,
) -> tuple[Tensor, Tensor]:
    """PatchGAN (Isola et al. 2016, https://arxiv.org/abs/1611.07004, appendix 6.1.2): logits of overlapping patches.

    Args:
        images: symbolic, (B, H, W, C).
        width: channels of the first layer; each further one has twice as many, up to 8 times the first's.
        strided: layers with a stride of 2; a logit sees 16, 34 or 70 pixels with 1, 2 or 3. 0 takes 3 from 128 pixels
            on, 2 from 64 on, 1 below, as at 28.
        kind: of the normalization behind all layers but the first and the last; a spectral one is on these too.
        settings: of the normalization.

    Returns:
        Features (B, h, w, F), whose layer is called so, and logits (B, h, w, 1).
    """
    strided = strided or min(DEEPEST, max(1, min(images.shape[1:3]).bit_length() - 5))
    x = images
    for level in range(strided + 1):
        kept = kind if level else at_ends(kind)
        layer = convolution(width * min(2**level, WIDEST), 2 if level < strided else 1, kept)
        given = {} if kept in ("none", "spectral") else dict(settings or {})
        x = normalized(layer, kept, **given)(keras.layers.ZeroPadding2D()(x))
        x = keras.layers.LeakyReLU(SLOPE, name="features" if level == strided else None)(x)
    return x, normalized(convolution(1, 1, "none"), at_ends(kind))(keras.layers.ZeroPadding2D()(x))


def convolution(filters: int, strides: int, kind: Normalization) -> keras.layers.Conv2D:
    """Without padding, and with a bias only where no normalization behind it takes it out again."""
    first = keras.initializers.RandomNormal(stddev=DEVIATION)
    use_bias = kind not in ("batch", "instance")
    return keras.layers.Conv2D(filters, KERNEL, strides=strides, use_bias=use_bias, kernel_initializer=first)
