"""What the generator is given: latents, labels drawn as the recipe says, fields of a batch; and tensors by name."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.data.fields import ATTRIBUTES, Field
from zoo.errors import ZooError
from zoo.networks import TRUNCATION
from zoo.recipe import Recipe
from zoo.stacks.stack import Stack
from zoo.training.names import LABELS, LATENTS, TARGETS
from zoo.training.players import Generating

Tensor = Any
Tensors = Mapping[str, Tensor]


def generator_inputs(
    stack: Stack,
    generating: Generating,
    count: int,
    seed: keras.random.SeedGenerator,
    recipe: Recipe,
    batch: Tensors,
    truncation: float | None = None,
) -> Any:
    """What the generator is given: latents, and by the names of its inputs labels, fields and truncation.

    A tensor where latents are its only input, else a dict. `batch` is as large as `count` where anything reads it.
    """
    classes = generating.classes
    drawn = stack.first(
        "latents", real_batch=batch, count=count, classes=classes, truncation=truncation, seed=seed, recipe=recipe
    )
    if generating.given == (LATENTS,) and not isinstance(drawn, Mapping):
        return drawn
    given = dict(drawn) if isinstance(drawn, Mapping) else {LATENTS: drawn}
    for name in generating.given:
        if name in given:
            continue
        if name == LABELS:
            given[name] = fake_labels(generating.fields[LABELS], count, seed, recipe, batch)
        elif name == TRUNCATION:
            given[name] = ops.full((count, 1), 1.0 if truncation is None else truncation)
        elif name in batch:
            given[name] = batch[name]
        else:
            raise ZooError(
                f"{stack.answer_of('generator')}: its input '{name}' is neither a field "
                f"({', '.join(generating.fields)}) nor among the latents ({', '.join(given)})."
            )
    return given


def fake_labels(labels: Field, count: int, seed: keras.random.SeedGenerator, recipe: Recipe, batch: Tensors) -> Tensor:
    """Labels to generate by, (count,) int32, as the recipe's `fake_labels` says."""
    if recipe.fake_labels == "batch":
        return batch[LABELS]
    if recipe.fake_labels == "uniform":
        return keras.random.randint((count,), 0, labels.classes, seed=seed)
    return drawn_labels(labels, keras.random.uniform((count,), seed=seed))


def drawn_labels(labels: Field, uniform: Tensor) -> Tensor:
    """Labels by the classes' frequencies, of uniform numbers in [0, 1): the inverse of their distribution function."""
    bounds, total = [], 0.0
    for share in labels.frequencies[:-1]:
        total += share
        bounds.append(total)
    above = ops.expand_dims(uniform, -1) >= ops.convert_to_tensor([*bounds, 2.0], dtype=uniform.dtype)
    return ops.sum(ops.cast(above, "int32"), axis=-1)


def by_name(latents: Any) -> Mapping[str, Tensor]:
    """What the generator was given, by name."""
    return latents if isinstance(latents, Mapping) else {LATENTS: latents}


def named_outputs(outputs: Any, alone: str) -> dict[str, Tensor]:
    """A model's answer as a dict; a single tensor is called `alone`."""
    return dict(outputs) if isinstance(outputs, Mapping) else {alone: outputs}


def class_names(generating: Generating) -> list[str]:
    """The names, else numbers, of the classes that a generator takes; none where it takes no labels."""
    return generating.fields[LABELS].all_names if generating.is_conditional else []


def attribute_names(generating: Generating) -> tuple[str, ...]:
    """Of the data's attributes; none where it has none, or they have no names."""
    return generating.fields[ATTRIBUTES].class_names if ATTRIBUTES in generating.fields else ()


def with_attributes(conditions: Mapping[str, Any], generating: Generating) -> dict[str, Any]:
    """Conditions in which attributes are given by their names, each 0 or 1, as the vector that the generator takes.

    Raises ZooError where some are left out: what an image has is known of data alone.
    """
    names = attribute_names(generating)
    lower = {name.lower(): name for name in names}
    chosen = {lower[name.lower()]: value for name, value in conditions.items() if name.lower() in lower}
    if not chosen:
        return dict(conditions)
    if missing := [name for name in names if name not in chosen]:
        said = " ".join(f"--condition {name}=0" for name in missing)
        raise ZooError(f"Each attribute that the run was trained with is to be asked for. Add {said} (or =1).")
    vector = np.stack(np.broadcast_arrays(*(np.asarray(chosen[name]) for name in names)), axis=-1)
    others = {name: value for name, value in conditions.items() if name.lower() not in lower}
    return {**others, TARGETS if TARGETS in generating.given else ATTRIBUTES: vector}
