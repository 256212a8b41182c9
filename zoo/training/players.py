"""The two players of a run: their models, optimizers and the stack's variables, built and checked before training."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.src.backend.common import global_state

from zoo.backend.contract import Engine
from zoo.data.fields import Field, derived_field, samples_field
from zoo.errors import ZooError
from zoo.networks import FEATURES, Network, called, inputs_of, outputs_of, weights_hash
from zoo.recipe import Recipe
from zoo.stacks.stack import CORE, HOOKS_OF_PLAYER, Stack

LATENTS, SAMPLES, LABELS, LOGITS = "latents", "samples", "labels", "logits"
TRUNCATION = "truncation"  # a generator's input that is 1 in training
SHAPING = (keras.layers.Reshape, keras.layers.Flatten, keras.layers.Permute, keras.layers.Concatenate)
GLOBAL_SEEDS = "global_seed_generator"  # the name under which Keras keeps what unseeded functions draw from
Fields = Mapping[str, Field]


@dataclass(frozen=True)
class Generating:
    """A generator, and what its inputs mean."""

    model: keras.Model
    fields: Fields

    @cached_property
    def given(self) -> tuple[str, ...]:
        """The names of its inputs."""
        return tuple(inputs_of(self.model, LATENTS))

    @property
    def classes(self) -> int | None:
        """How many classes the data has, if it has labels."""
        return self.fields[LABELS].classes if LABELS in self.fields else None

    @property
    def reads_batch(self) -> bool:
        """Whether an input is a field that only a batch of data holds."""
        return any(name in self.fields and name != LABELS for name in self.given)

    @property
    def is_conditional(self) -> bool:
        """Whether it takes labels."""
        return LABELS in self.given

    @property
    def has_noise(self) -> bool:
        """Whether a layer draws random numbers in inference, too."""
        return bool(self.seeds)

    @cached_property
    def seeds(self) -> list[keras.Variable]:
        """The states of the seed generators of its layers."""
        return [each for each in self.model.non_trainable_variables if each.path.endswith("seed_generator_state")]

    def averaged_variables(self, recipe: Recipe) -> list[keras.Variable]:
        """What an average follows: the weights, and statistics where the recipe wants their average."""
        statistics = self.model.non_trainable_variables if recipe.average_state == "average" else []
        return [*self.model.trainable_variables, *(each for each in statistics if each.dtype.startswith("float"))]

    def __call__(self, latents: Any, training: bool) -> Any:
        """What the model answers to latents, or to a dict of its inputs."""
        named = latents if isinstance(latents, Mapping) else {self.given[0]: latents}
        return called(self.model, named, LATENTS, training=training)


@dataclass(frozen=True)
class Players:
    """Two models with their optimizers, and what else plugins declared: variables and further networks."""

    generator: keras.Model
    discriminator: keras.Model
    generator_optimizer: keras.Optimizer
    discriminator_optimizer: keras.Optimizer
    variables: Mapping[str, keras.Variable]
    fields: Fields
    networks: Mapping[str, Network] = field(default_factory=dict)
    average: Sequence[keras.Variable] = ()
    """Of the generator's variables that its average follows."""
    averaged_pairs: Sequence[tuple[keras.Variable, keras.Variable]] = ()
    """The generator's variables with their averages."""

    @property
    def classes(self) -> int | None:
        """How many classes the data has, if it has labels."""
        return self.generating.classes

    @cached_property
    def generating(self) -> Generating:
        """The generator with what its inputs mean."""
        return Generating(self.generator, self.fields)

    @cached_property
    def judged(self) -> tuple[str, ...]:
        """The names of the discriminator's inputs."""
        return tuple(inputs_of(self.discriminator, SAMPLES))

    @property
    def generator_needs_batch(self) -> bool:
        """Whether making or judging fakes takes a field that only a batch of data holds."""
        made = {*outputs_of(self.generator, SAMPLES), *self.generating.given}
        return self.generating.reads_batch or any(name not in made for name in self.judged)

    @cached_property
    def judging(self) -> keras.Model:
        """The discriminator with its features among its outputs, where a layer is named so."""
        outputs = outputs_of(self.discriminator, LOGITS)
        if FEATURES not in outputs and FEATURES in [layer.name for layer in self.discriminator.layers]:
            outputs[FEATURES] = self.discriminator.get_layer(FEATURES).output
        return keras.Model(self.discriminator.input, outputs, name=self.discriminator.name)

    @property
    def models(self) -> dict[str, keras.Model]:
        """The further networks' models by name."""
        return {name: each.model for name, each in self.networks.items()}

    def networks_of(self, player: str) -> dict[str, Network]:
        """The further networks that are trained with a player."""
        return {name: each for name, each in self.networks.items() if each.trained_with == player}

    @property
    def frozen(self) -> dict[str, keras.Model]:
        """The further networks that no loss moves."""
        return {name: each.model for name, each in self.networks.items() if each.trained_with is None}

    def hashes(self) -> dict[str, str]:
        """Of the weights of each frozen network."""
        return {name: weights_hash(model) for name, model in self.frozen.items()}


