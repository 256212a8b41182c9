"""Writes what EfficientNet-Lite0 says of the tests' images in a PyTorch of our own, layer by layer as it was trained.

    PYTHONPATH=tests/evaluation python tests/evaluation/golden/make_efficientnet.py WEIGHTS.pth

The committed numbers were made with torch 2.14.1 and Pillow 13.0.0.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from inception_weights import random_images
from PIL import Image

HERE = Path(__file__).parent
SIZE = 224
STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))  # how many blocks, and the stride of the first


class Network:
    """The published weights and what they do."""

    def __init__(self, weights: dict[str, torch.Tensor]) -> None:
        self.weights = weights

    def convolution(self, x: torch.Tensor, name: str, normalization: str, stride: int = 1) -> torch.Tensor:
        """TensorFlow's "same" padding, then the running moments."""
        kernel = self.weights[f"{name}.weight"]
        side = kernel.shape[-1]
        missing = max((-(-x.shape[-1] // stride) - 1) * stride + side - x.shape[-1], 0)
        before, after = missing // 2, missing - missing // 2
        x = F.conv2d(
            F.pad(x, (before, after, before, after)), kernel, stride=stride, groups=x.shape[1] // kernel.shape[1]
        )
        parts = (self.weights[f"{normalization}.{each}"] for each in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *parts, eps=1e-3)

    def block(self, x: torch.Tensor, name: str, stride: int) -> torch.Tensor:
        """Expanded, convolved, projected."""
        y = x
        if f"{name}._expand_conv.weight" in self.weights:
            y = F.relu6(self.convolution(y, f"{name}._expand_conv", f"{name}._bn0"))
        y = F.relu6(self.convolution(y, f"{name}._depthwise_conv", f"{name}._bn1", stride))
        y = self.convolution(y, f"{name}._project_conv", f"{name}._bn2")
        return x + y if x.shape == y.shape else y

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features and logits."""
        x = F.relu6(self.convolution(x, "_conv_stem", "_bn0", 2))
        strides = [stride if first == 0 else 1 for count, stride in STAGES for first in range(count)]
        for index, stride in enumerate(strides):
            x = self.block(x, f"_blocks.{index}", stride)
        features = F.relu6(self.convolution(x, "_conv_head", "_bn1")).mean((2, 3))
        return features, F.linear(features, self.weights["_fc.weight"], self.weights["_fc.bias"])


def prepared(image: np.ndarray) -> np.ndarray:
    """(3, 224, 224) of (H, W, C) by Pillow."""
    channels = [Image.fromarray(image[..., index % image.shape[-1]].astype("float32")) for index in range(3)]
    resized = [np.asarray(each.resize((SIZE, SIZE), Image.Resampling.BICUBIC)).clip(0, 255) for each in channels]
    return (np.stack(resized) - 127) / 128


def main() -> None:
    """Write efficientnet.npz."""
    network = Network(torch.load(sys.argv[1], weights_only=True))
    answers = {}
    for name, images in random_images().items():
        with torch.no_grad():
            features, logits = network(torch.from_numpy(np.stack([prepared(each) for each in images])))
        answers |= {f"{name}/features": features.numpy(), f"{name}/logits": logits.numpy()}
    np.savez_compressed(HERE / "efficientnet.npz", **answers)


if __name__ == "__main__":
    main()
