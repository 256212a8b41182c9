"""What the curves of a diagnosis mean, in words."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

EARLY = 0.1  # the share of a curve whose largest value counts as its beginning
LATE = 0.2  # the share of a curve whose geometric mean counts as its end
VANISHES, FALLS, GROWS = -2.0, -0.5, 0.5  # orders of magnitude
NOISIER = 2.0  # times as much noise, from which on a gradient counts as noisier
Line = Mapping[str, Any]


def verdicts_of(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """A verdict on each curve of at least two measurements, in the order in which they were made."""
    curves: dict[tuple[int, str], list[Line]] = {}
    for line in lines:
        curves.setdefault((line["trained"], line["objective"]), []).append(line)
    return [
        {"trained": trained, "objective": objective, **verdict_of(curve)}
        for (trained, objective), curve in curves.items()
        if len(curve) > 1
    ]


def verdict_of(curve: Sequence[Line]) -> dict[str, Any]:
    """How the gradient's norm moved over one curve, in orders of magnitude, and what that is called.

    `change` compares the geometric mean of the last fifth with the largest value of the first tenth.
    """
    norms = [each["norm"] for each in curve]
    first = max(norms[: math.ceil(EARLY * len(norms))])
    late = norms[-math.ceil(LATE * len(norms)) :]
    last = geometric_mean(late)
    change = -math.inf if last == 0 else math.inf if first == 0 else math.log10(last / first)
    noises = [each.get("noise") for each in curve]
    early_noise, late_noise = mean_of(noises[: math.ceil(LATE * len(noises))]), mean_of(noises[-len(late) :])
    word = word_of(change)
    return {
        "word": word,
        "first": first,
        "last": last,
        "change": change if math.isfinite(change) else None,
        "early_noise": early_noise,
        "late_noise": late_noise,
        "separation": curve[-1]["separation"],
        "sentence": sentence_of(word, curve, first, last, early_noise, late_noise),
    }


def word_of(change: float) -> str:
    """`vanishes`, `falls`, `stays` or `grows`."""
    if change <= VANISHES:
        return "vanishes"
    if change <= FALLS:
        return "falls"
    return "grows" if change >= GROWS else "stays"


def sentence_of(
    word: str, curve: Sequence[Line], first: float, last: float, early: float | None, late: float | None
) -> str:
    """`vanishes: 0.31 at first, 2.1e-05 after 500 updates, a fall by 4.2 orders of magnitude.`"""
    moved = f"{word}: {first:.2g} at first, {last:.2g} after {curve[-1]['update']} updates"
    if first > 0 and last > 0 and word != "stays":
        kind = "growth" if last > first else "fall"
        moved += f", a {kind} by {abs(math.log10(last / first)):.1f} orders of magnitude"
    if early and late and late > NOISIER * early:
        moved += f"; its noise grew from {early:.2g} to {late:.2g} times the gradient itself"
    return moved + "."


def geometric_mean(values: Sequence[float]) -> float:
    """0 where a value is 0."""
    return 0.0 if min(values) <= 0 else math.exp(sum(map(math.log, values)) / len(values))


def mean_of(values: Sequence[float | None]) -> float | None:
    """The mean of those that are there."""
    there = [each for each in values if each is not None]
    return sum(there) / len(there) if there else None


def overall(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """The sentence above all: which objectives keep the gradient as the discriminator gets good."""
    groups: dict[str, list[str]] = {}
    for word in ("vanishes", "falls", "stays", "grows"):
        names = dict.fromkeys(each["objective"] for each in verdicts if each["word"] == word)
        if names:
            groups[word] = list(names)
    if not groups:
        return "Nothing is measured yet."
    worded = {"vanishes": "vanishes under", "falls": "falls under", "stays": "stays under", "grows": "grows under"}
    parts = [f"{worded[word]} {', '.join(names)}" for word, names in groups.items()]
    return f"As the discriminator gets good, the generator's gradient {'; it '.join(parts)}."