def build_players(stack: Stack, fields: Fields, seed: int, engine: Engine) -> Players:
    """Build and check what the stack's hooks describe; initial weights are a function of the seed.

    `fields` are the dataset's; what the stack derives from them is added.
    """
    with seeded(seed), refusing_unseeded_randomness():
        fields = with_derived(stack, fields)
        sample_shape, judged = fields[SAMPLES].shape, judged_shape(stack, fields)
        data = {"classes": classes_of(fields), "fields": fields, "recipe": stack.recipe}
        generator = build_generator(stack, fields, engine)
        with engine.building():
            discriminator = exact_outputs(stack.first("discriminator", sample_shape=judged, **data))
        generator_optimizer, discriminator_optimizer = both_optimizers(stack)
        check_models(stack, generator, discriminator, fields, judged)
        with engine.building():
            networks = joined_networks(stack, {"sample_shape": sample_shape, **data})
        models = {"generator": generator, "discriminator": discriminator}
        variables = joined_variables(stack, {"sample_shape": sample_shape, **data, **models})
    check_differentiable(stack, engine, generator, discriminator)
    check_inputs(stack, generator, discriminator, fields)
    answers = {"plugins": stack.plugins, "loss_family": stack.loss_family}
    further = {name: each.model for name, each in networks.items()}
    for _ in stack.each("check", sample_shape=sample_shape, **data, **models, networks=further, **answers):
        pass
    averaged = Generating(generator, fields).averaged_variables(stack.recipe) if stack.recipe.average_decay else []
    average = [keras.Variable(each.numpy(), trainable=False, name=f"average_{each.name}") for each in averaged]
    players = Players(
        generator, discriminator, generator_optimizer, discriminator_optimizer, variables, fields, networks,
        average, list(zip(averaged, average, strict=True)),
    )  # fmt: skip
    build_optimizers(players)
    return players


def build_optimizers(players: Players) -> None:
    """Give every optimizer its variables, before tracing, and before a checkpoint is loaded."""
    pairs = (
        ("generator", players.generator, players.generator_optimizer),
        ("discriminator", players.discriminator, players.discriminator_optimizer),
    )
    for player, model, optimizer in pairs:
        shared = [each for each in players.networks_of(player).values() if each.optimizer is None]
        optimizer.build([*model.trainable_variables, *(weight for each in shared for weight in each.weights)])
        for network in players.networks_of(player).values():
            if network.optimizer is not None:
                network.optimizer.build(network.weights)


def both_optimizers(stack: Stack) -> tuple[keras.Optimizer, keras.Optimizer]:
    """The stack's optimizers, if they are two."""
    found = stack.first("optimizers", recipe=stack.recipe)
    if not isinstance(found, tuple | list) or [isinstance(each, keras.Optimizer) for each in found] != [True, True]:
        received = f"{len(found)} values" if isinstance(found, tuple | list) else type(found).__name__
        raise wrong(
            stack,
            "optimizers",
            "must return two Keras optimizers, the generator's and the discriminator's (a further network brings its "
            f"own in the hook 'networks'); received {received}",
        )
    return found[0], found[1]


def classes_of(fields: Fields) -> int | None:
    """How many classes the data has, if it has labels."""
    return fields[LABELS].classes if LABELS in fields else None


def judged_shape(stack: Stack, fields: Fields) -> tuple[int, ...]:
    """The shape of the samples that the discriminator judges."""
    shape = fields[SAMPLES].shape
    for impl in stack.implementations("judged_shape"):
        own: dict[str, Any] = {"sample_shape": shape, "recipe": stack.recipe}
        with stack.blaming_plugins():
            answer: Any = impl.function(*(own[name] for name in impl.argnames))
        shape = tuple(answer)
    return shape


def with_derived(stack: Stack, fields: Fields) -> dict[str, Field]:
    """The dataset's fields, and those that the stack derives, whose shapes a batch of zeros tells."""
    if not stack.implementations("derive"):
        return dict(fields)
    zeros = {
        name: ops.zeros((2, *each.shape), "int32" if each.kind == "label" else "float32")
        for name, each in fields.items()
    }
    seeds = {name: keras.random.SeedGenerator(0) for name in (CORE, *stack.plugins)}
    made = derived(stack, zeros, zeros, classes_of(fields), seeds, stack.recipe)
    new = {name: derived_field(tuple(each.shape[1:])) for name, each in made.items() if name not in fields}
    changed = {name: each for name, each in made.items() if name in fields and each is not zeros[name]}
    for name, each in changed.items():
        new[name] = samples_field(tuple(each.shape[1:])) if name == SAMPLES else derived_field(tuple(each.shape[1:]))
    return {**fields, **new}


