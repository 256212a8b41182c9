"""What can be seen of a generator that translates: what it makes of drawings, of pictures, and of the test data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from keras import ops
from PIL import Image

from zoo import backend
from zoo.data.images import UNREADABLE, resized_to, with_channels
from zoo.data.images import opened as image_of
from zoo.errors import ZooError
from zoo.training.latents import attribute_names, class_names
from zoo.training.names import SAMPLES, TARGETS
from zoo.training.run import Run
from zoo.training.translating import Translator, direction_to, directions
from zoo.training.translation_files import Picture, Translation, opened, translator_of

EXAMPLES = 64  # rows of the test data
WHITE = 255
LARGEST = 512  # pixels of a side of a picture, which is made smaller: two cores translate no more in a second


@dataclass(frozen=True)
class Target:
    """To what is translated."""

    to: str = SAMPLES
    label: str | None = None
    attributes: tuple[str, ...] = ()  # those that the result is to have
    from_samples: bool = False


@dataclass
class DrawnExplorer:
    """A run whose generator translates images. Anything may be asked from any thread, one after the other."""

    run: Run
    lock: Lock = field(default_factory=Lock, init=False)
    translators: dict[Target, Translator] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Refuse a generator that translates nothing."""
        directions(self.run.sampler)

    @cached_property
    def ways(self) -> list[str]:
        """The fields that a direction ends in."""
        return list(directions(self.run.sampler))

    @cached_property
    def classes(self) -> list[str]:
        """To which images are changed, by name; none where the generator takes no labels."""
        return class_names(self.run.sampler.generating)

    @cached_property
    def attributes(self) -> list[str]:
        """Those that the generator is asked for, by name or number; none where it takes none."""
        if TARGETS not in self.run.sampler.generating.given:
            return []
        count = self.run.sampler.generating.fields["attributes"].shape[0]
        return list(attribute_names(self.run.sampler.generating)) or [str(number) for number in range(count)]

    @cached_property
    def has_tasks(self) -> bool:
        """Whether what is translated can be made of samples first."""
        return self.translator(self.first).is_derived

    @property
    def first(self) -> Target:
        """What is asked for at first."""
        return Target(label=self.classes[0] if self.classes else None)

    def translator(self, target: Target) -> Translator:
        """The generator as it is asked for."""
        if target not in self.translators:
            numbers = [float(name in target.attributes) for name in self.attributes]
            named = attribute_names(self.run.sampler.generating)
            values: Mapping[str, Any] = dict(zip(named, numbers, strict=True)) if named else {TARGETS: numbers}
            conditions = dict(values) if self.attributes else {}
            classes = () if target.label is None else (target.label,)
            wanted = Translation(target.to, classes, conditions, target.from_samples)
            self.translators[target] = translator_of(self.run, wanted)
        return self.translators[target]

    @backend.fixed()
    def translated(self, picture: Picture, target: Target) -> tuple[np.ndarray, np.ndarray]:
        """What the network was given and what it made of a picture, uint8 (H, W, C)."""
        with self.lock:
            starts, made = self.translator(target).with_given([picture.pixels])
        return starts[0], made[0]

    def read(self, path: Path, target: Target) -> Picture:
        """An image file as `zoo translate` reads it, no larger than LARGEST; raises ZooError for anything else."""
        try:
            content = path.read_bytes()
            picture = opened(content, path.name, self.translator(target))
        except UNREADABLE as error:
            raise ZooError(f"{path.name} can't be read as an image: {error}.") from error
        if max(picture.pixels.shape[:2]) <= LARGEST:
            return picture
        return Picture(picture.name, shrunk(picture.pixels), None)

    def drawn(self, content: bytes, target: Target) -> Picture:
        """A drawing, the bytes of a PNG of any size, at the size of training."""
        translator = self.translator(target)
        height, width = translator.trained_size
        small = image_of(content, "the drawing").convert("RGB").resize((width, height), Image.Resampling.BOX)
        channels = translator.given.shape[-1]
        if channels in (2, 4) and translator.is_derived and not target.from_samples:  # nothing drawn is unknown
            colours = with_channels(small, "the drawing", channels - 1)
            return Picture(
                "the drawing", np.concatenate([colours, np.full_like(colours[..., :1], WHITE)], axis=-1), None
            )
        return Picture("the drawing", with_channels(small, "the drawing", channels), None)

    @cached_property
    def has_examples(self) -> bool:
        """Whether there is test data to take examples of without a download."""
        return self.run.data.at_hand() is not None

    @cached_property
    def examples(self) -> dict[str, np.ndarray]:
        """uint8 (EXAMPLES, H, W, C) of each image field of the test data, as far as there is any."""
        if not self.has_examples:
            return {}
        sampler = self.run.sampler
        with backend.fixed(), self.lock:
            batch = sampler.batch(np.arange(min(EXAMPLES, self.run.held_out.count)), 0)
            fields = sampler.generating.fields
            return {
                name: fields[name].presented(ops.convert_to_numpy(each))
                for name, each in batch.items()
                if name in fields and fields[name].is_image
            }

    def example(self, number: int, target: Target) -> Picture:
        """A row of the test data."""
        start = SAMPLES if target.from_samples else direction_to(self.run.sampler, target.to).start
        return Picture("an example", self.examples[start][number], None)

    def ground(self, target: Target) -> int:
        """The gray of an empty drawing: what most of the examples is, 0 or 255."""
        start = SAMPLES if target.from_samples else direction_to(self.run.sampler, target.to).start
        found = self.examples.get(start)
        return WHITE if found is None or np.median(found) > WHITE / 2 else 0


def shrunk(pixels: np.ndarray) -> np.ndarray:
    """Pixels (H, W, C) whose longer side is LARGEST."""
    factor = LARGEST / max(pixels.shape[:2])
    return resized_to(pixels, (max(1, round(pixels.shape[0] * factor)), max(1, round(pixels.shape[1] * factor))))
