"""Copies of networks with other activations or without normalizations, whose weights are else the same."""

from collections.abc import Generator
from types import SimpleNamespace

import keras

from zoo.backend.keras_internals import operations_after, origin, tensors_before
from zoo.errors import ZooError
from zoo.hookspecs import hookimpl
from zoo.layers.normalization import ChannelScaled, PixelNormalization
from zoo.layers.spectral import SpectralNormalization
from zoo.layers.stock import STOCK, inner_layers, is_functional

ACTIVATIONS = (
    keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.PReLU, keras.layers.ELU
)  # fmt: skip
NORMALIZATIONS = (
    ChannelScaled, PixelNormalization, keras.layers.BatchNormalization, keras.layers.LayerNormalization,
    keras.layers.GroupNormalization, keras.layers.UnitNormalization,
)  # fmt: skip
WRAPPERS = (SpectralNormalization, keras.layers.SpectralNormalization)
KNOWN = (STOCK, "zoo.layers.")  # where layers come from that have no activation but one of their settings


def exchanged(model: keras.Model, activation: str | None, normalized: bool) -> keras.Model:
    """A copy of a network: each hidden activation exchanged for `activation`, and without normalizations if so asked.

    What ends in an output keeps its activation, which is the range of samples, and so do gates, whose answer is
    multiplied. All weights that are left have their values and constraints. Raises ZooError where that can't be done.
    """
    check_exchangeable(model, activation, normalized)
    kept = ends_of(model)
    pairs: list[tuple[keras.Layer, keras.Layer]] = []

    def copied(layer: keras.Layer) -> keras.Layer:
        is_hidden = activation is not None and id(layer) not in kept and not is_gate(layer)
        if not normalized and isinstance(layer, NORMALIZATIONS):
            return keras.layers.Identity(name=layer.name, dtype=layer.dtype_policy)
        if is_hidden and isinstance(layer, ACTIVATIONS) and not is_linear(layer):
            return keras.layers.Activation(activation, name=layer.name, dtype=layer.dtype_policy)
        source = layer.layer if not normalized and isinstance(layer, WRAPPERS) else layer
        made = type(source).from_config({**source.get_config(), "name": layer.name})
        inner = made.layer if isinstance(made, WRAPPERS) else made
        if is_hidden and hasattr(inner, "activation") and not is_linear(inner):
            inner.activation = keras.activations.get(activation)
        pairs.append((source, made))
        return made

    copy = keras.models.clone_model(model, clone_function=copied, recursive=True)
    for source, made in pairs:
        for old, new in zip(getattr(source, "variables", ()), getattr(made, "variables", ()), strict=True):
            new.assign(old)
            if hasattr(old, "constraint"):
                new.constraint = old.constraint
    return copy


def check_exchangeable(model: keras.Model, activation: str | None, normalized: bool) -> None:
    """Raise ZooError where a network can't be copied layer by layer, or a layer hides what is to be exchanged."""
    if not is_functional(model):
        raise ZooError(f"The {model.name} is no functional model: its layers can't be exchanged.")
    for layer in inner_layers(model):
        if not normalized and isinstance(layer, NORMALIZATIONS) and isinstance(layer.input, list):
            raise ZooError(
                f"The {model.name}'s {type(layer).__name__} brings a condition into it: without, there would be none."
            )
        is_foreign = not type(layer).__module__.startswith(KNOWN) and bool(getattr(layer, "trainable_variables", False))
        if activation is not None and is_foreign:
            raise ZooError(
                f"The {model.name}'s {type(layer).__name__} is a plugin's own layer: which activation it has inside "
                "can't be seen."
            )


def normalizes(model: keras.Model) -> bool:
    """Whether a network has a normalization that can be removed."""
    return is_functional(model) and any(isinstance(each, (*NORMALIZATIONS, *WRAPPERS)) for each in inner_layers(model))


def is_linear(layer: keras.Layer) -> bool:
    """Whether a layer's activation is none."""
    return getattr(layer, "activation", None) is keras.activations.linear


def is_gate(layer: keras.Layer) -> bool:
    """Whether a layer's answer is a share, by which another's is multiplied."""
    is_share = getattr(layer, "activation", None) in (keras.activations.sigmoid, keras.activations.hard_sigmoid)
    return is_share and any(isinstance(each, keras.layers.Multiply) for each in operations_after(layer))


def ends_of(model: keras.Model) -> set[int]:
    """The ids of the layers behind which nothing but shapes changes on the way to an output."""
    found: set[int] = set()
    open_tensors = [*model.outputs]
    while open_tensors:
        tensor = open_tensors.pop()
        layer, call, _ = origin(tensor)
        if isinstance(layer, keras.Model):
            found |= ends_of(layer)
        elif isinstance(layer, ACTIVATIONS) or getattr(layer, "variables", False):
            found.add(id(layer))
        elif len(before := tensors_before(layer, call)) == 1:  # where tensors meet, each is a hidden one
            open_tensors += before
    return found


def exchange(activation: str | None, normalized: bool) -> SimpleNamespace:
    """The plugin that exchanges both players of the stack below it."""

    @hookimpl(wrapper=True)
    def generator() -> Generator[None, keras.Model, keras.Model]:
        model = yield
        return exchanged(model, activation, normalized)

    @hookimpl(wrapper=True)
    def discriminator() -> Generator[None, keras.Model, keras.Model]:
        model = yield
        return exchanged(model, activation, normalized)

    return SimpleNamespace(generator=generator, discriminator=discriminator)
