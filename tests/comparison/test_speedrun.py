"""A race to a score, worked by hand: when a run counts as there, and what a run that never is does to a median."""

from typing import Any

import pytest

from zoo.cli.comparison_printing import raced
from zoo.comparison.speedrun import middle, races
from zoo.errors import ZooError


def cell(
    label: str, seed: int, values: dict[int, float], state: str = "done", best: float | None = None
) -> dict[str, Any]:
    curve = [{"step": s, "images": 64 * s, "seconds": s / 10, "scores": {"kid": value}} for s, value in values.items()]
    found = {"kid": {"value": best}} if best is not None else {}
    return {
        "label": label, "dataset": "garments", "seed": seed, "state": state, "curve": curve, "best": found,
        "machine": "Linux, 2 cores",
    }  # fmt: skip


def comparison(*cells: dict[str, Any], until: float | None = 0.05, better: str = "lower") -> dict[str, Any]:
    ranking = {"garments": {"kid": {"last": {"better": better}}}}
    return {"benchmark": {"until": until}, "cells": list(cells), "rankings": ranking}


def test_a_run_is_there_at_its_first_score_that_is_good_enough() -> None:
    (row,) = races(
        comparison(
            cell("dcgan", 0, {100: 0.09, 200: 0.05, 300: 0.04}, best=0.051),  # as good counts
            cell("dcgan", 1, {100: 0.09, 200: 0.06, 300: 0.049}),
            cell("dcgan", 2, {100: 0.02}),
        )
    )
    assert row["seconds"] == [20.0, 30.0, 10.0]
    assert row["images"] == [12800, 19200, 6400]
    assert (row["median"], row["worst"]) == (20.0, 30.0)
    assert row["confirmed"] == [0.051, None, None]


def test_a_run_that_never_gets_there_is_slower_than_all_others() -> None:
    rows = races(
        comparison(
            cell("slow", 0, {100: 0.04}), cell("slow", 1, {100: 0.9}), cell("slow", 2, {}, state="failed"),
            cell("fast", 0, {900: 0.04}), cell("fast", 1, {100: 0.04}), cell("fast", 2, {100: 0.9}, state="diverged"),
        )
    )  # fmt: skip
    assert [(row["label"], row["median"], row["worst"]) for row in rows] == [("fast", 90.0, None), ("slow", None, None)]
    assert middle([1.0, None]) is None  # the slower of the two in the middle
    lines = raced(rows).splitlines()
    assert lines[0] == "garments, to a kid of 0.05"
    assert lines[3].split() == ["slow", "not", "reached", "not", "reached", "6,400,", "-,", "-", "10.0,", "not",
                                "reached,", "not", "reached", "-,", "-,", "-"]  # fmt: skip


def test_of_a_score_that_is_to_be_high_the_first_as_high_counts() -> None:
    (row,) = races(comparison(cell("dcgan", 0, {100: 0.4, 200: 0.7}), until=0.7, better="higher"))
    assert row["seconds"] == [20.0]


def test_without_a_target_there_is_no_race() -> None:
    with pytest.raises(ZooError, match="give --until SCORE"):
        races(comparison(cell("dcgan", 0, {100: 0.4}), until=None))
