"""Starting a run from another run's weights, as far as the two have layers in common."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.backend.keras_internals import SEED_STATE
from zoo.base.files import file_hash
from zoo.errors import ZooError
from zoo.runs.checkpoints import read_path, step_of_checkpoint
from zoo.runs.finding import find_run
from zoo.training.players import Players, build_players
from zoo.training.run import Run
from zoo.training.states import owned
from zoo.training.trainer import Trainer

COUNTER = re.compile(r"_\d+(?=/|$)")  # Keras numbers names by what else the process has built


@dataclass(frozen=True)
class Origin:
    """A checkpoint of another run."""

    run: Run
    checkpoint: Path

    @classmethod
    def of(cls, given: Path | str | None, before: Mapping[str, Any] | None) -> "Origin | None":
        """The origin that is given; for a run that was begun, whose run.yaml holds `before`, the recorded one.

        Raises ZooError where the two differ, and where the recorded checkpoint is there no more.
        """
        recorded = (before or {}).get("origin")
        run = None if given is None else Run(find_run(Path(given)))
        if before is not None:
            check_recorded(run, recorded)
        if recorded:
            run = run or Run(find_run(Path(recorded["run"])))
            return cls(run, recorded_checkpoint(run, recorded))
        if run is None:
            return None
        paths = run.directory.checkpoints.paths()
        if not paths:
            raise ZooError(f"The run {run.path} has no checkpoint to start from.")
        return cls(run, paths[-1])

    def give(self, trainer: Trainer) -> dict[str, Any]:
        """Copy the weights of all layers in common into a new trainer's models; returns what run.yaml says of it."""
        state, _ = read_path(self.checkpoint)
        source = build_players(self.run.stack, self.run.fields, trainer.seed, trainer.engine)
        copied = {}
        for name, ours in models(trainer.players).items():
            owner = name if name in ("generator", "discriminator") else f"network_{name}"
            if name not in (theirs := models(source)) or not owned(state, owner):  # a packed run may hold less
                continue
            for variable, array in zip(theirs[name].variables, owned(state, owner), strict=True):
                variable.assign(array)
            pairs = shared(ours, theirs[name], from_the_end=name == "discriminator")
            for mine, its in pairs:
                mine.assign(its)
            copied[name] = f"{len(pairs)} of {len(weights_of(ours))} variables"
            if name == "discriminator":
                check_frozen(ours, {id(mine) for mine, _ in pairs}, self.run.path)
            if name == "generator":
                give_average(trainer.players, source, pairs, owned(state, "average"))
        if not any(not each.startswith("0 ") for each in copied.values()):
            raise ZooError(f"No layer of {self.run.path} ({self.run.record['stack']}) fits a layer of this run.")
        trainer.engine.place(list(trainer.variables().values()))
        return {
            "run": recorded_name(self.run),
            "stack": self.run.record["stack"],
            "dataset": self.run.record["dataset"]["name"],
            "step": step_of_checkpoint(self.checkpoint),
            "sha256": file_hash(self.checkpoint),
            "copied": copied,
        }


def recorded_name(run: Run) -> str:
    """By what a run is found again: the name of a pretrained one, else its path."""
    return run.directory.name or str(run.path.absolute())


def check_recorded(given: Run | None, recorded: Mapping[str, Any] | None) -> None:
    """Raise ZooError where a run that was begun is to have had another origin."""
    if given is None:
        return
    if recorded is None:
        raise ZooError(f"This run began without --from {given.path}. Leave it out, or choose another --out DIR.")
    if Path(recorded_name(given)).resolve() != Path(recorded["run"]).resolve():
        raise ZooError(
            f"This run began --from {recorded['run']}, not from {given.path}. Leave --from out, or choose another "
            "--out DIR."
        )


