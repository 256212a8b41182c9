"""Convolutions of a PyTorch state dict as Keras layers, each with the batch normalization behind it folded in.

In inference a normalization is one factor and one summand for each channel, and so is part of the convolution.
"""

import keras
import numpy as np

from zoo.errors import ZooError
from zoo.feature_networks.torch_file import Weights
from zoo.hookspecs import Tensor

EPSILON = 1e-3  # of the normalizations of both networks
EXACT = "float32"  # whatever precision a run trains in


def of(weights: Weights, name: str) -> np.ndarray:
    """The tensor of that name, float64; raises ZooError where there is none."""
    if name not in weights:
        raise ZooError(f"The weights lack '{name}': they are those of another network. Expected what was published.")
    return weights[name].astype("float64")


def folded(weights: Weights, convolution: str, normalization: str) -> tuple[np.ndarray, np.ndarray]:
    """Kernel (output channels, input channels, height, width) and bias that also do what the normalization does."""
    factor = of(weights, f"{normalization}.weight")
    factor = factor / np.sqrt(of(weights, f"{normalization}.running_var") + EPSILON)
    bias = of(weights, f"{normalization}.bias") - of(weights, f"{normalization}.running_mean") * factor
    return of(weights, f"{convolution}.weight") * factor[:, None, None, None], bias


def convolved(inputs: Tensor, parts: tuple[np.ndarray, np.ndarray], strides: int, padding: str, name: str) -> Tensor:
    """What a convolution with kernel and bias makes of (B, H, W, C); a kernel of one input channel is depthwise."""
    kernel, bias = parts
    options = {
        "kernel_size": kernel.shape[2:],
        "strides": strides,
        "padding": padding,
        "name": name.replace(".", "_"),
        "dtype": EXACT,
    }
    if kernel.shape[1] == 1 < inputs.shape[-1]:
        layer = keras.layers.DepthwiseConv2D(depthwise_initializer="zeros", **options)
        arranged = kernel.transpose(2, 3, 0, 1)
    else:
        layer = keras.layers.Conv2D(len(kernel), kernel_initializer="zeros", **options)
        arranged = kernel.transpose(2, 3, 1, 0)
    outputs = layer(inputs)
    layer.set_weights([arranged, bias])
    return outputs


def dense(inputs: Tensor, kernel: np.ndarray, bias: np.ndarray | None, name: str) -> Tensor:
    """What a matrix (outputs, inputs) makes of (B, inputs), with a bias or without."""
    layer = keras.layers.Dense(
        len(kernel), use_bias=bias is not None, kernel_initializer="zeros", name=name, dtype=EXACT
    )
    outputs = layer(inputs)
    layer.set_weights([kernel.T] if bias is None else [kernel.T, bias])
    return outputs
