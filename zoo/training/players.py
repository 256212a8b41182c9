"""The two players of a run: their models, optimizers and the stack's variables, built and checked before training."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import keras

from zoo.backend.contract import Engine
from zoo.backend.keras_internals import SEED_STATE
from zoo.data.fields import Field
from zoo.errors import ZooError
from zoo.networks import FEATURES, Network, called, inputs_of, outputs_of, weights_hash
from zoo.recipe import Recipe
from zoo.stacks.stack import Stack
from zoo.training.derivation import classes_of, judged_shape, with_derived
from zoo.training.model_checks import (
    check_differentiable,
    check_inputs,
    check_models,
    check_pairs,
    check_weights_are_the_optimizers,
    wrong,
)
from zoo.training.names import LABELS, LATENTS, LOGITS, SAMPLES, STYLES, SYNTHESIS
from zoo.training.precision import exact_outputs
from zoo.training.randomness import refusing_unseeded_randomness, seeded

Fields = Mapping[str, Field]


@dataclass(frozen=True)
class Generating:
    """A generator, and what its inputs mean."""

    model: keras.Model
    fields: Fields
    alone: keras.Model | None = None
    """The part of the model for one of several outputs, where no other is asked for: it is traced in less time."""

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
        return [each for each in self.model.non_trainable_variables if each.path.endswith(SEED_STATE)]

    @cached_property
    def synthesis(self) -> keras.Model | None:
        """The part from styles (B, rows, K), which it returns too, to samples; None where it is not style-based."""
        parts = [each for each in self.model.layers if each.name == SYNTHESIS and isinstance(each, keras.Model)]
        return parts[0] if parts and STYLES in outputs_of(self.model, SAMPLES) else None

    def averaged_variables(self, recipe: Recipe) -> list[keras.Variable]:
        """What an average follows: the weights, and statistics where the recipe wants their average."""
        statistics = self.model.non_trainable_variables if recipe.average_state == "average" else []
        return [*self.model.trainable_variables, *(each for each in statistics if each.dtype.startswith("float"))]

    def __call__(self, latents: Any, training: bool) -> Any:
        """What the model answers to latents, to a dict of its inputs, or to `styles` alone."""
        named = latents if isinstance(latents, Mapping) else {self.given[0]: latents}
        if tuple(named) == (STYLES,) and self.synthesis is not None:
            return keras.ops.cast(self.synthesis(named[STYLES], training=training), "float32")
        return called(self.alone or self.model, named, LATENTS, training=training)


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
    """Build and check; an exception that passes a plugin's code anywhere is told as that plugin's."""
    with stack.blaming_plugins():
        return built_players(stack, fields, seed, engine)


def built_players(stack: Stack, fields: Fields, seed: int, engine: Engine) -> Players:
    """Build and check what the stack's hooks describe; initial weights are a function of the seed.

    `fields` are the dataset's; what the stack derives from them is added.
    """
    with seeded(seed), refusing_unseeded_randomness():
        fields = with_derived(stack, fields)
        check_pairs(stack, fields)
        sample_shape, judged = fields[SAMPLES].shape, judged_shape(stack, fields)
        data = {"classes": classes_of(fields), "fields": fields, "recipe": stack.recipe}
        generator = build_generator(stack, fields, engine)
        discriminator = build_discriminator(stack, fields, engine)
        check_images(stack.recipe, fields)
        freeze(discriminator, stack.recipe)
        generator_optimizer, discriminator_optimizer = both_optimizers(stack)
        check_models(stack, generator, discriminator, fields, judged)
        check_weights_are_the_optimizers(stack, {"generator": generator, "discriminator": discriminator})
        with engine.building():
            networks = joined_networks(stack, {"sample_shape": sample_shape, **data})
        for each in networks.values():
            check_weights_are_the_optimizers(stack, {"networks": each.model})
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


def check_images(recipe: Recipe, fields: Fields) -> None:
    """Raise ZooError where samples are to be mirrored that have no left and right."""
    if recipe.mirror and not fields[SAMPLES].is_image:
        raise ZooError("mirror is for images, and this dataset holds points: --set mirror=false.")


def freeze(discriminator: Any, recipe: Recipe) -> None:
    """Keep the weights of the discriminator's lowest layers, as many as the recipe says."""
    if not recipe.freeze_discriminator or not isinstance(discriminator, keras.Model):
        return
    layers = [each for each in discriminator.layers if each.trainable_weights]
    if recipe.freeze_discriminator >= len(layers):
        raise ZooError(
            f"freeze_discriminator={recipe.freeze_discriminator} leaves nothing to train: the discriminator has "
            f"{len(layers)} layers with weights."
        )
    for each in layers[: recipe.freeze_discriminator]:
        each.trainable = False


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


def build_generator(stack: Stack, fields: Fields, engine: Engine) -> Any:
    """What the stack's hook describes, in the engine's precision, its samples float32."""
    with engine.building():
        shape, classes = fields[SAMPLES].shape, classes_of(fields)
        made = stack.first("generator", sample_shape=shape, classes=classes, fields=fields, recipe=stack.recipe)
        return exact_outputs(made)


def build_discriminator(stack: Stack, fields: Fields, engine: Engine) -> Any:
    """What the stack's hook describes, in the engine's precision, its logits float32."""
    with engine.building():
        data = {"classes": classes_of(fields), "fields": fields, "recipe": stack.recipe}
        return exact_outputs(stack.first("discriminator", sample_shape=judged_shape(stack, fields), **data))


def joined_variables(stack: Stack, arguments: Mapping[str, Any]) -> dict[str, keras.Variable]:
    """The variables of all plugins by name."""
    variables = joined(stack, "variables", "variable", arguments)
    for plugin, name, variable in variables:
        if not isinstance(variable, keras.Variable) or variable.trainable:
            kind = "a trainable variable" if isinstance(variable, keras.Variable) else type(variable).__name__
            raise ZooError(
                f"{stack.answer_of('variables', plugin)}: '{name}' must be a keras.Variable(..., trainable=False); "
                f"received {kind}. What a loss is to move belongs into a network: see the hook 'networks'."
            )
    return {name: variable for _, name, variable in variables}


def joined_networks(stack: Stack, arguments: Mapping[str, Any]) -> dict[str, Network]:
    """The further networks of all plugins by name; the weights of frozen ones are not trainable any more."""
    networks = joined(stack, "networks", "network", arguments)
    for plugin, name, network in networks:
        if not isinstance(network, Network):
            raise ZooError(
                f"{stack.answer_of('networks', plugin)}: '{name}' must be a zoo.Network, received "
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


def parameters(model: keras.Model) -> dict[str, int]:
    """How many numbers of a model are trained, and how many others it computes with: statistics, frozen weights.

    The states of its seed generators are none of them.
    """
    trained = sum(math.prod(each.shape) for each in model.trainable_variables)
    others = [each for each in model.non_trainable_variables if not each.path.endswith(SEED_STATE)]
    return {"trained": trained, "others": sum(math.prod(each.shape) for each in others)}


def has_convolutions(players: Players) -> bool:
    """Whether any model convolves: a dense layer's kernel has two axes."""
    models = (players.generator, players.discriminator, *players.models.values())
    return any(len(weight.shape) > 2 for model in models for weight in model.variables)