def recorded_checkpoint(run: Run, recorded: Mapping[str, Any]) -> Path:
    """The checkpoint that a run began from."""
    folder = run.directory.checkpoints
    for path in [*folder.paths(), *folder.kept_as_best()]:
        if step_of_checkpoint(path) == recorded["step"] and file_hash(path) == recorded["sha256"]:
            return path
    raise ZooError(
        f"The checkpoint of step {recorded['step']} that this run began from is no more in {run.path}. Begin anew with "
        "another --out DIR."
    )


def models(players: Players) -> dict[str, keras.Model]:
    """The trained models by name."""
    networks = {name: each.model for name, each in players.networks.items() if each.trained_with}
    return {"generator": players.generator, "discriminator": players.discriminator, **networks}


def shared(ours: keras.Model, theirs: keras.Model, from_the_end: bool = False) -> list[tuple[Any, Any]]:
    """Pairs of variables of layers that two models have in common: the same kind, names and shapes, in the same order.

    Where images differ in size, a generator has the layers next to its latents in common, a discriminator those next
    to its logits (`from_the_end`).
    """
    mine, its = layers_of(ours), layers_of(theirs)
    if from_the_end:
        mine, its = mine[::-1], its[::-1]
    common = longest_common(list(map(signature, mine)), list(map(signature, its)))
    return [pair for a, b in common for pair in zip(mine[a], its[b], strict=True)]


def longest_common(one: Sequence[Any], other: Sequence[Any]) -> list[tuple[int, int]]:
    """The places of the longest common subsequence of two sequences, of several the one that comes first."""
    lengths = np.zeros((len(one) + 1, len(other) + 1), int)  # of what is left from two places on
    for a in reversed(range(len(one))):
        for b in reversed(range(len(other))):
            skipping = max(lengths[a + 1, b], lengths[a, b + 1])
            lengths[a, b] = lengths[a + 1, b + 1] + 1 if one[a] == other[b] else skipping
    found, a, b = [], 0, 0
    while a < len(one) and b < len(other):
        if one[a] == other[b]:
            found.append((a, b))
            a, b = a + 1, b + 1
        elif lengths[a + 1, b] >= lengths[a, b + 1]:
            a += 1
        else:
            b += 1
    return found


def weights_of(model: keras.Model) -> list[keras.Variable]:
    """Weights and statistics, without what layers draw from."""
    return [each for each in model.variables if not each.path.endswith(SEED_STATE)]


def layers_of(model: keras.Model) -> list[list[keras.Variable]]:
    """The variables of each layer, in the order of the layers."""
    found: dict[str, list[keras.Variable]] = {}
    for each in weights_of(model):
        found.setdefault(each.path.rpartition("/")[0], []).append(each)
    return list(found.values())


def signature(layer: Sequence[keras.Variable]) -> tuple[Any, ...]:
    """What two layers must have in common."""
    return tuple((COUNTER.sub("", each.path), tuple(each.shape)) for each in layer)


def check_frozen(discriminator: keras.Model, copied: set[int], origin: Path) -> None:
    """Raise ZooError where a frozen layer has not got its weights."""
    frozen = [each for each in discriminator.layers if each.weights and not each.trainable]
    for layer in frozen:
        if not all(id(each) in copied for each in layer.weights if not each.path.endswith(SEED_STATE)):
            raise ZooError(
                f"The discriminator's layer '{layer.name}' is to be frozen, but {origin} has none like it to give it "
                "weights: freeze_discriminator must be smaller, or the image size the same."
            )


def give_average(
    players: Players, source: Players, pairs: Sequence[tuple[Any, Any]], averages: Sequence[np.ndarray]
) -> None:
    """Begin the averaged generator with the origin's, where it keeps one, else with the weights."""
    averaged = {id(weight): array for (weight, _), array in zip(source.averaged_pairs, averages, strict=False)}
    given = {id(mine): averaged.get(id(its)) for mine, its in pairs}
    for weight, average in players.averaged_pairs:
        if id(weight) in given:
            array = given[id(weight)]
            average.assign(weight if array is None else array)
