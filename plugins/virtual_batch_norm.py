"""Virtual batch normalization (Salimans et al. 2016, section 3.5), https://arxiv.org/abs/1606.03498

The generator normalizes each sample by the statistics of it and a reference batch of latents that is drawn once and
stays, so that samples do not depend on one another. On top of any stack whose generator takes latents alone and
normalizes batches: `dcgan+virtual_batch_norm`, `vanilla+virtual_batch_norm`.

Each sheet of samples costs the reference batch's pass as well; the paper finds it too costly for the discriminator.

When to use it: where the samples of a batch resemble one another, which batch normalization causes. Networks with other
normalizations don't need it.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from zoo import Recipe, ZooError, hookimpl, layers, networks


@dataclass(frozen=True)
class VirtualBatchNormRecipe(Recipe):
    """A batch of the usual size."""

    reference_size: int = 64


@hookimpl
def recipe() -> VirtualBatchNormRecipe:
    """The paper names no size."""
    return VirtualBatchNormRecipe()


class Sized(keras.layers.Layer):
    """A layer that knows how many rows of its input are the reference."""

    def __init__(self, size: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.size = size

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Of an unknown number of rows."""
        return (None, *input_shape[1:])

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package="zoo")
class WithReference(Sized):
    """(B, Z) below a batch of (size, Z) that is drawn from N(0, 1) once: (size + B, Z)."""

    def build(self, input_shape: Any) -> None:
        """Draw the reference."""
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.reference = self.add_weight((self.size, input_shape[-1]), normal, trainable=False, name="reference")

    def call(self, inputs: Any) -> Any:
        """The reference first."""
        return ops.concatenate([ops.cast(self.reference, inputs.dtype), inputs], axis=0)


@keras.saving.register_keras_serializable(package="zoo")
class WithoutReference(Sized):
    """(size + B, ...) without the first rows."""

    def call(self, inputs: Any) -> Any:
        """The rows behind the reference's."""
        return inputs[self.size :]


@keras.saving.register_keras_serializable(package="zoo")
class ByReference(layers.VirtualBatchNormalization):
    """Virtual batch normalization of rows whose first ones are the reference."""

    def __init__(self, size: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.size = size

    def build(self, input_shape: Any) -> None:
        """Make the scales and offsets."""
        super().build([input_shape, input_shape])

    def call(self, inputs: Any) -> Any:
        """Each kind by itself, then joined again."""
        samples, reference = super().call([inputs[self.size :], inputs[: self.size]])
        return ops.concatenate([reference, samples], axis=0)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """As it came."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "size": self.size}


@layers.stock_equal(WithReference)
def below_reference(layer: WithReference, inputs: Any, value: Any) -> Any:
    """The first sample's constant is the reference."""
    reference = layers.constant(layer, inputs[:1, ...], value(layer.reference), "reference")[0]
    return ops.concatenate([ops.cast(reference, inputs.dtype), inputs], axis=0)


@layers.stock_equal(WithoutReference)
def above_reference(layer: WithoutReference, inputs: Any, value: Any) -> Any:
    """By the same operation."""
    return inputs[layer.size :, ...]


@layers.stock_equal(ByReference)
def by_reference(layer: ByReference, inputs: Any, value: Any) -> Any:
    """Each kind by itself, then joined again."""
    samples, reference = layers.virtually_normalized(layer, inputs[layer.size :, ...], inputs[: layer.size, ...], value)
    return ops.concatenate([reference, samples], axis=0)


@hookimpl
def check(plugins: Mapping[str, Any]) -> None:
    """Refuse latents of another distribution than the reference's."""
    if others := [name for name, module in plugins.items() if hasattr(module, "latents")]:
        raise ZooError(
            f"Plugin 'virtual_batch_norm' draws its reference batch from N(0, 1), and '{others[0]}' brings latents "
            "of its own: samples would be normalized by statistics of others. Leave one of the two out."
        )


@hookimpl(wrapper=True)
def generator(recipe: VirtualBatchNormRecipe) -> Generator[None, keras.Model, keras.Model]:
    """The generator below, anew, each of its batch normalizations by the reference."""
    model = yield
    if list(networks.inputs_of(model, "latents")) != ["latents"] or isinstance(model.output, dict):
        raise ZooError(
            f"Plugin 'virtual_batch_norm' has a reference batch of latents alone, and the generator '{model.name}' "
            f"takes {', '.join(networks.inputs_of(model, 'latents'))}. Use it on one such as dcgan's or vanilla's."
        )
    size, replaced = recipe.reference_size, []

    def anew(layer: keras.Layer) -> keras.Layer:
        """The layer, by the reference where it normalizes batches."""
        if not isinstance(layer, layers.BatchNormalization):
            return networks.again(layer)
        replaced.append(layer.name)
        config = layer.get_config()
        kept = {name: config[name] for name in ("epsilon", "gamma_initializer") if name in config}
        return ByReference(size, **kept)

    latents = keras.Input(model.input.shape[1:])
    cloned = keras.models.clone_model(model, clone_function=anew)
    if not replaced:
        raise ZooError(
            f"Plugin 'virtual_batch_norm' finds no zoo.layers.BatchNormalization in the generator '{model.name}' to "
            "replace. Put it on networks that have some, such as dcgan or vanilla."
        )
    return keras.Model(latents, WithoutReference(size)(cloned(WithReference(size)(latents))), name=model.name)
