"""Drawing samples from a generator, averaged where there is an average, in inference mode."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.backend.contract import Engine
from zoo.backend.scopes import inherited_scope
from zoo.base.files import WRITING, atomic_file
from zoo.errors import ZooError
from zoo.stacks.stack import Stack
from zoo.training.players import takes_labels, with_labels

CHUNK = 256  # samples made at once, to bound memory


@dataclass(frozen=True)
class Sampler:
    """A generator with the average of its weights, if one is kept, and its stack's way of drawing latents."""

    stack: Stack
    generator: keras.Model
    engine: Engine
    average: Sequence[keras.Variable] = field(default=())
    classes: int | None = None

    def latents(self, count: int, seed: int, real_batch: Mapping[str, Any] | None = None) -> Any:
        """`count` latents, a function of the seed; labels of a conditional generator go round the classes."""
        drawn = self.stack.first(
            "latents",
            real_batch=real_batch or {},
            count=count,
            classes=self.classes,
            seed=keras.random.SeedGenerator(seed),
            recipe=self.stack.recipe,
        )
        if not takes_labels(self.generator):
            return drawn
        labels = ops.convert_to_tensor(np.arange(count, dtype="int32") % self.classes)  # Keras mixes no kinds of array
        return with_labels(drawn, labels)

    def samples(self, latents: Any) -> np.ndarray:
        """Samples (count, ...) of the latents: images in [-1, 1], points in scaled units."""
        count = len(next(iter(latents.values())) if isinstance(latents, dict) else latents)
        chunks = [slice(start, start + CHUNK) for start in range(0, count, CHUNK)]
        return np.concatenate([ops.convert_to_numpy(self.generate(sliced(latents, chunk))) for chunk in chunks])

    @cached_property
    def generate(self) -> Callable[[Any], Any]:
        """From latents to samples, compiled."""

        def traced(latents: Any) -> Any:
            with self.averaged():
                made = self.generator(latents, training=False)
            return made["samples"] if isinstance(made, dict) else made

        return self.engine.compiled_here(traced, [*self.generator.variables, *self.average])

    def averaged(self) -> keras.StatelessScope:
        """A scope in which the generator's weights are their average."""
        pairs = zip(self.generator.trainable_variables, self.average, strict=True) if self.average else ()
        return inherited_scope([(weight, average.value) for weight, average in pairs])

    def save_model(self, path: Path) -> None:
        """Write the generator as a `.keras` file, which needs no zoo but for its layers: `import zoo.layers`."""
        temporary = path.with_name(f"{WRITING}{path.name}")
        try:
            with self.averaged(), self.engine.saving():
                self.generator.save(temporary)
            with atomic_file(path) as file:
                file.write(temporary.read_bytes())
        finally:
            temporary.unlink(missing_ok=True)

    def interpolations(self, rows: int, columns: int, seed: int) -> Any:
        """Latents of `rows` walks of `columns` steps, along great circles between random ends (White 2016)."""
        ends = self.latents(2 * rows, seed)
        vectors = ends["latents"] if isinstance(ends, dict) and "latents" in ends else ends
        if isinstance(vectors, dict):
            raise ZooError(f"The latents of '{self.stack.name}' are no vectors; they can't be interpolated.")
        vectors = ops.convert_to_numpy(vectors)
        walks = np.concatenate([walk(vectors[2 * row], vectors[2 * row + 1], columns) for row in range(rows)])
        if not isinstance(ends, dict):
            return walks
        return {name: np.repeat(ops.convert_to_numpy(each)[::2], columns, axis=0) for name, each in ends.items()} | {
            "latents": walks
        }


def walk(start: np.ndarray, end: np.ndarray, count: int) -> np.ndarray:
    """`count` vectors from start to end on the arc between them, (count, Z): a straight line would leave the sphere."""
    cosine = np.sum(start * end) / (np.linalg.norm(start) * np.linalg.norm(end))
    angle = np.arccos(np.clip(cosine, -1, 1))
    shares = np.linspace(0, 1, count)[:, None]
    if np.sin(angle) < 1e-6:  # parallel: the arc is a line
        return (1 - shares) * start + shares * end
    return (np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end) / np.sin(angle)


def sliced(latents: Any, chunk: slice) -> Any:
    """A part of the latents along the batch."""
    return {name: each[chunk] for name, each in latents.items()} if isinstance(latents, dict) else latents[chunk]
