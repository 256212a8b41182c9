"""Layers that tell a discriminator how the samples of its batch differ, so that it sees a generator's lack of variety.

They tie a sample's logit to its batch. So real and generated samples must come in batches of their own, and a gradient
penalty of each sample alone is no longer one. On several devices TensorFlow shows a layer the device's share alone.
"""

from typing import Any

import keras
from keras import ops

from zoo.errors import ZooError
from zoo.layers.exact import PACKAGE, ExactLayer, Shape, Tensor


@keras.saving.register_keras_serializable(package=PACKAGE)
class MinibatchDeviation(ExactLayer):
    """Joins to samples (B, ..., C) one channel more: how far their group's samples differ, a number for all positions.

    It is sqrt(variance over the group + 1e-8), averaged over positions and channels. Of N groups sample i is in group
    i mod N, where N = B / `group_size`, rounded down but at least 1: groups have `group_size` samples where that
    divides B (as in StyleGAN2's code), else more, but fewer than twice as many; a batch smaller than that is one group.
    Karras et al. 2017 (https://arxiv.org/abs/1710.10196), section 3.
    """

    def __init__(self, group_size: int = 4, **settings: Any) -> None:
        super().__init__(**settings)
        if group_size < 2:
            raise ZooError(f"A group of {group_size} does not differ: MinibatchDeviation needs a group_size from 2 on.")
        self.group_size = group_size

    def call(self, inputs: Tensor) -> Tensor:
        """Measure, then join."""
        values = self.exact(inputs)
        count = ops.shape(values)[0]  # a number, or a tensor where TensorFlow does not know it yet
        whole = count // self.group_size
        groups = whole + 1 // (whole + 1)  # at least 1
        rows = -(-count // groups)
        deviations = ops.broadcast_to(self.deviations(values, rows, groups), (rows, groups))
        deviations = ops.reshape(deviations, (-1, *(1,) * (len(values.shape) - 1)))[:count]
        return self.rounded(ops.concatenate([values, deviations * ops.ones_like(values[..., :1])], axis=-1))

    def deviations(self, values: Tensor, rows: Any, groups: Any) -> Tensor:
        """Of each group, (groups,): values fill a table of (rows, groups) row by row, all but the end of its last."""
        count, *shape = ops.shape(values)
        missing = ops.zeros((rows * groups - count, *shape), dtype=values.dtype)
        table = ops.reshape(ops.concatenate([values, missing], axis=0), (rows, groups, *shape))
        present = ops.cast(ops.arange(rows * groups) < count, values.dtype)
        present = ops.reshape(present, (rows, groups, *(1,) * len(shape)))
        share = present / ops.sum(present, axis=0, keepdims=True)
        mean = ops.sum(table * share, axis=0, keepdims=True)
        variance = ops.sum(ops.square(table - mean) * share, axis=0)
        return ops.mean(ops.sqrt(variance + 1e-8), axis=tuple(range(1, len(values.shape))))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(B, ..., C + 1)."""
        return (*input_shape[:-1], (input_shape[-1] or 0) + 1)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "group_size": self.group_size}


@keras.saving.register_keras_serializable(package=PACKAGE)
class MinibatchDiscrimination(ExactLayer):
    """Joins to features (B, A) as many more as there are `kernels`: how near the batch's other samples are in each.

    M = h T with T (A, kernels, size); o_ib = sum over the others j of exp(-|M_ib - M_jb|_1). Memory grows with
    B^2 kernels size. Salimans et al. 2016 (https://arxiv.org/abs/1606.03498), section 3.2, without i itself, which adds
    1 there; their code's weight normalization and its initialization by data are left out.
    """

    def __init__(
        self, kernels: int = 100, size: int = 5, kernel_initializer: Any = "glorot_uniform", **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.kernels = kernels
        self.size = size
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Shape) -> None:
        """Make T, as a matrix."""
        if len(input_shape) != 2:
            raise ZooError(
                f"MinibatchDiscrimination compares features (B, A); received shape {tuple(input_shape)}. Flatten first."
            )
        self.kernel = self.exact_weight("kernel", (input_shape[-1], self.kernels * self.size), self.kernel_initializer)
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Compare, then join."""
        features = self.exact(inputs)
        points = ops.reshape(ops.matmul(features, self.kernel), (-1, self.kernels, self.size))
        distances = ops.sum(ops.abs(points[:, None] - points[None]), axis=-1)  # (B, B, kernels)
        others = ops.sum(ops.exp(-distances), axis=1) - 1  # itself is at distance 0
        return self.rounded(ops.concatenate([features, others], axis=-1))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(B, A + kernels)."""
        return (input_shape[0], (input_shape[-1] or 0) + self.kernels)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        initializer = keras.initializers.serialize(self.kernel_initializer)
        own = {"kernels": self.kernels, "size": self.size, "kernel_initializer": initializer}
        return {**super().get_config(), **own}
