"""Samples of chosen latents: of seeds, of files, on the way between points, by mixed styles."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from zoo.base.files import atomic_file
from zoo.errors import ZooError
from zoo.training.latents import by_name
from zoo.training.names import LATENTS, STYLES
from zoo.training.sampler import Inputs, Sampler, on_arc, sliced

LATENT_FILES = (".npz", ".npy")
Arrays = Mapping[str, np.ndarray]


def of_seeds(
    sampler: Sampler,
    seeds: Sequence[int],
    conditions: Mapping[str, Any] | None = None,
    truncation: float | None = None,
) -> Inputs:
    """The generator's inputs, a row for each seed, that depend on this seed alone."""
    if sampler.needs_rows:
        raise ZooError(f"'{sampler.stack.name}' makes samples of data, not of seeds: zoo translate.")
    drawn = [by_name(sampler.latents(1, seed, truncation=truncation)) for seed in seeds]
    named = {name: np.concatenate([ops.convert_to_numpy(each[name]) for each in drawn]) for name in drawn[0]}
    return sampler.with_conditions(as_given(sampler, named), len(seeds), conditions or {})


def of_arrays(
    sampler: Sampler,
    arrays: Arrays,
    seed: int = 0,
    conditions: Mapping[str, Any] | None = None,
    truncation: float | None = None,
) -> Inputs:
    """The generator's inputs of arrays by their names; what they leave out is drawn by the seed, the rest ignored.

    `styles` alone are inputs of a style-based generator too. Raises ZooError for arrays that fit no input.
    """
    if STYLES in arrays and LATENTS not in arrays and sampler.generating.synthesis is not None:
        return {STYLES: np.asarray(arrays[STYLES], "float32")}
    count = len(next(iter(arrays.values())))
    inputs = sampler.latents(count, seed, truncation=truncation)
    known = {name: each for name, each in arrays.items() if name in by_name(inputs)}
    if not sampler.walked(by_name(inputs)) or not known:
        raise ZooError(
            f"The generator of '{sampler.stack.name}' takes {', '.join(by_name(inputs))}; the arrays hold "
            f"{', '.join(arrays)}."
        )
    return sampler.with_conditions(inputs, count, {**known, **(conditions or {})})


def as_given(sampler: Sampler, named: Mapping[str, Any]) -> Inputs:
    """Inputs by name as the generator takes them."""
    alone = sampler.generating.given == (LATENTS,) and tuple(named) == (LATENTS,)
    return ops.convert_to_tensor(named[LATENTS]) if alone else {n: ops.convert_to_tensor(v) for n, v in named.items()}


def one_by_one(sampler: Sampler, inputs: Inputs, seeds: Sequence[int]) -> np.ndarray:
    """The samples, each made by itself with the noise of its seed: the same bits whatever stands beside it."""
    standing = sampler.standing_values()
    return np.concatenate(
        [
            ops.convert_to_numpy(
                sampler.generate(sliced(inputs, slice(row, row + 1)), sampler.noise_seeds(seed, 0), standing)
            )
            for row, seed in enumerate(seeds)
        ]
    )


