"""Numbers as text: with as many digits as the deviation supports, and units that fit the size."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

NONE = "–"  # shown where there is no value
MINUS = "\N{MINUS SIGN}"
MOST_DECIMALS = 6
ARROWS = {"lower": "↓", "higher": "↑"}  # the better direction of a score
STAGES = ("last", "best")
VERDICTS = {
    "better": "better than",
    "worse": "worse than",
    "undecided": "undecided against",
    "too few seeds": "too few seeds against",
}
STAGE_NAMES = {"last": "last", "best": "best checkpoint"}
UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
ROUNDS_TO_ONE = 0.9995  # numbers from here on round to 1.00
WRITTEN_OUT = 1e4  # counts below are written with all their digits
BINARY = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def finite(value: Any) -> float | None:
    """The value as a float; None where it is no number or not finite."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def number(value: float | None, decimals: int | None = None) -> str:
    """Three significant digits, or so many decimals; a whole number is written whole."""
    if value is None or not math.isfinite(value):
        return NONE
    if decimals is None:
        decimals = 0 if float(value).is_integer() else decimals_of(value, 3)
    return f"{round(value, decimals) + 0.0:,.{decimals}f}".replace("-", MINUS)  # adding 0.0 turns -0.0 into 0.0


def decimals_of(value: float, digits: int) -> int:
    """The number of decimals with which a value has that many significant digits."""
    if not value:
        return 0
    return min(MOST_DECIMALS, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def spread(deviation: float | None, interval: Sequence[float] | None, decimals: int | None) -> str:
    """`± 0.0012 [0.0175, 0.0204]`, or as much of it as there is."""
    parts = [] if deviation is None else [f"± {number(deviation, decimals)}"]
    if interval is not None and None not in interval:
        parts.append(f"[{', '.join(number(end, decimals) for end in interval)}]")
    return " ".join(parts)


def count(value: float | None) -> str:
    """`5.12 M`, `18.3 k`, `964`."""
    if value is None:
        return NONE
    if abs(value) < WRITTEN_OUT:
        return f"{value:,.0f}"
    size, unit = next(each for each in UNITS if abs(value) >= ROUNDS_TO_ONE * each[0])
    return f"{value / size:.3g} {unit}"


def duration(seconds: float | None) -> str:
    """`1 h 03 min`, `12 min`, `8.4 s`."""
    if seconds is None:
        return NONE
    if seconds < 99.5:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def memory(size: float | None) -> str:
    """`1.4 GiB`."""
    if size is None:
        return NONE
    for unit, name in BINARY:
        if size >= unit:
            return f"{size / unit:,.3g} {name}" if size < 999.5 * unit else f"{size / unit:,.0f} {name}"
    return f"{size:,.0f} B"


def probability(p: float | None) -> str:
    """`0.034`, or `< 0.001`."""
    if p is None:
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def plural(many: int, noun: str) -> str:
    """`1 run`, `3 runs`."""
    return f"{many:,} {noun}" if many == 1 else f"{many:,} {noun}s"


def budget(amounts: Mapping[str, float]) -> str:
    """`5,120,000 images` of `{"images": 5120000}`."""
    parts = []
    for unit, amount in amounts.items():
        name = unit.removesuffix("s") if amount == 1 else unit
        parts.append(f"{amount:,} {name}")
    return " and ".join(parts) or NONE


def arrow(better: str | None) -> str:
    """↓ or ↑, the better direction of a score; "" where it has none."""
    return ARROWS.get(better or "", "")


def plain(value: Any) -> str:
    """A value of a recipe or protocol as text: `5e-05`, `128, 128`, `none`."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(plain(each) for each in value) or "none"
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def shortened(text: str, most: int = 20) -> str:
    """The first 12 characters of a long hexadecimal digest; any other text as it is."""
    is_digest = len(text) > most and all(letter in "0123456789abcdef" for letter in text)
    return f"{text[:12]}…" if is_digest else text
