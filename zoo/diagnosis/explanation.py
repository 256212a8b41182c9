"""What a trainer's networks look at: maps of where a logit comes from, and directions of the latents."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.base.pictures import grid, save_picture, stretched, to_uint8
from zoo.diagnosis import insight
from zoo.errors import ZooError
from zoo.networks import TRUNCATION, called, inputs_of
from zoo.training.latents import by_name
from zoo.training.names import LABELS, LATENTS, LOGITS, SAMPLES
from zoo.training.trainer import Trainer

COUNT = 8  # real and generated samples that are explained, and latents whose Jacobian is measured
DRAWN = 1024  # latents that principal components and labels are taken from, in whole parts of a sampler
COMPONENTS = 3  # directions of each kind
FRAMES, REACH = 9, 3.0  # samples of a strip, and how far it goes to either side
WINDOWS = 7  # windows that fit into an image's side
MOST_CLASSES = 10  # whose directions are shown
ACTIVATIONS = ("ReLU", "LeakyReLU", "Activation", "ELU", "PReLU")


def check_judged(trainer: Trainer) -> None:
    """Refuse a discriminator that judges no single samples, or what only a generator makes."""
    players = trainer.players
    if missing := [name for name in players.judged if name not in (*players.fields, *players.generating.given)]:
        raise ZooError(f"The discriminator judges '{missing[0]}', which real samples have not: it can't be explained.")
    shape = tuple(inputs_of(players.discriminator, SAMPLES)[SAMPLES].shape[1:])
    if shape != tuple(trainer.dataset.sample_shape):
        raise ZooError("The discriminator judges other shapes than samples have, such as packs: it can't be explained.")


@dataclass(frozen=True)
class Walk:
    """A generator as a function of its latents, its other inputs held at what one sample was given."""

    trainer: Trainer
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
        return self.trainer.sampler.samples(self.given(vectors, place), self.seed)


def walk_of(trainer: Trainer, drawn: Mapping[str, np.ndarray], seed: int) -> Walk | None:
    """The walk through the first of the generator's inputs that is a drawn vector; None where there is none."""
    fields = trainer.players.fields
    names = [name for name, each in drawn.items() if name not in (*fields, TRUNCATION) and each.ndim == 2]
    return Walk(trainer, drawn, names[0], seed) if names else None


def explained(trainer: Trainer, seed: int, folder: Path) -> dict[str, Any]:
    """Figures of both players; writes the pictures."""
    inputs = by_name(trainer.sampler.latents(DRAWN, seed))
    drawn = {name: ops.convert_to_numpy(each) for name, each in inputs.items()}
    is_image = len(trainer.dataset.sample_shape) == 3
    if is_image:
        draw_looks(trainer, {name: each[:COUNT] for name, each in drawn.items()}, seed, folder / "looks.png")
    walk = walk_of(trainer, drawn, seed)
    if walk is None:  # nothing is drawn: samples are made of data alone
        return {"singular_values": [], "conditioning": None, "directions": {}}
    matrices = [
        insight.jacobian(partial(walk.samples, place=place), each) for place, each in enumerate(walk.latents[:COUNT])
    ]
    spectra = [insight.singular_directions(each) for each in matrices]
    directions = directions_of(walk, spectra[0][1])
    if is_image:
        draw_strips(walk, directions, folder / "directions.png")
    return {
        "singular_values": np.median([values for values, _ in spectra], axis=0).tolist(),
        "conditioning": float(np.median([insight.conditioning(values) for values, _ in spectra])),
        "directions": {name: direction.tolist() for name, direction in directions.items()},
    }


