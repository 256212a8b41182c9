"""Images to images by a run's generator, at any size that its networks bear."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.data.fields import Field, samples_field
from zoo.data.images import resized_to
from zoo.errors import ZooError, unknown
from zoo.networks import inputs_of, outputs_of
from zoo.stacks.stack import CORE
from zoo.training.derivation import classes_of, derived, with_derived
from zoo.training.latents import attribute_names, generator_inputs, with_attributes
from zoo.training.names import LABELS, LATENTS, SAMPLES, TARGETS
from zoo.training.players import Generating, build_generator
from zoo.training.randomness import refusing_unseeded_randomness, seeded
from zoo.training.sampler import Sampler
from zoo.training.updates import prepared

MULTIPLES = (1, 2, 4, 8, 16, 32)  # of which the sides are tried to be, by repeated pixels that are cut off again
PARTS = 8  # of the next power of two, of which a side is a multiple: 40, 48, 56, 64, 80, 96, ...
KEPT = 16  # generators of other sizes, those that were used last
Size = tuple[int, int]  # height and width in pixels


@dataclass(frozen=True)
class Direction:
    """From which field to which a generator translates."""

    start: str
    end: str

    @property
    def name(self) -> str:
        """`source to samples`."""
        return f"{self.start} to {self.end}"


def directions(sampler: Sampler) -> dict[str, Direction]:
    """All that a generator has, by the field that each ends in; ZooError where it translates nothing."""
    generating = sampler.generating
    images = [name for name in generating.given if name in generating.fields and generating.fields[name].is_image]
    if not images:
        raise ZooError(
            f"The generator of '{sampler.stack.name}' makes images of latents, not of images: it translates nothing. "
            "Draw samples of it: zoo sample, without --to."
        )
    start = next((name for name in images if name != SAMPLES), SAMPLES)
    found = {SAMPLES: Direction(start, SAMPLES)}
    if start != SAMPLES and SAMPLES in images and start in outputs_of(generating.model, SAMPLES):
        found[start] = Direction(SAMPLES, start)
    return found


@dataclass
class Translator:
    """A run's generator in one direction.

    `from_samples`: what is translated are samples, of which the stack's tasks make what the generator is given. Sizes
    are those of what is given. Images of a size that the network does not bear are brought to that of training.
    """

    sampler: Sampler
    direction: Direction
    conditions: Mapping[str, Any] = field(default_factory=dict)
    from_samples: bool = False
    own_size: bool = True  # False: everything at the size of training
    generators: dict[Size, Sampler] = field(default_factory=dict, init=False)
    """By the size of what is given, the last used last."""
    refused: set[Size] = field(default_factory=set, init=False)
    """Sizes that the network does not bear."""

    def __post_init__(self) -> None:
        """Refuse a direction without tasks, and conditions that are missing."""
        if self.from_samples and (self.direction.start == SAMPLES or not self.is_derived):
            raise ZooError(
                f"No task of '{self.sampler.stack.name}' makes '{self.direction.start}' of samples: the images are "
                "translated as they are. Leave out --from-samples."
            )
        if self.sampler.generating.is_conditional and LABELS not in self.conditions:
            raise ZooError(
                f"The generator of '{self.sampler.stack.name}' changes images to a class: say which, --class NAME."
            )
        self.conditions = with_attributes(self.conditions, self.sampler.generating)
        if TARGETS in self.sampler.generating.given and TARGETS not in self.conditions:
            names = attribute_names(self.sampler.generating)
            flags = " ".join(f"--condition {name}=1" for name in names) or f"--condition {TARGETS}=1,0"
            raise ZooError(
                f"The generator of '{self.sampler.stack.name}' changes images to attributes: say each, 1 or 0, {flags}."
            )

    @property
    def is_derived(self) -> bool:
        """Whether the field that is translated is one that tasks derive."""
        return self.direction.start != SAMPLES and bool(self.sampler.stack.implementations("derive"))

    @property
    def given(self) -> Field:
        """The field of the images that are given."""
        return self.sampler.generating.fields[SAMPLES if self.from_samples else self.direction.start]

    @property
    def trained_size(self) -> Size:
        """(height, width) of such images in training."""
        return self.given.shape[0], self.given.shape[1]

    @cached_property
    def standing(self) -> list[Any]:
        """Statistics that are recomputed over data, of the size of training."""
        return self.sampler.standing_values()

    def size_for(self, size: Size) -> Size:
        """The size at which images of a size are translated: one of few that are no smaller, or that of training.

        It is a function of the size alone, so that an image becomes the same whatever is translated beside it.
        """
        if size == self.trained_size:
            return size
        borne = (each for each in self.padded_sizes(size) if self.generator_at(each) is not None)
        return next(borne, self.trained_size)

    def padded_sizes(self, size: Size) -> list[Size]:
        """The sizes that images of a size may be padded to, the smallest first."""
        height, width = map(padded_side, size)
        multiples = MULTIPLES if self.own_size else ()
        return list(dict.fromkeys((-(-height // each) * each, -(-width // each) * each) for each in multiples))

    def is_padded(self, size: Size) -> bool:
        """Whether images of a size are translated at their own scale, not at that of training."""
        return size == self.trained_size or self.size_for(size) in self.padded_sizes(size)

    def translated(self, images: np.ndarray, seed: int = 0) -> np.ndarray:
        """uint8 (B, H', W', C') of uint8 images (B, H, W, C) of one size; layers draw their noise by the seed."""
        return np.stack(self.with_given(list(images), seed)[1])

    def with_given(self, images: Sequence[np.ndarray], seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """What the network was given, and what it made, of uint8 images (H, W, C) that are translated at one size."""
        sizes: list[Size] = [(each.shape[0], each.shape[1]) for each in images]
        computed = self.size_for(sizes[0])
        sampler = self.generator_at(computed)
        if sampler is None:
            raise ZooError(f"The generator of '{self.sampler.stack.name}' could not be built for {computed}.")
        padded = [self.is_padded(size) and self.size_for(size) == computed for size in sizes]
        whole = [
            repeated_to(each, computed) if own_scale else resized_to(each, computed)
            for each, own_scale in zip(images, padded, strict=True)
        ]
        fields = self.sampler.generating.fields
        batch, made = self.computed(sampler, np.stack(whole), seed)
        starts, ends = fields[self.direction.start].presented(batch), fields[self.direction.end].presented(made)

        def cut(made: np.ndarray) -> list[np.ndarray]:
            return [fitted(each, size, computed, own) for each, size, own in zip(made, sizes, padded, strict=True)]

        return cut(starts), cut(ends)

    def computed(self, sampler: Sampler, images: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """(what is translated, the translation) in [-1, 1] of images of a size that the sampler's generator takes."""
        count, fields = len(images), sampler.generating.fields
        known = SAMPLES if self.from_samples else self.direction.start
        batch = prepared({known: ops.convert_to_tensor(images)})
        if self.from_samples:
            seeds = {name: keras.random.SeedGenerator(seed) for name in (CORE, *sampler.stack.plugins)}
            batch = derived(sampler.stack, batch, batch, classes_of(fields), seeds, sampler.stack.recipe)
        elif self.is_derived and images.shape[-1] in (2, 4):
            batch[known] = without_hidden(batch[known])
        for name in sampler.generating.given:  # of the other direction, or replaced by conditions
            if name not in batch and name in fields and name != LABELS:
                batch[name] = ops.zeros((count, *fields[name].shape))
            elif name not in batch and name in self.conditions and name != LABELS:
                batch[name] = ops.zeros((count, *inputs_of(sampler.generator, LATENTS)[name].shape[1:]))
        draws = keras.random.SeedGenerator(seed)
        inputs = generator_inputs(sampler.stack, sampler.generating, count, draws, sampler.stack.recipe, batch)
        inputs = sampler.with_conditions(inputs, count, self.conditions)
        made = sampler.compiled(self.direction.end)(inputs, sampler.noise_seeds(seed, 0), self.standing)
        return ops.convert_to_numpy(batch[self.direction.start]), ops.convert_to_numpy(made)

    def generator_at(self, size: Size) -> Sampler | None:
        """The generator for what is given at a size, with the weights of training; None where it does not bear it."""
        if size == self.trained_size:
            return self.sampler
        if size in self.refused:
            return None
        found = self.generators.pop(size, None) or self.rebuilt(size)
        if found is None:
            self.refused.add(size)
            return None
        while len(self.generators) >= KEPT:
            self.generators.pop(next(iter(self.generators)))
        self.generators[size] = found
        return found

    def rebuilt(self, size: Size) -> Sampler | None:
        """The generator of another size, None where its weights are others."""
        old = self.sampler
        try:
            fields = self.fields_at(size)
            with seeded(0), refusing_unseeded_randomness():
                if old.stack.implementations("derive") and self.from_samples:
                    fields = with_derived(old.stack, fields)
                model = build_generator(old.stack, fields, old.engine)
        except (ZooError, ValueError):  # a plugin refuses the size, or a layer does
            return None
        pairs = list(zip(old.generator.variables, model.variables, strict=False))
        if len(old.generator.variables) != len(model.variables) or any(one.shape != two.shape for one, two in pairs):
            return None
        for before, after in pairs:
            after.assign(before)
        alone = keras.Model(model.input, {self.direction.end: outputs_of(model, SAMPLES)[self.direction.end]})
        return replace(old, generating=Generating(model, fields, alone))

    def fields_at(self, size: Size) -> dict[str, Field]:
        """All fields where the given one has another size: the other images keep their proportion to it."""
        fields = dict(self.sampler.generating.fields)
        for name, each in fields.items():
            if each.is_image:
                sides = [
                    side * new / old for side, new, old in zip(each.shape[:2], size, self.trained_size, strict=True)
                ]
                if any(side != int(side) or side < 1 for side in sides):
                    raise ZooError(f"Images of {size} pixels have no whole counterpart.")
                shape = (int(sides[0]), int(sides[1]), each.shape[2])
                fields[name] = replace(samples_field(shape), aligned=each.aligned)
        return fields


def without_hidden(images: Any) -> Any:
    """Images whose last channel says what is known, their colours middle gray where nothing is."""
    known = (images[..., -1:] + 1) / 2
    return ops.concatenate([images[..., :-1] * known, images[..., -1:]], axis=-1)


def padded_side(side: int) -> int:
    """The next of four sides to each doubling, so that networks are built for few: by a quarter longer, at most."""
    step = max(1, 2 ** (side - 1).bit_length() // PARTS)
    return -(-side // step) * step


def repeated_to(image: np.ndarray, size: Size) -> np.ndarray:
    """An image (H, W, C) with the last row and column repeated up to a size."""
    rows, columns = (new - old for new, old in zip(size, image.shape[:2], strict=True))
    return np.pad(image, ((0, rows), (0, columns), (0, 0)), mode="edge")


def fitted(image: np.ndarray, size: Size, computed: Size, padded: bool) -> np.ndarray:
    """What was made at one size, as it would be of an image of the original one: cut off, or resized."""
    height, width = (round(side * old / new) for side, old, new in zip(image.shape[:2], size, computed, strict=True))
    return image[:height, :width] if padded else resized_to(image, (height, width))


def translate(
    sampler: Sampler,
    images: np.ndarray,
    to: str = SAMPLES,
    conditions: Mapping[str, Any] | None = None,
    from_samples: bool = False,
    seed: int = 0,
    batch: int = 16,
) -> np.ndarray:
    """uint8 (N, H', W', C') of uint8 images (N, H, W, C), `batch` at a time."""
    made = Translator(sampler, direction_to(sampler, to), conditions or {}, from_samples)
    expected = made.given.shape[-1]
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[-1] != expected:
        raise ZooError(
            f"Expected uint8 images (N, H, W, {expected}), as this direction ({made.direction.name}) takes them; "
            f"received {images.dtype} {images.shape}."
        )
    parts = range(0, len(images), batch)
    return np.concatenate([made.translated(images[start : start + batch], seed + start) for start in parts])


def direction_to(sampler: Sampler, to: str) -> Direction:
    """The direction that ends in a field; raises ZooError where there is none."""
    found = directions(sampler)
    if to not in found:
        raise unknown("direction, to", to, found)
    return found[to]
