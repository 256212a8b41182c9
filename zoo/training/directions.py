"""Directions of a generator's latents along which its samples change: of its Jacobian, SeFa, GANSpace, and classes."""

from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from zoo.data import Dataset
from zoo.networks import TRUNCATION, called
from zoo.training import direction_formulas as formulas
from zoo.training.latents import by_name
from zoo.training.names import LABELS, LATENTS
from zoo.training.sampler import Sampler

DRAWN = 1024  # latents that principal components and labels are taken from, in whole parts of a sampler
COMPONENTS = 3  # directions of each kind
REACH = 3.0  # how far a strip or a slider goes to either side
MOST_CLASSES = 10  # whose directions are found
ACTIVATIONS = ("ReLU", "LeakyReLU", "Activation", "ELU", "PReLU")
Directions = dict[str, np.ndarray]  # unit vectors (Z,) by name, those of each kind by their importance


@dataclass(frozen=True)
class Walk:
    """A generator as a function of its latents, its other inputs held at what one sample was given."""

    sampler: Sampler
    drawn: Mapping[str, np.ndarray]  # every input of the generator, (DRAWN, ...)
    name: str  # of the latents
    seed: int

    @property
    def latents(self) -> np.ndarray:
        """What was drawn, (DRAWN, Z)."""
        return self.drawn[self.name]

    def given(self, vectors: np.ndarray, place: int = 0) -> dict[str, np.ndarray]:
        """The generator's inputs with other latents (N, Z), all else as drawn at one place."""
        others = {name: np.repeat(each[place : place + 1], len(vectors), axis=0) for name, each in self.drawn.items()}
        return {**others, self.name: np.asarray(vectors, "float32")}

    def samples(self, vectors: np.ndarray, place: int = 0) -> np.ndarray:
        """The samples of these latents."""
        return self.sampler.samples(self.given(vectors, place), self.seed)


def walk_of(sampler: Sampler, drawn: Mapping[str, np.ndarray], seed: int) -> Walk | None:
    """The walk through the first of the generator's inputs that is a drawn vector; None where there is none."""
    fields = sampler.generating.fields
    names = [name for name, each in drawn.items() if name not in (*fields, TRUNCATION) and each.ndim == 2]
    return Walk(sampler, drawn, names[0], seed) if names else None


def found_directions(sampler: Sampler, data: Dataset | None, seed: int = 0) -> tuple[str, Directions]:
    """The name of the generator's latents, and their directions; those towards classes where there is data.

    No name and none where samples are made of data alone.
    """
    if sampler.needs_rows:
        return "", {}
    drawn = {name: ops.convert_to_numpy(each) for name, each in by_name(sampler.latents(DRAWN, seed)).items()}
    walk = walk_of(sampler, drawn, seed)
    if walk is None:
        return "", {}
    _, local = formulas.singular_directions(formulas.jacobian(walk.samples, walk.latents[0]))
    return walk.name, directions_of(walk, local, data)


def directions_of(walk: Walk, local: np.ndarray, data: Dataset | None) -> Directions:
    """The directions by name; `local` are those of the Jacobian, as rows."""
    generator = walk.sampler.generator
    found = {f"Jacobian {number + 1}": each for number, each in enumerate(local[:COMPONENTS])}
    kernel = next((each for each in generator.trainable_variables if each.path.endswith("kernel")), None)
    if kernel is not None and len(kernel.shape) == 2 and kernel.shape[0] == walk.latents.shape[1]:
        _, rows = formulas.sefa(ops.convert_to_numpy(kernel))
        found |= {f"SeFa {number + 1}": each for number, each in enumerate(rows[:COMPONENTS])}
    layer = next((each for each in generator.layers if type(each).__name__ in ACTIVATIONS), None)
    if layer is not None:
        early = keras.Model(generator.input, layer.output)
        activations = ops.convert_to_numpy(called(early, walk.given(walk.latents), LATENTS, training=False))
        _, rows = formulas.ganspace(walk.latents, activations, COMPONENTS)
        found |= {f"GANSpace {number + 1}": each for number, each in enumerate(rows)}
    return found | ({} if data is None else label_directions(walk, data))


def label_directions(walk: Walk, data: Dataset) -> Directions:
    """The direction towards each class that samples fall into, by the class whose real mean is nearest.

    None where the class is an input of the generator.
    """
    if LABELS in walk.drawn or not data.classes or not 1 < data.classes <= MOST_CLASSES:
        return {}
    made = walk.samples(walk.latents)
    rows = data.spread(5 * DRAWN)
    real, labels = data.scaled(rows), np.asarray(data.arrays["labels"])[rows]
    present = [number for number in range(data.classes) if (labels == number).any()]
    means = np.stack([real[labels == number].reshape((labels == number).sum(), -1).mean(axis=0) for number in present])
    flat = made.reshape(len(made), -1)
    nearest = np.argmin(-2 * flat @ means.T + np.square(means).sum(axis=1), axis=1)
    names = data.class_names or tuple(map(str, range(data.classes)))
    return {
        f"towards {names[number]}": formulas.label_direction(walk.latents, nearest == place)
        for place, number in enumerate(present)
        if 0 < (nearest == place).sum() < len(made)
    }
