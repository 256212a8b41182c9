"""The rules: each looks at a run's lines of metrics, or at its scores, and says from which step on something is wrong.

A rule speaks only where what it looks at was measured, and stays silent where a healthy run may look the same: a critic
is to be good, losses of Wasserstein critics are small and have any sign, and a discriminator that can't tell samples
apart may be a perfect generator's. Thresholds are relative to the run itself wherever they can be.
"""

import math
from bisect import insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

Line = Mapping[str, Any]
Lines = Sequence[Line]
PLAYERS = ("generator", "discriminator")
PREFIX = "health/"  # of what is measured for its own sake, every so many steps
SEPARATION = f"{PREFIX}discriminator/separation"
DIVERSITY, CONTRAST = f"{PREFIX}samples/diversity", f"{PREFIX}samples/contrast"

HEALTHY = "healthy"
LESS, MORE = 0.25, 4.0  # factors of learning rates in the next run
RATES = tuple(f"{player}_learning_rate" for player in PLAYERS)

VANISHED = 1e-3  # of the largest median of WINDOW lines
EXPLODED = 100.0  # times the median of all lines before
WINDOW = 5  # lines of metrics.jsonl
WON = 0.02  # of a loss that is never below 0, where cross-entropy's is 1.39 for a discriminator that can't tell
BLIND = 0.05  # from a separation of 1/2
UNLIKE = 0.5  # of the real samples' diversity or contrast, or twice as much: no good generator's samples
COLLAPSED = 0.35  # of the diversity that the run had
ALIKE, FLAT = 0.05, 0.1  # of the real samples' diversity, of their contrast
FROZEN = 1e-7  # the largest update of any layer relative to its weights; float32 resolves 6e-8
TWICE = 2  # measurements of health in a row
FOREVER = 4  # the same, where a healthy run may pass through what is measured
WORSE = 0.5  # share by which a last score is worse than the best
LONG = 2  # times the steps of the best score
COPIES = 0.1  # share of near-copies, which is 0.01 of new real images


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a run: from which step on, the evidence, and what to try."""

    name: str
    step: int
    sentence: str
    tries: tuple[str, ...]
    severity: int  # the likeliest cause of the others first
    factors: Mapping[str, float] = field(default_factory=dict)
    """Recipe fields that are to be multiplied in the next run; none where that is not the way to mend it."""

    @property
    def text(self) -> str:
        """A warning in one line."""
        return f"{self.sentence} Try {', or '.join(self.tries)}."

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready data."""
        return {**asdict(self), "tries": list(self.tries)}


Rule = Callable[[Lines, Lines], Finding | None]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    """Adds a rule."""
    RULES.append(function)
    return function


def findings(lines: Lines, evaluations: Lines = ()) -> list[Finding]:
    """All that is wrong, the likeliest cause first.

    `lines` are those of metrics.jsonl, `evaluations` those of evaluation.json.
    """
    found = [each(lines, evaluations) for each in RULES]
    return sorted((each for each in found if each is not None), key=lambda each: (-each.severity, each.step))


def word(found: Sequence[Finding]) -> str:
    """A run's health in a word or a few: `healthy`, or the likeliest cause's name."""
    return found[0].name if found else HEALTHY


def word_of(lines: Lines, evaluations: Lines = ()) -> str:
    """The same of a run's metrics and scores; "" where nothing is measured yet."""
    return word(findings(lines, evaluations)) if lines else ""


def values(lines: Lines, name: str) -> list[tuple[int, float]]:
    """(step, value) of each line that has the value."""
    return [(int(line["step"]), float(line[name])) for line in lines if isinstance(line.get(name), int | float)]


def first_run(pairs: Sequence[tuple[int, bool]], length: int) -> int | None:
    """The step at which something has been true for so many measurements in a row; None where it never was."""
    count = 0
    for step, holds in pairs:
        count = count + 1 if holds else 0
        if count == length:
            return step
    return None


def lasting(pairs: Sequence[tuple[int, bool]], length: int) -> int | None:
    """The same where it is still true at the end: what passed by itself is no reason to worry."""
    if not pairs or len(pairs) < length or not all(holds for _, holds in pairs[-length:]):
        return None
    last_good = next((place for place in range(len(pairs) - 1, -1, -1) if not pairs[place][1]), -1)
    return pairs[last_good + length][0]


