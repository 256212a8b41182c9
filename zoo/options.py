"""How long a run trains, and what is written about it meanwhile: options that `run` and `compare` share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from zoo.errors import ZooError
from zoo.evaluation.options import PERIODIC, EvaluationOptions


@dataclass(frozen=True)
class Budget:
    """The total that a run is trained to over all its sessions, in one unit; none: what registry.yaml says.

    `images` counts real images that the discriminator consumes, `epochs` passes over the dataset, `steps` the
    generator's, `minutes` the time of training.
    """

    steps: int | None = None
    epochs: float | None = None
    images: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        """Refuse two units, and an amount that no run can have."""
        if len(self.given) > 1:
            raise ZooError(f"The budget is given twice: {' and '.join('--' + name for name in self.given)}. Keep one.")
        for name, value in self.given.items():
            if not 0 < value < math.inf:
                raise ZooError(f"--{name} must be a number above 0; received {value}.")

    @property
    def given(self) -> dict[str, float]:
        """The amount by its unit; empty where none was chosen."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Monitoring:
    """What is written while a run trains, beside its metrics and sample pictures."""

    checkpoint_every: int | None = None  # steps; by the clock, once a minute, where it is None
    evaluate_every: int | None = None  # steps; the best checkpoint is kept
    evaluations: int | None = None  # evenly over the budget, in place of `evaluate_every`
    evaluation: EvaluationOptions = PERIODIC
    patience: int | None = None  # evaluations in which the first score may fail to improve before training stops
    until: float | None = None  # training stops once the first score is as good as this
    health_every: int = 500  # steps between measurements of health, in metrics.jsonl; 0 for none
    listeners: Sequence[str] = ()  # that follow the run, such as tensorboard
    profile: bool = False  # trace some steps, and say where their time went

    def __post_init__(self) -> None:
        """Refuse intervals that never come."""
        for name, value in (("--evaluate-every", self.evaluate_every), ("evaluations", self.evaluations)):
            if value is not None and value < 1:
                raise ZooError(f"{name} must be at least 1; received {value}.")
        if self.patience is not None and (self.patience < 1 or not self.evaluates):
            raise ZooError(
                "--patience is a number of evaluations, at least 1, and needs some: give --evaluate-every STEPS too; "
                f"received {self.patience}."
            )
        if self.until is not None and not self.evaluates:
            raise ZooError("--until is a score to be reached, and needs evaluations: give --evaluate-every STEPS too.")

    @property
    def evaluates(self) -> bool:
        """Whether the generator is scored while it trains."""
        return bool(self.evaluate_every or self.evaluations)


UNLIMITED = Budget()
MONITORING = Monitoring()
