"""LPIPS, the learned perceptual image patch similarity, version 0.1 (Zhang et al. 2018)

https://arxiv.org/abs/1801.03924: the convolutions of AlexNet or VGG16, trained on ImageNet (torchvision's files), and
for each of five maps a weight a channel, learned of what people find alike, from the authors' repository
(https://github.com/richzhang/PerceptualSimilarity, BSD-2).
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.base.weights import Published
from zoo.errors import ZooError
from zoo.feature_networks.folding import EXACT, convolved, of
from zoo.feature_networks.torch_file import Weights

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of red, green and blue in [-1, 1]
LINEAR = "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/"
TORCHVISION = "https://download.pytorch.org/models/"
OTHERWISE = "Or measure with weights that are installed: --metrics perceptual."


@dataclass(frozen=True)
class Backbone:
    """Convolutions by their numbers in torchvision's `features`, in stages that each end in a map."""

    stages: tuple[tuple[int, ...], ...]
    pooled: tuple[bool, ...]  # whether the maximum of windows is taken before a stage, with a stride of 2
    window: int  # pixels
    first: tuple[int, int]  # stride and padding of the first convolution; the others have 1, and keep the size
    convolutions: Published
    linear: Published  # lin0.model.1.weight (1, C, 1, 1) ...


BACKBONES = {
    "alex": Backbone(
        stages=((0,), (3,), (6,), (8,), (10,)),
        pooled=(False, True, True, False, False),
        window=3,
        first=(4, 2),
        convolutions=Published(
            size=244_408_911,
            sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
            addresses=(f"{TORCHVISION}alexnet-owt-7be5be79.pth",),
            otherwise=OTHERWISE,
        ),
        linear=Published(
            size=6_009,
            sha256="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
            addresses=(f"{LINEAR}alex.pth",),
            otherwise=OTHERWISE,
        ),
    ),
    "vgg": Backbone(
        stages=((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28)),
        pooled=(False, True, True, True, True),
        window=2,
        first=(1, 1),
        convolutions=Published(
            size=553_433_881,
            sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            addresses=(f"{TORCHVISION}vgg16-397923af.pth",),
            otherwise=OTHERWISE,
        ),
        linear=Published(
            size=7_289,
            sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
            addresses=(f"{LINEAR}vgg.pth",),
            otherwise=OTHERWISE,
        ),
    ),
}


def maps(backbone: Backbone, weights: Weights, shape: tuple[int, ...], size: int | None) -> keras.Model:
    """The model from images (B, H, W, C) in [-1, 1] to its five maps, widths as the weights have them.

    `size` is the side to which images are resized before, bilinearly; None takes them as they are. C is 1 (repeated),
    or 3 and more, of which the first three are seen.
    """
    images = keras.Input(shape, dtype=EXACT)
    outputs: Any = images[..., :3] if shape[-1] >= 3 else keras.layers.Concatenate(dtype=EXACT)([images[..., :1]] * 3)
    if size:
        outputs = keras.layers.Resizing(size, size, dtype=EXACT)(outputs)
    outputs = (outputs - ops.convert_to_tensor(SHIFT, EXACT)) / ops.convert_to_tensor(SCALE, EXACT)
    found = []
    for stage, pooled in zip(backbone.stages, backbone.pooled, strict=True):
        if pooled:
            outputs = keras.layers.MaxPooling2D(backbone.window, 2, dtype=EXACT)(outputs)
        for number in stage:
            name = f"features.{number}"
            kernel, bias = of(weights, f"{name}.weight"), of(weights, f"{name}.bias")
            stride, padding = (1, kernel.shape[-1] // 2) if number else backbone.first
            outputs = keras.layers.ZeroPadding2D(padding, dtype=EXACT)(outputs)
            outputs = convolved(outputs, (kernel, bias), stride, "valid", name)
            outputs = keras.layers.Activation("relu", dtype=EXACT)(outputs)
        found.append(outputs)
    return keras.Model(images, found)


def channel_weights(backbone: Backbone, weights: Weights) -> list[np.ndarray]:
    """Of each map the weights of its channels, float64 (C,); raises ZooError where they are none."""
    found = [of(weights, f"lin{level}.model.1.weight") for level in range(len(backbone.stages))]
    for level, each in enumerate(found):
        if each.ndim != 4 or each.shape[:1] + each.shape[2:] != (1, 1, 1):
            raise ZooError(f"'lin{level}.model.1.weight' should be (1, C, 1, 1), not {each.shape}.")
    return [each.reshape(-1) for each in found]
