"""Drawing samples from a generator, averaged where there is an average, in inference mode."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.backend.contract import Engine
from zoo.backend.keras_internals import every_layer
from zoo.backend.scopes import Scope
from zoo.base.files import WRITING, atomic_file
from zoo.data.fields import Field
from zoo.errors import ZooError
from zoo.layers.stock import foreign_layers, in_stock_layers, kinds_of
from zoo.networks import TRUNCATION
from zoo.stacks.stack import CORE, Stack
from zoo.training.derivation import classes_of, derived
from zoo.training.latents import by_name, drawn_labels, generator_inputs, named_outputs, with_attributes
from zoo.training.names import LABELS, SAMPLES
from zoo.training.players import Generating
from zoo.training.randomness import seeded
from zoo.training.updates import prepared

CHUNK = 256  # samples made at once, to bound memory
STANDING_BATCHES = 16  # over which statistics are recomputed, each as large as a batch of training
STANDING_SEED = 0x57A7
Rows = Callable[[np.ndarray], Mapping[str, np.ndarray]]  # rows of data by their numbers, as they are at rest
Inputs = Any  # of the generator: a tensor, or a dict by name


@dataclass(frozen=True)
class Sampler:
    """A generator with the average of its weights, if one is kept, and its stack's way of drawing latents.

    `rows` are the data that conditions are taken from, such as the pictures that a translation starts from. `output` is
    the field that samples are of: another than `samples` of a translation that goes back.
    """

    stack: Stack
    generating: Generating
    engine: Engine
    average: Sequence[keras.Variable] = field(default=())
    rows: Rows | None = None
    output: str = SAMPLES
    programs: dict[str, Callable[..., Any]] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What was compiled, by the output that it gives."""

    @property
    def generator(self) -> keras.Model:
        """The model, with the weights that training ended with."""
        return self.generating.model

    @property
    def samples_field(self) -> Field:
        """What a sample is."""
        return self.generating.fields[self.output]

    @property
    def needs_rows(self) -> bool:
        """Whether samples are made of data."""
        return self.generating.reads_batch or "real_batch" in self.stack.winning_arguments("latents")

    @property
    def can_truncate(self) -> bool:
        """Whether a truncation is heeded."""
        return TRUNCATION in self.generating.given or "truncation" in self.stack.winning_arguments("latents")

    def latents(
        self,
        count: int,
        seed: int,
        conditions: Mapping[str, Any] | None = None,
        truncation: float | None = None,
        rows: np.ndarray | None = None,
    ) -> Inputs:
        """`count` inputs of the generator, a function of the seed: a tensor, or a dict by their names.

        `conditions` replace inputs by name, each one value for all or (count, ...); `truncation` in (0, 1] makes
        samples more typical; `rows` are the numbers of the rows that data is taken from, else the first ones.
        """
        generator = keras.random.SeedGenerator(seed)
        self.check_truncation(truncation)
        batch = self.batch(np.arange(count) if rows is None else rows, seed) if self.needs_rows else {}
        inputs = generator_inputs(self.stack, self.generating, count, generator, self.stack.recipe, batch, truncation)
        return self.with_conditions(inputs, count, conditions or {})

    def batch(self, rows: np.ndarray, seed: int) -> dict[str, Any]:
        """Rows of the data as the step takes them, with the fields that plugins derive."""
        if self.rows is None:
            raise ZooError(f"The generator of '{self.stack.name}' makes samples of data, and there is none here.")
        batch = prepared({name: ops.convert_to_tensor(each) for name, each in self.rows(rows).items()})
        if not self.stack.implementations("derive"):
            return batch
        seeds = {name: keras.random.SeedGenerator(seed) for name in (CORE, *self.stack.plugins)}
        return derived(self.stack, batch, batch, classes_of(self.generating.fields), seeds, self.stack.recipe)

    def check_truncation(self, truncation: float | None) -> None:
        """Raises ZooError for a truncation that means nothing, or to a stack that heeds none."""
        if truncation is None:
            return
        if not 0 < truncation <= 1:
            raise ZooError(f"The truncation must be in (0, 1]; received {truncation}.")
        if not self.can_truncate:
            raise ZooError(f"The latents of '{self.stack.name}' can't be truncated: its hook 'latents' ignores it.")

    def with_conditions(self, inputs: Inputs, count: int, conditions: Mapping[str, Any]) -> Inputs:
        """The inputs, some of them replaced."""
        if not conditions:
            return inputs
        conditions = with_attributes(conditions, self.generating)
        named = dict(by_name(inputs))
        for name, value in conditions.items():
            if name not in named:
                raise ZooError(
                    f"The generator of '{self.stack.name}' takes no '{name}'. Its inputs: {', '.join(named)}."
                )
            wanted = tuple(named[name].shape)
            given = np.asarray(value, keras.backend.standardize_dtype(named[name].dtype))
            if given.shape not in (wanted, wanted[1:], ()):
                raise ZooError(f"The condition '{name}' must be of shape {wanted[1:]} or {wanted}; got {given.shape}.")
            named[name] = ops.convert_to_tensor(np.broadcast_to(given, wanted).copy())
        return named if isinstance(inputs, Mapping) else named[self.generating.given[0]]

    def labels_of_rows(self, rows: int, columns: int) -> np.ndarray:
        """Labels of a grid whose rows go round the classes, (rows * columns,)."""
        classes = self.generating.classes or 1
        return np.repeat(np.arange(rows, dtype="int32") % classes, columns)

    def labels_in_proportion(self, count: int, seed: int) -> dict[str, np.ndarray]:
        """Labels (count,) in the proportions of the training data, as evenly as they go, in an order of the seed's.

        Nothing for a generator that takes none, or whose labels come with its data.
        """
        if not self.generating.is_conditional or self.needs_rows or self.stack.recipe.fake_labels == "batch":
            return {}
        labels = drawn_labels(self.generating.fields[LABELS], (np.arange(count, dtype="float32") + 0.5) / count)
        return {LABELS: np.random.default_rng(seed).permutation(ops.convert_to_numpy(labels))}

    def samples(self, inputs: Inputs, seed: int = 0) -> np.ndarray:
        """Samples (count, ...) of the generator's inputs: images in [-1, 1], points in scaled units."""
        return np.concatenate(list(self.chunks(inputs, seed)))

    def chunks(self, inputs: Inputs, seed: int = 0) -> Iterator[np.ndarray]:
        """The samples in parts, which together are what `samples` gives; layers draw their noise by the seed."""
        count = len(next(iter(inputs.values())) if isinstance(inputs, Mapping) else inputs)
        standing = self.standing_values()
        for number, start in enumerate(range(0, count, CHUNK)):
            part = sliced(inputs, slice(start, start + CHUNK))
            length = min(CHUNK, count - start)
            if self.generating.has_noise:  # so that a sample's noise does not depend on how many there are
                part = padded(part, CHUNK)
            states = self.noise_seeds(seed, number)
            yield ops.convert_to_numpy(self.generate(part, states, standing))[:length]

    def noise_seeds(self, seed: int, chunk: int) -> np.ndarray:
        """A state for each seed generator of the generator's layers, (layers, 2) uint32."""
        count = len(self.generating.seeds)
        return np.random.SeedSequence([seed, chunk]).generate_state(2 * count).reshape(count, 2).astype("uint32")

    @cached_property
    def generate(self) -> Callable[[Inputs, np.ndarray, list[Any]], Any]:
        """From the generator's inputs, the seeds of its layers and standing statistics to samples; compiled."""
        return self.compiled(self.output)

    def compiled(self, output: str) -> Callable[[Inputs, np.ndarray, list[Any]], Any]:
        """The same to what the generator returns under a name; compiled once for each."""
        if output not in self.programs:
            self.programs[output] = self.compiled_anew(output)
        return self.programs[output]

    def compiled_anew(self, output: str) -> Callable[[Inputs, np.ndarray, list[Any]], Any]:
        """The same, whether or not it has been compiled before."""

        def traced(inputs: Inputs, states: Any, standing: list[Any]) -> Any:
            return self.answered(inputs, states, standing, output)

        return self.engine.compiled_here(traced, [*self.generator.variables, *self.average])

    def answered(self, inputs: Inputs, states: Any, standing: list[Any], output: str = SAMPLES) -> Any:
        """What the averaged generator returns under a name, in traced code; arguments as of what is compiled."""
        drawn = [(each, ops.cast(states[index], each.dtype)) for index, each in enumerate(self.generating.seeds)]
        replaced = zip(self.statistics, standing, strict=True) if standing else ()
        with self.stack.blaming_plugins(), Scope([*self.averages(), *replaced, *drawn]):
            return named_outputs(self.generating(inputs, training=False), SAMPLES)[output]

    def averages(self) -> list[tuple[keras.Variable, Any]]:
        """The generator's variables of which an average is kept, with its values."""
        followed = self.generating.averaged_variables(self.stack.recipe) if self.average else []
        return [(variable, average.value) for variable, average in zip(followed, self.average, strict=True)]

    @property
    def statistics(self) -> list[keras.Variable]:
        """The moving statistics of the generator's normalizations, which follow batches by a `momentum`."""
        return [variable for layer in self.normalizations for variable in layer.non_trainable_variables]

    @property
    def normalizations(self) -> list[keras.Layer]:
        """The layers that follow statistics of batches."""
        return [layer for layer in every_layer(self.generator) if hasattr(layer, "momentum")]

    def standing(self) -> list[tuple[keras.Variable, Any]]:
        """The moving statistics with the values that the averaged generator has over batches of its own, if wanted."""
        if not self.average or self.stack.recipe.average_state != "recompute":
            return []
        return standing_statistics(self)

    def averaged(self) -> keras.StatelessScope:
        """A scope in which the generator's variables are what samples are drawn with."""
        return Scope([*self.averages(), *self.standing()])

    def standing_values(self) -> list[Any]:
        """These values alone, as the compiled generator takes them."""
        return [value for _, value in self.standing()]

    def save_model(self, path: Path) -> None:
        """Write the generator as a `.keras` file, in Keras' own layers as far as they compute the same in inference.

        Where others are left, a text beside it says which, and how it is opened.
        """
        temporary = path.with_name(f"{WRITING}{path.name}")
        try:
            with seeded(0):  # a copy's initial weights, which are replaced
                stock = in_stock_layers(self.generator, self.averaged())
            with self.averaged():
                stock.save(temporary)
            write_note(path.with_suffix(".md"), foreign_layers(stock))
            with atomic_file(path) as file:
                file.write(temporary.read_bytes())
        finally:
            temporary.unlink(missing_ok=True)

    def interpolations(
        self, rows: int, columns: int, seed: int, conditions: Mapping[str, Any] | None = None,
        truncation: float | None = None,
    ) -> Inputs:  # fmt: skip
        """Inputs of `rows` walks of `columns` steps, along great circles between random ends (White 2016).

        Of a dict every tensor of vectors (count, K) is walked through; labels and data stay those of a walk's start.
        """
        ends = self.latents(2 * rows, seed, truncation=truncation)
        named = {name: ops.convert_to_numpy(each) for name, each in by_name(ends).items()}
        walked = self.walked(named)
        found = {
            name: np.concatenate([walk(each[2 * row], each[2 * row + 1], columns) for row in range(rows)])
            if name in walked
            else np.repeat(each[::2], columns, axis=0)
            for name, each in named.items()
        }
        inputs = found if isinstance(ends, Mapping) else found[next(iter(named))]
        return self.with_conditions(inputs, rows * columns, conditions or {})

    def walked(self, named: Mapping[str, Any]) -> list[str]:
        """The names of the inputs that are vectors of the latent space; raises ZooError where none is."""
        found = [name for name, each in named.items() if name not in self.generating.fields and len(each.shape) == 2]
        if not found:
            raise ZooError(f"The latents of '{self.stack.name}' are no vectors; they can't be interpolated.")
        return found


