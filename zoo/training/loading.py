"""From a run directory back to its generator."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from zoo import backend
from zoo.backend.options import EngineOptions
from zoo.data.fields import Field
from zoo.errors import ZooError
from zoo.runs.directory import RunDirectory
from zoo.stacks.stack import Stack
from zoo.training.derivation import with_derived
from zoo.training.players import Generating, build_discriminator, build_generator
from zoo.training.randomness import refusing_unseeded_randomness
from zoo.training.sampler import Rows, Sampler


def load_sampler(
    stack: Stack, record: Mapping[str, Any], state: Mapping[str, np.ndarray], rows: Rows | None = None
) -> Sampler:
    """The generator of a checkpoint's state, with its average; `rows` are the data that samples are made of."""
    engine = backend.engine(EngineOptions(precision=record["precision"]))
    fields = {name: Field.from_record(each) for name, each in record["fields"].items()}
    with refusing_unseeded_randomness():
        fields = with_derived(stack, fields)
        generator = build_generator(stack, fields, engine)
    for variable, array in zip(generator.variables, owned(state, "generator"), strict=True):
        variable.assign(array)
    average = [keras.Variable(array, trainable=False) for array in owned(state, "average")]
    return Sampler(stack, Generating(generator, fields), engine, average, rows)


def load_discriminator(stack: Stack, record: Mapping[str, Any], state: Mapping[str, np.ndarray]) -> keras.Model:
    """The discriminator of a checkpoint's state, with the weights that training ended with."""
    engine = backend.engine(EngineOptions(precision=record["precision"]))
    fields = {name: Field.from_record(each) for name, each in record["fields"].items()}
    with refusing_unseeded_randomness():
        fields = with_derived(stack, fields)
        discriminator = build_discriminator(stack, fields, engine)
    for variable, array in zip(discriminator.variables, owned(state, "discriminator"), strict=True):
        variable.assign(array)
    return discriminator


def last_state(directory: RunDirectory) -> Mapping[str, np.ndarray]:
    """The state of the last whole checkpoint."""
    latest = directory.checkpoints.latest()
    if latest is None:
        raise ZooError(f"The run {directory.path} has no checkpoint yet. Continue it with zoo run.")
    return latest[0]


def owned(state: Mapping[str, np.ndarray], owner: str) -> list[np.ndarray]:
    """The arrays of one owner, in the order of its variables."""
    return [array for name, array in state.items() if name.startswith(f"{owner}/")]
