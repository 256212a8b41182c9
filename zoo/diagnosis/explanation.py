"""What a trainer's networks look at: maps of where a logit comes from, and directions of the latents."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from zoo.base.pictures import save_picture, stretched, to_uint8
from zoo.data.fields import Field
from zoo.diagnosis import insight
from zoo.errors import ZooError
from zoo.networks import called, inputs_of
from zoo.training import direction_formulas as formulas
from zoo.training.directions import DRAWN, REACH, Walk, directions_of, walk_of
from zoo.training.latents import by_name
from zoo.training.names import LOGITS, SAMPLES
from zoo.training.trainer import Trainer

COUNT = 8  # real and generated samples that are explained, and latents whose Jacobian is measured
FRAMES = 9  # samples of a strip
WINDOWS = 7  # windows that fit into an image's side


def check_judged(trainer: Trainer) -> None:
    """Refuse a discriminator that judges no single samples, or what only a generator makes."""
    players = trainer.players
    if missing := [name for name in players.judged if name not in (*players.fields, *players.generating.given)]:
        raise ZooError(f"The discriminator judges '{missing[0]}', which real samples have not: it can't be explained.")
    shape = tuple(inputs_of(players.discriminator, SAMPLES)[SAMPLES].shape[1:])
    if shape != tuple(trainer.dataset.sample_shape):
        raise ZooError("The discriminator judges other shapes than samples have, such as packs: it can't be explained.")


def explained(trainer: Trainer, seed: int, folder: Path) -> dict[str, Any]:
    """Figures of both players; writes the pictures."""
    inputs = by_name(trainer.sampler.latents(DRAWN, seed))
    drawn = {name: ops.convert_to_numpy(each) for name, each in inputs.items()}
    if trainer.dataset.is_image:
        draw_looks(trainer, {name: each[:COUNT] for name, each in drawn.items()}, seed, folder / "looks.png")
    walk = walk_of(trainer.sampler, drawn, seed)
    if walk is None:  # nothing is drawn: samples are made of data alone
        return {"singular_values": [], "conditioning": None, "directions": {}}
    matrices = [
        formulas.jacobian(partial(walk.samples, place=place), each) for place, each in enumerate(walk.latents[:COUNT])
    ]
    spectra = [formulas.singular_directions(each) for each in matrices]
    directions = directions_of(walk, spectra[0][1], trainer.dataset)
    if trainer.dataset.is_image:
        draw_strips(walk, directions, trainer.dataset.fields[SAMPLES], folder / "directions.png")
    return {
        "singular_values": np.median([values for values, _ in spectra], axis=0).tolist(),
        "conditioning": float(np.median([formulas.conditioning(values) for values, _ in spectra])),
        "directions": {name: direction.tolist() for name, direction in directions.items()},
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
    field = trainer.dataset.fields[SAMPLES]
    columns = [field.presented(images), *(gray(each, images.shape[-1]) for each in maps)]
    save_picture(field.picture(np.stack(columns, axis=1).reshape(-1, *images.shape[1:]), 2 * len(columns)), path)


def gray(maps: np.ndarray, channels: int) -> np.ndarray:
    """Maps (N, H, W) as uint8 images: white is the largest value; 0 is black, or gray where maps have both signs."""
    largest = np.maximum(np.abs(maps).max(axis=(1, 2), keepdims=True), 1e-12)
    scaled = maps / largest if maps.min() < 0 else 2 * maps / largest - 1
    return np.repeat(to_uint8(scaled)[..., None], channels, axis=-1)


def draw_strips(walk: Walk, directions: Mapping[str, np.ndarray], field: Field, path: Path) -> None:
    """A row for each direction: one sample in the middle, and what it becomes to either side."""
    strips = [formulas.strip(walk.latents[0], direction, REACH, FRAMES) for direction in directions.values()]
    save_picture(field.picture(field.presented(walk.samples(np.concatenate(strips))), FRAMES), path)
