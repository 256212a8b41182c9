"""EfficientNet-Lite0 on ImageNet (Tan and Le 2019), https://arxiv.org/abs/1905.11946: weights that come with the zoo.

The Lite family (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite) has ReLU6 for swish
and no squeeze-and-excitation.
"""

from pathlib import Path

import keras

from zoo.base.weights import verify
from zoo.errors import ZooError
from zoo.feature_networks.folding import EXACT, convolved, dense, folded, of
from zoo.feature_networks.torch_file import Weights, read_tensors
from zoo.hookspecs import Tensor

NAME = "efficientnet-lite0"
SHIFT, SCALE = 127, 128  # of pixel values in [0, 255]
SMALLEST = 32  # pixels: the whole network halves five times
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
FILE = Path(__file__).parent / "weights" / "efficientnet-lite0-57934424.pth"
BLOCKS = 16
HALVING = (1, 3, 5, 11)  # the blocks with a stride of 2
MAPS = {2: "stride_4", 4: "stride_8", 10: "stride_16", 15: "stride_32"}  # by the block that ends in it


def efficientnet_lite0(sample_shape: tuple[int, ...], size: int | None = None) -> keras.Model:
    """EfficientNet-Lite0 from samples to what a perceptual loss or a projected discriminator reads.

    Args:
        sample_shape: (H, W, C) of images in [-1, 1], C 1 (repeated) or 3.
        size: pixels to which images are resized before, bilinearly; None takes them as they are. The network was
            trained on 224.

    Returns:
        A frozen model from (B, H, W, C) to a dict: maps `stride_4` (B, H/4, W/4, 24), `stride_8` (40 channels),
        `stride_16` (112) and `stride_32` (320), sizes rounded up, the four that Projected GANs (Sauer et al. 2021,
        https://arxiv.org/abs/2111.01007) take of it; `features` (B, 1280), their mean over positions; `logits`
        (B, 1000). It is differentiable by its images, and computes in float32 in any precision. What of it nothing
        reads is not computed: build `keras.Model(model.input, model.output["stride_8"])`.

    Raises ZooError where the weights are damaged, and for samples that are no such images.
    """
    if len(sample_shape) != 3 or sample_shape[-1] not in (1, 3):
        raise ZooError(f"{NAME} sees images (H, W, C) with 1 or 3 channels; samples are {tuple(sample_shape)}.")
    if min(size or sample_shape[0], size or sample_shape[1]) < SMALLEST:
        raise ZooError(
            f"{NAME} sees images of at least {SMALLEST} pixels; samples are {tuple(sample_shape)}. Let it resize them, "
            "as in efficientnet_lite0(sample_shape, size=224)."
        )
    samples = outputs = keras.Input(sample_shape, dtype=EXACT)
    if size:
        outputs = keras.layers.Resizing(size, size, dtype=EXACT)(outputs)
    if sample_shape[-1] == 1:
        outputs = keras.layers.Concatenate(dtype=EXACT)([outputs] * 3)
    pixels = keras.layers.Rescaling(127.5 / SCALE, (127.5 - SHIFT) / SCALE, dtype=EXACT)(outputs)
    model = keras.Model(samples, answers(pixels, verified_weights()), name=NAME)
    model.trainable = False
    return model


def verified_weights(file: Path | None = None) -> Weights:
    """The embedded weights, or those in a copy of their file; raises ZooError for other bytes."""
    verify(file or FILE, SHA256)
    return read_tensors(file or FILE)


def answers(pixels: Tensor, weights: Weights) -> dict[str, Tensor]:
    """Maps, features and logits of prepared images (B, H, W, 3).

    Strided convolutions are padded as TensorFlow's "same" (more below and on the right), as they were trained.
    """
    found = {}
    outputs = clipped(convolution(pixels, weights, "_conv_stem", "_bn0", 2))
    for index in range(BLOCKS):
        outputs = block(outputs, weights, f"_blocks.{index}.", 2 if index in HALVING else 1)
        if index in MAPS:
            found[MAPS[index]] = outputs
    outputs = clipped(convolution(outputs, weights, "_conv_head", "_bn1"))
    found["features"] = keras.layers.GlobalAveragePooling2D(dtype=EXACT)(outputs)
    found["logits"] = dense(found["features"], of(weights, "_fc.weight"), of(weights, "_fc.bias"), "logits")
    return found


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
