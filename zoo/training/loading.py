"""From a run directory back to its generator."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from zoo import backend
from zoo.backend.options import EngineOptions
from zoo.data.fields import Field
from zoo.errors import ZooError
from zoo.stacks.stack import Stack
from zoo.training.derivation import with_derived
from zoo.training.players import Generating, build_discriminator, build_generator
from zoo.training.randomness import refusing_unseeded_randomness
from zoo.training.sampler import Rows, Sampler
from zoo.training.states import assign_model, owned

if TYPE_CHECKING:
    from zoo.training.trainer import Trainer


def load_sampler(
    stack: Stack, record: Mapping[str, Any], state: Mapping[str, np.ndarray], rows: Rows | None = None
) -> Sampler:
    """The generator of a checkpoint's state, with its average; `rows` are the data that samples are made of."""
    engine = backend.engine(EngineOptions(precision=record["precision"]))
    fields = {name: Field.from_record(each) for name, each in record["fields"].items()}
    with refusing_unseeded_randomness():
        fields = with_derived(stack, fields)
        generator = build_generator(stack, fields, engine)
    assign_model(state, "generator", generator)
    generating = Generating(generator, fields)
    averaged: Sequence[Any] = owned(state, "average")
    if not averaged and stack.recipe.average_decay:  # a packed run has the average for its weights
        averaged = [each.value for each in generating.averaged_variables(stack.recipe)]
    average = [keras.Variable(each, trainable=False) for each in averaged]
    return Sampler(stack, generating, engine, average, rows)


def load_discriminator(stack: Stack, record: Mapping[str, Any], state: Mapping[str, np.ndarray]) -> keras.Model:
    """The discriminator of a checkpoint's state, with the weights that training ended with."""
    engine = backend.engine(EngineOptions(precision=record["precision"]))
    fields = {name: Field.from_record(each) for name, each in record["fields"].items()}
    with refusing_unseeded_randomness():
        fields = with_derived(stack, fields)
        discriminator = build_discriminator(stack, fields, engine)
    assign_model(state, "discriminator", discriminator)
    return discriminator


def completed(state: Mapping[str, np.ndarray], trainer: "Trainer") -> Mapping[str, np.ndarray]:
    """A packed run's state with what packing leaves out: optimizers as they begin, the average as the weights.

    Raises ZooError where it was packed without its discriminator.
    """
    if owned(state, "generator_optimizer"):
        return state
    if not owned(state, "discriminator"):
        raise ZooError("This run was packed without its discriminator, which is needed here.")
    ours = trainer.state()
    generator, recipe = trainer.players.generating, trainer.recipe
    places = {id(each): place for place, each in enumerate(generator.model.variables)}
    weights = owned(state, "generator")
    followed = generator.averaged_variables(recipe) if recipe.average_decay else []
    averages = [name for name in ours if name.startswith("average/")]
    average = {name: weights[places[id(each)]] for name, each in zip(averages, followed, strict=True)}
    return {**ours, **state, **average}
