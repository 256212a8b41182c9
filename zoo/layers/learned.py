"""What is learned and depends on no input."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.layers.exact import ExactLayer, Shape, Tensor


@keras.saving.register_keras_serializable(package="stylegan2")  # who brought it at first: saved files name it so
class LearnedMap(ExactLayer):
    """A map (H, W, C) that is learned, from N(0, deviation^2), once for each of the samples of its input: (B, H, W, C).

    What StyleGAN2's synthesis begins with (Karras et al. 2018, https://arxiv.org/abs/1812.04948, section 2.1).
    """

    def __init__(self, shape: Sequence[int], deviation: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.shape = tuple(shape)
        self.deviation = deviation

    def build(self, input_shape: Shape) -> None:
        """Make the map."""
        self.map = self.exact_weight("map", self.shape, keras.initializers.RandomNormal(stddev=self.deviation))

    def call(self, inputs: Tensor) -> Tensor:
        """As often as there are samples."""
        return self.rounded(ops.broadcast_to(ops.convert_to_tensor(self.map), (ops.shape(inputs)[0], *self.shape)))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """(B, H, W, C)."""
        return (input_shape[0], *self.shape)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "shape": self.shape, "deviation": self.deviation}