def directions_of(walk: Walk, local: np.ndarray) -> dict[str, np.ndarray]:
    """Unit directions of the latents by name, those of each kind by their importance."""
    generator = walk.trainer.players.generator
    found = {f"Jacobian {number + 1}": each for number, each in enumerate(local[:COMPONENTS])}
    kernel = next((each for each in generator.trainable_variables if each.path.endswith("kernel")), None)
    if kernel is not None and len(kernel.shape) == 2 and kernel.shape[0] == walk.latents.shape[1]:
        _, rows = insight.sefa(ops.convert_to_numpy(kernel))
        found |= {f"SeFa {number + 1}": each for number, each in enumerate(rows[:COMPONENTS])}
    layer = next((each for each in generator.layers if type(each).__name__ in ACTIVATIONS), None)
    if layer is not None:
        early = keras.Model(generator.input, layer.output)
        activations = ops.convert_to_numpy(called(early, walk.given(walk.latents), LATENTS, training=False))
        _, rows = insight.ganspace(walk.latents, activations, COMPONENTS)
        found |= {f"GANSpace {number + 1}": each for number, each in enumerate(rows)}
    return found | label_directions(walk)


def label_directions(walk: Walk) -> dict[str, np.ndarray]:
    """The direction towards each class that samples fall into, by the class whose real mean is nearest.

    None where the class is an input of the generator.
    """
    data = walk.trainer.dataset
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
        f"towards {names[number]}": insight.label_direction(walk.latents, nearest == place)
        for place, number in enumerate(present)
        if 0 < (nearest == place).sum() < len(made)
    }


def draw_looks(trainer: Trainer, given: Mapping[str, np.ndarray], seed: int, path: Path) -> None:
    """In each row a real and a generated image: itself and three maps of what its logit comes from.

    `given` are the generator's inputs. A discriminator that takes more than samples receives with a generated one what
    its generator was given, else what belongs to the real one beside it.
    """
    critic = trainer.players.discriminator
    made = trainer.sampler.samples(given, seed)
    rows = trainer.dataset.spread(COUNT)
    batch = {name: ops.convert_to_numpy(each) for name, each in trainer.sampler.batch(rows, seed).items()}

    def by_turns(real: Any, fake: Any) -> Any:
        return np.stack([real, fake[: len(real)]], axis=1).reshape(-1, *real.shape[1:])

    beside = {
        name: ops.convert_to_tensor(by_turns(batch[name], given.get(name, batch[name])))
        for name in trainer.players.judged
        if name != SAMPLES
    }

    def judge(samples: Any) -> Any:
        answer = called(critic, {**beside, SAMPLES: ops.convert_to_tensor(samples)}, SAMPLES, training=False)
        logits = answer[LOGITS] if isinstance(answer, Mapping) else answer
        return ops.mean(ops.reshape(logits, (len(samples), -1)), axis=1)

    def logits_of(samples: Any) -> Any:
        return ops.convert_to_numpy(judge(samples))

    def gradients(function: Any, inputs: Any) -> Any:
        return ops.convert_to_numpy(trainer.engine.input_gradients(function, ops.convert_to_tensor(inputs)))

    images = by_turns(batch[SAMPLES], made)
    window = max(1, images.shape[1] // WINDOWS)
    maps = [
        np.abs(insight.input_gradients(judge, gradients, images)).sum(axis=-1),
        insight.integrated_gradients(judge, gradients, images, images.mean(axis=0)).sum(axis=-1),
        stretched(insight.occlusion(logits_of, images, window, window), images.shape[1:3]),
    ]
    columns = [to_uint8(images), *(gray(each, images.shape[-1]) for each in maps)]
    save_picture(grid(np.stack(columns, axis=1).reshape(-1, *images.shape[1:]), 2 * len(columns)), path)


def gray(maps: np.ndarray, channels: int) -> np.ndarray:
    """Maps (N, H, W) as uint8 images: white is the largest value; 0 is black, or gray where maps have both signs."""
    largest = np.maximum(np.abs(maps).max(axis=(1, 2), keepdims=True), 1e-12)
    scaled = maps / largest if maps.min() < 0 else 2 * maps / largest - 1
    return np.repeat(np.clip(np.rint((scaled + 1) * 127.5), 0, 255).astype(np.uint8)[..., None], channels, axis=-1)


def draw_strips(walk: Walk, directions: Mapping[str, np.ndarray], path: Path) -> None:
    """A row for each direction: one sample in the middle, and what it becomes to either side."""
    strips = [insight.strip(walk.latents[0], direction, REACH, FRAMES) for direction in directions.values()]
    save_picture(grid(to_uint8(walk.samples(np.concatenate(strips))), FRAMES), path)
