"""What models must be like: refused before training, with the plugin and hook that built them."""

from collections.abc import Mapping
from typing import Any

import keras

from zoo.backend.contract import Engine
from zoo.backend.keras_internals import every_layer
from zoo.catalogue import read_catalogue
from zoo.catalogue.entries import UNPAIRED
from zoo.data.fields import Field
from zoo.errors import NoLabels, ZooError
from zoo.networks import SOURCE, inputs_of, outputs_of
from zoo.stacks.stack import HOOKS_OF_PLAYER, Stack
from zoo.training.derivation import takes_other_rows
from zoo.training.names import LABELS, LATENTS, LOGITS, SAMPLES

Fields = Mapping[str, Field]


def check_models(
    stack: Stack, generator: keras.Model, discriminator: keras.Model, fields: Fields, judged: tuple[int, ...]
) -> None:
    """Refuse models of the wrong shapes."""
    for hook, model in (("generator", generator), ("discriminator", discriminator)):
        if not isinstance(model, keras.Model):
            raise wrong(stack, hook, f"must return a keras.Model, received {type(model).__name__}")
        check_symbolic(stack, hook, model)
    made, answered = outputs_of(generator, SAMPLES), outputs_of(discriminator, LOGITS)
    for hook, outputs, name in (("generator", made, SAMPLES), ("discriminator", answered, LOGITS)):
        if name not in outputs:
            raise wrong(stack, hook, f"must return '{name}' among its outputs, received {', '.join(outputs)}")
    sample_shape = fields[SAMPLES].shape
    received = tuple(made[SAMPLES].shape[1:])
    if received != sample_shape:
        raise wrong(stack, "generator", f"must return samples of shape {sample_shape}, received {received}")
    inputs = inputs_of(discriminator, SAMPLES)
    if SAMPLES not in inputs:
        raise wrong(stack, "discriminator", f"must take an input named '{SAMPLES}', received {', '.join(inputs)}")
    received = tuple(inputs[SAMPLES].shape[1:])
    if received != judged:
        raise wrong(stack, "discriminator", f"must take samples of shape {judged}, received {received}")


def check_symbolic(stack: Stack, hook: str, model: keras.Model) -> None:
    """Refuse a model that does not know its inputs and outputs, or has a list of outputs without names."""
    try:
        outputs = model.output
    except AttributeError as error:  # a subclass, or a Sequential that was never called
        raise wrong(
            stack,
            hook,
            f"must return a model that knows its inputs and outputs, as keras.Model(inputs, outputs) does; "
            f"{type(model).__name__} '{model.name}' was never called. Call it on a keras.Input and return "
            "keras.Model(inputs, model(inputs))",
        ) from error
    if isinstance(outputs, list | tuple):
        name = SAMPLES if hook == "generator" else LOGITS
        raise wrong(stack, hook, f"must return one tensor or a dict with '{name}', received a list of outputs")


def check_inputs(stack: Stack, generator: keras.Model, discriminator: keras.Model, fields: Fields) -> None:
    """Refuse a model that takes what the data has not."""
    for hook, model in (("generator", generator), ("discriminator", discriminator)):
        if LABELS in inputs_of(model, "") and LABELS not in fields:
            raise NoLabels(f"Plugin '{stack.provider(hook)}', hook '{hook}'")
    given, made = inputs_of(generator, LATENTS), outputs_of(generator, SAMPLES)
    for name in inputs_of(discriminator, SAMPLES):
        if name not in fields:
            made_too = " (the generator returns it, but real samples need it too)" if name in (*made, *given) else ""
            raise wrong(
                stack,
                "discriminator",
                f"takes an input '{name}' that is no field of the data{made_too}. Fields: {', '.join(fields)}; a "
                "plugin derives more in the hook 'derive'",
            )


def check_pairs(stack: Stack, fields: Fields) -> None:
    """Refuse a field `source` without pairs where a plugin declares NEEDS_PAIRS; `fields` hold what is derived too."""
    needing = [name for name, plugin in stack.plugins.items() if getattr(plugin, "NEEDS_PAIRS", False)]
    if not needing or SOURCE not in fields:
        return
    is_derived = bool(stack.implementations("derive")) and takes_other_rows(stack, fields, SOURCE)
    if is_derived or not fields[SOURCE].aligned:
        others = " or ".join(read_catalogue().suggestions(UNPAIRED))
        raise ZooError(
            f"Plugin '{needing[0]}' needs pairs, and the field '{SOURCE}' is in an order of its own: train {others}, "
            "which learn without, or choose "
            f"{'a task that derives it of the same rows' if is_derived else 'data in pairs'}."
        )


def check_weights_are_the_optimizers(stack: Stack, models: Mapping[str, keras.Model]) -> None:
    """Refuse layers that overwrite a trained weight whenever they are called; `models` by the hook that made them."""
    for hook, model in models.items():
        for layer in every_layer(model):
            if isinstance(layer, keras.layers.SpectralNormalization):
                raise wrong(
                    stack,
                    hook,
                    f"'{layer.name}' (keras.layers.SpectralNormalization) overwrites the kernel of its layer at each "
                    "call in training, so that a loss would move weights beside the optimizer, twice an update. Use "
                    "zoo.layers.SpectralNormalization, which divides by the norm as its paper does and changes no "
                    "weight",
                )


def check_differentiable(stack: Stack, engine: Engine, generator: keras.Model, discriminator: keras.Model) -> None:
    """Refuse to differentiate a gradient through a layer whose second-order gradient is wrong on this backend."""
    models = {"discriminator": [discriminator], "generator": [discriminator, generator]}
    stock: Any = engine.stock_normalizations
    differentiated = [
        model
        for player, each in models.items()
        if "gradients" in stack.argument_names(*HOOKS_OF_PLAYER[player])
        for model in each
    ]
    for model in differentiated:
        for layer in every_layer(model):
            if isinstance(layer, stock):
                raise ZooError(
                    f"A penalty of this stack differentiates a gradient through '{layer.name}' "
                    f"(keras.layers.{type(layer).__name__}), whose second-order gradient is wrong on "
                    f"{engine.name}. Use zoo.layers.{type(layer).__name__} instead."
                )


def wrong(stack: Stack, hook: str, problem: str) -> ZooError:
    """An error about a hook's answer, naming the plugin that gave it."""
    return ZooError(f"{stack.answer_of(hook)}: {problem}.")
