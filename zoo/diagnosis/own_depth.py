"""How the gradient fares in a stack's own networks, layer by layer: under each loss, with each activation.

Sigmoid and tanh have slopes below 1, whose product over layers vanishes; ReLUs have slopes of 0 and 1, and a
normalization keeps what goes into an activation where its slope is (Glorot and Bengio 2010; Ioffe and
Szegedy 2015, arXiv:1502.03167).
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import backend
from zoo.backend.options import DEFAULT_ENGINE, EngineOptions
from zoo.base.files import read_json, write_json
from zoo.base.interrupts import StopRequest, stop_requests
from zoo.base.plain_data import plain
from zoo.base.progress import Progress, Silent, as_progress
from zoo.data.options import DataOptions
from zoo.diagnosis.depth import train, verdict_of
from zoo.diagnosis.opening import at_work, folder_of, opened
from zoo.errors import ZooError, unknown
from zoo.pipeline import DATA_OPTIONS, DEFAULT_DATASET, check_seed

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.diagnosis.games import Game
    from zoo.stacks.stack import Stack
    from zoo.training.trainer import Trainer

RESULT = "depth.json"
PLAYERS = ("generator", "discriminator")
ACTIVATIONS = (None, "relu", "tanh", "sigmoid")  # None: the stack's own
BATCHES = 4  # of one measurement
MOST = 1.0  # orders of magnitude from the last layer to the first that count as a change: layers differ in size too


@dataclass(frozen=True)
class Network:
    """Both players' networks with one activation, with or without their normalizations."""

    activation: str | None
    normalized: bool

    @property
    def name(self) -> str:
        """`as they are`, or `tanh, without normalization`."""
        own = self.activation or ("as they are" if self.normalized else "own activations")
        return own if self.normalized else f"{own}, without normalization"

    @property
    def plugins(self) -> dict[str, Any]:
        """What lies on top of the stack, by name."""
        from zoo.diagnosis.exchanging import exchange

        is_own = self.activation is None and self.normalized
        return {} if is_own else {"exchange": exchange(self.activation, self.normalized)}


def own_depth(
    stack: str,
    *,
    dataset: str | Path = DEFAULT_DATASET,
    steps: int = 0,
    games: Sequence[str] = (),
    data: DataOptions = DATA_OPTIONS,
    data_dir: Path | str | None = None,
    seed: int = 0,
    settings: Sequence[str] | Mapping[str, Any] = (),
    plugins: Sequence[Path | str] = (),
    out: Path | str | None = None,
    engine: EngineOptions = DEFAULT_ENGINE,
    progress: Progress | bool = True,
) -> dict[str, Any]:
    """Measure the gradient by each layer's weights in both of a stack's networks, as they are and changed.

    Every hidden activation is exchanged for ReLU, tanh and sigmoid, each with and without the networks' normalizations,
    under each loss; the weights are the same at the start. `steps` of training in that game come first, `games` are
    those of `zoo diagnose`, all by default. What is measured already is not measured again. Writes depth.json, plots
    and a page into `out` (diagnoses/<stack>/<dataset>/<seed>-own-depth), and returns what was found, JSON-ready.
    """
    check_seed(seed)
    if steps < 0:
        raise ZooError(f"--steps must not be negative; received {steps}.")
    shown = as_progress(progress)
    resolved, rows, _ = opened(stack, dataset, data, data_dir, settings, plugins, engine, shown)
    path = folder_of(resolved, rows, f"{seed}-own-depth", out)
    with at_work(path, resolved, rows, engine):
        return OwnDepth(resolved, rows, seed, steps, games, engine, path, shown).carried_out()


