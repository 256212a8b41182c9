"""The benchmark of vanishing gradients: it sees each expectation that does not hold."""

from typing import Any

import pytest

pytest.importorskip("benchmarks.vanishing", reason="an installed zoo has no benchmarks")

from benchmarks.vanishing.expectations import checks


def verdict(change: float | None, first: float = 1.0, noises: tuple[float, float] = (0.1, 0.2)) -> dict[str, Any]:
    last = 0.0 if change is None else first * 10**change
    return {"change": change, "first": first, "last": last, "early_noise": noises[0], "late_noise": noises[1]}


AS_EXPECTED = {
    "minimax": verdict(-3),
    "non-saturating": verdict(0.7),
    "clipped Wasserstein": verdict(0.1),
    "penalized Wasserstein": verdict(-0.4),
}


def failing(**changed: Any) -> list[int]:
    """The places of the expectations that do not hold."""
    names = {
        "minimax": "minimax",
        "other": "non-saturating",
        "clipped": "clipped Wasserstein",
        "penalized": "penalized Wasserstein",
    }
    found = checks({**AS_EXPECTED, **{names[name]: each for name, each in changed.items()}})
    return [place for place, (_, holds, _) in enumerate(found) if not holds]


def test_what_the_theory_says_passes() -> None:
    assert failing() == []
    assert failing(minimax=verdict(None)) == []  # it ended at 0


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"minimax": verdict(-1)}, [0]),
        ({"other": verdict(-1, noises=(0.1, 5.0))}, [1]),
        ({"other": verdict(0, noises=(0.2, 0.1))}, [2]),
        ({"clipped": verdict(-1.2)}, [3]),
        ({"penalized": verdict(1.2)}, [4]),
    ],
)
def test_each_expectation_is_seen_where_it_fails(changed: dict[str, Any], place: list[int]) -> None:
    assert failing(**changed) == place
