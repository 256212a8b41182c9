"""Runs that are made sick on purpose, each by what makes people's runs sick, and runs that are known to be well."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zoo
from zoo.errors import TrainingFailed
from zoo.training import loop

HERE = Path(__file__).parent
SMALL = {"generator_units": 16, "discriminator_units": 16, "batch_size": 32, "latent_size": 4, "dropout": 0}
DEAF = {"latent_size": 1, "generator_units": 1, "generator_normalization": "none"}  # its latents hardly matter


@dataclass(frozen=True)
class Case:
    """A run of so many lines of metrics, and the warnings that it is to get."""

    name: str
    why: str
    expected: frozenset[str]
    lines: int
    dataset: str = "ring8"
    plugins: Sequence[str] = ()  # of the zoo, or of this folder
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[str] = ()  # of evaluations
    judged_every: int = 4  # lines

    def run(self, out: Path) -> zoo.Run:
        """Train it; it may diverge."""
        every = loop.METRICS_EVERY
        files = [HERE / f"{each}.py" for each in self.plugins if (HERE / f"{each}.py").exists()]
        settings = {**SMALL, **self.settings}
        horizon = {"horizon": self.lines * every * int(settings["batch_size"])} if self.plugins else {}
        monitoring = zoo.Monitoring(
            evaluate_every=self.judged_every * every if self.metrics else None,
            evaluation=zoo.EvaluationOptions(self.metrics, samples=200),
            health_every=2 * every,
        )
        with suppress(TrainingFailed):
            zoo.run(
                "+".join(["vanilla", *self.plugins]), dataset=self.dataset, settings={**horizon, **settings},
                plugins=files, budget=zoo.Budget(steps=self.lines * every), out=out, monitoring=monitoring,
                progress=False,
            )  # fmt: skip
        return zoo.load(out)


SICK = (
    Case(
        "turning", "the generator flees from what it had learned, and then gets next to no gradient",
        frozenset({"vanishing gradient", "discriminator won", "score worsening"}), 32, plugins=("turns",),
        settings={"generator_learning_rate": 0.05, "discriminator_learning_rate": 0.1}, metrics=("swd",),
    ),
    Case(
        "bursting", "the discriminator's loss grows a hundred thousand times, and is infinite at last",
        frozenset({"exploding gradient", "non-finite"}), 20, plugins=("bursts",),
    ),
    Case(
        "dead", "the generator's learning rate is 1e-13, its latents hardly matter, and noise hides all samples",
        frozenset({"frozen", "discriminator blind", "samples all alike", "samples flat"}), 10, "fashion_mini",
        ("instance_noise",),
        {**DEAF, "generator_learning_rate": 1e-13, "batch_size": 512, "instance_noise": 1e6, "horizon": 10**9},
    ),
    Case(
        "collapsing", "the generator's learning rate is 0.1, ten times the discriminator's",
        frozenset({"mode collapse"}), 24,
        settings={"generator_learning_rate": 0.1, "discriminator_learning_rate": 0.01},
    ),
    Case(
        "copying", "the generator has nothing but sixteen training images",
        frozenset({"memorisation"}), 2, "fashion_mini", ("copies",), {"generator_learning_rate": 1e-9},
        ("memorisation",), 2,
    ),
)  # fmt: skip
