"""The two players of a run: their models, optimizers and the stack's variables, built and checked before training."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras.src.backend.common import global_state

from zoo.backend.contract import Engine
from zoo.errors import ZooError
from zoo.stacks.stack import HOOKS_OF_PLAYER, Stack

SHAPING = (keras.layers.Reshape, keras.layers.Flatten, keras.layers.Permute)
GLOBAL_SEEDS = "global_seed_generator"  # the name under which Keras keeps what unseeded functions draw from


@dataclass(frozen=True)
class Players:
    """Two models with their optimizers, and the variables that plugins declared."""

    generator: keras.Model
    discriminator: keras.Model
    generator_optimizer: keras.Optimizer
    discriminator_optimizer: keras.Optimizer
    variables: Mapping[str, keras.Variable]


def build_players(
    stack: Stack, sample_shape: tuple[int, ...], classes: int | None, seed: int, engine: Engine
) -> Players:
    """Build and check what the stack's hooks describe; initial weights are a function of the seed."""
    shape = {"sample_shape": sample_shape, "recipe": stack.recipe}
    with seeded(seed), refusing_unseeded_randomness():
        generator = build_generator(stack, sample_shape, classes, engine)
        with engine.building():
            discriminator = exact_outputs(stack.first("discriminator", classes=classes, **shape))
        generator_optimizer, discriminator_optimizer = stack.first("optimizers", recipe=stack.recipe)
        variables = joined_variables(stack, shape)
    check_models(stack, generator, discriminator, sample_shape, classes)
    check_differentiable(stack, engine, generator, discriminator)
    for _ in stack.each(
        "check",
        **shape,
        classes=classes,
        generator=generator,
        discriminator=discriminator,
        plugins=stack.plugins,
        loss_family=stack.loss_family,
    ):
        pass
    generator_optimizer.build(generator.trainable_variables)  # before tracing, and before a checkpoint is loaded
    discriminator_optimizer.build(discriminator.trainable_variables)
    return Players(generator, discriminator, generator_optimizer, discriminator_optimizer, variables)


def build_generator(stack: Stack, sample_shape: tuple[int, ...], classes: int | None, engine: Engine) -> Any:
    """What the stack's hook describes, in the engine's precision, its samples float32."""
    with engine.building():
        made = stack.first("generator", sample_shape=sample_shape, classes=classes, recipe=stack.recipe)
        return exact_outputs(made)


def exact_outputs(model: Any) -> Any:
    """The model, its last layers computing in float32 in either precision: samples, logits and whatever heads it has.

    A logit in bfloat16 has three significant digits.
    """
    for tensor in keras.tree.flatten(model.output) if isinstance(model, keras.Model) else ():
        for layer in last_layers(tensor):
            if layer.compute_dtype == "bfloat16":
                layer.dtype_policy = "float32"
    return model


def last_layers(tensor: Any) -> Iterator[Any]:
    """The layer that computes a model's output, after those that only reshape it."""
    layer = tensor._keras_history.operation
    while isinstance(layer, SHAPING):
        yield layer
        layer = layer.input._keras_history.operation
    if isinstance(layer, keras.Layer):
        yield layer


def joined_variables(stack: Stack, shape: dict[str, Any]) -> dict[str, keras.Variable]:
    """The variables of all plugins by name."""
    owners: dict[str, str] = {}
    variables: dict[str, keras.Variable] = {}
    for plugin, answer in stack.each("variables", **shape):
        for name, variable in answer.items():
            if owners.setdefault(name, plugin) != plugin:
                raise ZooError(f"The plugins '{owners[name]}' and '{plugin}' both declare a variable '{name}'.")
            variables[name] = variable
    return variables


def check_models(
    stack: Stack,
    generator: keras.Model,
    discriminator: keras.Model,
    sample_shape: tuple[int, ...],
    classes: int | None,
) -> None:
    """Refuse models of the wrong shapes, and conditional models on a dataset without labels."""
    for hook, model in (("generator", generator), ("discriminator", discriminator)):
        if not isinstance(model, keras.Model):
            raise wrong(stack, hook, f"must return a keras.Model, received {type(model).__name__}")
    samples = output(generator, "samples").shape[1:]
    if tuple(samples) != sample_shape:
        raise wrong(stack, "generator", f"must return samples of shape {sample_shape}, received {tuple(samples)}")
    if tuple(input_named(discriminator, "samples").shape[1:]) != sample_shape:
        received = tuple(input_named(discriminator, "samples").shape[1:])
        raise wrong(stack, "discriminator", f"must take samples of shape {sample_shape}, received {received}")
    logits = tuple(output(discriminator, "logits").shape[1:])
    if logits != (1,):
        raise wrong(stack, "discriminator", f"must return logits of shape (1,) for each sample, received {logits}")
    for hook, model in (("generator", generator), ("discriminator", discriminator)):
        if takes_labels(model) and classes is None:
            raise wrong(stack, hook, "takes labels, but the dataset has none. Choose a labelled dataset")


def wrong(stack: Stack, hook: str, problem: str) -> ZooError:
    """An error about a hook's answer, naming the plugin that gave it."""
    return ZooError(f"Plugin '{stack.provider(hook)}', hook '{hook}': {problem}.")


def output(model: keras.Model, key: str) -> Any:
    """The symbolic output of that key, or the only one."""
    return model.output[key] if isinstance(model.output, dict) else model.output


def input_named(model: keras.Model, name: str) -> Any:
    """The symbolic input of that name, or the only one."""
    return next((each for each in model.inputs if each.name == name), model.inputs[0])


def has_convolutions(players: Players) -> bool:
    """Whether either model convolves: a dense layer's kernel has two axes."""
    models = (players.generator, players.discriminator)
    return any(len(weight.shape) > 2 for model in models for weight in model.trainable_variables)


def takes_labels(model: keras.Model) -> bool:
    """Whether the model is conditional."""
    return any(each.name == "labels" for each in model.inputs)


def with_labels(latents: Any, labels: Any) -> dict[str, Any]:
    """The input of a conditional generator: latents, by name already or not, and labels."""
    return {**(latents if isinstance(latents, dict) else {"latents": latents}), "labels": labels}


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
        for layer in model._flatten_layers():
            if isinstance(layer, stock):
                raise ZooError(
                    f"A penalty of this stack differentiates a gradient through '{layer.name}' "
                    f"(keras.layers.{type(layer).__name__}), whose second-order gradient is wrong on "
                    f"{engine.name}. Use zoo.layers.{type(layer).__name__} instead."
                )


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Make Keras' initializers draw from the seed, and leave the program's own random state as it was."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    random.seed(seed)  # from which Keras' initializers take their seeds
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)


class RefusingSeeds:
    """Stands in for what `keras.random` draws from without a seed, whose state would be in no checkpoint."""

    def next(self, ordered: bool = True) -> Any:
        """Refuse."""
        raise RuntimeError(
            "keras.random without a seed can't be resumed. Pass it the hook's argument 'seed', as in "
            "keras.random.normal(shape, seed=seed)"
        )


@contextmanager
def refusing_unseeded_randomness() -> Iterator[None]:
    """Make `keras.random` functions fail where they are given no seed."""
    before = global_state.get_global_attribute(GLOBAL_SEEDS)
    global_state.set_global_attribute(GLOBAL_SEEDS, RefusingSeeds())
    try:
        yield
    finally:
        global_state.set_global_attribute(GLOBAL_SEEDS, before)
