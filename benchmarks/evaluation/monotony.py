"""Whether a score worsens as harm grows: computed from its values and their 95% intervals."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

Point = Mapping[str, Any]  # value, interval or None, better

YES, WITHIN, UNMOVED, NO = "yes", "within error", "unmoved", "**no**"
MEANING = {
    YES: "it worsens at every step, and from the first to the last by more than both intervals",
    WITHIN: "the same from the first to the last, but a step between goes the other way, within the intervals",
    UNMOVED: "no step betters it by more than the intervals, and the last is no worse than the first beyond them",
    NO: "a step betters it by more than both intervals",
}


def verdict(series: Sequence[Point]) -> str:
    """The verdict, a key of MEANING, on a score at growing harm, of which the first point has none."""
    steps = list(pairwise(series))
    if any(harm(before, after) < 0 and apart(before, after) for before, after in steps):
        return NO
    first, last = series[0], series[-1]
    if harm(first, last) <= 0 or not apart(first, last):
        return UNMOVED
    return YES if all(harm(before, after) > 0 for before, after in steps) else WITHIN


def harm(before: Point, after: Point) -> float:
    """By how much the second point is worse than the first."""
    change = after["value"] - before["value"]
    return change if before["better"] == "lower" else -change


def apart(one: Point, other: Point) -> bool:
    """Whether the intervals of two points are disjoint."""
    (low, high), (least, most) = interval(one), interval(other)
    return bool(high < least or most < low)


def interval(point: Point) -> tuple[float, float]:
    """The 95% interval; (value, value) where it is unknown."""
    low, high = point["interval"] or (point["value"], point["value"])
    return low, high
