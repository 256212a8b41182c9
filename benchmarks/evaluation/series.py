"""The scores of a sanity check as series along growing harm, read from its report."""

from collections.abc import Mapping
from typing import Any

from zoo.evaluation.names import score_name

from .monotony import Point, interval
from .spoiling import SPOILINGS
from .variants import REFERENCE

LIKENESS = "ms-ssim"  # a score whose right value is the real side's, so that harm is the distance from that
OF_REAL = f"{LIKENESS}_real"
LABELS = {
    "fd": "FD",
    "kid": "KID",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
    "is": "IS",
    "swd": "SWD × 1,000",
    LIKENESS: "MS-SSIM",
}
ARROWS = {"lower": "↓", "higher": "↑"}  # the better direction of a score


def label(name: str, score: Mapping[str, Any]) -> str:
    """`FD ↓`."""
    return f"{LABELS[name]} {ARROWS.get(score['better'], '')}".strip()


def scores_of(variant: Mapping[str, Any], extractor: str) -> dict[str, Mapping[str, Any]]:
    """The scores of a variant by the keys of LABELS."""
    by_name = {score["name"]: score for score in variant["scores"]}
    keys = {name: key for name in LABELS for key in (name, score_name(name, extractor)) if key in by_name}
    return {name: by_name[key] for name, key in keys.items()}


def series(report: Mapping[str, Any], spoiling: str) -> dict[str, list[Mapping[str, Any]]]:
    """Each score without harm, then at each strength."""
    extractor = report["extractor"]["name"]
    found = {(each["spoiling"], each["strength"]): scores_of(each, extractor) for each in report["variants"]}
    keys = [(REFERENCE, None), *((spoiling, strength) for strength in SPOILINGS[spoiling].strengths)]
    return {name: [found[key][name] for key in keys] for name in found[keys[0]]}


def real_likeness(report: Mapping[str, Any]) -> float:
    """MS-SSIM of pairs of real images."""
    return next(score["value"] for score in report["variants"][0]["scores"] if score["name"] == OF_REAL)


def judged(name: str, points: list[Mapping[str, Any]], report: Mapping[str, Any]) -> list[Point]:
    """The points that a verdict is on: those of MS-SSIM as distances from the real images' own."""
    if name != LIKENESS:
        return points
    real, made = real_likeness(report), list[Point]()
    for point in points:
        low, high = interval(point)
        far, reach = abs(point["value"] - real), (high - low) / 2
        made.append({"value": far, "interval": (max(0.0, far - reach), far + reach), "better": "lower"})
    return made