def medians(pairs: Sequence[tuple[int, float]]) -> Iterator[float]:
    """The median of each WINDOW values in a row."""
    for place in range(WINDOW, len(pairs) + 1):
        yield median(value for _, value in pairs[place - WINDOW : place])


def middle(ordered: Sequence[float]) -> float:
    """The median of values in order."""
    half = len(ordered) // 2
    if not ordered:
        return math.nan
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


@rule
def not_finite(lines: Lines, evaluations: Lines) -> Finding | None:
    """A value is no number."""
    for line in lines:
        for name, value in line.items():
            if isinstance(value, float) and not math.isfinite(value):
                slower = dict.fromkeys(RATES, LESS)
                tries = ("smaller learning rates", "--precision float32", "a gradient penalty")
                return Finding(
                    "non-finite", int(line["step"]), f"{name} is {value} at step {line['step']}.", tries, 10, slower
                )
    return None


@rule
def vanishing(lines: Lines, evaluations: Lines) -> Finding | None:
    """The generator's gradient is a thousandth of what it was."""
    norms = [each for each in values(lines, "generator_gradient_norm") if math.isfinite(each[1])]
    peak = max(medians(norms), default=0.0)
    step = lasting([(step, value < VANISHED * peak) for step, value in norms], WINDOW)
    if step is None:
        return None
    return Finding(
        "vanishing gradient",
        step,
        f"The generator's gradient vanishes: from {peak:.2g} to {norms[-1][1]:.2g}, from step {step} on.",
        (
            "another loss (zoo diagnose says which keep it)",
            "a smaller discriminator_learning_rate",
            "a gradient penalty",
        ),
        8,
    )


@rule
def exploding(lines: Lines, evaluations: Lines) -> Finding | None:
    """A gradient is a hundred times what it was in the median."""
    for player in PLAYERS:
        norms = values(lines, f"{player}_gradient_norm")
        before: list[float] = []  # in order
        pairs = []
        for place, (at, value) in enumerate(norms):
            if place >= WINDOW:
                pairs.append((at, value > EXPLODED * middle(before)))
            if not math.isnan(value):
                insort(before, value)
        step = first_run(pairs, TWICE)
        if step is not None:
            value = next(value for at, value in norms if at == step)
            return Finding(
                "exploding gradient",
                step,
                f"The {player}'s gradient explodes: {value:.2g} at step {step}, a hundred times its median before.",
                (
                    "smaller learning rates",
                    "--set discriminator_normalization=spectral",
                    "a gradient penalty",
                ),
                9,
                dict.fromkeys(RATES, LESS),
            )
    return None


@rule
def discriminator_won(lines: Lines, evaluations: Lines) -> Finding | None:
    """A loss that is never below 0 lies at 0: the discriminator knows every sample, and is sure of it."""
    losses = values(lines, "discriminator_loss")
    if any(value < 0 for _, value in losses):  # a critic's, which has no floor
        return None
    step = lasting([(step, value < WON) for step, value in losses], WINDOW)
    if step is None or not all(value > 0.9 for at, value in values(lines, SEPARATION) if at >= step):
        return None
    return Finding(
        "discriminator won",
        step,
        f"The discriminator has won: its loss is {losses[-1][1]:.2g}, below {WON} from step {step} on.",
        (
            "a smaller discriminator_learning_rate",
            "--set discriminator_normalization=spectral",
            "a gradient penalty",
            "smoothed labels where the loss is cross-entropy",
            "more data",
        ),
        7,
        {"discriminator_learning_rate": LESS},
    )


@rule
def discriminator_blind(lines: Lines, evaluations: Lines) -> Finding | None:
    """It can't tell samples from real ones, though these are unlike in plain figures."""
    unlike = {
        step for name in (CONTRAST, DIVERSITY) for step, value in values(lines, name) if not UNLIKE < value < 1 / UNLIKE
    }
    pairs = [(step, abs(value - 0.5) < BLIND and step in unlike) for step, value in values(lines, SEPARATION)]
    step = lasting(pairs, FOREVER)
    if step is None:
        return None
    return Finding(
        "discriminator blind",
        step,
        f"The discriminator is blind from step {step} on: it can't tell samples from real ones, and they are unlike.",
        ("a larger discriminator_learning_rate", "more critic_steps", "a wider discriminator", "a weaker penalty"),
        6,
        {"discriminator_learning_rate": MORE},
    )


