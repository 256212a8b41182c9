"""The loop around the step: metrics, sample pictures, checkpoints, and a clean end whatever happens."""

import math
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from zoo.base.interrupts import Interrupted, StopRequest, stop_requests
from zoo.base.pictures import save_animation, save_picture
from zoo.base.plain_data import plain
from zoo.base.progress import Progress
from zoo.errors import TrainingFailed, ZooError
from zoo.health import PREFIX, findings
from zoo.profiling import profile_steps
from zoo.runs.directory import RunDirectory
from zoo.training.health import HealthMeter
from zoo.training.listeners import Listener
from zoo.training.repeatable import check_repeatable
from zoo.training.sampler import Sampler
from zoo.training.sheets import sample_sheet
from zoo.training.trainer import Trainer

METRICS_EVERY = 50  # steps that one line of metrics.jsonl averages
CHECKPOINT_SECONDS = 60.0  # between checkpoints where no number of steps is given
FIRST_PICTURE, PICTURE_RATIO = 10, 1.25  # pictures at steps 0, 10, 12, 16, ...: about 30, however long the run
NO_NOTES: dict[str, Any] = {"meter": {}, "seconds": 0.0}
SAMPLES_SEED = 0x5A00  # of the latents of all pictures, the same in every run


@dataclass(frozen=True)
class Total:
    """A total over all sittings of a run: of steps, or of seconds spent training."""

    steps: int | None = None
    seconds: float | None = None

    def is_spent(self, steps: int, seconds: float) -> bool:
        """Whether a run that stands there has nothing left to do."""
        return steps >= (self.steps or math.inf) or seconds >= (self.seconds or math.inf)

    def __str__(self) -> str:
        return str(self.steps) if self.steps is not None else f"{self.seconds:g} s of training"


