"""The 2015 Inception-v3 in which the FID is defined (Heusel et al. 2017), https://arxiv.org/abs/1706.08500

Its TensorFlow graph of 2015-12-05 was ported to PyTorch by pytorch-fid and torch-fidelity; these are the port's
weights. It is not the Inception-v3 of today's libraries: 1,008 classes, average pools that leave the padding out, and
a maximum pool in the last block.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import keras

from zoo import backend
from zoo.base.progress import Progress
from zoo.base.weights import INCEPTION, verified_file
from zoo.errors import unknown
from zoo.evaluation.extractors.contract import Extractor
from zoo.evaluation.extractors.network import Network, Preparation
from zoo.feature_networks.folding import EXACT, convolved, dense, folded, of
from zoo.feature_networks.torch_file import Weights, read_tensors
from zoo.hookspecs import Tensor, hookimpl

NAME = "inception"
SIZE = 299  # pixels
BATCHES = {"cpu": 16, "gpu": 128}  # images at once: more are no faster on a CPU, and need more memory
PREPARATIONS = {
    "tf1": Preparation("tf1", "TF1 bilinear", SIZE, 128, 128),
    "pytorch": Preparation("pytorch", "half-pixel bilinear without antialiasing", SIZE, 127.5, 127.5),
    "clean": Preparation("clean", "antialiased bicubic on floats", SIZE, 128, 128),
}
DEFAULT = "tf1"
Branch = Sequence[str]


@hookimpl
def extractor(preparation: str | None, weights: Path | None, progress: Progress) -> Extractor:
    """Inception with one of three preparations, each as its reference has it.

    "tf1" is the default, because the FID is defined by it: the graph itself resizes, with TensorFlow 1's bilinear, as
    TTUR, torch-fidelity and StudioGAN's "legacy" have it. "pytorch" is pytorch-fid's, "clean" is clean-fid's. Scores
    of different preparations differ and don't compare.
    """
    chosen = preparation or DEFAULT
    if chosen not in PREPARATIONS:
        raise unknown(f"preparation of {NAME}", chosen, PREPARATIONS)
    file = verified_file(INCEPTION, weights, progress)
    return Network(
        NAME, INCEPTION.sha256, built(read_tensors(file)), PREPARATIONS[chosen], BATCHES[backend.engine().kind]
    )


def built(weights: Weights) -> keras.Model:
    """The model from (B, 299, 299, 3) in [-1, 1] to [features (B, 2048), logits (B, 1008)].

    The logits lack the bias, as those of TTUR's successor torch-fidelity, of which it computes the Inception Score.
    """
    blocks = Blocks(weights)
    inputs = keras.Input((SIZE, SIZE, 3), dtype=EXACT)
    features = keras.layers.GlobalAveragePooling2D(dtype=EXACT)(blocks.applied(inputs))
    logits = dense(features, of(weights, "fc.weight"), None, "logits")
    return keras.Model(inputs, [features, logits], name=NAME)


class Blocks:
    """The network's blocks by the names of their weights, whose shapes say how wide they are."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    def applied(self, inputs: Tensor) -> Tensor:
        """(B, 8, 8, 2048) of images (B, 299, 299, 3)."""
        outputs = self.convolution(inputs, "Conv2d_1a_3x3", 2, "valid")
        outputs = self.convolution(outputs, "Conv2d_2a_3x3", 1, "valid")
        outputs = shrunk(self.convolution(outputs, "Conv2d_2b_3x3"))
        outputs = self.convolution(outputs, "Conv2d_3b_1x1")
        outputs = shrunk(self.convolution(outputs, "Conv2d_4a_3x3", 1, "valid"))
        for block in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
            outputs = self.wide(outputs, block)
        threes = [f"branch3x3dbl_{number}" for number in range(1, 4)]
        outputs = self.halved(outputs, "Mixed_6a", ["branch3x3"], threes)
        for block in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
            outputs = self.factorized(outputs, block)
        sevens = [f"branch7x7x3_{number}" for number in range(1, 5)]
        outputs = self.halved(outputs, "Mixed_7a", ["branch3x3_1", "branch3x3_2"], sevens)
        outputs = self.forked(outputs, "Mixed_7b", averaged)
        return self.forked(outputs, "Mixed_7c", strongest)

    def convolution(self, inputs: Tensor, name: str, strides: int = 1, padding: str = "same") -> Tensor:
        """Convolution, normalization and ReLU."""
        parts = folded(self.weights, f"{name}.conv", f"{name}.bn")
        outputs = convolved(inputs, parts, strides, padding, name)
        return keras.layers.Activation("relu", dtype=EXACT)(outputs)

    def chain(self, inputs: Tensor, block: str, branch: Branch) -> Tensor:
        """One convolution of a block after the other."""
        for name in branch:
            inputs = self.convolution(inputs, f"{block}.{name}")
        return inputs

    def wide(self, inputs: Tensor, block: str) -> Tensor:
        """Kernels of 1, 5, and twice 3 pixels beside an average pool, at 35 x 35."""
        chain = partial(self.chain, inputs, block)
        return joined(
            chain(["branch1x1"]),
            chain(["branch5x5_1", "branch5x5_2"]),
            chain(["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"]),
            self.chain(averaged(inputs), block, ["branch_pool"]),
        )

    def factorized(self, inputs: Tensor, block: str) -> Tensor:
        """Kernels of 7 pixels, as rows and columns, once and twice, beside an average pool, at 17 x 17."""
        chain = partial(self.chain, inputs, block)
        return joined(
            chain(["branch1x1"]),
            chain(["branch7x7_1", "branch7x7_2", "branch7x7_3"]),
            chain([f"branch7x7dbl_{number}" for number in range(1, 6)]),
            self.chain(averaged(inputs), block, ["branch_pool"]),
        )

    def halved(self, inputs: Tensor, block: str, *branches: Branch) -> Tensor:
        """Branches whose last convolutions have a stride of 2, beside a maximum pool."""
        ends = []
        for *first, last in branches:
            outputs = self.chain(inputs, block, first)
            ends.append(self.convolution(outputs, f"{block}.{last}", 2, "valid"))
        return joined(*ends, shrunk(inputs))

    def forked(self, inputs: Tensor, block: str, pool: Callable[[Tensor], Tensor]) -> Tensor:
        """Branches that end in a row and a column side by side, beside a pool, at 8 x 8."""
        single = self.chain(inputs, block, ["branch3x3_1"])
        double = self.chain(inputs, block, ["branch3x3dbl_1", "branch3x3dbl_2"])
        return joined(
            self.chain(inputs, block, ["branch1x1"]),
            *(self.chain(single, block, [f"branch3x3_2{side}"]) for side in "ab"),
            *(self.chain(double, block, [f"branch3x3dbl_3{side}"]) for side in "ab"),
            self.chain(pool(inputs), block, ["branch_pool"]),
        )


def joined(*branches: Tensor) -> Tensor:
    """The channels of all branches behind one another."""
    return keras.layers.Concatenate(dtype=EXACT)(branches)


def shrunk(inputs: Tensor) -> Tensor:
    """The largest of 3 x 3 pixels, at every second one."""
    return keras.layers.MaxPooling2D(3, 2, dtype=EXACT)(inputs)


def averaged(inputs: Tensor) -> Tensor:
    """The mean of the up to 3 x 3 pixels that lie inside the image: PyTorch's own would count the padding as zeros."""
    return keras.layers.AveragePooling2D(3, 1, "same", dtype=EXACT)(inputs)


def strongest(inputs: Tensor) -> Tensor:
    """The largest of 3 x 3 pixels around every one: the graph of 2015 has it in its last block alone."""
    return keras.layers.MaxPooling2D(3, 1, "same", dtype=EXACT)(inputs)