@dataclass
class OwnDepth:
    """One such experiment: each network in each game."""

    stack: "Stack"
    rows: "Dataset"
    seed: int
    steps: int
    names: Sequence[str]  # of games
    options: EngineOptions
    path: Path
    progress: Progress

    def carried_out(self) -> dict[str, Any]:
        """Measure what depth.json does not hold, and write down what was found, also where a signal ends it."""
        from zoo.diagnosis.report.own_depth import write_own_depth_report

        games = self.games()
        found = self.begun()
        done = {(each["network"], each["objective"]) for each in [*found["measurements"], *found["refused"]]}
        with backend.fixed(), stop_requests() as stop_request:
            try:
                pairs = list(itertools.product(self.networks(games[0]), games))
                for number, (network, game) in enumerate(pairs):
                    self.progress.counting("networks and losses", number, len(pairs))
                    if (network.name, game.objectives[0].name) not in done:
                        self.measure(network, game, found, stop_request)
            finally:
                write_json(self.path / RESULT, found)
                if found["measurements"]:
                    write_own_depth_report(found, self.path)
        return found

    def games(self) -> list["Game"]:
        """The games, one for each of the generator's objectives; raises ZooError for an unknown name."""
        from zoo.diagnosis.games import GAMES, NAMES

        for name in self.names:
            if name not in NAMES:
                raise unknown("game", name, NAMES)
        chosen = [each for each in GAMES if not self.names or each.name in self.names]
        return [replace(game, objectives=(objective,)) for game in chosen for objective in game.objectives]

    def begun(self) -> dict[str, Any]:
        """What depth.json holds of the same experiment, else nothing but what makes it."""
        recipe = {name: getattr(self.stack.recipe, name) for name in self.stack.recipe_sources}
        head = plain({
            "stack": self.stack.name, "dataset": self.rows.name, "fingerprint": self.rows.fingerprint,
            "seed": self.seed, "steps": self.steps, "precision": self.options.precision, "recipe": recipe,
        })  # fmt: skip
        before = read_json(self.path / RESULT) or {}
        same = all(before.get(name) == value for name, value in head.items())
        kept = {name: list(before[name]) if same else [] for name in ("measurements", "refused")}
        return {**head, "folder": str(self.path), **kept}

    def networks(self, game: "Game") -> Iterator[Network]:
        """Those that are compared; without normalizations where there are some."""
        from zoo.diagnosis.exchanging import normalizes

        players = self.trainer(Network(None, True), game).players
        kinds = (True, False) if any(map(normalizes, (players.generator, players.discriminator))) else (True,)
        yield from (Network(activation, normalized) for normalized in kinds for activation in ACTIVATIONS)

    def trainer(self, network: Network, game: "Game") -> "Trainer":
        """An untrained one of the stack in a game, its networks changed."""
        from zoo.diagnosis.games import game_stack
        from zoo.training.trainer import Trainer

        stack = game_stack(self.stack, game, network.plugins, self.stack.recipe.critic_steps)
        return Trainer(stack, self.rows, self.seed, backend.engine(self.options))

    def measure(self, network: Network, game: "Game", found: dict[str, Any], stop_request: StopRequest) -> None:
        """The norms by layer of both players, or why there are none."""
        which = {"network": network.name, "game": game.name, "objective": game.objectives[0].name}
        try:
            trainer = self.trainer(network, game)
        except ZooError as error:
            found["refused"].append({**which, "sentence": str(error)})
            return
        train(trainer, self.steps, network.name, Silent(), stop_request)
        found["measurements"].append({**which, **{player: by_layer(trainer, player) for player in PLAYERS}})


def by_layer(trainer: "Trainer", player: Any) -> dict[str, Any]:
    """The norm of a player's gradient by each layer's kernels, in their order, and what becomes of it on its way.

    Norms are root mean squares over batches.

    `change` are the orders of magnitude from the last layer to the first, None where there is nothing left.
    """
    import numpy as np

    from zoo.training.health import HealthMeter, layer_names

    weights = trainer.updates.weights(player)
    meter = HealthMeter(trainer)
    squares = np.mean([meter.gradients(player, number)[0] for number in range(BATCHES)], axis=0)
    kernels = [place for place, weight in enumerate(weights) if len(weight.shape) > 1]
    names = layer_names([weights[place] for place in kernels])
    norms: dict[str, float] = {}
    for name, square in zip(names, squares[kernels], strict=True):
        norms[name] = float(norms.get(name, 0.0) ** 2 + square) ** 0.5
    word, change = verdict_of(list(norms.values()), MOST)
    return {"layers": list(norms), "norms": list(norms.values()), "word": word, "change": change}


def reasons(found: Mapping[str, Any]) -> dict[str, str]:
    """The names of the networks that were not measured, by the sentence that says why."""
    networks: dict[str, list[str]] = {}
    for each in found["refused"]:
        networks.setdefault(each["sentence"], []).append(each["network"])
    return {sentence: "; ".join(dict.fromkeys(names)) for sentence, names in networks.items()}


def overall(found: Mapping[str, Any]) -> str:
    """The sentence above all: in which networks the gradient vanishes or explodes under some loss."""
    groups: dict[str, list[str]] = {}
    for each in found["measurements"]:
        for player in PLAYERS:
            groups.setdefault(each[player]["word"], []).append(f"the {player} ({each['network']})")
    parts = [
        f"it {word} in {', '.join(dict.fromkeys(groups[word]))}" for word in ("vanishes", "explodes") if word in groups
    ]
    if not parts:
        return "On its way to the first layer the gradient stays within an order of magnitude in all networks."
    return f"On its way to the first layer, under one loss or more, {'. And '.join(parts)}."
