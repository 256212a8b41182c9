"""Normalization by a batch that stays the same."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.layers.exact import PACKAGE, Shape, Tensor, moments, two_shapes
from zoo.layers.normalization import ChannelScaled


@keras.saving.register_keras_serializable(package=PACKAGE)
class VirtualBatchNormalization(ChannelScaled):
    """Normalizes each sample by the moments of it and a fixed reference batch together, called as ([x, reference]).

    x is (B, ..., C), the reference (N, ..., C). Returns both: x, each sample normalized as if it were the reference
    batch's member N + 1, and the reference normalized by its own moments, for the next layer. So a sample's output does
    not depend on the others of its batch. Salimans et al. 2016 (https://arxiv.org/abs/1606.03498), section 3.5.
    """

    def build(self, input_shape: Any) -> None:
        """Make the scales and offsets."""
        samples, _ = two_shapes(self, input_shape, "reference")
        super().build(samples)

    def call(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Standardize both."""
        samples, reference = (self.exact(each) for each in inputs)
        mean, variance = moments(reference, tuple(range(len(reference.shape) - 1)))
        own_mean, own_variance = moments(samples, tuple(range(1, len(samples.shape) - 1)))
        share = 1 / ops.cast(ops.shape(reference)[0] + 1, samples.dtype)  # of a sample among N + 1
        between = share * (1 - share) * ops.square(own_mean - mean)  # what the distance of the two means adds
        joint = share * own_variance + (1 - share) * variance + between
        return [
            self.normalize(samples, share * own_mean + (1 - share) * mean, joint),
            self.normalize(reference, mean, variance),
        ]

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> list[Shape]:
        """As x and the reference."""
        return [tuple(each) for each in input_shape]
