"""The options of an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import ZooError

SAMPLES = 10_000  # of either side, as Heusel et al. 2017 advise at least
TEST = "test"
BEST, LAST, ALL = CHECKPOINTS = ("best", "last", "all")


@dataclass(frozen=True)
class EvaluationOptions:
    """How to measure; what is left None is chosen by the data and by what is installed."""

    metrics: Sequence[str] = ()  # all usual ones that the data allow where none is named
    samples: int = SAMPLES  # generated
    real_samples: int | None = None  # as many as generated, or all there are
    seed: int = 0  # of latents, subsets, projections
    extractor: str | None = None
    resize: str | None = None  # how images reach the extractor
    weights: Path | None = None  # of the extractor
    split: str = TEST  # of the real samples
    raw: bool = False  # the weights that training ended with, though an average is kept
    allow_training: bool = False  # score against samples that the run was trained on
    data_dir: Path | None = None
    to: str = "samples"  # the field that a translation ends in: source is the way back

    def __post_init__(self) -> None:
        for name in ("samples", "real_samples"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ZooError(f"--{name.replace('_', '-')} must be at least 1, not {value}.")

    @property
    def real_count(self) -> int:
        """How many real samples are compared, at most."""
        return self.real_samples or self.samples


PERIODIC = EvaluationOptions(samples=2_000)  # while a run trains, with the metrics of `JUDGED_BY`
JUDGED_BY = {"images": ("kid", "fd"), "points": ("swd",)}  # where none is named; the first decides what is best
