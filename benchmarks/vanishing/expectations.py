"""What Arjovsky and Bottou 2017 (arXiv:1701.04862) and Arjovsky et al. 2017 (arXiv:1701.07875) lead one to expect."""

from collections.abc import Mapping
from typing import Any

FALL, HOLD = -2.0, 1.0  # orders of magnitude
Verdict = Mapping[str, Any]


def checks(verdicts: Mapping[str, Verdict]) -> list[tuple[str, bool, str]]:
    """(expectation, whether it holds, what was measured) for the verdicts of one generator by objective."""
    minimax, other = verdicts["minimax"], verdicts["non-saturating"]
    early, late = (other[f"{when}_noise"] * norm for when, norm in (("early", other["first"]), ("late", other["last"])))
    found = [
        ("minimax falls by two orders of magnitude or more", change(minimax) <= FALL, worded(minimax)),
        ("non-saturating stays or grows", change(other) > -HOLD / 2, worded(other)),
        ("the deviation of a non-saturating gradient grows", late > early, f"{early:.2g} to {late:.2g}"),
    ]
    for name in ("clipped Wasserstein", "penalized Wasserstein"):
        found.append(
            (f"{name} stays within one order of magnitude", abs(change(verdicts[name])) < HOLD, worded(verdicts[name]))
        )
    return found


def change(verdict: Verdict) -> float:
    """Orders of magnitude; minus infinity where the gradient ended at 0."""
    return float("-inf") if verdict["change"] is None else float(verdict["change"])


def worded(verdict: Verdict) -> str:
    """`1.5 to 0.0072`"""
    return f"{verdict['first']:.2g} to {verdict['last']:.2g}"