@rule
def frozen(lines: Lines, evaluations: Lines) -> Finding | None:
    """No layer of a player moves."""
    for player in PLAYERS:
        prefix = f"{PREFIX}{player}/update/"
        pairs = []
        for line in lines:
            moves = [float(value) for name, value in line.items() if name.startswith(prefix)]
            if moves:
                pairs.append((int(line["step"]), max(moves) < FROZEN))
        step = lasting(pairs, TWICE)
        if step is not None:
            return Finding(
                "frozen",
                step,
                f"The {player} does not move: no update changes a layer by more than {FROZEN:g} of its weights from "
                f"step {step} on.",
                (f"a larger {player}_learning_rate", "a smaller epsilon of the optimizer"),
                8,
                {f"{player}_learning_rate": 100 * MORE},
            )
    return None


@rule
def collapse(lines: Lines, evaluations: Lines) -> Finding | None:
    """Samples are far less varied than they were."""
    seen = values(lines, DIVERSITY)
    best = 0.0
    pairs = []
    for at, value in seen:
        pairs.append((at, value < COLLAPSED * best and value < COLLAPSED))
        best = max(best, min(value, 1.0))
    step = lasting(pairs, TWICE)
    if step is None:
        return None
    return Finding(
        "mode collapse",
        step,
        f"Samples have lost variety: {seen[-1][1]:.2g} of the real ones' diversity, {best:.2g} before step {step}.",
        (
            "a discriminator that judges several samples at once",
            "a gradient penalty",
            "a smaller generator_learning_rate",
            "the best checkpoint (zoo run --evaluate-every)",
        ),
        8,
        {"generator_learning_rate": LESS},
    )


def below(lines: Lines, name: str, limit: float, what: str, quantity: str) -> Finding | None:
    """Samples have far less of something than real ones."""
    seen = values(lines, name)
    step = lasting([(step, value < limit) for step, value in seen], TWICE)
    if step is None:
        return None
    return Finding(
        f"samples {what}",
        step,
        f"Samples are {what}: they have {seen[-1][1]:.2g} of the real ones' {quantity}, from step {step} on.",
        ("another seed", "a larger generator_learning_rate", "a smaller discriminator_learning_rate"),
        7,
        {"discriminator_learning_rate": LESS},
    )


@rule
def alike(lines: Lines, evaluations: Lines) -> Finding | None:
    """Samples are one and the same."""
    return below(lines, DIVERSITY, ALIKE, "all alike", "diversity")


@rule
def flat(lines: Lines, evaluations: Lines) -> Finding | None:
    """Images have hardly any contrast."""
    return below(lines, CONTRAST, FLAT, "flat", "contrast")


@rule
def worse(lines: Lines, evaluations: Lines) -> Finding | None:
    """The first score got worse long after its best."""
    periodic = [each for each in evaluations if each.get("periodic", True) and each.get("scores")]
    scored = [(int(each["step"]), each["scores"][0]) for each in periodic]
    better = scored[0][1].get("better") if scored else None
    if better not in ("lower", "higher"):
        return None
    sign = 1 if better == "lower" else -1
    found = [(step, sign * float(score["value"])) for step, score in scored]
    best_step, best = min(found, key=lambda each: each[1])
    limit = best + WORSE * abs(best)
    step = lasting([(step, value > limit and step > best_step) for step, value in found], 3)
    if step is None or found[-1][0] < LONG * best_step:
        return None
    name, last = scored[0][1]["name"], sign * found[-1][1]
    return Finding(
        "score worsening",
        step,
        f"{name} was best at step {best_step} ({sign * best:.4g}) and is {last:.4g} now.",
        ("the best checkpoint, which is kept", "a shorter budget", "smaller learning rates", "average_decay=0.999"),
        5,
    )


@rule
def memorisation(lines: Lines, evaluations: Lines) -> Finding | None:
    """Many samples are near-copies of training images."""
    for each in reversed(evaluations):
        for score in each.get("scores", ()):
            if score["name"].startswith("near_copies") and float(score["value"]) > COPIES:
                return Finding(
                    "memorisation",
                    int(each.get("step") or 0),
                    f"{100 * float(score['value']):.0f}% of the samples are near-copies of training images.",
                    ("more data", "a shorter budget", "augmentation in front of the discriminator"),
                    6,
                )
    return None