@dataclass(frozen=True)
class Schedule:
    """When something beside training is due; what is None is left to the clock, or never due."""

    checkpoint_every: int | None = None  # steps
    evaluate_every: int | None = None  # steps
    evaluate_seconds: float | None = None  # of training, where the budget is one of time
    health_every: int | None = None  # steps between measurements of health
    stops_early: bool = False  # whether the judge may end training before its budget is spent

    def measures_health(self, step: int) -> bool:
        """Whether a run's health is measured over that step, which is then taken by itself."""
        return self.health_every is not None and step > 0 and step % self.health_every == 0

    def is_judged(self, step: int, before: float, after: float) -> bool:
        """Whether the generator is to be scored after a step that ended a call from `before` to `after` seconds."""
        by_steps = self.evaluate_every is not None and step % self.evaluate_every == 0
        interval = self.evaluate_seconds
        return by_steps or (interval is not None and before // interval < after // interval)

    def __post_init__(self) -> None:
        """Refuse health that would fall between two lines of metrics.jsonl."""
        if self.health_every is not None and self.health_every % METRICS_EVERY:
            raise ZooError(
                f"--health must be a multiple of {METRICS_EVERY} steps, as lines of metrics.jsonl are, or 0 for none; "
                f"received {self.health_every}."
            )


BY_THE_CLOCK = Schedule()


@dataclass
class Meter:
    """Sums of metrics since the last line of metrics.jsonl; a checkpoint holds it, so that no line is lost."""

    count: int = 0
    sums: dict[str, float] = field(default_factory=dict)

    def add(self, metrics: Mapping[str, float]) -> None:
        """Count one step."""
        self.count += 1
        for name, value in metrics.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def take_means(self) -> dict[str, float]:
        """The means, to begin anew."""
        means = {name: value / self.count for name, value in self.sums.items()}
        self.count, self.sums = 0, {}
        return means


class Judge(Protocol):
    """What evaluates a run while it trains; it reads the generator and changes nothing that training depends on."""

    def judge(self, sampler: Sampler, step: int) -> Mapping[str, Any] | None:
        """Score the generator of a step whose checkpoint is saved: its evaluation, None where that is done already."""

    def forget_after(self, steps: int) -> None:
        """Drop the scores of later steps."""

    def reason_to_stop(self) -> str:
        """Why the scores say that training is to stop; "" for no reason."""


@contextmanager
def saving_at_an_end(training: "Training") -> Iterator[None]:
    """Saves what was trained where anything beside training fails: a full disk, a picture, a reporter of progress."""
    try:
        yield
    except Exception:
        if training.is_whole and training.saved_steps != training.trainer.steps:
            with suppress(Exception):  # the first error is the one to be told
                training.save_checkpoint()
        raise


class Training:
    """One run's training from wherever its directory stands to a number of steps."""

    def __init__(
        self,
        trainer: Trainer,
        directory: RunDirectory,
        progress: Progress,
        schedule: Schedule = BY_THE_CLOCK,
        judge: Judge | None = None,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self.trainer = trainer
        self.engine = trainer.engine
        self.directory = directory
        self.progress = progress
        self.schedule = schedule  # of all processes, or their calls would differ
        self.judge = judge  # of one process
        self.listeners = listeners  # of the process that writes files
        self.meter = Meter()
        self.health = HealthMeter(trainer)
        self.figures: dict[str, float] = {}  # of health, for the line of metrics.jsonl that is due
        self.lines: list[dict[str, Any]] | None = None  # all of metrics.jsonl, once they were looked at
        self.warned: set[str] = set()  # what was warned of in this sitting
        self.seconds = 0.0  # of training, over all sittings
        self.saved_at = time.monotonic()
        self.saved_steps: int | None = None  # of the last checkpoint
        self.stop_request = StopRequest()
        self.reason_to_stop = ""  # that the judge gives
        self.is_unscored = False  # whether a signal cut an evaluation short
        self.is_whole = True  # whether the state is that of a number of steps, and all of them are counted

    def resume(self) -> None:
        """Continue from the last whole checkpoint, if there is one, and drop what came after it."""
        latest = self.directory.checkpoints.latest()
        if self.engine.any_process(latest is not None):  # only the process that writes them has any
            state, notes = latest or (self.trainer.state(), NO_NOTES)
            self.trainer.set_state(state)
            if self.engine.processes.count > 1:
                # not the checkpoint's own arrays: another backend's differ in type from the other processes' state
                self.trainer.set_state(self.engine.agreed(self.trainer.state()))
            self.meter = Meter(**notes["meter"])
            self.seconds = notes["seconds"]
            self.saved_steps = self.trainer.steps
            self.progress.note(f"Continuing {self.directory.path} from step {self.trainer.steps}.")
        elif self.directory.checkpoints.paths():
            self.progress.note(f"No checkpoint of {self.directory.path} is whole: training begins anew.")
        self.directory.cut_back(self.trainer.steps)
        if self.judge is not None:
            self.judge.forget_after(self.trainer.steps)
            self.reason_to_stop = self.judge.reason_to_stop()

    def is_finished(self, total: Total) -> bool:
        """Whether the run has what the budget allows, or its scores say that it is enough."""
        enough = bool(self.reason_to_stop)
        if self.schedule.stops_early and self.engine.any_process(enough):  # one process judges for all
            return True
        return total.is_spent(self.trainer.steps, self.seconds)

    def train_to(self, total: Total, profile: bool = False) -> None:
        """Train until the total is reached, or say that it is; raises Interrupted after a signal, when all is saved."""
        with stop_requests(patience=1) as self.stop_request:
            if self.is_finished(total):
                steps = self.trainer.steps
                reason = self.reason_to_stop or f"the budget is {total}"
                self.progress.note(f"Nothing to do: {self.directory.path} has {steps} steps, {reason}.")
            else:
                self.run_to(total, profile)
            self.finish()  # also where a kill has cut that short

    def run_to(self, total: Total, profile: bool = False) -> None:
        """Train until the budget is spent; Ctrl-C and all other signals that end a process save, and raise Interrupted.

        `profile` records some of the steps, and says where their time went.
        """
        self.directory.keep_metrics(lambda step: step % METRICS_EVERY == 0)  # an earlier end left more
        self.directory.keep_pictures(is_picture_step)
        for each in self.listeners:
            each.begin()
        self.progress.start(self.trainer.steps, total.steps, self.trainer.images_per_step)
        try:
            with saving_at_an_end(self):
                if self.trainer.steps == 0:
                    self.save_sample_picture()
                elif self.schedule.is_judged(self.trainer.steps, self.seconds, self.seconds):
                    self.evaluate()  # a kill may have come between checkpoint and scores
                check_repeatable(self.trainer)
                calls = self.calls(total)
                if profile:
                    self.progress.note(self.profile(calls))
                for _ in calls:
                    pass
                if self.reason_to_stop:
                    step = self.trainer.steps
                    self.progress.note(
                        f"Stopped early at step {step}: {self.reason_to_stop}. The best checkpoint is kept."
                    )
                if not self.is_finished(total) or self.stop_request.number is not None:
                    self.save_checkpoint()
                    raise self.stopped()
        finally:
            self.progress.stop()

    def stopped(self) -> Interrupted:
        """The end upon a signal, of this process or of another one, once the run is saved."""
        number = self.stop_request.number or signal.SIGINT
        return Interrupted(
            number, f"Stopped at step {self.trainer.steps} and saved. The same command goes on from there."
        )

    def calls(self, total: Total) -> Iterator[int]:
        """Train call by call, until all is spent or a process wishes to stop; yields the steps of each call."""
        while not self.is_finished(total) and not self.engine.any_process(self.stop_request.number is not None):
            first = self.trainer.steps
            self.train_until(self.next_stop(total.steps))
            yield self.trainer.steps - first

    def profile(self, calls: Iterator[int]) -> str:
        """A trace of some of the calls, in the run directory, and its summary."""
        folder = self.directory.path / "profile"
        return profile_steps(lambda: next(calls, 0), self.engine, self.trainer.phases, folder) + f"\n{folder}"

    def next_stop(self, total: int | None) -> int:
        """The step to which the trainer may go in one call: the next after which something is due."""
        first = self.trainer.steps + 1
        last = self.trainer.steps + self.trainer.steps_per_call
        last = last if total is None else min(last, total)
        return next((step for step in range(first, last) if self.is_due(step)), last)

    def is_due(self, step: int) -> bool:
        """Whether something is to be written after that step."""
        every = (METRICS_EVERY, self.schedule.checkpoint_every, self.schedule.evaluate_every)
        is_measured = self.schedule.measures_health(step) or self.schedule.measures_health(step + 1)
        return is_picture_step(step) or is_measured or any(step % each == 0 for each in every if each)

    def evaluate(self) -> None:
        """Score the generator of now, and save what was scored: it may be the best."""
        if self.judge is None:
            return
        evaluation = None
        with self.trainer.phases.timing("evaluation"):
            if self.saved_steps != self.trainer.steps:
                self.save_checkpoint()
            try:
                with self.stop_request.interruptible():
                    evaluation = self.judge.judge(self.trainer.sampler, self.trainer.steps)
                self.reason_to_stop = self.judge.reason_to_stop()
            except Interrupted:
                self.is_unscored = True  # a later sitting makes up for it
        if evaluation is not None:
            for each in self.listeners:
                each.scored(evaluation)

    def train_until(self, step: int) -> None:
        """Steps, and whatever is due after them."""
        is_measured = self.schedule.measures_health(step)
        if is_measured:
            with self.trainer.phases.timing("health"):
                self.health.begin()
        began, before = time.perf_counter(), self.seconds
        first = self.trainer.steps + 1
        self.is_whole = False
        metrics = self.trainer.train(step - self.trainer.steps)
        self.seconds += time.perf_counter() - began
        self.count(first, metrics)
        self.is_whole = True
        if is_measured:
            with self.trainer.phases.timing("health"):
                self.figures = self.health.end()
        if step % METRICS_EVERY == 0:
            self.write_metrics()
        if is_picture_step(step):
            with self.trainer.phases.timing("pictures"):
                self.save_sample_picture()
        if self.checkpoint_is_due():
            with self.trainer.phases.timing("checkpoints"):
                self.save_checkpoint()
        self.progress.step(step, {name: float(values[-1]) for name, values in metrics.items()})
        if self.schedule.is_judged(step, before, self.seconds):
            self.evaluate()

    def count(self, first: int, metrics: Mapping[str, np.ndarray]) -> None:
        """Add each step's metrics, from the step `first` on, to the meter; stop where one is not finite."""
        for index in range(len(next(iter(metrics.values())))):
            each = {name: float(values[index]) for name, values in metrics.items()}
            self.check_finite(first + index, each)
            self.meter.add(each)

    def finish(self) -> None:
        """Leave everything that a reader may want: checkpoint, scores, metrics, picture, animation and generator."""
        if not self.engine.processes.writes_files:
            return
        if self.saved_steps != self.trainer.steps:
            self.save_checkpoint()
        self.evaluate()
        if self.meter.count:
            self.directory.keep_metrics(lambda step: step < self.trainer.steps)
            self.write_metrics()
        if not self.directory.picture(self.trainer.steps).exists():
            self.save_sample_picture()
        save_animation(self.directory.pictures(), self.directory.samples / "animation.webp")
        self.trainer.sampler.save_model(self.directory.generator)
        if self.is_unscored:
            raise self.stopped()

    def checkpoint_is_due(self) -> bool:
        """By steps where a number was given, else by the clock."""
        if self.schedule.checkpoint_every:
            return self.trainer.steps % self.schedule.checkpoint_every == 0
        return time.monotonic() - self.saved_at > CHECKPOINT_SECONDS

    def save_checkpoint(self) -> None:
        """Save the whole state, unless it holds a number that is none."""
        state = self.trainer.state()
        broken = [name for name, array in state.items() if array.dtype.kind == "f" and not np.isfinite(array).all()]
        if broken:
            what = f"the variable '{broken[0]}' holds a value that is not finite"
            raise self.diverged(self.trainer.steps, what)
        notes = {"meter": {"count": self.meter.count, "sums": self.meter.sums}, "seconds": self.seconds}
        self.directory.checkpoints.save(state, notes)
        self.saved_at, self.saved_steps = time.monotonic(), self.trainer.steps

    def check_finite(self, step: int, metrics: Mapping[str, float]) -> None:
        """Stop where a loss, a penalty or a gradient is not a finite number."""
        broken = [f"{name} is {value}" for name, value in metrics.items() if not math.isfinite(value)]
        if broken:
            if self.engine.processes.writes_files:  # what ended the run is its last line, for whoever reads it later
                self.directory.append_metrics({**self.counts(step), **metrics})
            raise self.diverged(step, ", ".join(broken))

    def diverged(self, step: int, what: str) -> TrainingFailed:
        """What went wrong, what is kept, and what to try."""
        kept = "no checkpoint was written yet"
        if self.saved_steps is not None:
            kept = f"the checkpoint of step {self.saved_steps} in {self.directory.checkpoints.folder} is kept"
        rate = self.trainer.recipe.discriminator_learning_rate / 4
        stack = self.trainer.stack
        tries = [
            f"smaller learning rates (--set generator_learning_rate={rate:g} "
            f"--set discriminator_learning_rate={rate:g})",
            *(text for _, text in stack.each("advice", loss_family=stack.loss_family, recipe=stack.recipe)),
        ]
        return TrainingFailed(
            f"Training diverged at step {step}: {what}; {kept}. Try {', or '.join(dict.fromkeys(tries))}, with another "
            "--out."
        )

    def write_metrics(self) -> None:
        """A line of metrics.jsonl: means since the line before, counts and seconds of training so far."""
        line = {**self.counts(self.trainer.steps), **self.meter.take_means(), **self.figures}
        self.figures = {}
        self.directory.append_metrics(line)
        if self.lines is not None:
            self.lines.append(plain(line))  # as it would be read
        if any(name.startswith(PREFIX) for name in line):
            self.warn()
        for each in self.listeners:
            each.measured(line)

    def counts(self, step: int) -> dict[str, Any]:
        """Steps, images and seconds of training so far."""
        return {"step": step, "images": self.trainer.images_at(step), "seconds": round(self.seconds, 3)}

    def warn(self) -> None:
        """Say in plain words what the metrics so far show to be wrong, once in a sitting."""
        if not self.engine.processes.writes_files:
            return
        if self.lines is None:
            self.lines = self.directory.read_metrics()
        for finding in findings(self.lines):
            if finding.name not in self.warned:
                self.warned.add(finding.name)
                self.progress.note(f"Health: {finding.text}")

    def save_sample_picture(self) -> None:
        """A picture of samples from the same latents as all others."""
        if not self.engine.processes.writes_files:
            return
        self.directory.samples.mkdir(parents=True, exist_ok=True)
        picture = self.directory.picture(self.trainer.steps)
        save_picture(sample_picture(self.trainer), picture)
        for each in self.listeners:
            each.pictured(self.trainer.steps, picture)


def is_picture_step(steps: int) -> bool:
    """Whether a picture is due: at the beginning, and at steps that grow by a constant ratio."""
    if steps < FIRST_PICTURE:
        return steps == 0
    power = math.log(steps / FIRST_PICTURE, PICTURE_RATIO)
    return any(int(FIRST_PICTURE * PICTURE_RATIO**near) == steps for near in (math.floor(power), math.ceil(power)))


def sample_picture(trainer: Trainer) -> Any:
    """A picture of samples of fixed latents: see `zoo.training.sheets`."""
    return sample_sheet(trainer.sampler, trainer.dataset, SAMPLES_SEED)
