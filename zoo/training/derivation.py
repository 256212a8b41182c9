"""Fields that a stack derives from a dataset's, and the shape of the samples that its discriminator judges."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from zoo.data.fields import Field, derived_field, samples_field
from zoo.errors import ZooError
from zoo.recipe import Recipe
from zoo.stacks.stack import CORE, Stack
from zoo.training.names import LABELS, SAMPLES

Fields = Mapping[str, Field]


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
                f"{stack.answer_of('derive', impl.plugin_name)}: must return a dict of fields by name, received "
                f"{type(answer).__name__}."
            )
        found |= answer
    return found


def takes_other_rows(stack: Stack, fields: Fields, name: str) -> bool:
    """Whether the stack derives a field of other rows than the samples'; `fields` are those of `with_derived`."""
    draws = keras.random.SeedGenerator(0)

    def rows() -> dict[str, Any]:
        return {
            name: ops.zeros((2,), "int32")
            if each.kind == "label"
            else keras.random.uniform((2, *each.shape), seed=draws)
            for name, each in fields.items()
        }

    batch, other = rows(), rows()

    def made(others: Mapping[str, Any]) -> Any:
        seeds = {each: keras.random.SeedGenerator(0) for each in (CORE, *stack.plugins)}
        return derived(stack, batch, others, classes_of(fields), seeds, stack.recipe)[name]

    return bool(ops.any(made(batch) != made(other)))


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
        if not isinstance(answer, tuple | list) or not all(isinstance(each, int) for each in answer):
            raise ZooError(
                f"{stack.answer_of('judged_shape', impl.plugin_name)}: must return a shape such as (28, 28, 1), "
                f"received {answer!r}."
            )
        shape = tuple(answer)
    return shape