def read_latents(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file of latents: an .npz by the names of the generator's inputs, or an .npy of latents alone."""
    if path.suffix not in LATENT_FILES:
        raise ZooError(f"Latents are read from {' or '.join(LATENT_FILES)}; received {path}.")
    try:
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            return {LATENTS: found} if isinstance(found, np.ndarray) else {name: found[name] for name in found.files}
    except (OSError, ValueError) as error:
        raise ZooError(f"Can't read latents from {path}: {error}.") from error


def write_latents(path: Path, named: Mapping[str, Any]) -> None:
    """Write arrays as an .npz that `read_latents` reads."""
    if path.suffix != ".npz":
        raise ZooError(f"Latents are written as an .npz; received {path}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        np.savez(file, **{name: ops.convert_to_numpy(each) for name, each in named.items()})


def added(base: Arrays, plus: Sequence[Arrays], minus: Sequence[Arrays]) -> dict[str, np.ndarray]:
    """Each row of `base` plus the mean of each of `plus`, minus that of each of `minus`, at the length it had.

    The means are those of Radford et al. 2015 (https://arxiv.org/abs/1511.06434), section 6.3.2; the length is kept
    since latents of a normal distribution lie near a sphere, and a sum of three lies outside of it.
    """
    name = STYLES if STYLES in base and LATENTS not in base else LATENTS
    if missing := [each for each in (base, *plus, *minus) if name not in each]:
        raise ZooError(f"Files that are added hold '{name}'; one of them holds {', '.join(missing[0])} alone.")
    of = np.asarray(base[name], "float64")
    change = sum(np.mean(each[name], axis=0) for each in plus) - sum(np.mean(each[name], axis=0) for each in minus)
    if np.shape(change) not in ((), of.shape[1:]):
        raise ZooError(f"Latents of {np.shape(change)} can't be added to latents of {of.shape[1:]}.")
    moved = of + change
    if name == LATENTS:  # styles lie on no sphere
        lengths = np.linalg.norm(moved, axis=-1, keepdims=True)
        moved *= np.linalg.norm(of, axis=-1, keepdims=True) / np.maximum(lengths, 1e-12)
    return {**base, name: moved.astype("float32")}


def tour(points: np.ndarray, count: int, loop: bool = False) -> np.ndarray:
    """`count` vectors on the great circles from each of the points (P, Z) to the next; a loop returns to the first.

    A walk begins at the first point and ends at the last; of a loop the vector after the last one is the first.
    """
    if len(points) < 2:
        raise ZooError(f"A walk needs two points or more; received {len(points)}.")
    ends = np.concatenate([points, points[:1]]) if loop else points
    places = np.linspace(0, len(ends) - 1, count, endpoint=not loop)
    legs = np.minimum(places.astype(int), len(ends) - 2)
    return np.concatenate(
        [on_arc(ends[leg], ends[leg + 1], np.array([place - leg])) for leg, place in zip(legs, places, strict=True)]
    )


def film(sampler: Sampler, points: Inputs, cells: int, count: int, loop: bool, seed: int = 0) -> np.ndarray:
    """Samples (count, cells, ...) of walks that go side by side, each through its part of the points, in their order.

    Labels and data stay those of a walk's first point, and noise stays what it is by the seed: it would flicker.
    """
    named = {name: ops.convert_to_numpy(each) for name, each in by_name(points).items()}
    total = len(next(iter(named.values())))
    if total % cells:
        raise ZooError(f"{total} points can't be divided among {cells} walks. Give a multiple of {cells}.")
    walked = [STYLES] if tuple(named) == (STYLES,) else sampler.walked(named)
    parts = {name: each.reshape(cells, -1, *each.shape[1:]) for name, each in named.items()}
    ways = {name: [flat_tour(each, count, loop) for each in parts[name]] for name in walked}
    standing, states, frames = sampler.standing_values(), sampler.noise_seeds(seed, 0), []
    for number in range(count):
        row = {
            name: np.stack([way[number] for way in ways[name]]) if name in ways else each[:, 0]
            for name, each in parts.items()
        }
        inputs = as_given(sampler, row)
        frames.append(ops.convert_to_numpy(sampler.generate(inputs, states, standing)))
    return np.stack(frames)


def flat_tour(points: np.ndarray, count: int, loop: bool) -> np.ndarray:
    """The tour of points of any shape (P, ...)."""
    flat = tour(points.reshape(len(points), -1).astype("float64"), count, loop)
    return flat.reshape(count, *points.shape[1:]).astype(points.dtype)


def mixed_styles(sampler: Sampler, coarse: Inputs, fine: Inputs, rows: Sequence[int]) -> dict[str, np.ndarray]:
    """Styles (N x M, layers, K): each of the first inputs' (N), with the layers `rows` of each of the others' (M).

    Karras et al. 2018 (https://arxiv.org/abs/1812.04948), section 3.1: the layers of 4 to 8 pixels carry pose and
    shape, those of the finest maps colour.
    """
    if sampler.generating.synthesis is None:
        raise ZooError(f"'{sampler.stack.name}' has no styles to mix: its generator is not style-based.")
    first, second = (styles_of(sampler, each) for each in (coarse, fine))
    count = first.shape[1]
    if wrong := [each for each in rows if not 0 <= each < count]:
        raise ZooError(f"The styles are numbered from 0 to {count - 1}; there is no {wrong[0]}.")
    mixed = np.repeat(first, len(second), axis=0)
    mixed[:, list(rows)] = np.tile(second, (len(first), 1, 1))[:, list(rows)]
    return {STYLES: mixed}


def styles_of(sampler: Sampler, inputs: Inputs) -> np.ndarray:
    """The styles (N, layers, K) of inputs."""
    if tuple(by_name(inputs)) == (STYLES,):
        return np.asarray(inputs[STYLES])
    states, standing = sampler.noise_seeds(0, 0), sampler.standing_values()
    rows: Callable[..., Any] = sampler.compiled(STYLES)
    count = len(next(iter(by_name(inputs).values())))
    return np.concatenate(
        [ops.convert_to_numpy(rows(sliced(inputs, slice(row, row + 1)), states, standing)) for row in range(count)]
    )