def derived(
    stack: Stack, batch: Mapping[str, Any], other: Mapping[str, Any], classes: int | None,
    seeds: Mapping[str, keras.random.SeedGenerator], recipe: Recipe,
) -> dict[str, Any]:  # fmt: skip
    """A batch with the fields that the stack's plugins derive from it, one plugin after the other."""
    found = dict(batch)
    for impl in stack.implementations("derive"):
        own = {"other_batch": other, "classes": classes, "recipe": recipe, "seed": seeds[impl.plugin_name]}
        with stack.blaming_plugins():
            answer = impl.function(*({**own, "batch": found}[name] for name in impl.argnames))
        if not isinstance(answer, Mapping):
            raise ZooError(
                f"Plugin '{impl.plugin_name}', hook 'derive': must return a dict of fields by name, received "
                f"{type(answer).__name__}."
            )
        found |= answer
    return found


def build_generator(stack: Stack, fields: Fields, engine: Engine) -> Any:
    """What the stack's hook describes, in the engine's precision, its samples float32."""
    with engine.building():
        shape, classes = fields[SAMPLES].shape, classes_of(fields)
        made = stack.first("generator", sample_shape=shape, classes=classes, fields=fields, recipe=stack.recipe)
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
    """The layers that compute a model's output, inside of models too, and those after them that only shape or add."""
    layer, _, index = tensor._keras_history
    if isinstance(layer, keras.Model):  # the model below, which a wrapper has built upon
        yield from last_layers(keras.tree.flatten(layer.output)[index])
        return
    if isinstance(layer, keras.Layer):
        yield layer
    if isinstance(layer, (*SHAPING, keras.layers.Add)):
        for each in keras.tree.flatten(layer.input):
            yield from last_layers(each)


def joined_variables(stack: Stack, arguments: Mapping[str, Any]) -> dict[str, keras.Variable]:
    """The variables of all plugins by name."""
    variables = joined(stack, "variables", "variable", arguments)
    for plugin, name, variable in variables:
        if not isinstance(variable, keras.Variable) or variable.trainable:
            kind = "a trainable variable" if isinstance(variable, keras.Variable) else type(variable).__name__
            raise ZooError(
                f"Plugin '{plugin}', hook 'variables': '{name}' must be a keras.Variable(..., trainable=False); "
                f"received {kind}. What a loss is to move belongs into a network: see the hook 'networks'."
            )
    return {name: variable for _, name, variable in variables}


def joined_networks(stack: Stack, arguments: Mapping[str, Any]) -> dict[str, Network]:
    """The further networks of all plugins by name; the weights of frozen ones are not trainable any more."""
    networks = joined(stack, "networks", "network", arguments)
    for plugin, name, network in networks:
        if not isinstance(network, Network):
            raise ZooError(
                f"Plugin '{plugin}', hook 'networks': '{name}' must be a zoo.Network, received "
                f"{type(network).__name__}."
            )
        exact_outputs(network.model)
        if network.trained_with is None:
            network.model.trainable = False
    return {name: network for _, name, network in networks}


def joined(stack: Stack, hook: str, what: str, arguments: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """(plugin, name, value) of all that the plugins' answers hold, each name once."""
    owners: dict[str, str] = {}
    found = []
    for plugin, answer in stack.each(hook, **arguments):
        for name, value in answer.items():
            if owners.setdefault(name, plugin) != plugin:
                raise ZooError(f"The plugins '{owners[name]}' and '{plugin}' both declare a {what} '{name}'.")
            found.append((plugin, name, value))
    return found


def check_models(
    stack: Stack, generator: keras.Model, discriminator: keras.Model, fields: Fields, judged: tuple[int, ...]
) -> None:
    """Refuse models of the wrong shapes."""
    for hook, model in (("generator", generator), ("discriminator", discriminator)):
        if not isinstance(model, keras.Model):
            raise wrong(stack, hook, f"must return a keras.Model, received {type(model).__name__}")
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


def check_inputs(stack: Stack, generator: keras.Model, discriminator: keras.Model, fields: Fields) -> None:
    """Refuse a model that takes what the data has not."""
    for hook, model in (("generator", generator), ("discriminator", discriminator)):
        if LABELS in inputs_of(model, "") and LABELS not in fields:
            raise wrong(stack, hook, "takes labels, but the dataset has none. Choose a labelled dataset")
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


def wrong(stack: Stack, hook: str, problem: str) -> ZooError:
    """An error about a hook's answer, naming the plugin that gave it."""
    return ZooError(f"Plugin '{stack.provider(hook)}', hook '{hook}': {problem}.")


def has_convolutions(players: Players) -> bool:
    """Whether any model convolves: a dense layer's kernel has two axes."""
    models = (players.generator, players.discriminator, *players.models.values())
    return any(len(weight.shape) > 2 for model in models for weight in model.variables)


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