def standing_statistics(sampler: Sampler) -> list[tuple[keras.Variable, Any]]:
    """The mean of the batch statistics of the averaged generator over batches of training's size.

    A layer that follows its statistics by a `momentum` does so at k / (k + 1) in the k-th batch: that is their mean.
    """
    layers, statistics, weights = sampler.normalizations, sampler.statistics, sampler.averages()
    values: list[tuple[keras.Variable, Any]] = [(each, ops.zeros(each.shape, each.dtype)) for each in statistics]
    momenta = [each.momentum for each in layers]
    try:
        for number in range(STANDING_BATCHES):
            for layer in layers:
                layer.momentum = number / (number + 1)
            inputs = sampler.latents(sampler.stack.recipe.batch_size, STANDING_SEED + number)
            with Scope([*weights, *values]) as scope:
                sampler.generating(inputs, training=True)
            values = [(each, scope.get_current_value(each)) for each in statistics]
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
    return values


def walk(start: np.ndarray, end: np.ndarray, count: int) -> np.ndarray:
    """`count` vectors from start to end on the arc between them, (count, Z): a straight line would leave the sphere."""
    return on_arc(start, end, np.linspace(0, 1, count))


def on_arc(start: np.ndarray, end: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The vectors after these shares of the way from start to end, (shares, Z)."""
    cosine = np.sum(start * end) / (np.linalg.norm(start) * np.linalg.norm(end))
    angle, shares = np.arccos(np.clip(cosine, -1, 1)), shares[:, None]
    if np.sin(angle) < 1e-6:  # parallel: the arc is a line
        return (1 - shares) * start + shares * end
    return (np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end) / np.sin(angle)


def write_note(path: Path, layers: Sequence[keras.Layer]) -> None:
    """Say how a file of these layers, which plain Keras does not know, is opened; nothing where there are none."""
    if not layers:
        path.unlink(missing_ok=True)
        return
    path.write_text(
        f"`generator.keras` holds layers that plain Keras does not know: {', '.join(kinds_of(layers))}.\n\n"
        "Import what defines them before `keras.saving.load_model` (`import zoo.layers` for the zoo's own; a plugin's "
        "file lies in `plugins/`), or open the run as a whole, which does it for you:\n\n"
        "    import zoo\n\n"
        '    zoo.load("THIS FOLDER").generator\n\n'
        "A SavedModel needs none of them, with TensorFlow: `zoo export THIS_FOLDER --out exported`, then\n\n"
        '    loaded = tf.saved_model.load("exported")\n'
        "    loaded.serve(latents)\n",
        encoding="utf-8",
    )


def sliced(inputs: Inputs, chunk: slice) -> Inputs:
    """A part of the generator's inputs along the batch."""
    return {name: each[chunk] for name, each in inputs.items()} if isinstance(inputs, Mapping) else inputs[chunk]


def padded(inputs: Inputs, count: int) -> Inputs:
    """The generator's inputs with the last row repeated until there are `count`."""
    if isinstance(inputs, Mapping):
        return {name: padded(each, count) for name, each in inputs.items()}
    missing = count - len(inputs)
    return inputs if not missing else ops.concatenate([inputs, ops.repeat(inputs[-1:], missing, axis=0)])
