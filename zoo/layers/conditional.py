"""Normalizations whose scales and offsets come from a label, a vector or a style."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.layers.exact import PACKAGE, ExactLayer, Shape, Tensor, along_channels, two_shapes
from zoo.layers.normalization import BatchNormalization, InstanceNormalization
from zoo.layers.spectral import spectral_where

OWN = ("affine", "gamma_initializer")  # settings that a normalization without scales of its own does not have


def without(settings: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The settings but for those of these names."""
    return {name: value for name, value in settings.items() if name not in names}


def projected(logits: Tensor, features: Tensor, labels: Tensor, classes: int, spectral: bool = False) -> Tensor:
    """Symbolic logits (B, 1) plus <e_y, features>, e_y a learned embedding of labels (B,), features (B, F).

    Miyato and Koyama 2018 (https://arxiv.org/abs/1802.05637), equation 3. `spectral` normalizes the embedding.
    """
    table = keras.layers.Embedding(classes, features.shape[-1], embeddings_initializer="glorot_uniform")
    embedded = spectral_where(spectral, table)(labels)
    return keras.layers.Add()([logits, keras.layers.Dot(axes=1)([embedded, features])])


@keras.saving.register_keras_serializable(package=PACKAGE)
class ConditionalBatchNormalization(BatchNormalization):
    """Batch normalization with a scale and an offset for each class: gamma_y x' + beta_y, called as ([x, labels]).

    x is (B, ..., C), labels are integers (B,) or (B, 1) below `classes`; x' is x normalized over the whole batch, all
    classes together. The tables are (classes, C); gamma starts at 1 and beta at 0. de Vries et al. 2017
    (https://arxiv.org/abs/1707.00683), in GANs Miyato and Koyama 2018 (https://arxiv.org/abs/1802.05637), section 5.
    """

    def __init__(self, classes: int, **settings: Any) -> None:
        super().__init__(affine=False, **settings)
        self.classes = classes

    def build(self, input_shape: Any) -> None:
        """Make the tables."""
        samples, _ = two_shapes(self, input_shape, "labels")
        super().build(samples)
        self.gamma = self.exact_weight("gamma", (self.classes, samples[-1]), self.gamma_initializer)
        self.beta = self.exact_weight("beta", (self.classes, samples[-1]), "zeros")

    def call(self, inputs: Sequence[Tensor], training: bool = False) -> Tensor:
        """Normalize, then scale and move each sample by its label's rows."""
        samples, labels = inputs
        labels = ops.reshape(ops.cast(labels, "int32"), (-1,))
        normal = self.exact(super().call(samples, training=training))
        scales, offsets = (
            along_channels(ops.take(table, labels, axis=0), len(normal.shape)) for table in (self.gamma, self.beta)
        )
        return self.rounded(normal * scales + offsets)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """The shape of x."""
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**without(super().get_config(), ["affine"]), "classes": self.classes}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ChannelModulation(ExactLayer):
    """Scales and moves channels by linear maps of a vector: (1 + W y) x + V y, called as ([x, y]).

    x is (B, ..., C), y is (B, Z), W and V are (Z, C), with a bias each if `use_bias`, and each spectrally normalized if
    `spectral`. Perez et al. 2017 (https://arxiv.org/abs/1709.07871), section 2.1, the gains centred at 1.
    """

    def __init__(
        self,
        use_bias: bool = False,
        spectral: bool = False,
        kernel_initializer: Any = "glorot_uniform",
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.use_bias = use_bias
        self.spectral = spectral
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Any) -> None:
        """Make the two maps."""
        samples, vector = two_shapes(self, input_shape, "vector")
        self.gain, self.offset = (self.linear_map(name, samples[-1]) for name in ("gain", "offset"))
        for each in (self.gain, self.offset):
            each.build(vector)
        super().build(input_shape)

    def linear_map(self, name: str, channels: int | None) -> keras.Layer:
        """To a number for each channel."""
        initializer = self.kernel_initializer.clone()  # an instance used twice would give equal weights
        dense = keras.layers.Dense(
            channels, use_bias=self.use_bias, kernel_initializer=initializer, dtype=self.dtype_policy, name=name
        )
        return spectral_where(self.spectral, dense, dtype=self.dtype_policy)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Scale and move each sample."""
        samples, vector = inputs
        vector = ops.cast(vector, self.compute_dtype)
        gain, offset = (
            along_channels(self.exact(each(vector)), len(samples.shape)) for each in (self.gain, self.offset)
        )
        return self.rounded(self.exact(samples) * (1 + gain) + offset)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """The shape of x."""
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        initializer = keras.initializers.serialize(self.kernel_initializer)
        own = {"use_bias": self.use_bias, "spectral": self.spectral, "kernel_initializer": initializer}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ModulatedBatchNormalization(BatchNormalization):
    """Batch normalization scaled and moved by linear maps of a vector: (1 + W y) x' + V y, called as ([x, y]).

    x is (B, ..., C), y is (B, Z), in BigGAN a shared class embedding joined to a chunk of the latents. The maps have no
    bias, and are spectrally normalized if `spectral`. Brock et al. 2018 (https://arxiv.org/abs/1809.11096), appendix B.
    """

    def __init__(self, spectral: bool = False, kernel_initializer: Any = "glorot_uniform", **settings: Any) -> None:
        super().__init__(affine=False, **settings)
        self.modulation = ChannelModulation(
            spectral=spectral, kernel_initializer=kernel_initializer, dtype=self.dtype_policy, name="modulation"
        )

    def build(self, input_shape: Any) -> None:
        """Make the maps and the moving statistics."""
        samples, _ = two_shapes(self, input_shape, "vector")
        self.modulation.build(input_shape)
        super().build(samples)

    def call(self, inputs: Sequence[Tensor], training: bool = False) -> Tensor:
        """Normalize, then scale and move each sample by its vector."""
        samples, vector = inputs
        return self.modulation([super().call(samples, training=training), vector])

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """The shape of x."""
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        maps = without(self.modulation.get_config(), ["name", "trainable", "dtype", "use_bias"])
        return {**without(super().get_config(), OWN), **maps}


@keras.saving.register_keras_serializable(package=PACKAGE)
class AdaptiveInstanceNormalization(InstanceNormalization):
    """Instance normalization scaled and moved by affine maps of a style: (1 + W w) x' + V w, called as ([x, w]).

    x is (B, H, W, C), w is (B, Z), a sample's style; the maps have biases. Huang and Belongie 2017
    (https://arxiv.org/abs/1703.06868), equation 8, in generators Karras et al. 2018 (https://arxiv.org/abs/1812.04948),
    equation 1.
    """

    def __init__(self, kernel_initializer: Any = "glorot_uniform", **settings: Any) -> None:
        super().__init__(affine=False, **settings)
        self.modulation = ChannelModulation(
            use_bias=True, kernel_initializer=kernel_initializer, dtype=self.dtype_policy, name="modulation"
        )

    def build(self, input_shape: Any) -> None:
        """Make the maps."""
        samples, _ = two_shapes(self, input_shape, "style")
        self.modulation.build(input_shape)
        super().build(samples)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Normalize, then scale and move each sample by its style."""
        samples, style = inputs
        return self.modulation([super().call(samples), style])

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """The shape of x."""
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        maps = without(self.modulation.get_config(), ["name", "trainable", "dtype", "use_bias", "spectral"])
        return {**without(super().get_config(), OWN), **maps}
