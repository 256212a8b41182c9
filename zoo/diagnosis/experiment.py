"""The experiment of Arjovsky and Bottou 2017, https://arxiv.org/abs/1701.04862, figures 2 and 3, on any stack.

A generator is trained for a while and then frozen. A discriminator is trained against it from scratch, and the norm of
the gradient that the generator would receive is followed, under each of the generator's objectives.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import backend
from zoo.backend.options import DEFAULT_ENGINE, EngineOptions
from zoo.base.files import atomic_file, read_json, write_json
from zoo.base.interrupts import Interrupted, StopRequest, stop_requests
from zoo.base.plain_data import plain
from zoo.base.progress import Progress, as_progress
from zoo.catalogue import Catalogue
from zoo.data.options import DataOptions
from zoo.diagnosis.opening import at_work, folder_of, opened
from zoo.diagnosis.verdicts import verdicts_of
from zoo.errors import ZooError, unknown
from zoo.options import Budget, Monitoring
from zoo.pipeline import DATA_OPTIONS, DEFAULT_DATASET, DEFAULT_STACK, check_seed, run
from zoo.runs.checkpoints import Checkpoints
from zoo.runs.directory import RunDirectory

if TYPE_CHECKING:
    from zoo.data import Dataset
    from zoo.diagnosis.games import Game
    from zoo.diagnosis.measuring import Probe
    from zoo.stacks.stack import Stack
    from zoo.training.trainer import Trainer

UPDATES = 500  # of each discriminator
POINTS = 50  # measurements of a curve, where no interval is given
DEFAULT_STEPS = 500  # of training before the generator is frozen
BATCHES = 4  # of one measurement
Line = dict[str, Any]


@dataclass(frozen=True)
class Procedure:
    """How long the generator is trained, how long each discriminator, and what is measured how often."""

    steps: Sequence[int] = ()
    """Steps of training after each of which the generator is frozen; 0 is an untrained one."""
    images: Sequence[int] = ()
    """The same in real images that the discriminator has seen."""
    updates: int = UPDATES
    every: int | None = None  # updates between two measurements
    batches: int = BATCHES
    games: Sequence[str] = ()  # by name; none: all

    def __post_init__(self) -> None:
        """Refuse what can't be measured."""
        if self.steps and self.images:
            raise ZooError("The training is given twice: --steps and --images. Keep one.")
        for name, values in (("--steps", self.steps), ("--images", self.images)):
            if any(each < 0 for each in values):
                raise ZooError(f"{name} must not be negative; received {min(values)}.")
        for name, value in (("--updates", self.updates), ("--every", self.interval), ("--batches", self.batches)):
            if value < 1:
                raise ZooError(f"{name} must be at least 1; received {value}.")

    @property
    def interval(self) -> int:
        """Updates between two measurements."""
        return max(1, self.updates // POINTS) if self.every is None else self.every

    def stages(self, images_per_step: int) -> list[int]:
        """The steps of training after which the generator is frozen, the fewest first."""
        of_images = [math.ceil(each / images_per_step) for each in self.images]
        return sorted(set(self.steps or of_images or (DEFAULT_STEPS,)))

    def is_due(self, update: int) -> bool:
        """Whether a measurement comes before that update; the last one comes after all."""
        return update % self.interval == 0 or update == self.updates


PROCEDURE = Procedure()


@dataclass(frozen=True)
class DiagnosisFiles:
    """The files of one diagnosis."""

    path: Path

    @property
    def request(self) -> Path:
        """What makes the diagnosis; another one is refused in its folder."""
        return self.path / "request.json"

    @property
    def measurements(self) -> Path:
        """A JSON object a line for each measurement."""
        return self.path / "measurements.jsonl"

    @property
    def result(self) -> Path:
        """All that was found."""
        return self.path / "diagnosis.json"

    def generator(self, steps: int) -> Path:
        """The generator after so many steps of training."""
        return self.path / "generators" / f"step-{steps:08d}.npz"

    def discriminator(self, steps: int, game: str) -> Checkpoints:
        """The state of a game that is unfinished, or that more updates may go on with."""
        return Checkpoints(self.path / "discriminators" / f"{steps:08d}-{game}", keep=1)

    def lines(self) -> list[Line]:
        """All measurements but a torn one."""
        texts = self.measurements.read_text(encoding="utf-8").splitlines() if self.measurements.exists() else []
        found = []
        for text in texts:
            try:
                found.append(json.loads(text))
            except ValueError:  # torn
                continue
        return found

    def keep(self, lines: Sequence[Line]) -> None:
        """Write the measurements anew."""
        with atomic_file(self.measurements) as file:
            file.write("".join(f"{json.dumps(plain(each))}\n" for each in lines).encode())

    def append(self, line: Line) -> None:
        """Add a measurement."""
        with self.measurements.open("a", encoding="utf-8") as file:
            file.write(json.dumps(plain(line)) + "\n")


def diagnose(
    stack: str = DEFAULT_STACK,
    *,
    dataset: str | Path = DEFAULT_DATASET,
    procedure: Procedure = PROCEDURE,
    data: DataOptions = DATA_OPTIONS,
    data_dir: Path | str | None = None,
    seed: int = 0,
    settings: Sequence[str] | Mapping[str, Any] = (),
    plugins: Sequence[Path | str] = (),
    out: Path | str | None = None,
    engine: EngineOptions = DEFAULT_ENGINE,
    progress: Progress | bool = True,
) -> dict[str, Any]:
    """Follow the generator's gradient under each loss while a discriminator is trained against it from scratch.

    Continues what is there of the diagnosis. Writes measurements, plots and a page into the folder `out`
    (diagnoses/<stack>/<dataset>/<seed>), and returns what was found, JSON-ready. Raises ZooError for a mistake and
    KeyboardInterrupt after Ctrl-C, when what was measured is saved and shown.
    """
    check_seed(seed)
    shown = as_progress(progress)
    resolved, rows, catalogue = opened(stack, dataset, data, data_dir, settings, plugins, engine, shown)
    path = folder_of(resolved, rows, str(seed), out)
    training = {
        "dataset": dataset, "data": data, "data_dir": data_dir, "settings": settings, "plugins": plugins,
        "engine": engine, "progress": progress,
    }  # fmt: skip
    found = Experiment(DiagnosisFiles(path), resolved, rows, seed, procedure, engine, shown, catalogue, training)
    with at_work(path, resolved, rows, engine):
        return found.carried_out()


@dataclass
class Experiment:
    """One diagnosis: for each trained generator a discriminator in each game, from scratch."""

    files: DiagnosisFiles
    stack: "Stack"
    rows: "Dataset"
    seed: int
    procedure: Procedure
    options: EngineOptions
    progress: Progress
    catalogue: Catalogue
    training: Mapping[str, Any]  # how the generator is trained: arguments of zoo.run

    def carried_out(self) -> dict[str, Any]:
        """Measure what is not measured yet, and write down what was found, also where a signal ends it."""
        games = self.games  # an unknown one is told before anything is written
        self.check_same()
        self.files.keep(self.files.lines())  # without a torn one
        try:
            with backend.fixed():
                for steps in self.stages:
                    self.measure_stage(steps, games)
        finally:
            found = self.written()
        return found

    @cached_property
    def stages(self) -> list[int]:
        """The steps of training after which the generator is frozen."""
        recipe = self.stack.recipe
        return self.procedure.stages(recipe.critic_steps * recipe.batch_size)

    @cached_property
    def games(self) -> list["Game"]:
        """The games that are played; raises ZooError for an unknown name."""
        from zoo.diagnosis.games import GAMES, NAMES

        for name in self.procedure.games:
            if name not in NAMES:
                raise unknown("game", name, NAMES)
        return [each for each in GAMES if not self.procedure.games or each.name in self.procedure.games]

    @cached_property
    def computing(self) -> Any:
        """The engine."""
        return backend.engine(self.options)

    def request(self) -> dict[str, Any]:
        """What makes the diagnosis, whatever its length."""
        recipe = {name: getattr(self.stack.recipe, name) for name in self.stack.recipe_sources}
        return dict(
            plain(
                {
                    "stack": self.stack.name,
                    "dataset": self.rows.name,
                    "fingerprint": self.rows.fingerprint,
                    "seed": self.seed,
                    "precision": self.options.precision,
                    "recipe": recipe,
                    "every": self.procedure.interval,
                    "batches": self.procedure.batches,
                }
            )
        )

    def check_same(self) -> None:
        """Refuse a folder with the diagnosis of something else."""
        request, before = self.request(), read_json(self.files.request)
        if before is None:
            write_json(self.files.request, request)
            return
        if differing := [name for name in request if request[name] != before.get(name)]:
            name = differing[0]
            raise ZooError(
                f"The diagnosis in {self.files.path} was made differently: {name} was {before.get(name)}, and is "
                f"{request[name]} here. Repeat what made it to continue it, or choose another --out."
            )

    def measure_stage(self, steps: int, games: Sequence["Game"]) -> None:
        """Every game against the generator of so many steps, as far as it is not measured yet."""
        open_games = [game for game in games if self.reached(steps, game) < self.procedure.updates]
        if not open_games:
            return
        generator = self.trained_generator(steps)
        for game in open_games:
            try:
                self.play(game, steps, generator)
            except ZooError as error:
                if game.is_own:
                    raise
                self.files.append({"trained": steps, "game": game.name, "refused": str(error)})

    def reached(self, steps: int, game: "Game") -> int:
        """The last update of a game that was measured, under each of its objectives; -1 where none was."""
        lines = [each for each in self.files.lines() if (each["trained"], each["game"]) == (steps, game.name)]
        if any("refused" in each or "diverged" in each for each in lines):
            return self.procedure.updates
        names = [objective.name for objective in game.objectives]
        return min(max((each["update"] for each in lines if each["objective"] == name), default=-1) for name in names)

    def trained_generator(self, steps: int) -> dict[str, np.ndarray]:
        """The state of the generator after so many steps, trained by an ordinary run inside the folder."""
        path = self.files.generator(steps)
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            state = self.trained_state(steps)
            with atomic_file(path) as file:
                np.savez(file, **state)  # type: ignore[arg-type]
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    def trained_state(self, steps: int) -> dict[str, np.ndarray]:
        """What belongs to the generator in the state of a run of so many steps."""
        from zoo.training.trainer import Trainer

        if steps == 0:
            return self.of_generator(Trainer(self.stack, self.rows, self.seed, self.computing))
        folder = self.files.path / "run"
        latest = RunDirectory(folder).checkpoints.latest()
        if latest is not None and latest[0]["steps"] > steps:
            folder = self.files.path / f"run-{steps}"
        made = run(
            self.stack.name, seed=self.seed, out=folder, budget=Budget(steps=steps), monitoring=Monitoring(),
            **self.training,
        )  # fmt: skip
        latest = made.directory.checkpoints.latest()
        if latest is None:
            raise ZooError(f"The run {folder} has no whole checkpoint. Remove it and repeat the command.")
        trainer = Trainer(self.stack, self.rows, self.seed, self.computing)
        trainer.set_state(latest[0])
        return self.of_generator(trainer)

    def of_generator(self, trainer: "Trainer") -> dict[str, np.ndarray]:
        """The arrays of the generator and of the networks that are trained with it."""
        owners = ("generator", *(f"network_{name}" for name in trainer.players.networks_of("generator")))
        return {name: each for name, each in trainer.state().items() if name.partition("/")[0] in owners}

    def play(self, game: "Game", steps: int, generator: Mapping[str, np.ndarray]) -> None:
        """Train a discriminator from scratch, or from where it stands, and measure what the generator would receive."""
        from zoo.diagnosis.games import game_stack
        from zoo.diagnosis.measuring import Probe
        from zoo.training.trainer import Trainer

        trainer = Trainer(game_stack(self.stack, game), self.rows, self.seed, self.computing)
        adopt(trainer, generator)
        saved = self.files.discriminator(steps, game.name)
        if (latest := saved.latest()) is not None:
            trainer.set_state(latest[0])
        mine = (steps, game.name)
        kept = [each for each in self.files.lines() if of(each) != mine or each["update"] < trainer.steps]
        self.files.keep(kept)
        probes = [Probe(trainer, objective) for objective in game.objectives]
        with stop_requests() as stop_request:
            try:
                self.follow(game, steps, trainer, probes, stop_request)
            finally:
                saved.save(trainer.state(), {})

    def follow(
        self, game: "Game", steps: int, trainer: "Trainer", probes: Sequence["Probe"], stop_request: StopRequest
    ) -> None:
        """Updates of the discriminator, with measurements between them."""
        what = f"{game.name}, generator of step {steps}"
        while True:
            update = trainer.steps
            if stop_request.number is not None:
                raise Interrupted(
                    stop_request.number,
                    f"Stopped at update {update} of {what}, and saved. The same command goes on from there.",
                )
            if self.procedure.is_due(update):
                self.progress.counting(what, update, self.procedure.updates)
                if not self.measure(game, steps, update, probes):
                    return
            if update >= self.procedure.updates:
                return
            trainer.call("discriminator", 0)
            trainer.steps += 1

    def measure(self, game: "Game", steps: int, update: int, probes: Sequence["Probe"]) -> bool:
        """A line for each objective; whether all figures are finite."""
        for probe in probes:
            figures = probe.measured(update, self.procedure.batches)
            place = {"trained": steps, "game": game.name, "objective": probe.objective.name, "update": update}
            if not math.isfinite(figures["norm"]):
                self.files.append({**place, "diverged": f"the gradient's norm is {figures['norm']}"})
                return False
            self.files.append({**place, **figures})
        return True

    def written(self) -> dict[str, Any]:
        """What was found so far, as diagnosis.json, plots and a page."""
        from zoo.diagnosis.games import GAMES
        from zoo.diagnosis.report import write_report

        lines = self.files.lines()
        found = {
            **self.request(),
            "folder": str(self.files.path),
            "updates": self.procedure.updates,
            "backend": self.computing.name,
            "devices": self.computing.device_names(),
            "objectives": {
                each.name: {"game": game.name, "formula": each.formula, "slope": each.slope_formula}
                for game in GAMES
                for each in game.objectives
            },
            "measurements": [each for each in lines if "norm" in each],
            "refused": [each for each in lines if "refused" in each or "diverged" in each],
        }
        found["verdicts"] = verdicts_of(found["measurements"])
        write_json(self.files.result, found)
        write_report(found, self.files.path)
        return found


def of(line: Line) -> tuple[int, str]:
    """The generator and the game that a line belongs to."""
    return line["trained"], line["game"]


def adopt(trainer: "Trainer", generator: Mapping[str, np.ndarray]) -> None:
    """Give a trainer the generator of another one of the same networks."""
    variables = trainer.variables()
    for name, array in generator.items():
        variables[name].assign(array)
    trainer.engine.place([variables[name] for name in generator])
